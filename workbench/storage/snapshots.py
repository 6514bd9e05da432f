"""Snapshots: exactly which annotations a run read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, insert, select, text

from workbench.domain import ExampleText, Json, Split
from workbench.errors import NotFound
from workbench.storage.rows import aware, chunks, now
from workbench.storage.tables import (
    acquisition_scores,
    documents,
    examples,
    gold,
    metadata,
    predictions,
    snapshot_items,
    snapshots,
)
from workbench.storage.visible import in_project

PAGE = 2_000
"""Examples of one read."""

REVISIONS = metadata.tables["annotations"]

MANY = 10_000
"""Items of a snapshot that change how queries over all of them are best answered."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A frozen choice of annotations. ``counts`` holds examples per split."""

    id: int
    project_id: int
    content_hash: str
    labels: tuple[str, ...]
    counts: Json
    created_at: datetime


@dataclass(frozen=True, slots=True)
class GoldRow:
    """What is needed to choose and hash an example with gold; its text is not read."""

    example_id: int
    annotation_id: int
    document_id: int
    split: Split
    content_hash: str
    payload: Json


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """An example for a worker, with the payload that was frozen (or None) and the split that it plays in the run."""

    example_id: int
    position: int
    split: Split
    document: str
    content: ExampleText
    payload: Json | None


@dataclass(frozen=True, slots=True)
class SnapshotChange:
    """What the training examples of one snapshot have against those of another."""

    added: int
    removed: int
    relabeled: int


class Snapshots:
    """The part of ``Models`` that freezes and reads data."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def gold_rows(self, project_id: int, splits: Sequence[Split]) -> Iterator[GoldRow]:
        """Examples of the splits that have gold, in the project's order."""
        rows = self._connection.execute(
            select(
                examples.c.id,
                gold.c.annotation_id,
                examples.c.document_id,
                examples.c.split,
                examples.c.content_hash,
                REVISIONS.c.payload,
            )
            .join(gold, gold.c.example_id == examples.c.id)
            .join(REVISIONS, REVISIONS.c.id == gold.c.annotation_id)
            .where(in_project(project_id), examples.c.split.in_(splits))
            .order_by(examples.c.position)
        )
        for row in rows:
            yield GoldRow(
                row.id, row.annotation_id, row.document_id, Split(row.split), row.content_hash, row.payload
            )

    def add_snapshot(
        self,
        project_id: int,
        labels: Sequence[str],
        content_hash: str,
        items: Iterable[tuple[int, int, Split]],
    ) -> Snapshot:
        """Freeze a choice of annotations.

        Args:
            project_id: The project.
            labels: The label set at this moment.
            content_hash: SHA-256 over labels, texts, payloads and splits.
            items: (example id, annotation id, split that it plays in the run).
        """
        chosen = list(items)
        counts: dict[str, int] = {}
        for _, _, split in chosen:
            counts[split] = counts.get(split, 0) + 1
        snapshot_id = self._connection.execute(
            insert(snapshots)
            .values(
                project_id=project_id,
                content_hash=content_hash,
                labels=list(labels),
                counts=counts,
                created_at=now(),
            )
            .returning(snapshots.c.id)
        ).scalar_one()
        for chunk in chunks(chosen):
            self._connection.execute(
                insert(snapshot_items),
                [
                    {
                        "snapshot_id": snapshot_id,
                        "example_id": example_id,
                        "annotation_id": annotation_id,
                        "split": split,
                    }
                    for example_id, annotation_id, split in chunk
                ],
            )
        if len(chosen) >= MANY and self._connection.dialect.name == "postgresql":
            # Its planner would take these for the few items there were, until it looks by itself after a minute.
            self._connection.execute(text("ANALYZE snapshot_items"))
        return self.snapshot(snapshot_id)

    def snapshot(self, snapshot_id: int) -> Snapshot:
        """The snapshot of that id. Raises NotFound."""
        row = self._connection.execute(select(snapshots).where(snapshots.c.id == snapshot_id)).one_or_none()
        if row is None:
            raise NotFound(f"there is no snapshot with id {snapshot_id}")
        return Snapshot(
            id=row.id,
            project_id=row.project_id,
            content_hash=row.content_hash,
            labels=tuple(row.labels),
            counts=row.counts,
            created_at=aware(row.created_at),
        )

    def frozen_labels(self, snapshot_ids: Collection[int]) -> dict[int, tuple[int, int]]:
        """Of each snapshot what is equal where it holds the same annotations, whatever they are to a run.

        That is how many there are and the sum of their ids, which only ever grow.
        """
        rows = self._connection.execute(
            select(snapshot_items.c.snapshot_id, func.count(), func.sum(snapshot_items.c.annotation_id))
            .where(snapshot_items.c.snapshot_id.in_(snapshot_ids))
            .group_by(snapshot_items.c.snapshot_id)
        )
        return {snapshot_id: (count, int(total)) for snapshot_id, count, total in rows}

    def roles(self, snapshot_ids: Sequence[int]) -> dict[int, Split]:
        """What each example is in some snapshots: of split train where it is that in any of them, else validation."""
        learned = func.max(case((snapshot_items.c.split == Split.TRAIN, 1), else_=0))
        rows = self._connection.execute(
            select(snapshot_items.c.example_id, learned)
            .where(snapshot_items.c.snapshot_id.in_(snapshot_ids))
            .group_by(snapshot_items.c.example_id)
        )
        return {example_id: Split.TRAIN if taught else Split.VALIDATION for example_id, taught in rows}

    def snapshot_page(self, snapshot_id: int, after: int = -1) -> list[SnapshotRow]:
        """The next ``PAGE`` examples of a snapshot behind a position, in the project's order."""
        frozen = (
            select(*_TEXT, snapshot_items.c.split.label("role"), REVISIONS.c.payload)
            .join(snapshot_items, snapshot_items.c.example_id == examples.c.id)
            .join(REVISIONS, REVISIONS.c.id == snapshot_items.c.annotation_id)
            .join(documents, documents.c.id == examples.c.document_id)
            .where(snapshot_items.c.snapshot_id == snapshot_id)
        )
        return self._page(frozen, after)

    def snapshot_change(self, old_id: int, new_id: int) -> SnapshotChange:
        """What was added, removed and given another revision from one snapshot's training examples to the other's."""
        old, new = snapshot_items.alias(), snapshot_items.alias()
        both = (old.c.example_id == new.c.example_id) & (old.c.split == Split.TRAIN)
        row = self._connection.execute(
            select(
                func.count(),
                func.count(old.c.example_id),
                func.count(case((old.c.annotation_id != new.c.annotation_id, 1))),
            )
            .select_from(new.outerjoin(old, both & (old.c.snapshot_id == old_id)))
            .where(new.c.snapshot_id == new_id, new.c.split == Split.TRAIN)
        ).one()
        before = self._connection.execute(
            select(func.count()).where(old.c.snapshot_id == old_id, old.c.split == Split.TRAIN)
        ).scalar_one()
        return SnapshotChange(added=row[0] - row[1], removed=before - row[1], relabeled=row[2])

    def unlabeled_page(
        self,
        project_id: int,
        split: Split = Split.POOL,
        after: int = -1,
        unscored_by: tuple[int, Sequence[str]] | None = None,
    ) -> list[SnapshotRow]:
        """The next ``PAGE`` examples of a split behind a position that have no gold, in the project's order.

        Args:
            project_id: The project.
            split: The split.
            after: A position.
            unscored_by: Only those of which this version (its id) lacks a prediction, or a score by one of these
                strategies.
        """
        unlabeled = (
            select(*_TEXT, examples.c.split.label("role"))
            .join(documents, documents.c.id == examples.c.document_id)
            .where(in_project(project_id), examples.c.split == split, ~_LABELED)
        )
        if unscored_by is not None:
            unlabeled = unlabeled.where(~_scored(*unscored_by))
        return self._page(unlabeled, after)

    def unlabeled_count(self, project_id: int, split: Split = Split.POOL) -> int:
        """How many examples of a split have no gold."""
        statement = (
            select(func.count())
            .select_from(examples)
            .where(in_project(project_id), examples.c.split == split, ~_LABELED)
        )
        return self._connection.execute(statement).scalar_one()

    def example_page(
        self, project_id: int, splits: Sequence[Split], after: int = -1, *, labeled: bool = False
    ) -> list[SnapshotRow]:
        """The next ``PAGE`` examples of some splits behind a position, in the project's order, without their labels.

        Args:
            project_id: The project.
            splits: The splits.
            after: A position.
            labeled: Only those that have gold.
        """
        statement = (
            select(*_TEXT, examples.c.split.label("role"))
            .join(documents, documents.c.id == examples.c.document_id)
            .where(in_project(project_id), examples.c.split.in_(splits))
        )
        return self._page(statement.where(_LABELED) if labeled else statement, after)

    def _page(self, statement: Any, after: int) -> list[SnapshotRow]:
        page = statement.where(examples.c.position > after).order_by(examples.c.position).limit(PAGE)
        return [
            SnapshotRow(
                example_id=row.id,
                position=row.position,
                split=Split(row.role),
                document=row.document,
                content=ExampleText(
                    text=row.text,
                    tokens=tuple(zip(row.tokens[::2], row.tokens[1::2], strict=True)),
                    question=row.question,
                ),
                payload=row._mapping.get("payload"),
            )
            for row in self._connection.execute(page)
        ]


_LABELED = select(gold.c.example_id).where(gold.c.example_id == examples.c.id).exists()


def _scored(version_id: int, strategies: Sequence[str]) -> ColumnElement[bool]:
    """Whether a version has predicted an example and scored it by each of the strategies."""
    said = predictions.c
    there = [
        select(said.example_id)
        .where(said.model_version_id == version_id, said.example_id == examples.c.id)
        .exists()
    ]
    scores = acquisition_scores.c
    there += [
        select(scores.example_id)
        .where(
            scores.model_version_id == version_id,
            scores.strategy == name,
            scores.example_id == examples.c.id,
        )
        .exists()
        for name in strategies
    ]
    return and_(*there)


_TEXT = (
    examples.c.id,
    examples.c.position,
    examples.c.text,
    examples.c.tokens,
    examples.c.question,
    documents.c.name.label("document"),
)
