"""Who labels which example at the moment, so that no more people are given it than shall label it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, exists, insert, select, text

from workbench.domain import AnnotationStatus, Sharing, Split
from workbench.storage.candidates import live_lease
from workbench.storage.rows import id_chunks, now
from workbench.storage.sharing import holders, people_wanted, settled, sharing_of, spoken
from workbench.storage.tables import annotations as revisions
from workbench.storage.tables import examples, gold, leases, projects
from workbench.storage.visible import in_project

DONE = (AnnotationStatus.ACCEPTED, AnnotationStatus.FLAGGED)
"""Statuses after which an example of the pool is not offered to anybody else."""


class Leases:
    """The part of the ``Batches`` repository that reserves examples for people, for a while."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self, project_id: int) -> None:
        """Let nobody else select from or hand out items of the project until this write block ends.

        SQLite's writing transactions exclude each other anyway; PostgreSQL locks the project's row. There, what is
        asked while others wait is looked up by index: right after an import its planner still takes the tables for
        small, and would read all of one for each example of another.
        """
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(text("SET LOCAL enable_seqscan = off"))
        self._connection.execute(
            select(projects.c.id).where(projects.c.id == project_id).with_for_update(key_share=True)
        )

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
        self.lock(project_id)
        moment = now()
        sharing = sharing_of(self._connection, project_id)
        waiting = (
            select(examples.c.id)
            .where(in_project(project_id), examples.c.split == Split.POOL, *_unmet(user_id, sharing))
            .order_by(examples.c.position)
        )
        wanted = limit + len(exclude)
        found: list[int] = []
        for chunk in id_chunks(self.held(user_id, moment)):
            found += self._connection.execute(waiting.where(examples.c.id.in_(chunk)).limit(wanted)).scalars()
        if len(found) < wanted:
            free = waiting.where(room_for(examples.c.id, user_id, moment, sharing, DONE))
            more = self._connection.execute(free.limit(wanted)).scalars()
            found += [example_id for example_id in more if example_id not in set(found)]
        excluded = frozenset(exclude)
        chosen = [example_id for example_id in found if example_id not in excluded][:limit]
        self.lease(user_id, [(None, example_id) for example_id in chosen], until)
        return chosen

    def held(self, user_id: int, moment: datetime) -> list[int]:
        """Ids of the examples that a person holds at that moment."""
        mine = select(leases.c.example_id).where(leases.c.user_id == user_id, leases.c.expires_at > moment)
        return list(self._connection.execute(mine).scalars())

    def lease(self, user_id: int, items: Iterable[tuple[int | None, int]], until: datetime) -> None:
        """Reserve (batch id or None, example id) pairs for a person until then.

        There is room for the person, or they are the person's own already: nobody holds an example twice, which a
        constraint makes sure of.
        """
        pairs = {example_id: batch_id for batch_id, example_id in items}
        for example_ids in id_chunks(list(pairs)):
            self._connection.execute(
                delete(leases).where(
                    leases.c.example_id.in_(example_ids),
                    (leases.c.user_id == user_id) | (leases.c.expires_at <= now()),
                )
            )
        if pairs:
            rows = [
                {"batch_id": batch_id, "example_id": example_id, "user_id": user_id, "expires_at": until}
                for example_id, batch_id in pairs.items()
            ]
            self._connection.execute(insert(leases), rows)

    def end_leases(self, user_id: int, example_ids: Sequence[int] | None = None) -> None:
        """Give these examples back, or all that the person holds."""
        statement = delete(leases).where(leases.c.user_id == user_id)
        if example_ids is None:
            self._connection.execute(statement)
            return
        for chunk in id_chunks(example_ids):
            self._connection.execute(statement.where(leases.c.example_id.in_(chunk)))


def room_for(
    example_id: ColumnElement[int],
    user_id: int,
    moment: datetime,
    sharing: Sharing,
    statuses: Collection[AnnotationStatus] = (*DONE, AnnotationStatus.SKIPPED),
) -> ColumnElement[bool]:
    """Whether an example may be given to one more person: those who have labeled or hold it are fewer than wanted."""
    if sharing.alone:
        return ~live_lease(example_id, moment)
    taken = spoken(example_id, statuses) + holders(example_id, moment, user_id)
    return taken < people_wanted(example_id, sharing)


def _unmet(user_id: int, sharing: Sharing) -> list[ColumnElement[bool]]:
    """Conditions of a pool example that the person may be asked for: not met by them, and not done."""
    if sharing.alone:
        met = exists().where(
            revisions.c.example_id == examples.c.id,
            (revisions.c.author_id == user_id) | revisions.c.status.in_(DONE),
        )
        return [~met, ~exists().where(gold.c.example_id == examples.c.id)]
    mine = exists().where(revisions.c.example_id == examples.c.id, revisions.c.author_id == user_id)
    return [
        ~mine,
        ~settled(examples.c.id),
        spoken(examples.c.id, DONE) < people_wanted(examples.c.id, sharing),
    ]
