"""Gold sets: the labels of a split, frozen when a version was first measured on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select

from workbench.domain import GoldSet, Split
from workbench.errors import NotFound
from workbench.storage.revisions import labels_are_partial
from workbench.storage.rows import aware, now
from workbench.storage.snapshots import REVISIONS, GoldRow, Snapshots
from workbench.storage.tables import examples, gold, gold_sets, projects, snapshot_items, snapshots
from workbench.storage.visible import in_project


@dataclass(frozen=True, slots=True)
class GoldState:
    """How many gold labels a split has, and when the last one was accepted."""

    examples: int
    changed_at: datetime

    def unchanged_since(self, moment: datetime, examples: int) -> bool:
        """Whether the gold labels are still those that were read then, so many of them."""
        return self.examples == examples and self.changed_at <= moment


class GoldSets(Snapshots):
    """The part of ``Models`` that keeps what versions are measured on."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def freeze_gold(self, project_id: int, split: Split, data_hash: str, rows: Sequence[GoldRow]) -> GoldSet:
        """The project's gold set with this hash, made now where there is none; call it in a writing block.

        Args:
            project_id: The project.
            split: All rows are of it.
            data_hash: Over the rows' texts and labels.
            rows: Examples with the revision that is their gold label.
        """
        self._connection.execute(
            select(projects.c.id).where(projects.c.id == project_id).with_for_update(key_share=True)
        )
        found = self.gold_set_of_hash(project_id, split, data_hash)
        if found is not None:
            return found
        items = [(row.example_id, row.annotation_id, split) for row in rows]
        snapshot = self.add_snapshot(project_id, (), data_hash, items)
        last = self._connection.execute(
            select(func.coalesce(func.max(gold_sets.c.number), 0)).where(
                gold_sets.c.project_id == project_id, gold_sets.c.split == split
            )
        ).scalar_one()
        self._connection.execute(
            insert(gold_sets).values(
                project_id=project_id,
                split=split,
                number=last + 1,
                snapshot_id=snapshot.id,
                created_at=now(),
            )
        )
        return self.gold_set(project_id, split, last + 1)

    def gold_set_of_hash(self, project_id: int, split: Split, data_hash: str) -> GoldSet | None:
        """The gold set with this hash, or None."""
        statement = _gold_sets().where(
            gold_sets.c.project_id == project_id,
            gold_sets.c.split == split,
            snapshots.c.content_hash == data_hash,
        )
        row = self._connection.execute(statement).one_or_none()
        return _gold_set(row) if row is not None else None

    def gold_set(self, project_id: int, split: Split, number: int) -> GoldSet:
        """The gold set of that number. Raises NotFound, which lists the ones there are."""
        found = {each.number: each for each in self.gold_sets(project_id, split)}
        if number not in found:
            known = ", ".join(map(str, found))
            raise NotFound(
                f"the {split} split has no frozen set {number}",
                remedy=f"choose from {known}" if known else "measure a version on it first",
            )
        return found[number]

    def gold_sets(self, project_id: int, split: Split) -> tuple[GoldSet, ...]:
        """Every gold set of a split, by number."""
        statement = (
            _gold_sets()
            .where(gold_sets.c.project_id == project_id, gold_sets.c.split == split)
            .order_by(gold_sets.c.number)
        )
        return tuple(_gold_set(row) for row in self._connection.execute(statement))

    def frozen_rows(self, snapshot_id: int) -> Iterator[GoldRow]:
        """The examples of a snapshot with the revisions that it froze, in the project's order."""
        rows = self._connection.execute(
            select(
                examples.c.id,
                snapshot_items.c.annotation_id,
                examples.c.document_id,
                snapshot_items.c.split,
                examples.c.content_hash,
                REVISIONS.c.payload,
            )
            .join(snapshot_items, snapshot_items.c.example_id == examples.c.id)
            .join(REVISIONS, REVISIONS.c.id == snapshot_items.c.annotation_id)
            .where(snapshot_items.c.snapshot_id == snapshot_id)
            .order_by(examples.c.position)
        )
        for row in rows:
            yield GoldRow(row.id, row.annotation_id, row.document_id, Split(row.split), *row[4:])

    def gold_stamp(self) -> tuple[object, ...]:
        """Changes whenever something is accepted, in any project, or no longer is."""
        found = select(func.count(), func.max(gold.c.accepted_at), func.sum(gold.c.annotation_id))
        return tuple(self._connection.execute(found).one())

    def gold_states(self, project_id: int, split: Split | None = None) -> dict[Split, GoldState]:
        """How many gold labels each split (or one) has now, and when the last one was accepted; splits with any.

        Partial ones don't count: nothing is measured on them.
        """
        statement = (
            select(examples.c.split, func.count(), func.max(gold.c.accepted_at))
            .join(gold, gold.c.example_id == examples.c.id)
            .join(REVISIONS, REVISIONS.c.id == gold.c.annotation_id)
            .where(in_project(project_id), ~labels_are_partial(REVISIONS.c.payload))
            .group_by(examples.c.split)
        )
        if split is not None:
            statement = statement.where(examples.c.split == split)
        rows = self._connection.execute(statement)
        return {Split(name): GoldState(number, aware(last)) for name, number, last in rows}

    def shared(self, training_id: int, gold_set_snapshot_id: int) -> tuple[int, int]:
        """Examples of a gold set that stand in a document, or have the very text, of a training snapshot's examples."""
        trained, its = snapshot_items.alias(), examples.alias()
        learned = (
            select(its.c.id)
            .join(trained, trained.c.example_id == its.c.id)
            .where(trained.c.snapshot_id == training_id, trained.c.split == Split.TRAIN)
        )
        measured = (
            select(func.count())
            .select_from(snapshot_items.join(examples, examples.c.id == snapshot_items.c.example_id))
            .where(snapshot_items.c.snapshot_id == gold_set_snapshot_id)
        )
        documents = learned.with_only_columns(its.c.document_id)
        texts = learned.with_only_columns(its.c.content_hash)
        run = self._connection.execute
        return (
            run(measured.where(examples.c.document_id.in_(documents))).scalar_one(),
            run(measured.where(examples.c.content_hash.in_(texts))).scalar_one(),
        )


def _gold_sets() -> Select[Any]:
    return select(gold_sets, snapshots.c.content_hash, snapshots.c.counts).join(
        snapshots, snapshots.c.id == gold_sets.c.snapshot_id
    )


def _gold_set(row: Row[Any]) -> GoldSet:
    return GoldSet(
        id=row.id,
        project_id=row.project_id,
        split=Split(row.split),
        number=row.number,
        snapshot_id=row.snapshot_id,
        data_hash=row.content_hash,
        examples=sum(row.counts.values()),
        created_at=aware(row.created_at),
    )
