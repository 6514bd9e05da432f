"""Who labels which example at the moment, so that no more people are given it than shall label it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    null,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.sql.dml import ReturningInsert

from workbench.domain import AnnotationStatus, Sharing, Split
from workbench.storage.candidates import live_lease
from workbench.storage.revisions import newest_of_author
from workbench.storage.rows import id_chunks, now
from workbench.storage.sharing import holders, people_wanted, settled, spoken
from workbench.storage.tables import annotations as revisions
from workbench.storage.tables import batch_items, examples, gold, leases, projects
from workbench.storage.tables.columns import Identity, Moment
from workbench.storage.visible import in_project

DONE = (AnnotationStatus.ACCEPTED, AnnotationStatus.FLAGGED)
"""Statuses after which an example of the pool is not offered to anybody else."""

SPOKEN = (*DONE, AnnotationStatus.SKIPPED)
"""Statuses that take one of the places of a batch's item."""

LOOKS = 100
"""How often a claim looks again where others were quicker."""

# What is asked at every claim is built once and given its values at each call: building it takes several times as long
# as answering it.
PROJECT, USER, ITEM_BATCH = (bindparam(name, type_=Identity) for name in ("project", "user", "batch"))
MOMENT, UNTIL = bindparam("moment", type_=Moment), bindparam("until", type_=Moment)
EXCLUDED = bindparam("excluded", type_=Identity, expanding=True)
WANTED = bindparam("wanted", type_=Integer)
DOCUMENT = bindparam("document", type_=Identity)

_SETTINGS = select(projects.c.settings).where(projects.c.id == PROJECT)
_LOCKED = _SETTINGS.with_for_update(key_share=True)
_SHARED = _SETTINGS.with_for_update(read=True)
_ENDED = delete(leases).where(
    leases.c.example_id.in_(bindparam("ids", expanding=True)),
    (leases.c.user_id == USER) | (leases.c.expires_at <= MOMENT),
)
_EXPIRED = delete(leases).where(leases.c.user_id == USER, leases.c.expires_at <= MOMENT)
_PROLONGED = (
    update(leases)
    .where(leases.c.user_id == USER, leases.c.example_id.in_(bindparam("ids", expanding=True)))
    .values(expires_at=UNTIL)
)
_QUICK = text(
    "SELECT set_config('enable_seqscan', 'off', true), set_config('synchronous_commit', 'off', true)"
)
_LAST_DOCUMENT = (
    select(examples.c.document_id)
    .join(revisions, revisions.c.example_id == examples.c.id)
    .where(revisions.c.author_id == USER, in_project(PROJECT))
    .order_by(revisions.c.created_at.desc(), revisions.c.id.desc())
    .limit(1)
)
_GIVEN_BACK = delete(leases).where(
    leases.c.user_id == USER, leases.c.example_id.in_(bindparam("ids", expanding=True))
)
_LEASED = insert(leases)


class Leases:
    """The part of the ``Batches`` repository that reserves examples for people, for a while."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self, project_id: int) -> Sharing:
        """Let nobody else select from or hand out items of the project until this write block ends.

        Gives back how its work is shared out. SQLite's writing transactions exclude each other anyway; PostgreSQL locks
        the project's row.
        """
        return Sharing.of(self._connection.execute(_LOCKED, {"project": project_id}).scalar_one())

    def share(self, project_id: int) -> Sharing:
        """Hand out items beside others who do, each locking what they give; whoever holds ``lock`` is waited for."""
        return Sharing.of(self._connection.execute(_SHARED, {"project": project_id}).scalar_one())

    def sharing(self, project_id: int) -> Sharing:
        """How the project's work is shared out."""
        return Sharing.of(self._connection.execute(_SETTINGS, {"project": project_id}).scalar_one())

    def next_in_pool(
        self, project_id: int, user_id: int, limit: int, exclude: Collection[int], until: datetime
    ) -> list[int]:
        """Ids of what a person labels next straight out of the pool, reserved until then; call it in a writing block.

        What the person holds already comes first, then the pool in its order. Left out is what somebody has
        decided, what the person has met, and what somebody else holds.

        Args:
            project_id: The project.
            user_id: Who asks.
            limit: The most to return.
            exclude: Example ids that the person has on the screen already.
            until: How long they are reserved.
        """
        values = self._begin_claim(project_id, user_id, exclude, until)
        held = self._connection.execute(_held_of_pool(self.sharing(project_id)), values).scalars()
        found = [example_id for example_id in held if example_id not in exclude][:limit]
        self._hold_on(found, values)
        if len(found) < limit:
            sharing = self.share(project_id)
            document = self.document_of(sharing, values)
            if document is not None:
                rest = values | {"wanted": limit - len(found), "document": document}
                beside = _chosen_of_pool(sharing, beside=True)
                found += [one for _, one in self.reserve(beside, sharing, rest, DONE)]
            rest = values | {"wanted": limit - len(found)}
            if len(found) < limit:
                found += [one for _, one in self.reserve(_chosen_of_pool(sharing), sharing, rest, DONE)]
            if not found:  # all that there is may be in the hands of others who claim or save at this moment
                last = self.reserve(_chosen_of_pool(sharing, waits=True), sharing, rest | {"wanted": 1}, DONE)
                found = [one for _, one in last]
        return found

    def reserve(
        self,
        chosen: Select[Any],
        sharing: Sharing,
        values: dict[str, Any],
        statuses: tuple[AnnotationStatus, ...] = SPOKEN,
    ) -> list[tuple[int, int]]:
        """Reserve the examples that a query chooses, unless others got them before it had locked their rows.

        Args:
            chosen: Of (batch id, example id), with the examples' rows locked.
            sharing: How the project's work is shared out.
            values: Of the query and of the reservation.
            statuses: Those that take a place, as the query has it.
        """
        reserved: set[int] = set()
        batch_of: dict[int, int] = {}
        # What others have just got is seen by the next look. An end all the same: on SQLite everybody waits meanwhile.
        for _ in range(LOOKS):
            rows = self._connection.execute(chosen, values)
            batch_of = {row.example_id: row.batch_id for row in rows}
            if not batch_of:
                break
            for batch_id in dict.fromkeys(batch_of.values()):
                ids = [example_id for example_id, batch in batch_of.items() if batch == batch_id]
                given = self._connection.execute(
                    _given(sharing, statuses), values | {"batch": batch_id, "ids": ids}
                )
                reserved.update(given.scalars())
            if reserved:
                break
        return [(batch, example) for example, batch in batch_of.items() if example in reserved]

    def document_of(self, sharing: Sharing, values: Mapping[str, Any]) -> int | None:
        """The document that the user labeled in last, where people stay in a document."""
        if not sharing.documents:
            return None
        return self._connection.execute(_LAST_DOCUMENT, values).scalar_one_or_none()

    def _begin_claim(
        self, project_id: int, user_id: int, exclude: Collection[int], until: datetime
    ) -> dict[str, Any]:
        """What can be done before anybody has to wait; the values that the statements of a claim take.

        A lease is a promise of minutes: on PostgreSQL nobody waits until it is on the disk. What is asked there while
        others wait is looked up by index: right after an import its planner still takes the tables for small, and would
        read all of one for each example of another.
        """
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(_QUICK)
        values = {"project": project_id, "user": user_id, "moment": now(), "until": until}
        self._connection.execute(_EXPIRED, values)
        return values | {"excluded": list(exclude)}

    def _hold_on(self, example_ids: Sequence[int], values: dict[str, Any]) -> None:
        """Reserve what the user holds already for as long as what is new."""
        for part in id_chunks(example_ids):
            self._connection.execute(_PROLONGED, values | {"ids": list(part)})

    def held(self, user_id: int) -> list[int]:
        """Ids of the examples that a person holds."""
        mine = select(leases.c.example_id).where(leases.c.user_id == user_id, leases.c.expires_at > now())
        return list(self._connection.execute(mine).scalars())

    def lease(self, user_id: int, items: Iterable[tuple[int | None, int]], until: datetime) -> None:
        """Reserve (batch id or None, example id) pairs for a person until then.

        There is room for the person, or they are the person's own already: nobody holds an example twice, which a
        constraint makes sure of.
        """
        pairs = {example_id: batch_id for batch_id, example_id in items}
        for example_ids in id_chunks(list(pairs)):
            self._connection.execute(_ENDED, {"ids": list(example_ids), "user": user_id, "moment": now()})
        if pairs:
            rows = [
                {"batch_id": batch_id, "example_id": example_id, "user_id": user_id, "expires_at": until}
                for example_id, batch_id in pairs.items()
            ]
            self._connection.execute(_LEASED, rows)

    def end_leases(self, user_id: int, example_ids: Sequence[int] | None = None) -> None:
        """Give these examples back, or all that the person holds."""
        if example_ids is None:
            self._connection.execute(delete(leases).where(leases.c.user_id == user_id))
            return
        for chunk in id_chunks(example_ids):
            self._connection.execute(_GIVEN_BACK, {"user": user_id, "ids": list(chunk)})


def holding(example_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Condition of a join with leases: the user holds the example at the moment."""
    return (leases.c.example_id == example_id) & (leases.c.user_id == USER) & (leases.c.expires_at > MOMENT)


def for_user(
    example_id: ColumnElement[int],
    sharing: Sharing,
    statuses: Collection[AnnotationStatus] = SPOKEN,
) -> list[ColumnElement[bool]]:
    """Conditions of an example that the user may be given: they don't have it, and fewer than wanted have or had it."""
    if sharing.alone:
        return [free_of_holders(example_id)]
    taken = spoken(example_id, statuses) + holders(example_id, MOMENT, USER)
    mine = exists().where(holding(example_id)).correlate_except(leases)
    return [taken < people_wanted(example_id, sharing), ~mine, example_id.not_in(EXCLUDED)]


def free_of_holders(example_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether nobody holds the example, and the user does not have it on the screen."""
    return ~live_lease(example_id, MOMENT) & example_id.not_in(EXCLUDED)


@lru_cache(maxsize=64)
def _given(sharing: Sharing, statuses: tuple[AnnotationStatus, ...]) -> ReturningInsert[Any]:
    """Give the user those of the examples that there is room for."""
    free = and_(*for_user(examples.c.id, sharing, statuses))
    if not sharing.alone:  # a probe is one person's, whatever is said of the example elsewhere
        probe = exists().where(
            batch_items.c.batch_id == ITEM_BATCH,
            batch_items.c.example_id == examples.c.id,
            batch_items.c.probe,
        )
        free = or_(free, probe & free_of_holders(examples.c.id))
    room = select(ITEM_BATCH, examples.c.id, USER, UNTIL).where(
        examples.c.id.in_(bindparam("ids", expanding=True)), free
    )
    columns = ["batch_id", "example_id", "user_id", "expires_at"]
    return insert(leases).from_select(columns, room).returning(leases.c.example_id)


@lru_cache(maxsize=64)
def _held_of_pool(sharing: Sharing) -> Select[Any]:
    """What the user holds of the pool and has not met yet."""
    return _waiting(sharing).join(leases, holding(examples.c.id))


@lru_cache(maxsize=64)
def _chosen_of_pool(sharing: Sharing, *, waits: bool = False, beside: bool = False) -> Select[Any]:
    """The first of the pool that there is room for, of one document with ``beside``; their rows are locked, and those
    that others lock passed by."""
    waiting = _waiting(sharing)
    return (
        (waiting.where(examples.c.document_id == DOCUMENT) if beside else waiting)
        .with_only_columns(null().label("batch_id"), examples.c.id.label("example_id"))
        .where(*for_user(examples.c.id, sharing, DONE))
        .limit(WANTED)
        .with_for_update(key_share=True, of=examples, skip_locked=not waits)
    )


def _waiting(sharing: Sharing) -> Select[Any]:
    in_pool = (in_project(PROJECT), examples.c.split == Split.POOL)
    return select(examples.c.id).where(*in_pool, *_unmet(sharing)).order_by(examples.c.position)


def _unmet(sharing: Sharing) -> list[ColumnElement[bool]]:
    """Conditions of a pool example that the user may be asked for: not met by them, and not done.

    What somebody has withdrawn, or had withdrawn, is met and done no longer.
    """
    word = (
        revisions.c.example_id == examples.c.id,
        revisions.c.status != AnnotationStatus.WITHDRAWN,
        newest_of_author(),
    )
    if sharing.alone:
        met = exists().where(*word, (revisions.c.author_id == USER) | revisions.c.status.in_(DONE))
        return [~met, ~exists().where(gold.c.example_id == examples.c.id)]
    return [
        ~exists().where(*word, revisions.c.author_id == USER),
        ~settled(examples.c.id),
        spoken(examples.c.id, DONE) < people_wanted(examples.c.id, sharing),
    ]
