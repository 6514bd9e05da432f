"""What a run reads: exactly the accepted annotations of that moment, validation held out by document."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.jobs.rows import add_examples, add_gold, sentence
from tests.jobs.test_model_rows import add_version
from workbench.domain import Project, Split
from workbench.errors import InvalidInput
from workbench.services import Workbench
from workbench.services.holdout import hold_out
from workbench.services.snapshots import (
    freeze_training,
    snapshot_pages,
    unlabeled_pages,
    write_examples,
)
from workbench.storage.models import GoldRow


@pytest.fixture
def project(workbench: Workbench) -> Project:
    return workbench.projects.create("news", "ner", ["PER", "LOC"])


def rows_in(documents: list[int]) -> list[GoldRow]:
    """As many rows per document as the list says."""
    sizes = [(document, row) for document, size in enumerate(documents) for row in range(size)]
    return [
        GoldRow(number, number, document, Split.POOL, str(number), {"spans": []})
        for number, (document, _) in enumerate(sizes, start=1)
    ]


def test_pool_and_train_train_and_validation_validates(workbench: Workbench, project: Project) -> None:
    ids = {split: add_examples(workbench, project, 4, split=split) for split in Split}
    for split in Split:
        add_gold(workbench, ids[split][:3])
    data = freeze_training(workbench.store, project, seed=1)
    assert data.snapshot.counts == {"train": 6, "validation": 3}
    assert data.notes == ("Training on 6 examples, validating on 3 of the validation split.",)
    frozen = list(snapshot_pages(workbench.store, data.snapshot.id))
    trained = [row.example_id for row in frozen if row.split is Split.TRAIN]
    assert trained == ids[Split.POOL][:3] + ids[Split.TRAIN][:3]


def test_what_any_version_behind_a_continued_one_has_learned_from_is_not_held_out(
    workbench: Workbench, project: Project
) -> None:
    known = add_examples(workbench, project, 40, per_document=1)
    add_gold(workbench, known)
    first = add_version(workbench, project, known[:30])
    second = add_version(workbench, project, known[30:], parent=first)
    data = freeze_training(workbench.store, project, 1, second)
    assert data.snapshot.counts == {"train": 40}
    assert "there is no validation score" in data.notes[0]
    assert freeze_training(workbench.store, project, 1, first).snapshot.counts == {
        "train": 39,
        "validation": 1,
    }


def test_nothing_labeled_is_refused_with_what_to_do(workbench: Workbench, project: Project) -> None:
    add_gold(workbench, add_examples(workbench, project, 2, split=Split.TEST))
    with pytest.raises(InvalidInput, match="news has no labeled example to train on. Label some"):
        freeze_training(workbench.store, project, seed=1)


def test_equal_data_has_an_equal_hash_and_other_data_another(workbench: Workbench) -> None:
    hashes = []
    for name in ("first", "second"):
        project = workbench.projects.create(name, "ner", ["PER", "LOC"])
        ids = add_examples(workbench, project, 10)
        add_gold(workbench, ids)
        hashes.append(freeze_training(workbench.store, project, seed=1).snapshot.content_hash)
    first = workbench.projects.get("first")
    seeded = {freeze_training(workbench.store, first, seed).snapshot.content_hash for seed in range(1, 9)}
    add_gold(workbench, add_examples(workbench, project, 1))
    more = freeze_training(workbench.store, project, seed=1).snapshot.content_hash
    assert hashes[0] == hashes[1]
    assert len(seeded) == 2, "one of two documents is held out, by the seed"
    assert hashes[0] in seeded
    assert more not in seeded


def test_a_retired_label_that_gold_still_carries_is_learned(workbench: Workbench, project: Project) -> None:
    add_gold(workbench, add_examples(workbench, project, 3))
    project = workbench.projects.update_label(project, "PER", retired=True)
    assert freeze_training(workbench.store, project, seed=1).snapshot.labels == ("LOC", "PER")


@pytest.mark.parametrize(
    "documents", [[5] * 20, [1] * 30, [60, 3, 4, 5], [50, 50], [1, 1], [200, 1, 1, 1, 1]]
)
def test_whole_documents_are_held_out(documents: list[int]) -> None:
    rows = rows_in(documents)
    for seed in range(5):
        training, validation, note = hold_out(rows, seed)
        assert sorted(row.example_id for row in training + validation) == [row.example_id for row in rows]
        assert not {row.document_id for row in training} & {row.document_id for row in validation}
        assert training and validation
        assert "held out for validation by seed" in note
        assert hold_out(rows, seed)[1] == validation
    if documents == [5] * 20:
        assert len(validation) == 10
        assert len({tuple(row.document_id for row in hold_out(rows, seed)[1]) for seed in range(5)}) > 1


def test_one_document_is_split_by_examples_and_one_example_not_at_all() -> None:
    training, validation, note = hold_out(rows_in([40]), seed=3)
    assert (len(training), len(validation)) == (36, 4)
    assert "one document, which is all there is" in note
    training, validation, note = hold_out(rows_in([1]), seed=3)
    assert (len(training), len(validation)) == (1, 0)
    assert "nothing is held out" in note


def test_partial_labels_are_never_held_out_nor_learned_from_beside_what_is() -> None:
    rows = [
        replace(row, payload={"spans": [], "partial": True}) if row.example_id % 2 else row
        for row in rows_in([4] * 10)
    ]
    partial = {row.example_id for row in rows if row.example_id % 2}
    training, validation, note = hold_out(rows, seed=3)
    assert len(validation) == 2 and not partial & {row.example_id for row in validation}
    assert not {row.document_id for row in training} & {row.document_id for row in validation}
    assert len(training) == 36 and note.endswith(
        "2 with partial labels stand in the same documents and are left out."
    )
    training, validation, _ = hold_out(rows[:4], seed=3)
    assert len(training) == 3 and len(validation) == 1, "of one document single ones are held out"
    for some, words in (
        (rows[:3], "one labeled example that is not partial"),
        (rows[:1], "no labeled example"),
    ):
        training, validation, note = hold_out(some, seed=3)
        assert (training, validation) == (some, []) and words in note


def test_the_worker_gets_the_text_as_it_is_stored(
    workbench: Workbench, project: Project, tmp_path: Path
) -> None:
    ids = add_examples(workbench, project, 3)
    add_gold(workbench, ids[:1])
    counts = write_examples(tmp_path / "examples.jsonl", unlabeled_pages(workbench.store, project.id))
    assert counts == {Split.POOL: 2}
    lines = [json.loads(line) for line in (tmp_path / "examples.jsonl").read_text().splitlines()]
    text, tokens, _ = sentence(1)
    assert lines[0] == {
        "id": ids[1],
        "split": "pool",
        "document": "pool-0",
        "text": text,
        "tokens": [list(pair) for pair in zip(tokens[::2], tokens[1::2], strict=True)],
        "question": None,
        "payload": None,
    }


def test_what_a_continued_version_has_learned_from_is_never_held_out(
    workbench: Workbench, project: Project
) -> None:
    before = {row.example_id: row for row in rows_in([5] * 20)}
    training, validation, _ = hold_out(list(before.values()), seed=3)
    roles = {row.example_id: Split.TRAIN for row in training}
    roles |= {row.example_id: Split.VALIDATION for row in validation}
    for documents in ([5] * 21, [5] * 40, [5] * 400):
        rows = rows_in(documents)
        learned, held, note = hold_out(rows, 3, roles)
        assert not {row.example_id for row in held} & {row.example_id for row in training}
        assert not {row.document_id for row in held} & {row.document_id for row in learned}
        assert "held out for validation by seed" in note
        known = sum(row.example_id in before for row in held)
        fresh = len(rows) - len(before)
        assert known == len(validation)
        assert len(held) - known <= max(0.1 * fresh, 0)
        assert len(held) >= 0.09 * len(rows)
    everything = dict.fromkeys(before, Split.TRAIN)
    for documents in ([5] * 20, [5] * 21):  # one new document: the version is continued to learn from it
        rows = rows_in(documents)
        learned, held, note = hold_out(rows, 3, everything)
        assert (learned, held) == (rows, []) and "there is no validation score" in note
    assert len(hold_out(rows_in([5] * 40), 3, everything)[1]) == 10
