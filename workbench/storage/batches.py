"""Batches, their items, and who holds which item."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, delete, func, insert, select, update

from workbench.domain import Batch, BatchItem, Json, Sharing
from workbench.errors import NotFound
from workbench.storage.candidates import Candidates, live_annotation
from workbench.storage.leases import Leases, room_for
from workbench.storage.rows import aware, chunks, id_chunks, now
from workbench.storage.sharing import has_spoken, people_wanted, settled, sharing_of, spoken
from workbench.storage.tables import batch_items, batches, leases, model_versions

CORRECTION = "correction"
"""Strategy of a batch of labeled examples that a person wants looked at again."""


ALONE = Sharing()


class QueueItem(NamedTuple):
    """An item to be labeled now, and why it was chosen."""

    batch_id: int
    example_id: int
    position: int
    score: float | None
    reason: Json


@dataclass(frozen=True, slots=True)
class NewItem:
    """One example of a batch to be."""

    example_id: int
    score: float | None
    reason: Json


class Batches(Leases):
    """Repository of batches and leases; see ``Store``."""

    @cached_property
    def candidates(self) -> Candidates:
        """What may be selected next."""
        return Candidates(self._connection)

    def add(
        self,
        project_id: int,
        items: Sequence[NewItem],
        *,
        strategy: str,
        unit: str,
        size: int,
        parameters: Json,
        model_version_id: int | None = None,
        user_id: int | None = None,
    ) -> Batch:
        """A new batch of these examples in this order, numbered from 1 in its project."""
        self.lock(project_id)
        number = self._connection.execute(
            select(func.coalesce(func.max(batches.c.number), 0) + 1).where(batches.c.project_id == project_id)
        ).scalar_one()
        batch_id = self._connection.execute(
            insert(batches)
            .values(
                project_id=project_id,
                number=number,
                strategy=strategy,
                model_version_id=model_version_id,
                unit=unit,
                size=size,
                parameters=dict(parameters),
                user_id=user_id,
                created_at=now(),
            )
            .returning(batches.c.id)
        ).scalar_one()
        rows = (
            {
                "batch_id": batch_id,
                "example_id": item.example_id,
                "position": position,
                "score": item.score,
                "reason": dict(item.reason),
            }
            for position, item in enumerate(items)
        )
        for chunk in chunks(rows):
            self._connection.execute(insert(batch_items), chunk)
        return self.by_id(batch_id)

    def all(self, project_id: int) -> tuple[Batch, ...]:
        """Every batch of a project, the newest first, with how far it is."""
        sharing = sharing_of(self._connection, project_id)
        statement = (
            self._select(sharing).where(batches.c.project_id == project_id).order_by(batches.c.number.desc())
        )
        return tuple(_batch(row) for row in self._connection.execute(statement))

    def by_id(self, batch_id: int) -> Batch:
        """The batch of that id. Raises NotFound."""
        project_id = self._connection.execute(
            select(batches.c.project_id).where(batches.c.id == batch_id)
        ).scalar_one_or_none()
        if project_id is None:
            raise NotFound(f"there is no batch with id {batch_id}")
        sharing = sharing_of(self._connection, project_id)
        row = self._connection.execute(self._select(sharing).where(batches.c.id == batch_id)).one()
        return _batch(row)

    def by_number(self, project_id: int, number: int) -> Batch:
        """The project's batch of that number. Raises NotFound."""
        sharing = sharing_of(self._connection, project_id)
        statement = self._select(sharing).where(
            batches.c.project_id == project_id, batches.c.number == number
        )
        row = self._connection.execute(statement).one_or_none()
        if row is None:
            raise NotFound(
                f"there is no batch {number}",
                remedy="look at the Select page, or make one with `workbench select`",
            )
        return _batch(row)

    def items(self, batch_id: int) -> tuple[BatchItem, ...]:
        """The items of a batch, in its order."""
        statement = (
            select(batch_items).where(batch_items.c.batch_id == batch_id).order_by(batch_items.c.position)
        )
        return tuple(
            BatchItem(row.batch_id, row.example_id, row.position, row.score, row.reason)
            for row in self._connection.execute(statement)
        )

    def open_items(
        self, project_id: int, batch_id: int | None = None, limit: int | None = None
    ) -> list[QueueItem]:
        """Items that fewer people have labeled than shall, oldest batch first, held by somebody or not."""
        statement = self._open(project_id, batch_id, sharing_of(self._connection, project_id))
        if limit is not None:
            statement = statement.limit(limit)
        return [QueueItem(*row) for row in self._connection.execute(statement)]

    def open_count(self, project_id: int, batch_id: int | None = None) -> int:
        """How many items fewer people have labeled than shall."""
        sharing = sharing_of(self._connection, project_id)
        open_items = self._open(project_id, batch_id, sharing).order_by(None).subquery()
        return self._connection.execute(select(func.count()).select_from(open_items)).scalar_one()

    def next_items(
        self,
        project_id: int,
        user_id: int,
        batch_id: int | None,
        limit: int,
        exclude: Collection[int],
        until: datetime,
    ) -> list[QueueItem]:
        """What a person labels next, reserved for them until then; call it in a writing block.

        Items that the person holds already come first, then the oldest batch's, in its order. Left out are items
        that the person has labeled, and those that as many people have labeled or hold as shall label them. However
        many ask at once, no item goes to more people than that.

        Args:
            project_id: The project.
            user_id: Who asks.
            batch_id: From this batch only, or None for every open one.
            limit: The most to return.
            exclude: Example ids that the person has on the screen already.
            until: How long they are reserved.
        """
        self.lock(project_id)
        moment = now()
        sharing = sharing_of(self._connection, project_id)
        held = self.held(user_id, moment)
        wanted = limit + len(exclude)
        waiting = self._open(project_id, batch_id, sharing)
        if not sharing.alone:
            waiting = waiting.where(~_answered_by(user_id))
        own = waiting.limit(wanted)
        items: list[QueueItem] = []
        for chunk in id_chunks(held):
            rows = self._connection.execute(own.where(batch_items.c.example_id.in_(chunk)))
            items += [QueueItem(*row) for row in rows]
        if len(items) < wanted:
            free = waiting.where(room_for(batch_items.c.example_id, user_id, moment, sharing))
            rows = self._connection.execute(free.limit(wanted))
            items += [QueueItem(*row) for row in rows]
        skipped = set(exclude)
        chosen: dict[int, QueueItem] = {}
        for item in items:
            if item.example_id not in skipped and len(chosen) < limit:
                chosen.setdefault(item.example_id, item)
        self.lease(user_id, [(item.batch_id, item.example_id) for item in chosen.values()], until)
        return list(chosen.values())

    def release(self, batch_id: int) -> int:
        """Take the items that nobody has labeled out of a batch, so that they may be selected again; how many."""
        pending = [item.example_id for item in self._open_of(batch_id)]
        for chunk in id_chunks(pending):
            for table in (leases, batch_items):
                self._connection.execute(
                    delete(table).where(table.c.batch_id == batch_id, table.c.example_id.in_(chunk))
                )
        if pending:
            row = self._connection.execute(
                select(batches.c.parameters).where(batches.c.id == batch_id)
            ).scalar_one()
            released = int(row.get("released", 0)) + len(pending)
            self._connection.execute(
                update(batches)
                .where(batches.c.id == batch_id)
                .values(parameters={**row, "released": released})
            )
        return len(pending)

    def _open_of(self, batch_id: int) -> list[QueueItem]:
        project_id = self._connection.execute(
            select(batches.c.project_id).where(batches.c.id == batch_id)
        ).scalar_one()
        return [QueueItem(*row) for row in self._connection.execute(self._open(project_id, batch_id, ALONE))]

    def _open(self, project_id: int, batch_id: int | None, sharing: Sharing) -> Select[Any]:
        statement = (
            select(
                batch_items.c.batch_id,
                batch_items.c.example_id,
                batch_items.c.position,
                batch_items.c.score,
                batch_items.c.reason,
            )
            .join(batches, batches.c.id == batch_items.c.batch_id)
            .where(batches.c.project_id == project_id, ~_answered(sharing))
            .order_by(batches.c.number, batch_items.c.position)
        )
        return statement if batch_id is None else statement.where(batch_items.c.batch_id == batch_id)

    def _select(self, sharing: Sharing) -> Select[Any]:
        of_batch = batch_items.c.batch_id == batches.c.id
        total = select(func.count()).select_from(batch_items).where(of_batch).scalar_subquery()
        done = (
            select(func.count())
            .select_from(batch_items)
            .where(of_batch, _answered(sharing))
            .scalar_subquery()
        )
        return select(
            batches, model_versions.c.number.label("version"), total.label("total"), done.label("done")
        ).outerjoin(model_versions, model_versions.c.id == batches.c.model_version_id)


def _answered(sharing: Sharing) -> ColumnElement[bool]:
    """Whether an item needs nothing more. In a correction batch every item had labels before: only newer ones count."""
    example_id = batch_items.c.example_id
    corrected = live_annotation(example_id, since=batches.c.created_at)
    if sharing.alone:
        return ((batches.c.strategy != CORRECTION) & live_annotation(example_id)) | corrected
    full = settled(example_id) | (spoken(example_id) >= people_wanted(example_id, sharing))
    return ((batches.c.strategy != CORRECTION) & full) | ((batches.c.strategy == CORRECTION) & corrected)


def _answered_by(user_id: int) -> ColumnElement[bool]:
    """Whether an item needs nothing more from this person."""
    return (batches.c.strategy != CORRECTION) & has_spoken(batch_items.c.example_id, user_id)


def _batch(row: Row[Any]) -> Batch:
    return Batch(
        id=row.id,
        project_id=row.project_id,
        number=row.number,
        strategy=row.strategy,
        model_version=row.version,
        unit=row.unit,
        size=row.size,
        parameters=row.parameters,
        items=row.total,
        done=row.done,
        created_at=aware(row.created_at),
    )
