"""Freeze which annotations a run reads, and write them for its worker."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from workbench.domain import ExampleText, ModelVersion, Project, Split, is_partial
from workbench.errors import InvalidInput
from workbench.services.figures import left_out
from workbench.services.holdout import hold_out
from workbench.storage.models import GoldRow, Snapshot, SnapshotRow
from workbench.storage.rows import chunks
from workbench.storage.store import Store, Transaction
from workbench.tasks import get_task

PAGE = 2_000
"""Rows whose context is read at once."""

Item: TypeAlias = tuple[int, int, Split]
Page: TypeAlias = Callable[[Transaction, int], list[SnapshotRow]]


@dataclass(frozen=True, slots=True)
class TrainingData:
    """A snapshot for a training run, and what the run's log should say of it."""

    snapshot: Snapshot
    notes: tuple[str, ...]


def freeze_training(
    store: Store, project: Project, seed: int, parent: ModelVersion | None = None
) -> TrainingData:
    """Freeze every accepted annotation of the pool and the train split to train on, and those to validate on.

    Without a labeled validation split, a tenth of the examples is held out, by whole documents and by the seed; none
    that ``parent``, the version which is continued, has learned from. Partial labels are learned from, and never
    validated on.

    Raises:
        InvalidInput: There is nothing to train on.
    """
    with store.read() as tx:
        before = tx.models.roles(_lineage(tx, parent)) if parent else {}
        rows = list(tx.models.gold_rows(project.id, (Split.POOL, Split.TRAIN, Split.VALIDATION)))
    training = [row for row in rows if row.split is not Split.VALIDATION]
    labeled = [row for row in rows if row.split is Split.VALIDATION]
    validation = [row for row in labeled if not is_partial(row.payload)]
    if not training:
        raise InvalidInput(
            f"{project.name} has no labeled example to train on",
            remedy="label some on the Label page, or import labeled data with `workbench import`",
        )
    labels = used_labels(project, rows)
    if validation:
        notes = [
            f"Training on {len(training)} examples, validating on {len(validation)} of the validation split"
            f"{left_out(len(labeled) - len(validation))}."
        ]
    else:
        training, validation, note = hold_out(training, seed, before)
        notes = [note]
        if labeled:
            notes += [
                f"The {len(labeled)} labels of the validation split are partial: nothing is measured on them."
            ]
    notes += _told_of_partial(training)
    roles = {row.example_id: Split.TRAIN for row in training}
    roles |= {row.example_id: Split.VALIDATION for row in validation}
    items = [
        (row.example_id, row.annotation_id, roles[row.example_id]) for row in rows if row.example_id in roles
    ]
    digest = content_hash(labels, rows, roles)
    with store.write() as tx:
        return TrainingData(tx.models.add_snapshot(project.id, labels, digest, items), tuple(notes))


def _lineage(tx: Transaction, version: ModelVersion) -> list[int]:
    """Snapshots of a version and of those that it was continued from."""
    found = [version.snapshot_id]
    while version.parent is not None:
        version = tx.models.by_number(version.project_id, version.parent)
        found.append(version.snapshot_id)
    return found


def used_labels(project: Project, rows: Iterable[GoldRow]) -> tuple[str, ...]:
    """The label set in use, and behind it retired labels that accepted annotations still carry."""
    task = get_task(project.task)
    used: set[str] = set()
    for row in rows:
        used.update(task.labels_in(task.load(row.payload)))
    retired = tuple(label.name for label in project.labels if label.retired and label.name in used)
    return project.label_names + retired


def _told_of_partial(training: Sequence[GoldRow]) -> list[str]:
    """What the run's log says of partial labels that are trained on."""
    partial = sum(is_partial(row.payload) for row in training)
    if not partial:
        return []
    if partial == len(training):
        return [
            f"All {partial} have partial labels: nothing shows the model a word outside of every span, and it will "
            "see entities everywhere. Label some examples as a whole."
        ]
    return [f"{partial} of them have partial labels: words outside of their spans teach nothing."]


def content_hash(labels: Sequence[str], rows: Iterable[GoldRow], roles: dict[int, Split]) -> str:
    """SHA-256 over label set, texts, payloads and splits: equal data has an equal hash, in any database."""
    digest = hashlib.sha256(json.dumps(list(labels)).encode())
    for row in rows:
        if row.example_id in roles:
            payload = json.dumps(row.payload, sort_keys=True, separators=(",", ":"))
            digest.update(f"{roles[row.example_id]}\0{row.content_hash}\0{payload}\n".encode())
    return digest.hexdigest()


def snapshot_pages(store: Store, snapshot_id: int) -> Iterator[SnapshotRow]:
    """Everything in a snapshot, in the project's order; each page is a read of its own."""
    return _rows(store, lambda tx, after: tx.models.snapshot_page(snapshot_id, after))


def unlabeled_pages(
    store: Store,
    project_id: int,
    split: Split = Split.POOL,
    unscored_by: tuple[int, Sequence[str]] | None = None,
) -> Iterator[SnapshotRow]:
    """Every example of a split without gold, in the project's order; each page is a read of its own.

    With ``unscored_by``, a version's id and strategies, only those that it has not scored by all of them.
    """
    return _rows(store, lambda tx, after: tx.models.unlabeled_page(project_id, split, after, unscored_by))


def learning_pages(store: Store, project_id: int, *, labeled: bool) -> Iterator[SnapshotRow]:
    """Every example of the pool and the train split (with gold, where only the labeled are wanted), likewise."""
    splits = (Split.POOL, Split.TRAIN)
    return _rows(store, lambda tx, after: tx.models.example_page(project_id, splits, after, labeled=labeled))


def _rows(store: Store, page: Page) -> Iterator[SnapshotRow]:
    after = -1
    while True:
        with store.read() as tx:
            rows = page(tx, after)
        if not rows:
            return
        yield from rows
        after = rows[-1].position


def in_context(store: Store, rows: Iterable[SnapshotRow], context: int) -> Iterator[SnapshotRow]:
    """The same sentences with what stands around them, for a model that reads ``context`` sub-words of it on each side.

    Unchanged for 0. Read a page of rows at a time.
    """
    if not context:
        yield from rows
        return
    for page in chunks(rows, PAGE):
        with store.read() as tx:
            found = tx.examples.contexts([row.example_id for row in page], context)
        for row in page:
            before, after = found.get(row.example_id, ("", ""))
            yield replace(row, content=replace(row.content, before=before, after=after))


def around(content: ExampleText) -> dict[str, str]:
    """What stands around a sentence, as a worker reads it; nothing where there is nothing."""
    found = {"before": content.before, "after": content.after}
    return {name: text for name, text in found.items() if text}


def write_examples(
    path: Path, rows: Iterable[SnapshotRow], more: Callable[[SnapshotRow], dict[str, Any]] | None = None
) -> Counter[Split]:
    """Write ``examples.jsonl`` for a worker, with whatever ``more`` says of each; how many there are of each split."""
    counts: Counter[Split] = Counter()
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            counts[row.split] += 1
            line = {
                "id": row.example_id,
                "split": str(row.split),
                "document": row.document,
                "text": row.content.text,
                "tokens": row.content.tokens,
                # A gold label may word the question anew: the model reads it as the annotator did.
                "question": (row.payload or {}).get("question") or row.content.question,
                "payload": row.payload,
                **around(row.content),
                **(more(row) if more else {}),
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return counts


def write_texts(folder: Path, store: Store, project: Project, epochs: float) -> list[str]:
    """Write ``texts.jsonl`` for a worker whose encoder reads them before it learns labels, each once.

    Those are the texts of the pool and the train split: nothing of what a model is measured on.

    Returns:
        What the run's log should say of them; nothing is written or said where ``epochs`` is 0.
    """
    if not epochs:
        return []
    seen: set[bytes] = set()
    whole = hashlib.sha256()
    with store.read() as tx, (folder / "texts.jsonl").open("w", encoding="utf-8") as file:
        for split in (Split.POOL, Split.TRAIN):
            for example in tx.examples.iter_split(project.id, split):
                text = example.content.text
                key = hashlib.sha256(text.encode()).digest()
                if key not in seen:
                    seen.add(key)
                    whole.update(key)
                    file.write(json.dumps(text, ensure_ascii=False) + "\n")
    return [f"The encoder reads {len(seen):,} texts first (SHA-256 of theirs: {whole.hexdigest()})."]
