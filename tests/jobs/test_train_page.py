"""The Train page, wired to the services: a launch, a run in every state, all of it in another session too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.jobs.rows import add_examples, add_gold
from workbench.domain import Project, Run, RunKind, RunState
from workbench.jobs.ensure import supervisor_lock
from workbench.services import Workbench
from workbench.storage.runs import NewEvent
from workbench.ui.run_charts import POINTS, line_chart, thinned, validation_chart
from workbench.web.shared import shared_workbench

PAGE = str(Path(__file__).parents[2] / "pages" / "4_Train.py")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WORKBENCH_DATABASE_URL", raising=False)
    opened = shared_workbench()
    lock = supervisor_lock(opened.settings)
    assert lock.acquire()  # a launch finds a supervisor, so to speak; nothing is computed in these tests
    yield opened
    lock.release()
    opened.close()


def open_train(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    parts = [*app.markdown, *app.info, *app.warning, *app.error, *app.success, *app.caption, *app.subheader]
    return "\n".join([*(part.value for part in parts), *(html.body for html in app.get("html"))])


def button(app: AppTest, label: str) -> Any:
    return next(item for item in app.button if item.label == label)


def labeled(wb: Workbench) -> Project:
    project = wb.projects.create("news", "ner", ["PER", "LOC"])
    add_gold(wb, add_examples(wb, project, 10))
    return project


def running(wb: Workbench, run: Run) -> Run:
    moment = datetime.now(UTC)
    with wb.store.write() as tx:
        tx.runs.transition(run.id, RunState.RUNNING)
        metrics = [
            NewEvent(
                step,
                "metric",
                moment,
                {"step": step, "epoch": step / 10, "loss": 1 / step, "learning_rate": 1e-4},
            )
            for step in range(1, 11)
        ]
        last = NewEvent(
            11, "metric", moment, {"step": 10, "epoch": 1.0, "validation_f1": 0.5, "validation_recall": 0.4}
        )
        log = NewEvent(12, "log", moment, {"message": "It goes well."})
        tx.runs.add_events(run.id, 1, [*metrics, last, log])
        progress = {"done": 10, "total": 40, "phase": "training", "epoch": 1.0, "loss": 0.1, "device": "CPU"}
        tx.runs.beat(
            run.id, 1, progress | {"examples_per_second": 123.4, "seconds_left": 61.0, "memory_mb": 800.0}
        )
    return wb.runs.get(run.id)


def test_without_labels_it_says_what_to_do(home: Workbench) -> None:
    home.projects.create("news", "ner", ["PER"])
    app = open_train()
    assert "nothing to learn from yet" in app.info[0].value
    assert not [item for item in app.button if item.label == "Train"]


def test_a_launch_takes_the_preset_and_what_was_changed(home: Workbench) -> None:
    project = labeled(home)
    app = open_train()
    assert "**10 labeled examples** to learn from" in said(app)
    app.session_state[f"advanced-{project.id}"] = True
    app.run()
    next(item for item in app.number_input if item.label == "Batch size").set_value(8)
    next(item for item in app.number_input if item.label == "Document context").set_value(64)
    next(item for item in app.selectbox if item.label == "Schedule").set_value("cosine")
    next(item for item in app.number_input if item.label == "Passes over the texts first").set_value(2.0)
    next(item for item in app.number_input if item.label == "LoRA rank").set_value(8)
    app.segmented_control[0].set_value("thorough").run()
    assert not app.exception
    button(app, "Train").click().run()
    assert not app.exception
    [run] = home.runs.list(project)
    chosen = run.parameters
    assert (chosen["epochs"], chosen["batch_size"], chosen["freeze_embeddings"]) == (8.0, 8, False)
    assert (chosen["adapt_epochs"], chosen["lora_rank"]) == (2.0, 8)
    assert (chosen["learning_rate"], chosen["schedule"], chosen["warmup"]) == (None, "cosine", 0.1)
    assert chosen["context"] == 64
    assert app.query_params["run"] == [str(run.id)] or app.query_params["run"] == str(run.id)
    assert f"Run {run.id}: Training" in said(app)
    assert "starts in a moment" in said(app)


def test_a_closed_drawer_keeps_what_was_changed_and_presets_keep_their_own(home: Workbench) -> None:
    project = labeled(home)
    app = open_train()

    def opened(is_open: bool) -> None:
        app.session_state[f"advanced-{project.id}"] = is_open
        app.run()

    def number(label: str) -> Any:
        return next(item for item in app.number_input if item.label == label)

    opened(True)
    number("Batch size").set_value(8).run()
    number("Epochs").set_value(5.0).run()
    number("Learning rate").set_value(1e-4).run()
    opened(False)
    assert "3 settings of Advanced are changed." in said(app)
    app.segmented_control[0].set_value("thorough").run()
    assert "2 settings of Advanced are changed." in said(app)
    opened(True)
    shown = number("Batch size").value, number("Epochs").value, number("Learning rate").value
    assert shown == (8, 8.0, 1e-4)
    app.segmented_control[0].set_value("balanced").run()
    assert (number("Batch size").value, number("Epochs").value) == (8, 5.0)
    opened(False)
    button(app, "Train").click().run()
    assert not app.exception
    [run] = home.runs.list(project)
    assert [run.parameters[name] for name in ("batch_size", "epochs", "learning_rate")] == [8, 5.0, 1e-4]


def test_a_base_model_that_is_no_folder_is_an_error_on_the_page(home: Workbench) -> None:
    project = labeled(home)
    app = open_train()
    next(item for item in app.selectbox if item.label == "Begin with").set_value("another model").run()
    assert not [item for item in app.button if item.label == "Train"]
    next(item for item in app.text_input if item.label.startswith("Name on")).set_value("/no/where").run()
    button(app, "Train").click().run()
    assert "there is no base model or folder '/no/where'" in app.error[0].value
    assert home.runs.list(project) == ()


def test_a_running_run_in_any_session(home: Workbench) -> None:
    project = labeled(home)
    first, second = (home.training.launch(project) for _ in range(2))
    running(home, first)
    for _ in range(2):
        app = open_train(run=str(first.id))
        numbers = dict(
            item.value.removeprefix(":small[:gray[").replace("**", "").split("]]  \n")
            for item in app.markdown
            if item.value.startswith(":small")
        )
        assert numbers["Loss"] == "0.1000"
        assert (numbers["Examples/s"], numbers["Memory"], numbers["Device"]) == ("123", "800 MB", "CPU")
        assert numbers["Time left"] == "1 min 01 s"
        assert "It goes well." in said(app)
        assert "Latest validation: F1 0.500, Recall 0.400." in said(app)
    waiting = open_train(run=str(second.id))
    assert f"It waits for run {first.id} (training)" in said(waiting)


def test_cancel_asks_and_resume_queues_again(home: Workbench) -> None:
    project = labeled(home)
    run = running(home, home.training.launch(project))
    app = open_train(run=str(run.id))
    button(app, "Yes, cancel it").click().run()
    assert home.runs.get(run.id).cancel_requested
    assert "Stopping…" in said(app)
    with home.store.write() as tx:
        tx.runs.transition(run.id, RunState.FAILED, error="the disk is full")
    app = open_train(run=str(run.id))
    assert app.error[0].value == "the disk is full"
    button(app, "Resume").click().run()
    assert not app.exception
    assert (home.runs.get(run.id).state, home.runs.get(run.id).attempt) == (RunState.QUEUED, 2)


def test_a_row_that_was_chosen_means_no_other_run_once_rows_have_moved(home: Workbench) -> None:
    project = labeled(home)
    first = home.training.launch(project)
    home.training.launch(project)
    app = open_train()

    def choose(row: int) -> None:
        app.session_state[app.dataframe[0].key] = {"selection": {"rows": [row], "columns": [], "cells": []}}
        app.run()

    choose(1)
    assert f"Run {first.id}: Training" in said(app)
    button(app, "Train").click().run()
    newest = home.runs.list(project)[0]
    assert f"Run {newest.id}: Training" in said(app)
    choose(2)
    assert f"Run {first.id}: Training" in said(app), "it can be chosen again"


def test_a_run_that_ended_shows_its_record(home: Workbench) -> None:
    project = labeled(home)
    run = running(home, home.training.launch(project))
    with home.store.write() as tx:
        result = {"model_version": 1, "examples": 9, "seconds": 3.0, "device": "CPU", "metrics": {}}
        tx.runs.transition(run.id, RunState.SUCCEEDED, result=result | {"environment": {"torch": "2"}})
    app = open_train()
    assert "Version 1 is there: 9 examples, 3.0 s on CPU." in said(app)
    assert "Hash of the data" in said(app)
    assert not [item for item in app.button if item.label == "Yes, cancel it"]


def test_a_scoring_run_has_its_place(home: Workbench) -> None:
    project = labeled(home)
    with home.store.write() as tx:
        run = tx.runs.add(project.id, RunKind.SCORE, {"model_version": 1})
        tx.runs.transition(run.id, RunState.RUNNING)
        tx.runs.transition(run.id, RunState.FAILED, error="it broke")
    assert "Run 1: Scoring the pool" in said(open_train())


def test_curves_keep_their_ends_and_few_points() -> None:
    rows = [{"step": step, "epoch": step / 100, "loss": 1.0} for step in range(5_000)]
    points = thinned([*rows, {"step": 5_000, "validation_f1": 0.1}], "loss")
    assert len(points) <= POINTS + 1
    assert (points[0]["step"], points[-1]["step"]) == (0, 4_999)
    assert line_chart(rows[:1], "loss", "Loss", zero=True) is None
    assert line_chart(rows, "loss", "Loss", zero=True).to_dict()
    assert validation_chart(rows, ["f1"], 1.0) is None


def test_several_seeds_are_launched_and_compared(home: Workbench) -> None:
    project = labeled(home)
    app = open_train()
    next(item for item in app.number_input if item.label == "Seeds").set_value(3)
    button(app, "Train").click().run()
    assert not app.exception
    assert "Mean and spread are shown when" in said(app)
    runs = sorted(home.runs.list(project), key=lambda run: run.id)
    assert [run.parameters["seed"] for run in runs] == [13, 14, 15]
    assert len({(run.parameters["group"], run.parameters["snapshot"]) for run in runs}) == 1
    for run, value in zip(runs[:2], (0.5, 0.7), strict=True):
        with home.store.write() as tx:
            tx.runs.transition(run.id, RunState.RUNNING)
            result = {"model_version": run.id, "metrics": {"validation": {"f1": value}}}
            tx.runs.transition(run.id, RunState.SUCCEEDED, result=result)
    group = home.training.seeds(project, runs[2])
    assert group is not None and group.best is not None and group.spread is not None
    assert (group.mean, group.best.id) == (pytest.approx(0.6), runs[1].id)
    assert group.spread == pytest.approx(0.1414, abs=1e-4)
    app = open_train(run=str(runs[2].id))
    assert "Validation F1 0.600 ± 0.141 (2 of 3 runs measured" in said(app)
    alone = home.training.launch(project)
    assert home.training.seeds(project, alone) is None
