"""The Select page, wired to the services."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.selection.pool import (
    add_examples,
    add_features,
    add_predictions,
    add_scores,
    add_version,
    annotate,
    make_project,
)
from workbench.acquisition import single_pass
from workbench.domain import Sharing
from workbench.services import Workbench
from workbench.web.shared import shared_workbench

PAGE = str(Path(__file__).parents[2] / "pages" / "2_Select.py")
WORDS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WORKBENCH_DATABASE_URL", raising=False)
    opened = shared_workbench()
    yield opened
    opened.close()


def open_select() -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=60).run()
    assert not app.exception
    return app


def button(app: AppTest, start: str):
    return next(item for item in app.button if item.label.startswith(start))


def box(app: AppTest, label: str):
    return next(item for item in app.selectbox if item.label == label)


def said(app: AppTest) -> str:
    parts = [*app.markdown, *app.info, *app.warning, *app.error, *app.success, *app.caption]
    return "\n".join([*(part.value for part in parts), *(html.body for html in app.get("html"))])


def test_a_first_batch_by_lot(home: Workbench) -> None:
    project = make_project(home)
    add_examples(home, project, WORDS)
    app = open_select()
    assert box(app, "Strategy").value == "random"
    assert "6 examples" in said(app)
    app.number_input(key="size_examples").set_value(4).run()
    button(app, "Create a batch of 4 examples").click().run()
    assert not app.exception
    assert "Batch 1 with 4 examples waits" in said(app)
    assert "**2 examples** of the pool may be selected" in said(app)
    (batch,) = home.selection.batches(project)
    assert (batch.strategy, batch.items) == ("random", 4)


def test_a_budget_in_minutes(home: Workbench) -> None:
    project = make_project(home)
    add_examples(home, project, WORDS)
    app = open_select()
    next(item for item in app.button_group if item.label == "Budget in").set_value("minutes").run()
    app.number_input(key="size_minutes").set_value(1).run()
    assert not app.exception
    assert "of labeling" in said(app)
    next(item for item in app.button if item.label.startswith("Create a batch")).click().run()
    (batch,) = home.selection.batches(project)
    assert (batch.unit, batch.size) == ("seconds", 60)


@pytest.mark.parametrize(
    ("task", "strategy", "payload"),
    [
        ("ner", "mnlp", {"spans": [{"start": 0, "end": 4, "label": "PER"}]}),
        ("pos", "entropy", {"tags": ["PER"]}),
        ("qa", "margin", {"answers": [{"start": 0, "end": 4}], "no_answer": False}),
    ],
)
def test_a_batch_by_a_model(home: Workbench, task: str, strategy: str, payload: dict) -> None:
    project = make_project(home, task=task, labels=() if task == "qa" else ("PER",))
    ids = add_examples(home, project, WORDS, question="What?" if task == "qa" else None)
    version = add_version(home, project)
    for name in single_pass(task):
        add_scores(home, version, {key: index / 10 for index, key in enumerate(ids)}, name)
    add_predictions(home, version, dict.fromkeys(ids, payload))
    app = open_select()
    box(app, "Strategy").select(strategy).run()
    app.number_input(key="size_examples").set_value(2).run()
    assert not app.exception
    assert ">0.500</b>" in said(app)
    if task == "ner":
        next(item for item in app.slider if item.label.startswith("Drawn by lot")).set_value(50)
        next(item for item in app.toggle if item.label == "Vary the batch").set_value(True).run()
        assert not app.exception
        assert "by lot" in said(app)
        button(app, "Create a batch of 2 examples").click().run()
        (batch,) = home.selection.batches(project)
        assert (batch.parameters["audit_share"], batch.parameters["noise"]) == (0.5, 1.0)
        return
    button(app, "Create a batch of 2 examples").click().run()
    assert not app.exception
    assert [item.example_id for item in home.selection.items(project, 1)] == [ids[5], ids[4]]


def test_a_pool_that_is_not_scored_offers_to_score_it(
    home: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(home)
    ids = add_examples(home, project, WORDS)
    version = add_version(home, project)
    launched: list[int] = []
    monkeypatch.setattr(home.scoring, "launch", lambda project, number, **_: launched.append(number))
    app = open_select()
    assert box(app, "Strategy").value == "mnlp"
    assert "has not read the pool yet" in said(app)
    button(app, "Score the pool").click().run()
    assert launched == [1]
    add_scores(home, version, dict.fromkeys(ids[:4], 0.5))
    app = open_select()
    assert "has not scored 2 examples" in said(app)
    assert button(app, "Create a batch of 4 examples")


def test_a_first_batch_by_what_the_texts_are_like(home: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project(home)
    ids = add_examples(home, project, WORDS)
    asked: list[str] = []
    monkeypatch.setattr(home.scoring, "embed", lambda project, name, **_: asked.append(name))
    app = open_select()
    box(app, "Strategy").select("typiclust").run()
    assert "There is no model version yet" in said(app)
    button(app, "Read the pool").click().run()
    assert asked == ["minilm"]
    add_features(home, None, ids, project=project)
    app = open_select()
    box(app, "Strategy").select("typiclust").run()
    app.number_input(key="size_examples").set_value(3).run()
    assert "typical of cluster" in said(app)
    button(app, "Create a batch of 3 examples").click().run()
    assert not app.exception
    (batch,) = home.selection.batches(project)
    assert (batch.strategy, batch.items, batch.model_version) == ("typiclust", 3, None)


def test_without_a_model_the_page_says_how_to_begin(home: Workbench) -> None:
    add_examples(home, make_project(home), WORDS)
    app = open_select()
    box(app, "Strategy").select("mnlp").run()
    assert "there is none yet" in said(app)


def test_an_empty_pool_and_giving_a_batch_back(home: Workbench) -> None:
    project = make_project(home)
    assert "No unlabeled example" in said(open_select())
    ids = add_examples(home, project, WORDS[:2])
    home.selection.create(project, home.selection.preview(project, "random", 2))
    annotate(home, ids[0])
    app = open_select()
    assert "1 of 2 examples labeled" in said(app)
    button(app, "Give back").click().run()
    assert not app.exception
    assert "**1 example** of the pool may be selected" in said(app)


def test_what_waits_for_a_second_person_is_not_given_back(home: Workbench) -> None:
    project = home.sharing.set(make_project(home), Sharing(people=2))
    ids = add_examples(home, project, WORDS[:3])
    home.selection.create(project, home.selection.preview(project, "random", 3))
    annotate(home, ids[0])
    app = open_select()
    assert "Give the examples that nobody has labeled back to the pool" in said(app)
    button(app, "Give back").click().run()
    assert "**2 examples** of the pool may be selected" in said(app)
    assert [item.example_id for item in home.selection.items(project, 1)] == [ids[0]]


def test_a_closed_drawer_keeps_what_narrows_the_pool_and_says_so(home: Workbench) -> None:
    project = make_project(home)
    add_examples(home, project, [*WORDS[:2], "a rare word"])
    app = open_select()
    app.session_state[f"narrow-{project.id}"] = True
    app.run()
    next(item for item in app.text_input if item.label == "Text or question holds").set_value("rare").run()
    next(item for item in app.toggle if item.label == "Let near-duplicates in").set_value(True).run()
    assert button(app, "Create a batch of 1 example")
    app.session_state[f"narrow-{project.id}"] = False
    app.run()
    assert not app.exception
    assert "Narrowed down: text holds “rare”, near-duplicates too." in said(app)
    assert button(app, "Create a batch of 1 example")
    app.session_state[f"narrow-{project.id}"] = True
    app.run()
    assert next(item for item in app.text_input if item.label == "Text or question holds").value == "rare"
    assert next(item for item in app.number_input if item.label == "Seed").value == 13
