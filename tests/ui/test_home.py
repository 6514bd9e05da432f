"""Home greets, makes projects, says how far the loop is and what is next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from workbench.domain import Batch, ModelVersion, Project, Run, RunKind, RunState, Split
from workbench.services import Workbench
from workbench.services.overview import Overview, Stage
from workbench.storage.sizes import SplitCounts
from workbench.web.shared import shared_workbench

HOME = str(Path(__file__).resolve().parents[2] / "Home.py")
NOW = datetime(2026, 1, 2, tzinfo=UTC)
PROJECT = Project(1, "p", "ner", (), "", {}, NOW)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    """The workbench that the page opens in this test."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WORKBENCH_DATABASE_URL", raising=False)
    opened = shared_workbench()
    yield opened
    opened.close()


def open_home() -> AppTest:
    app = AppTest.from_file(HOME, default_timeout=60).run()
    assert not app.exception
    return app


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    app.run()
    assert not app.exception
    return app


def test_an_empty_workbench_is_greeted_with_three_ways_in(home: Workbench) -> None:
    app = open_home()
    assert app.title[0].value.startswith("Welcome")
    assert [heading.value.split(": ")[-1] for heading in app.subheader] == [
        "Try the sample",
        "Bring your data",
        "Read the tour",
    ]


def test_the_sample_is_one_click_away(home: Workbench) -> None:
    press(open_home(), "Begin the guided round")
    assert [project.name for project in home.projects.list()] == ["sample-ner"]


def test_a_project_is_made_and_its_mistakes_are_said(home: Workbench) -> None:
    app = open_home()
    app.text_input(key="create_name").input("a/b")
    assert "can't be a project's name" in press(app, "Make the project").error[0].value
    app.text_input(key="create_name").input("news *wire*")
    app.text_input(key="create_labels").input("PER, ORG,")
    app = press(app, "Make the project")
    assert app.title[0].value == "news *wire*"
    assert home.projects.get("news *wire*").label_names == ("PER", "ORG")
    assert app.query_params["project"] == "news *wire*"
    assert "Import data" in [button.label for button in app.button]


def make(**changes: object) -> Overview:
    empty = Overview(PROJECT, {}, (), (), {}, (), 0)
    return replace(empty, **changes)  # type: ignore[arg-type]


POOL = {Split.POOL: SplitCounts(examples=10)}
LABELED = {Split.POOL: SplitCounts(examples=10, gold=4)}
TESTED = {**LABELED, Split.TEST: SplitCounts(examples=5, gold=5)}
FULL = {Split.POOL: SplitCounts(examples=4, gold=4)}
BATCH = Batch(1, 1, 1, "random", None, "examples", 4, {}, 4, 1, NOW)
VERSION = ModelVersion(
    1, 1, 1, "minilm", None, 1, 1, (), "1/1", "", {}, {"validation": {"f1": 0.5}}, "", None, None, NOW
)
RUN = Run(
    1, 1, RunKind.TRAIN, RunState.RUNNING, {}, {}, {}, None, 1, "local", "cpu", False, None, NOW, None, None
)


@pytest.mark.parametrize(
    ("now", "stage"),
    [
        (make(), Stage.DATA),
        (make(splits={Split.TEST: SplitCounts(examples=5, gold=5)}), Stage.DATA),
        (make(splits=POOL), Stage.SELECT),
        (make(splits=POOL, batches=(BATCH,)), Stage.LABEL),
        (make(splits=LABELED), Stage.TRAIN),
        (make(splits=LABELED, active=(RUN,)), Stage.TRAIN),
        (make(splits=LABELED, versions=(VERSION,), trained_on=3), Stage.TRAIN),
        (make(splits=LABELED, versions=(VERSION,), trained_on=4), Stage.SELECT),
        (make(splits=TESTED, versions=(VERSION,), trained_on=4), Stage.COMPARE),
        (make(splits=FULL, versions=(VERSION,), trained_on=4), Stage.EXPORT),
    ],
)
def test_there_is_one_next_step(now: Overview, stage: Stage) -> None:
    step = now.next_step
    assert step.stage is stage and step.action and step.reason.endswith(".")


def test_the_best_version_is_the_promoted_one_or_the_highest() -> None:
    second = replace(VERSION, number=2, metrics={"validation": {"f1": 0.7}})
    assert make(versions=(VERSION, second)).best == second
    promoted = replace(VERSION, promoted_at=NOW)
    assert make(versions=(promoted, second)).best == promoted
    assert make().best is None
    assert make(versions=(VERSION,)).score(VERSION) == (0.5, "validation")
