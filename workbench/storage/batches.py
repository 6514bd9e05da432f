"""Batches, their items, and who holds which item."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Row,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from workbench.domain import Batch, BatchItem, Json, Sharing
from workbench.errors import NotFound
from workbench.storage.candidates import Candidates
from workbench.storage.leases import (
    DOCUMENT,
    ITEM_BATCH,
    PROJECT,
    USER,
    WANTED,
    Leases,
    for_user,
    free_of_holders,
    holding,
)
from workbench.storage.openitems import CORRECTION, answered, reckon_batch, reckon_project, wrongly_kept
from workbench.storage.probes import met
from workbench.storage.rows import aware, chunks, id_chunks, now
from workbench.storage.sharing import has_spoken
from workbench.storage.tables import batch_items, batches, examples, leases, model_versions

WINDOW = 64
"""Open items that a claim looks at first; where all of them are others' or the person's own, it looks at every one."""

ALL = 2**31 - 1

__all__ = ["CORRECTION", "Batches", "NewItem", "QueueItem"]


class Claim(NamedTuple):
    """An item that somebody has got."""

    batch_id: int
    example_id: int


class QueueItem(NamedTuple):
    """An item to be labeled now, and why it was chosen: also its batch's number and strategy."""

    batch_id: int
    example_id: int
    position: int
    score: float | None
    reason: Json
    batch: int
    strategy: str
    probe: bool


@dataclass(frozen=True, slots=True)
class NewItem:
    """One example of a batch to be."""

    example_id: int
    score: float | None
    reason: Json
    probe: bool = False


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
        sharing = self.lock(project_id)
        number = self.last_number(project_id) + 1
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
                "probe": item.probe,
            }
            for position, item in enumerate(items)
        )
        for chunk in chunks(rows):
            self._connection.execute(insert(batch_items), chunk)
        reckon_batch(self._connection, batch_id, sharing)
        return self.by_id(batch_id)

    def all(self, project_id: int) -> tuple[Batch, ...]:
        """Every batch of a project, the newest first, with how far it is."""
        statement = _BATCHES.where(batches.c.project_id == project_id).order_by(batches.c.number.desc())
        return tuple(_batch(row) for row in self._connection.execute(statement))

    def by_id(self, batch_id: int) -> Batch:
        """The batch of that id. Raises NotFound."""
        row = self._connection.execute(_BATCHES.where(batches.c.id == batch_id)).one_or_none()
        if row is None:
            raise NotFound(f"there is no batch with id {batch_id}")
        return _batch(row)

    def progress(self, batch_id: int) -> tuple[int, int]:
        """How many items of a batch need nothing more, and how many it has. Raises NotFound."""
        row = self._connection.execute(_PROGRESS, {"batch": batch_id}).one_or_none()
        if row is None:
            raise NotFound(f"there is no batch with id {batch_id}")
        return row.done, row.total

    def reckon(self, project_id: int) -> int:
        """Work out again which items of a project's batches are open; how many were kept otherwise."""
        return reckon_project(self._connection, project_id, self.sharing(project_id))

    def wrongly_kept(self, project_id: int) -> int:
        """How many items of a project's batches are kept as open or closed against what their labels say."""
        return wrongly_kept(self._connection, project_id, self.sharing(project_id))

    def last_number(self, project_id: int) -> int:
        """Number of the project's newest batch, 0 where it has none."""
        statement = select(func.coalesce(func.max(batches.c.number), 0))
        found = self._connection.execute(statement.where(batches.c.project_id == project_id))
        return int(found.scalar_one())

    def by_number(self, project_id: int, number: int) -> Batch:
        """The project's batch of that number. Raises NotFound."""
        statement = _BATCHES.where(batches.c.project_id == project_id, batches.c.number == number)
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
        statement = _open(of_one=batch_id is not None)
        if limit is not None:
            statement = statement.limit(limit)
        rows = self._connection.execute(statement, _values(project_id, batch_id))
        return [QueueItem(*row) for row in rows]

    def open_count(self, project_id: int, batch_id: int | None = None) -> int:
        """How many items fewer people have labeled than shall."""
        open_items = _open(of_one=batch_id is not None).order_by(None).subquery()
        statement = select(func.count()).select_from(open_items)
        return self._connection.execute(statement, _values(project_id, batch_id)).scalar_one()

    def next_items(
        self,
        project_id: int,
        user_id: int,
        batch_id: int | None,
        limit: int,
        exclude: Collection[int],
        until: datetime,
    ) -> list[Claim]:
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
        values = self._begin_claim(project_id, user_id, exclude, until) | _values(project_id, batch_id)
        of_one = batch_id is not None
        rows = self._connection.execute(_held(of_one=of_one), values)
        held = {row.example_id: row.batch_id for row in rows if row.example_id not in exclude}
        found = [Claim(held[example_id], example_id) for example_id in list(held)[:limit]]
        self._hold_on([claim.example_id for claim in found], values)
        if len(found) < limit:
            sharing = self.share(project_id)
            document = self.document_of(sharing, values)
            if document is not None:
                rest = values | {"window": ALL, "wanted": limit - len(found), "document": document}
                new = self.reserve(_chosen(sharing, of_one=of_one, beside=True), sharing, rest)
                found += [Claim(*pair) for pair in new]
            for window in (WINDOW, ALL):
                if len(found) < limit:
                    rest = values | {"window": window, "wanted": limit - len(found)}
                    new = self.reserve(_chosen(sharing, of_one=of_one), sharing, rest)
                    found += [Claim(*pair) for pair in new]
            if not found:  # all that there is may be in the hands of others who claim or save at this moment
                last = _chosen(sharing, of_one=of_one, waits=True)
                new = self.reserve(last, sharing, values | {"window": ALL, "wanted": 1})
                found = [Claim(*pair) for pair in new]
        return found

    def queue_items(self, claims: Sequence[Claim]) -> list[QueueItem]:
        """The items that were claimed, in the order of the claims."""
        place = {claim: index for index, claim in enumerate(claims)}
        found: list[QueueItem] = []
        for part in id_chunks([claim.example_id for claim in claims]):
            items = (QueueItem(*row) for row in self._connection.execute(_ITEMS, {"ids": list(part)}))
            found += [item for item in items if item[:2] in place]
        return sorted(found, key=lambda item: place[Claim(*item[:2])])

    def release(self, batch_id: int) -> int:
        """Take the items that nobody has labeled out of a batch, so that they may be selected again; how many."""
        labeled = answered(Sharing())
        unlabeled = (
            select(batch_items.c.example_id)
            .join(batches, batches.c.id == batch_items.c.batch_id)
            .where(batch_items.c.batch_id == batch_id, ~labeled)
        )
        pending = list(self._connection.execute(unlabeled).scalars())
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


def _values(project_id: int, batch_id: int | None) -> dict[str, Any]:
    values = {"project": project_id}
    return values if batch_id is None else values | {"batch": batch_id}


@cache
def _held(*, of_one: bool) -> Select[Any]:
    """Items that the user holds and has not labeled."""
    unlabeled = ~_answered_by_user(batch_items.c.example_id, batches.c.strategy)
    return _open(of_one=of_one).join(leases, holding(batch_items.c.example_id)).where(unlabeled)


@lru_cache(maxsize=64)
def _chosen(sharing: Sharing, *, of_one: bool, waits: bool = False, beside: bool = False) -> Select[Any]:
    """The first items that there is room for, of one document with ``beside``; their examples' rows are locked, and
    those that others lock passed by."""
    items = _open(of_one=of_one)
    if beside:
        of_document = select(examples.c.id).where(examples.c.document_id == DOCUMENT)
        items = items.where(batch_items.c.example_id.in_(of_document))
    # A query of its own for the window: the database is not to look at every open item of the batch.
    window = items.limit(bindparam("window", type_=Integer)).cte("first_open")
    return (
        select(window.c.batch_id, window.c.example_id)
        .join(examples, examples.c.id == window.c.example_id)
        .where(_given_to_user(window, sharing))
        .order_by(window.c.number, window.c.position)
        .limit(WANTED)
        .with_for_update(key_share=True, of=examples, skip_locked=not waits)
    )


def _given_to_user(window: CTE, sharing: Sharing) -> ColumnElement[bool]:
    """Whether an item of the window may be given to the user: an ordinary one, or a probe that is new to them."""
    example_id = window.c.example_id
    ordinary = and_(*for_user(example_id, sharing))
    if not sharing.alone:
        ordinary &= ~_answered_by_user(example_id, window.c.strategy)
    return or_(
        ~window.c.probe & ordinary, window.c.probe & free_of_holders(example_id) & ~met(example_id, USER)
    )


_COLUMNS = (
    select(
        batch_items.c.batch_id,
        batch_items.c.example_id,
        batch_items.c.position,
        batch_items.c.score,
        batch_items.c.reason,
        batches.c.number,
        batches.c.strategy,
        batch_items.c.probe,
    )
    .join(batches, batches.c.id == batch_items.c.batch_id)
    .order_by(batches.c.number, batch_items.c.position)
)
_ITEMS = _COLUMNS.where(batch_items.c.example_id.in_(bindparam("ids", expanding=True)))


@cache
def _open(*, of_one: bool) -> Select[Any]:
    """Items that need something more, of one batch or of the project's, the oldest first."""
    statement = _COLUMNS.where(batches.c.project_id == PROJECT, batch_items.c.open)
    return statement.where(batch_items.c.batch_id == ITEM_BATCH) if of_one else statement


def _count(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    of_batch = batch_items.c.batch_id == batches.c.id
    return select(func.count()).select_from(batch_items).where(of_batch, *conditions).scalar_subquery()


_HOW_FAR = _count().label("total"), _count(~batch_items.c.open).label("done")
_PROGRESS = select(*_HOW_FAR).select_from(batches).where(batches.c.id == ITEM_BATCH)
_BATCHES = select(batches, model_versions.c.number.label("version"), *_HOW_FAR).outerjoin(
    model_versions, model_versions.c.id == batches.c.model_version_id
)


def _answered_by_user(example_id: ColumnElement[int], strategy: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether an item needs nothing more from the user."""
    return (strategy != CORRECTION) & has_spoken(example_id, USER)


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
