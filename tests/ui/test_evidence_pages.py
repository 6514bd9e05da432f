"""The Progress and Suspects pages, wired to the services."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.evidence.test_progress import add_version, predict
from tests.evidence.test_suspects import end
from tests.jobs.rows import add_examples, add_gold
from workbench.domain import Project, RunKind, Split
from workbench.jobs.ensure import supervisor_lock
from workbench.services import Workbench
from workbench.services.evaluation import measure
from workbench.web.shared import shared_workbench

PAGES = Path(__file__).parents[2] / "pages"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WORKBENCH_DATABASE_URL", raising=False)
    opened = shared_workbench()
    lock = supervisor_lock(opened.settings)
    assert lock.acquire()  # a launch finds a supervisor, so to speak; nothing is computed here
    yield opened
    lock.release()
    opened.close()


@pytest.fixture
def project(home: Workbench) -> Project:
    return home.projects.create("news", "ner", ["PER", "LOC"])


def test_progress_begins_with_a_word_and_then_shows_figures_curve_and_agreement(
    home: Workbench, project: Project
) -> None:
    app = AppTest.from_file(str(PAGES / "8_Progress.py"), default_timeout=60).run()
    assert not app.exception
    assert "no model version yet" in app.info[0].value
    pool = add_examples(home, project, 160)
    test = add_examples(home, project, 20, split=Split.TEST)
    add_gold(home, test)
    annotations = dict(zip(pool[:80], add_gold(home, pool[:80]), strict=True))
    for number, wrong in enumerate((2, 3, 4, 5), 1):
        version = add_version(home, project, number, {key: annotations[key] for key in pool[: 20 * number]})
        if number < 4:
            predict(home, version, pool[80:], wrong=wrong)
        predict(home, version, test, wrong=wrong)
        measure(home.store, project, version, Split.TEST)
    app.run()
    assert not app.exception
    assert [metric.label for metric in app.metric] == [
        "F1, version 4",
        "Next 100 labels",
        "For about",
        "Versions agree",
    ]
    assert app.metric[1].value.endswith("points")
    assert any("next 100 labels" in each.value for each in app.markdown)
    assert any("Version **4** has not read" in each.value for each in app.markdown)


def test_suspects_are_looked_for_listed_and_put_into_a_batch(
    home: Workbench, project: Project, tmp_path: Path
) -> None:
    ids = add_examples(home, project, 40)
    add_gold(home, ids)
    app = AppTest.from_file(str(PAGES / "9_Suspects.py"), default_timeout=60).run()
    assert not app.exception
    assert "Nobody has looked" in app.info[0].value
    next(button for button in app.button if button.label == "Look for label errors").click().run()
    assert not app.exception
    run = next(each for each in home.runs.list(project) if each.kind is RunKind.SUSPECTS)
    assert run.parameters["folds"] == 3
    folder = home.settings.runs_dir / str(run.id) / "1"
    assert len((folder / "examples.jsonl").read_text().splitlines()) == 40
    assert json.loads((folder / "manifest.json").read_text())["labels"] == ["PER", "LOC"]

    end(home, run, ids[:4], tmp_path)
    app.run()
    assert not app.exception
    assert [metric.value for metric in app.metric] == ["40", "4", "4"]
    assert sum("a model says nothing" in each.value for each in app.markdown) == 4
    next(button for button in app.button if "into a correction batch" in button.label).click().run()
    assert not app.exception
    (batch,) = home.selection.batches(project)
    assert (batch.items, batch.strategy) == (4, "correction")
    assert "Batch 1 has 4 examples" in app.success[0].value
