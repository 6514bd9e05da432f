"""Model versions of another label set: read under today's names, and trained on from their weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.selection.pool import add_predictions, add_scores, add_version
from workbench.domain import Answers, ExampleText, Prediction, Project, Span, Spans, Split, TrainParameters
from workbench.formats import Source
from workbench.services import Workbench
from workbench.services import labelchanges as changes
from workbench.services.importing import ImportOptions
from workbench.services.labelmaps import LabelMap, mapped_predictions, version_map
from workbench.storage.candidates import Filters
from workbench.storage.rows import now
from workbench.storage.tables import snapshots
from workbench.tasks.relabel import Relabeling

CONLL = b"EU B-ORG\nin O\nParis B-GPE\n\nRhine B-LOC\nflows O\n"
PARIS = {"spans": [{"start": 0, "end": 2, "label": "ORG"}, {"start": 6, "end": 11, "label": "GPE"}]}
RHINE = {"spans": [{"start": 0, "end": 5, "label": "GPE"}]}


@pytest.fixture
def news(workbench: Workbench) -> Project:
    """A project with a version that has predicted both of its examples."""
    project = workbench.projects.create("news", "ner", ["ORG", "GPE", "LOC"])
    workbench.datasets.import_sources(project, [Source("a.conll", CONLL)], Split.POOL)
    frozen(workbench, project, 1)
    return project


def frozen(workbench: Workbench, project: Project, number: int, rhine: str = "GPE") -> None:
    version_id = add_version(workbench, workbench.projects.get(project.name), number)
    with workbench.store.write() as tx:
        tx.connection.execute(
            update(snapshots)
            .where(snapshots.c.id == tx.models.by_number(project.id, number).snapshot_id)
            .values(created_at=now())
        )
    first, second = (example.id for example in workbench.datasets.browse(project).items)
    add_predictions(
        workbench, version_id, {first: PARIS, second: {"spans": [{**RHINE["spans"][0], "label": rhine}]}}
    )


def said(workbench: Workbench, project: Project, number: int = 1) -> list[list[tuple[str, str]]]:
    project = workbench.projects.get(project.name)
    examples = workbench.datasets.browse(project).items
    with workbench.store.read() as tx:
        version = tx.models.by_number(project.id, number)
        found = mapped_predictions(tx, project, version, {one.id: one.content for one in examples})
    payloads = [found[one.id].payload for one in examples]
    return [
        [(one.content.text[s.start : s.end], s.label) for s in payload.spans]
        for one, payload in zip(examples, payloads, strict=True)
        if isinstance(payload, Spans)
    ]


def test_predictions_are_read_under_todays_names(workbench: Workbench, news: Project) -> None:
    then = said(workbench, news)
    assert then == [[("EU", "ORG"), ("Paris", "GPE")], [("Rhine", "GPE")]]
    with workbench.store.read() as tx:
        assert version_map(tx, news, tx.models.by_number(news.id, 1)) is None
    workbench.labelsets.apply(news, changes.rename("ORG", "COMPANY"))
    workbench.labelsets.apply(news, changes.merge(["GPE", "LOC"], "PLACE"))
    assert said(workbench, news) == [[("EU", "COMPANY"), ("Paris", "PLACE")], [("Rhine", "PLACE")]]
    workbench.labelsets.apply(news, changes.split("PLACE", {"rhine": "RIVER"}, None))
    assert said(workbench, news) == [[("EU", "COMPANY")], [("Rhine", "RIVER")]], "who knows what Paris is"
    for _ in range(3):
        workbench.labelsets.undo(news)
    assert said(workbench, news) == then


def test_a_version_made_between_a_change_and_its_undo_is_read_backwards(
    workbench: Workbench, news: Project
) -> None:
    workbench.labelsets.apply(news, changes.rename("GPE", "STATE"))
    frozen(workbench, news, 2, "STATE")
    assert said(workbench, news, 2)[1] == [("Rhine", "STATE")]
    workbench.labelsets.undo(news)
    assert said(workbench, news, 2)[1] == said(workbench, news, 1)[1] == [("Rhine", "GPE")]


def test_a_new_label_of_an_old_name_is_another_label(workbench: Workbench, news: Project) -> None:
    workbench.labelsets.apply(news, changes.rename("GPE", "STATE"))
    workbench.labelsets.apply(news, changes.add("GPE"))
    assert said(workbench, news)[1] == [("Rhine", "STATE")]
    frozen(workbench, news, 2)
    assert said(workbench, news, 2)[1] == [("Rhine", "GPE")]


def test_suggestions_comparisons_and_filters_use_the_new_names(workbench: Workbench, news: Project) -> None:
    workbench.labelsets.apply(news, changes.rename("GPE", "STATE"))
    now_called = workbench.projects.get("news")
    first, second = (example.id for example in workbench.datasets.browse(now_called).items)
    with workbench.store.write() as tx:
        user = tx.users.find_or_add("ann")
    item = workbench.annotation.item(now_called, user, second)
    assert item.suggestion is not None
    assert item.suggestion.prediction.payload == Spans((Span(0, 5, "STATE"),))
    with workbench.store.write() as tx:
        version = tx.models.by_number(news.id, 1)
        for example_id in (first, second):
            tx.annotations.clear_gold(example_id)
        tx.connection.exec_driver_sql("DELETE FROM label_change_items")
        tx.connection.exec_driver_sql("DELETE FROM annotations")
        assert tx.models.predictions(version.id, [second])[second]["payload"] == RHINE, "nothing is rewritten"
    add_scores(workbench, version.id, {first: 0.5, second: 0.7})
    found = workbench.selection.preview(
        now_called, "random", 5, filters=Filters(label="STATE"), model_version=1
    )
    assert {pick.example_id for pick in found.picks} == {first, second}
    shown = workbench.selection.shown(now_called, found)
    assert all(prediction is not None and "GPE" not in str(prediction) for _, prediction in shown)


def test_labels_kept_aside_are_read_under_todays_names(workbench: Workbench) -> None:
    project = workbench.projects.create("aside", "ner")
    workbench.datasets.import_sources(
        project, [Source("a.conll", CONLL)], Split.POOL, ImportOptions(unlabeled=True)
    )
    project = workbench.projects.get("aside")
    selection = workbench.selection.preview(project, "random", 2)
    workbench.selection.create(project, selection)
    workbench.labelsets.apply(project, changes.rename("GPE", "STATE"))
    assert workbench.annotation.simulate(workbench.projects.get("aside"), 1) == 2
    examples = workbench.datasets.browse(project).items
    assert workbench.datasets.labels_of(examples)[examples[0].id] == Spans(
        (Span(0, 2, "ORG"), Span(6, 11, "STATE"))
    )


def test_alternatives_of_merged_labels_are_added_up() -> None:
    mapping = LabelMap((Relabeling({"GPE": "LOC"}),), frozenset({"LOC", "ORG"}))
    content = ExampleText("Paris", ((0, 5),))
    given = Prediction(
        Spans((Span(0, 5, "GPE"),)), 0.5, (0.5,), (0.1,), ((("GPE", 0.5), ("LOC", 0.25), ("O", 0.25)),)
    )
    found = mapping.prediction(given, content)
    assert found.payload == Spans((Span(0, 5, "LOC"),)) and found.confidences == (0.5,)
    assert found.alternatives == ((("LOC", 0.75), ("O", 0.25)),)
    dropped = LabelMap((), frozenset({"ORG"})).prediction(given, content)
    assert (dropped.payload, dropped.confidences) == (Spans(), ())
    assert mapping.payload(Answers(), content) == Answers()


def test_training_from_an_older_version_says_what_becomes_of_its_classes(
    sqlite_workbench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = sqlite_workbench.projects.create("news", "ner", ["ORG", "GPE", "LOC"])
    sqlite_workbench.datasets.import_sources(project, [Source("a.conll", CONLL)], Split.POOL)
    frozen(sqlite_workbench, project, 1)
    sqlite_workbench.labelsets.apply(project, changes.rename("ORG", "COMPANY"))
    sqlite_workbench.labelsets.apply(project, changes.merge(["GPE", "LOC"], "PLACE"))
    sqlite_workbench.labelsets.apply(project, changes.add("EVENT"))
    manifests: list[dict[str, object]] = []

    def launch(_project: object, _kind: object, _kept: object, prepare: object, **_: object) -> None:
        manifests.append(prepare(tmp_path))  # type: ignore[operator]

    monkeypatch.setattr(sqlite_workbench.runs, "launch", launch)
    folder = sqlite_workbench.settings.models_dir / sqlite_workbench.models.get(project, 1).artifact
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    now_called = sqlite_workbench.projects.get("news")
    sqlite_workbench.training.launch(now_called, TrainParameters(from_version=1))
    (manifest,) = manifests
    assert manifest["origins"] == {"COMPANY": ["ORG"], "PLACE": ["GPE", "LOC"]}
    assert set(manifest["labels"]) == {"COMPANY", "PLACE", "EVENT"}  # type: ignore[call-overload]
    assert "changed since version 1: 2 labels keep its weights, EVENT begin anew" in str(manifest["notes"])
    assert json.loads((tmp_path / "examples.jsonl").read_text().splitlines()[0])["payload"]["spans"]
