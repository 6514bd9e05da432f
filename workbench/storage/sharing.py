"""Which example still waits for how many people, as conditions of a query.

A person's word on an example is their newest revision of it, unless that withdraws what they said.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Integer, case, cast, exists, func, literal, select

from workbench.domain import AnnotationStatus, Sharing
from workbench.domain.sharing import LOT_SIZE, LOT_STEP
from workbench.storage.tables import annotations as revisions
from workbench.storage.tables import gold, leases, projects, users


def sharing_of(connection: Connection, project_id: int) -> Sharing:
    """How the project's work is shared out."""
    settings = connection.execute(select(projects.c.settings).where(projects.c.id == project_id)).scalar_one()
    return Sharing.of(settings)


def people_wanted(example_id: ColumnElement[int], sharing: Sharing) -> ColumnElement[int]:
    """How many people label an example; see ``Sharing.wanted``."""
    if sharing.alone:
        return cast(literal(1), Integer)
    drawn = example_id * LOT_STEP % LOT_SIZE < sharing.cut
    return case((drawn, sharing.people), else_=1)


def spoken(
    example_id: ColumnElement[int],
    statuses: Collection[AnnotationStatus] = (
        AnnotationStatus.ACCEPTED,
        AnnotationStatus.SKIPPED,
        AnnotationStatus.FLAGGED,
    ),
) -> ColumnElement[int]:
    """How many people's word on an example has one of the statuses."""
    mine, later = revisions.alias(), revisions.alias()
    superseded = exists().where(
        later.c.example_id == mine.c.example_id,
        later.c.author_id == mine.c.author_id,
        later.c.revision > mine.c.revision,
    )
    return (
        select(func.count())
        .select_from(mine)
        .where(mine.c.example_id == example_id, mine.c.status.in_(tuple(statuses)), ~superseded)
        .correlate_except(mine)
        .scalar_subquery()
    )


def has_spoken(example_id: ColumnElement[int], user_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether the person's word on the example is there."""
    mine, later = revisions.alias(), revisions.alias()
    superseded = exists().where(
        later.c.example_id == mine.c.example_id,
        later.c.author_id == mine.c.author_id,
        later.c.revision > mine.c.revision,
    )
    return (
        exists()
        .where(
            mine.c.example_id == example_id,
            mine.c.author_id == user_id,
            mine.c.status != AnnotationStatus.WITHDRAWN,
            ~superseded,
        )
        .correlate_except(mine)
    )


def holders(
    example_id: ColumnElement[int], moment: ColumnElement[datetime], but: ColumnElement[int]
) -> ColumnElement[int]:
    """How many people besides one hold an example at that moment."""
    return (
        select(func.count())
        .select_from(leases)
        .where(leases.c.example_id == example_id, leases.c.expires_at > moment, leases.c.user_id != but)
        .correlate_except(leases)
        .scalar_subquery()
    )


def settled(example_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether an example's gold is a reviewer's word or came from no person: then nobody is asked any more."""
    said = revisions.alias()
    return (
        exists()
        .where(
            gold.c.example_id == example_id,
            said.c.id == gold.c.annotation_id,
            users.c.id == said.c.author_id,
            users.c.system | gold.c.accepted_by.is_not(None),
        )
        .correlate_except(gold, said, users)
    )
