"""The Simulate page, wired to the services: a launch, points that are there so far, the downloads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.jobs.rows import add_examples, add_gold
from workbench.domain import RunState, Split
from workbench.evidence.points import POINTS
from workbench.evidence.replay import ReplayPoint
from workbench.jobs.ensure import supervisor_lock
from workbench.services import Workbench
from workbench.web.shared import shared_workbench

PAGE = str(Path(__file__).parents[2] / "pages" / "7_Simulate.py")


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


def test_a_simulation_is_launched_and_its_points_are_shown_while_it_runs(home: Workbench):
    project = home.projects.create("news", "ner", ["PER", "LOC"])
    add_gold(home, add_examples(home, project, 10))
    add_gold(home, add_examples(home, project, 4, split=Split.TEST))
    app = AppTest.from_file(PAGE, default_timeout=60).run()
    assert not app.exception
    assert "No simulation yet" in app.info[0].value
    next(button for button in app.button if button.label == "Simulate").click().run()
    assert not app.exception
    assert not [button for button in app.button if button.label == "Simulate"], "the drawer is closed"
    (run,) = home.simulation.list(project)
    assert run.parameters["strategies"][0] == "random"
    assert len(run.parameters["strategies"]) == 3
    folder = home.settings.runs_dir / str(run.id) / "1"
    lines = [json.loads(line) for line in (folder / "examples.jsonl").read_text().splitlines()]
    assert [line["split"] for line in lines] == ["pool"] * 10 + ["test"] * 4
    assert all(line["words"] > 0 and line["near"] and line["payload"] for line in lines)

    (folder / POINTS).mkdir()
    for number, words in enumerate((10, 20)):
        point = ReplayPoint("random", 1, number, words // 5, words, words / 4, words / 40, 1.0)
        data = {"of": "x", "point": asdict(point), "next": {}}
        (folder / POINTS / f"random.1.{number}.json").write_text(json.dumps(data))
    app.run()
    assert not app.exception
    assert "is not trained yet" in "".join(each.value for each in app.markdown)
    report = home.simulation.report(project, run)
    assert [point["words"] for point in report["curves"][0]["points"]] == [10, 20]


def test_one_that_ended_without_a_model_says_so(home: Workbench) -> None:
    project = home.projects.create("news", "ner", ["PER", "LOC"])
    add_gold(home, add_examples(home, project, 10))
    add_gold(home, add_examples(home, project, 4, split=Split.TEST))
    run = home.simulation.launch(project, ["random"], seeds=1, batch_words=20, rounds=1)
    app = AppTest.from_file(PAGE, default_timeout=60).run()
    assert "still being trained" in "".join(each.value for each in app.caption)
    with home.store.write() as tx:
        tx.runs.transition(run.id, RunState.CANCELLED)
    app.run()
    assert not app.exception
    assert "It ended before its first model was there." in [each.value for each in app.caption]
