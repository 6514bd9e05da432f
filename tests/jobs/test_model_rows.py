"""Snapshots, versions, predictions, scores and evaluations as stored."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from tests.jobs.rows import add_examples, add_gold, sentence
from workbench.domain import ModelVersion, Project, RunKind, Split
from workbench.errors import NotFound
from workbench.services import Workbench


def add_version(
    wb: Workbench, project: Project, ids: list[int], parent: ModelVersion | None = None
) -> ModelVersion:
    with wb.store.write() as tx:
        rows = {row.example_id: row for row in tx.models.gold_rows(project.id, [Split.POOL])}
        chosen = [(i, rows[i].annotation_id, Split.TRAIN) for i in ids if i in rows]
        snapshot = tx.models.add_snapshot(project.id, ["PER", "LOC"], "0" * 64, chosen)
        run = tx.runs.add(project.id, RunKind.TRAIN, {})
        number = tx.models.next_number(project.id)
        return tx.models.add_version(
            project.id,
            number,
            base_model="minilm",
            parent_id=parent.id if parent else None,
            run_id=run.id,
            snapshot_id=snapshot.id,
            labels=("PER", "LOC"),
            artifact=f"{project.id}/{number}",
            artifact_sha256="f" * 64,
            parameters={"epochs": 1},
            metrics={"validation": {"f1": 0.5}},
        )


@pytest.fixture
def project(workbench: Workbench) -> Project:
    return workbench.projects.create("news", "ner", ["PER", "LOC"])


def prediction(confidence: float) -> dict[str, Any]:
    return {
        "payload": {"spans": []},
        "confidence": confidence,
        "confidences": [],
        "uncertainty": [0.1, 0.2],
        "alternatives": [],
    }


def test_a_snapshot_keeps_what_it_froze(workbench: Workbench, project: Project) -> None:
    ids = add_examples(workbench, project, 6)
    add_gold(workbench, ids[:4])
    with workbench.store.write() as tx:
        rows = list(tx.models.gold_rows(project.id, [Split.POOL, Split.TRAIN]))
        assert [row.example_id for row in rows] == ids[:4]
        items = [(row.example_id, row.annotation_id, Split.TRAIN) for row in rows]
        snapshot = tx.models.add_snapshot(project.id, project.label_names, "a" * 64, items)
        assert snapshot.counts == {"train": 4}
    with workbench.store.read() as tx:
        frozen = tx.models.snapshot_page(snapshot.id)
        assert [row.example_id for row in frozen] == ids[:4]
        assert (frozen[0].split, frozen[0].document) == (Split.TRAIN, "pool-0")
        assert frozen[0].content.words[0] == "Ada"
        assert frozen[0].payload == sentence(0)[2]
        unlabeled = tx.models.unlabeled_page(project.id)
        assert tx.models.unlabeled_page(project.id, after=unlabeled[-1].position) == []
        assert [(row.example_id, row.payload) for row in unlabeled] == [(ids[4], None), (ids[5], None)]


def test_versions_are_numbered_in_their_project(workbench: Workbench, project: Project) -> None:
    ids = add_examples(workbench, project, 2)
    add_gold(workbench, ids)
    first = add_version(workbench, project, ids)
    second = add_version(workbench, project, ids, parent=first)
    assert (first.number, second.number, second.parent) == (1, 2, 1)
    assert second.labels == ("PER", "LOC")
    with workbench.store.read() as tx:
        assert tx.models.of_run(first.run_id) == first
        assert tx.models.owner_of(f"{project.id}/2") == second
        assert tx.models.owner_of("nobody") is None
        with pytest.raises(NotFound, match="no model version 3. Choose from 1, 2"):
            tx.models.by_number(project.id, 3)
    with pytest.raises(IntegrityError), workbench.store.write() as tx:
        tx.models.add_version(
            project.id,
            3,
            base_model="minilm",
            parent_id=None,
            run_id=first.run_id,
            snapshot_id=first.snapshot_id,
            labels=(),
            artifact="x",
            artifact_sha256="x",
            parameters={},
            metrics={},
        )


def test_one_version_is_promoted(workbench: Workbench, project: Project) -> None:
    ids = add_examples(workbench, project, 2)
    first, second = (add_version(workbench, project, ids) for _ in range(2))
    for chosen in (first, second, second, first):
        with workbench.store.write() as tx:
            tx.models.promote(project.id, chosen.id)
        with workbench.store.read() as tx:
            assert [v.number for v in tx.models.versions(project.id) if v.promoted] == [chosen.number]


def test_predictions_and_scores_replace_the_older_ones(workbench: Workbench, project: Project) -> None:
    ids = add_examples(workbench, project, 7)
    version = add_version(workbench, project, ids)
    gone = max(ids) + 1000
    with workbench.store.write() as tx:
        assert tx.models.put_predictions(version.id, [(i, prediction(0.5)) for i in [*ids, gone]]) == 7
        assert tx.models.put_predictions(version.id, [(ids[0], prediction(0.25))]) == 1
        scores = [(i, name, float(n)) for n, i in enumerate([*ids, gone]) for name in ("margin", "entropy")]
        assert tx.models.put_scores(version.id, scores) == 14
        tx.models.put_scores(version.id, [(ids[1], "margin", 99.0)])
    with workbench.store.read() as tx:
        found = tx.models.predictions(version.id, [ids[0], ids[1], gone])
        assert found == {ids[0]: prediction(0.25), ids[1]: prediction(0.5)}
        assert [i for i, _ in tx.models.iter_predictions(version.id)] == ids
        assert tx.models.top_scores(version.id, "margin", 2) == [(ids[1], 99.0), (ids[6], 6.0)]
        assert tx.models.top_scores(version.id, "entropy", 1, offset=6) == [(ids[0], 0.0)]
        assert tx.models.scored(version.id) == {"margin": 7, "entropy": 7}


def test_the_same_data_measured_again_replaces_its_evaluation(workbench: Workbench, project: Project) -> None:
    version = add_version(workbench, project, add_examples(workbench, project, 1))
    with workbench.store.write() as tx:
        for data_hash, f1 in (("a", 0.1), ("b", 0.2), ("a", 0.3)):
            stored = tx.models.add_evaluation(version.id, Split.TEST, data_hash, 5, {"f1": f1})
            assert (stored.model_version, stored.metrics) == (1, {"f1": f1})
        found = tx.models.evaluations(project.id, split=Split.TEST)
        assert sorted((e.data_hash, e.metrics["f1"]) for e in found) == [("a", 0.3), ("b", 0.2)]
        assert tx.models.evaluations(project.id, split=Split.POOL) == ()
