"""Suspected label errors as a queue: which fold judges what, what a search leaves, what a look takes away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.jobs.rows import add_examples, add_gold, sentence
from workbench.domain import AnnotationStatus, Project, Run, RunKind, RunState, Split
from workbench.errors import InvalidInput, NotFound, WrongState
from workbench.services import Workbench
from workbench.services.annotation import Submission
from workbench.services.suspects import FOUND, finish_suspects, folds_of
from workbench.storage.models import GoldRow


@pytest.fixture
def project(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr("workbench.services.runs.ensure_supervisor", lambda _settings: None)
    return workbench.projects.create("news", "ner", ["PER", "LOC"])


def end(wb: Workbench, run: Run, doubted: list[int], tmp_path: Path, *, label: str = "PER") -> None:
    """The run as if a worker had doubted the first label of these examples."""
    with wb.store.read() as tx:
        gold = {key: found[0].id for key, found in tx.annotations.gold_of(doubted).items()}
    item = {
        "start": 0,
        "end": 12,
        "given": label,
        "proposed": "O",
        "given_probability": 0.1,
        "probability": 0.8,
    }
    lines = [
        {"id": key, "annotation": gold[key], "seen": False, "quality": 0.5 - place / 20, "items": [item]}
        for place, key in enumerate(doubted)
    ]
    (tmp_path / FOUND).write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = {
        "device": "cpu",
        "seconds": 1.0,
        "examples": 40,
        "tokens": 300,
        "suspected": len(doubted),
        "thresholds": {"PER": 0.7},
    }
    with wb.store.write() as tx:
        tx.runs.transition(run.id, RunState.RUNNING, attempt=1)
    for _ in range(2):  # a supervisor that dies does it again
        values = finish_suspects(wb.store, wb.settings, run, tmp_path, result)
    with wb.store.write() as tx:
        tx.runs.transition(run.id, RunState.SUCCEEDED, attempt=1, result=values)


def test_a_search_is_queued_with_its_folds_and_what_it_found_is_a_queue(
    workbench: Workbench, project: Project, tmp_path: Path
) -> None:
    ids = add_examples(workbench, project, 40)
    add_gold(workbench, ids)
    with pytest.raises(NotFound, match="--find"):
        workbench.suspects.newest(project)
    run = workbench.suspects.launch(project, folds=4)
    assert run.kind is RunKind.SUSPECTS
    folder = workbench.settings.runs_dir / str(run.id) / "1"
    lines = [json.loads(line) for line in (folder / "examples.jsonl").read_text().splitlines()]
    assert sorted({line["fold"] for line in lines}) == [0, 1, 2, 3]
    by_document: dict[str, set[int]] = {}
    for line in lines:
        by_document.setdefault(line["document"], set()).add(line["fold"])
    assert all(len(folds) == 1 for folds in by_document.values()), "a document is judged as a whole"
    assert all(not line["seen"] and line["annotation"] for line in lines)

    end(workbench, run, ids[:3], tmp_path)
    found = workbench.suspects.newest(project)
    assert [row.example_id for row in found.rows] == [ids[2], ids[1], ids[0]], "the most doubtful first"
    assert "out of fold" in found.how
    assert found.labels() == ["PER", "O"] or set(found.labels()) == {"PER", "O"}
    assert not found.with_label("LOC").rows
    assert len(found.with_label("PER").rows) == 3
    (shown, *_) = workbench.suspects.shown(project, found.rows)
    assert shown.labels == {"PER", "O"}
    assert "is PER here; a model says nothing (80% sure)" in shown.sentence

    made = workbench.suspects.correct(project, found.rows[:2])
    assert made.batch.items == 2
    items = workbench.selection.items(project, made.batch.number)
    assert "a model says nothing" in items[0].reason["why"]
    with pytest.raises(WrongState, match="wait in a batch"):
        workbench.suspects.correct(project, found.rows[:2])


def test_a_label_that_was_looked_at_leaves_the_queue_and_a_new_search_takes_its_place(
    workbench: Workbench, project: Project, tmp_path: Path
) -> None:
    ids = add_examples(workbench, project, 40)
    add_gold(workbench, ids)
    run = workbench.suspects.launch(project)
    end(workbench, run, ids[:3], tmp_path)
    user = workbench.team.solo_user()
    payload = sentence(0)[2]
    said = Submission(ids[0], "confirmed-1", AnnotationStatus.ACCEPTED, payload)
    (receipt,) = workbench.annotation.submit(project, user, [said])
    assert receipt.stored
    found = workbench.suspects.newest(project)
    assert [row.example_id for row in found.rows] == [ids[2], ids[1]], "confirmed: nobody doubts it any more"
    assert found.found == 3
    other = workbench.suspects.launch(project)
    assert found.warning is None
    end(workbench, other, ids[5:12], tmp_path, label="LOC")
    newer = workbench.suspects.newest(project)
    assert sorted(row.example_id for row in newer.rows) == ids[5:12]
    assert "18% of the examined" in str(newer.warning), "so many can't be wrong: the models are"
    with workbench.store.read() as tx:
        assert tx.evidence.suspects(run.id) == []


def test_too_few_labels_or_odd_folds_are_refused(workbench: Workbench, project: Project) -> None:
    ids = add_examples(workbench, project, 25)
    add_gold(workbench, ids[:10])
    with pytest.raises(InvalidInput, match="too few"):
        workbench.suspects.launch(project)
    add_gold(workbench, ids[10:])
    with pytest.raises(InvalidInput, match="number of folds"):
        workbench.suspects.launch(project, folds=1)
    with pytest.raises(InvalidInput, match="no split named"):
        workbench.suspects.launch(project, splits=["dev"])


def test_folds_are_even_and_keep_documents_whole() -> None:
    rows = [GoldRow(index, index, index // 7, Split.POOL, "", {}) for index in range(100)]
    found = folds_of(rows, 3)
    sizes = [list(found.values()).count(fold) for fold in range(3)]
    assert sum(sizes) == 100
    assert max(sizes) - min(sizes) <= 7
    assert all(len({found[row.example_id] for row in rows if row.document_id == d}) == 1 for d in range(15))
    single = folds_of([GoldRow(index, index, 1, Split.POOL, "", {}) for index in range(9)], 3)
    assert sorted(single.values()) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert folds_of(rows, 3) == found
