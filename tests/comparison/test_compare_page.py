"""The Compare page, wired to the services."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from streamlit.testing.v1 import AppTest

from tests.comparison.test_comparison import NER_ROWS, answers, judged_project, tags
from tests.selection.pool import add_version, annotate, make_project
from workbench.domain import Project, Split
from workbench.services import Workbench
from workbench.services.evaluation import measure
from workbench.storage.tables import snapshot_items
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


def open_compare(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def press(app: AppTest, label: str) -> None:
    next(item for item in app.button if item.label == label).click().run()
    assert not app.exception


def address(app: AppTest, *names: str) -> list[str]:
    values = [app.query_params[name] for name in names]
    return [value[0] if isinstance(value, list) else value for value in values]


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
    press(app, "Measure")
    assert launched == [3]
    assert set(home.evaluation.latest(project, "test")) == {1, 2}
    app = open_compare(show="all")
    assert app.dataframe[0].value["score"].round(3).fillna(-1).tolist() == [-1, 0.889, 0.667]
    assert "Learning curve" in [item.value for item in app.subheader]


@pytest.mark.parametrize(("task", "rows"), [("ner", NER_ROWS), ("pos", POS_ROWS), ("qa", QA_ROWS)])
def test_two_versions_are_compared_and_looked_into(home: Workbench, task: str, rows: list[Any]) -> None:
    labels = () if task == "qa" else ("PER", "ORG")
    project, _ = judged_project(home, task, rows, labels=labels, question="Who?" if task == "qa" else None)
    measured(home, project, 1, 2)
    app = open_compare()
    comparison = home.comparison.compare(project, 1, 2)
    assert comparison.sentence in said(app) and comparison.worse_sentence in said(app)
    assert address(app, "a", "b", "set") == ["1", "2", "1"]
    for view in ("examples", "confusion", "certainty", "parts", "figures", "report"):
        app = open_compare(view=view)
        assert not app.error, view
        assert comparison.sentence in said(app)
    app = open_compare(a="2", b="1")
    assert home.comparison.compare(project, 2, 1).sentence in said(app)
    next(box for box in app.main.selectbox if box.label == "A").select("1").run()
    assert not app.exception
    assert "Choose two different versions" in said(app)


def test_examples_are_filtered_by_the_address_and_put_into_a_batch(home: Workbench) -> None:
    project, ids = judged_project(home, "ner", NER_ROWS)
    measured(home, project, 1, 2)
    app = open_compare(view="examples", change="fixed", kind="missed")
    assert "**2 examples**" in said(app)
    app = open_compare(view="examples", change="broken", label="ORG", kind="spurious")
    assert "**1 example**" in said(app) and "spurious: ORG" in said(app)
    assert "No example fits" in said(open_compare(view="examples", change="broken", kind="missed"))
    app = open_compare(view="examples")
    press(app, "Put these 1 into a correction batch")
    assert "Batch 1 has 1 example" in said(app)
    (item,) = home.selection.items(project, 1)
    assert (item.example_id, item.reason["why"]) == (ids[1], "broken from version 1 to 2")
    press(app, "Put these 1 into a correction batch")
    assert "wait in a batch already" in said(app)


def test_a_cell_of_the_confusion_leads_to_its_examples(home: Workbench) -> None:
    project, _ = judged_project(home, "ner", NER_ROWS)
    measured(home, project, 1, 2)
    app = open_compare(view="confusion", side="0", cell="PER → (nothing)")
    box = next(box for box in app.main.selectbox if box.label == "Examples behind a cell")
    assert box.value == "PER → (nothing)"
    assert "**2 examples**" in said(app)
    assert "**1 example**" in said(open_compare(view="confusion"))


def test_a_report_is_made(home: Workbench) -> None:
    project, _ = judged_project(home, "ner", NER_ROWS)
    measured(home, project, 1, 2)
    app = open_compare(view="report")
    press(app, "Make the report")
    made = [path.read_text(encoding="utf-8") for path in (home.settings.home / "downloads").glob("*/content")]
    sentence = home.comparison.compare(project, 1, 2).sentence
    assert len(made) == 3
    assert all("can't tell which" in text or "can&#x27;t tell which" in text for text in made), sentence


def test_older_labels_are_told_from_newer_ones(home: Workbench) -> None:
    project, ids = judged_project(home, "ner", NER_ROWS)
    measured(home, project, 1, 2)
    annotate(home, ids[0], author="second", payload={"spans": []})
    with home.store.write() as tx:
        user = tx.users.find_or_add("second")
        tx.annotations.set_gold(ids[0], tx.annotations.latest(ids[0], user.id).id, user.id)
    measured(home, project, 2)
    app = open_compare(show="all")
    assert app.dataframe[0].value["measured"].tolist() == [
        "set 2, 4 examples",
        "set 1, 4 examples, older labels",
    ]
    assert "Version **1** was not measured on these labels yet" in said(app)
    app = open_compare()
    assert address(app, "set") == ["1"]
    assert "Test set 1" in said(app)


def test_training_on_the_test_documents_is_said_in_red(home: Workbench) -> None:
    project, ids = judged_project(home, "ner", NER_ROWS)
    with home.store.write() as tx:
        row = tx.annotations.gold_of(ids)[ids[0]][0]
        version = tx.models.by_number(project.id, 2)
        tx.connection.execute(
            insert(snapshot_items).values(
                snapshot_id=version.snapshot_id, example_id=ids[0], annotation_id=row.id, split="train"
            )
        )
    measured(home, project, 1, 2)
    app = open_compare()
    assert (
        "1 of the 4 examples that it was measured on stand in documents that it was trained on"
        in app.error[0].value
    )
    assert [metric.label for metric in app.metric][:2] == ["F1, version 1", ":red[F1, version 2, too high]"]
    assert "<th class=doubted>Version 2</th>" in said(app) and not app.success
    assert open_compare(show="all").dataframe[0].value["leak"].tolist() == ["score too high", ""]


def test_a_version_is_found_noted_promoted_and_archived(home: Workbench) -> None:
    project, _ = judged_project(home, "ner", NER_ROWS)
    measured(home, project, 1, 2)
    for number in (1, 2):
        folder = home.settings.models_dir / str(number)
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
    home.models.promote(project, 2, home.team.solo_user().id, "better on PER")
    home.models.set_note(project, 1, "the baseline")
    home.models.archive(project, 1)
    app = open_compare(show="all")
    assert app.dataframe[0].value["version"].tolist() == [2]
    assert "Version **2** is promoted" in said(app) and "better on PER" in said(app)
    app.toggle[0].set_value(True).run()
    assert app.dataframe[0].value["state"].tolist() == ["promoted", "archived"]
    app.text_input[0].set_value("baseline").run()
    assert app.dataframe[0].value["version"].tolist() == [1]


def test_archiving_a_version_leaves_no_form_for_the_one_that_takes_its_row(home: Workbench) -> None:
    project, _ = judged_project(home, "ner", NER_ROWS)
    measured(home, project, 1, 2)
    app = open_compare(show="all")
    app.session_state[app.dataframe[0].key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()
    press(app, "Archive")
    assert [each.number for each in home.models.list(project) if each.archived_at] == [2]
    assert app.dataframe[0].value["version"].tolist() == [1]
    assert not [item for item in app.button if item.label == "Archive"]
