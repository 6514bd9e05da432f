"""The Compare page, wired to the services."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.comparison.test_comparison import NER_ROWS, answers, judged_project, tags
from tests.selection.pool import add_version, annotate, make_project
from workbench.domain import Project, Split
from workbench.services import Workbench
from workbench.services.evaluation import measure
from workbench.web.shared import shared_workbench

PAGE = str(Path(__file__).parents[2] / "pages" / "5_Compare.py")
POS_ROWS = [(tags("PER", "ORG", None), tags("ORG", "ORG", "PER"), tags("PER", "ORG", "PER"))] * 3
QA_ROWS = [(answers((0, 3), (8, 11)), answers((8, 11)), answers()), (answers(), answers((0, 3)), answers())]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WORKBENCH_DATABASE_URL", raising=False)
    opened = shared_workbench()
    yield opened
    opened.close()


def open_compare() -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=60).run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    parts = [*app.markdown, *app.info, *app.warning, *app.error, *app.success, *app.caption, *app.get("html")]
    return "\n".join(str(getattr(part, "value", "")) or str(part.proto) for part in parts)


def measured(home: Workbench, project: Project, *numbers: int) -> None:
    for number in numbers:
        measure(home.store, project, home.models.get(project, number), Split.TEST)


def test_without_a_version_and_without_a_test_split(home: Workbench) -> None:
    project = make_project(home)
    assert "no model version yet" in said(open_compare())
    add_version(home, project, validation={"f1": 0.5})
    app = open_compare()
    assert "nothing to measure versions on" in said(app)
    assert app.dataframe[0].value["validation"].tolist() == [0.5]


def test_versions_that_were_not_measured_can_be(home: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    project, _ = judged_project(home, "ner", NER_ROWS)
    add_version(home, project, 3)
    launched: list[int] = []
    monkeypatch.setattr(
        home.evaluation, "launch", lambda project, number, split, **_: launched.append(number)
    )
    app = open_compare()
    assert "Versions **1, 2, 3** were not measured" in said(app)
    next(item for item in app.button if item.label == "Measure").click().run()
    assert not app.exception
    assert launched == [3]
    assert set(home.evaluation.latest(project, "test")) == {1, 2}
    assert app.dataframe[0].value["score"].round(3).fillna(-1).tolist() == [-1, 0.889, 0.667]


@pytest.mark.parametrize(("task", "rows"), [("ner", NER_ROWS), ("pos", POS_ROWS), ("qa", QA_ROWS)])
def test_two_versions_are_compared(home: Workbench, task: str, rows: list[Any]) -> None:
    labels = () if task == "qa" else ("PER", "ORG")
    project, _ = judged_project(home, task, rows, labels=labels, question="Who?" if task == "qa" else None)
    measured(home, project, 1, 2)
    app = open_compare()
    sentence = home.comparison.compare(project, 1, 2).sentence
    assert sentence in said(app)
    assert [box.value for box in app.main.selectbox if box.label in "AB"] == [1, 2]
    assert "Learning curve" in [item.value for item in app.subheader]
    next(box for box in app.main.selectbox if box.label == "A").select(2).run()
    assert "Choose two different versions" in said(app)
    next(box for box in app.main.selectbox if box.label == "B").select(1).run()
    assert not app.exception
    assert home.comparison.compare(project, 2, 1).sentence in said(app)


def test_older_labels_are_told_from_newer_ones(home: Workbench) -> None:
    project, ids = judged_project(home, "ner", NER_ROWS)
    measured(home, project, 1)
    annotate(home, ids[0], author="second", payload={"spans": []})
    with home.store.write() as tx:
        user = tx.users.find_or_add("second")
        tx.annotations.set_gold(ids[0], tx.annotations.latest(ids[0], user.id).id, user.id)
    measured(home, project, 2)
    app = open_compare()
    assert app.dataframe[0].value["measured"].tolist() == ["4 examples", "4 examples, older labels"]
    assert "Version **1** was not measured on these labels yet" in said(app)


def test_a_version_is_promoted_with_a_reason(home: Workbench) -> None:
    project, _ = judged_project(home, "ner", NER_ROWS)
    measured(home, project, 1, 2)
    for number in (1, 2):
        folder = home.settings.models_dir / str(number)
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
    app = open_compare()
    app.text_input[0].set_value("better on PER")
    next(item for item in app.button if item.label == "Promote").click().run()
    assert not app.exception
    assert home.models.best(project).number == 2
    assert home.models.get(project, 2).note == "better on PER"
    assert "Version **2** is promoted" in said(app)
