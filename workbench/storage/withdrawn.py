"""Revisions that a change of somebody's work has written, as queries see them: which withdraw, and what came after."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, select

from workbench.domain import AnnotationStatus, Json, Sharing
from workbench.storage.sharing import people_wanted, spoken
from workbench.storage.tables import annotations as revisions
from workbench.storage.tables import label_change_items, work_change_items
from workbench.storage.tables.columns import Identity


class Withdrawn(NamedTuple):
    """A revision that withdrew another, which is still to be put back."""

    annotation_id: int
    replaced_id: int
    example_id: int
    author_id: int
    revision: int
    payload: Json | None
    gold: bool
    gold_id: int | None
    accepted_by: int | None
    accepted_at: datetime | None
    again: bool
    others: bool
    room: bool


def is_put_back() -> ColumnElement[bool]:
    """Whether what an item has withdrawn has been put back."""
    back = work_change_items.alias()
    return exists().where(
        back.c.change_id == work_change_items.c.change_id,
        back.c.undoes,
        back.c.replaced_id == work_change_items.c.replaced_id,
    )


@lru_cache(maxsize=64)
def what_was_withdrawn(sharing: Sharing) -> Select[Any]:
    """What is to be put back, by the ids of the withdrawing revisions; built once, for there are hundreds in a row."""
    items, old = work_change_items, revisions.alias()
    room = spoken(revisions.c.example_id) < people_wanted(revisions.c.example_id, sharing)
    return (
        select(
            revisions.c.id,
            items.c.replaced_id,
            revisions.c.example_id,
            revisions.c.author_id,
            revisions.c.revision,
            old.c.payload,
            items.c.gold,
            items.c.gold_id,
            items.c.accepted_by,
            items.c.accepted_at,
            _spoke_since(by_author=True).label("again"),
            _spoke_since(by_author=False).label("others"),
            room.label("room"),
        )
        .join(items, items.c.annotation_id == revisions.c.id)
        .join(old, old.c.id == items.c.replaced_id)
        .where(revisions.c.id.in_(bindparam("ids", type_=Identity, expanding=True)), ~is_put_back())
        .order_by(revisions.c.example_id)
    )


def _spoke_since(*, by_author: bool) -> ColumnElement[bool]:
    """Whether the author, or somebody else who still says so, has said something after the revision."""
    later, newer = revisions.alias(), revisions.alias()
    whose = later.c.author_id == revisions.c.author_id
    conditions = [
        later.c.example_id == revisions.c.example_id,
        later.c.revision > revisions.c.revision,
        whose if by_author else ~whose,
        ~written_by_a_change(later.c.id),
    ]
    if not by_author:
        superseded = exists().where(
            newer.c.example_id == later.c.example_id,
            newer.c.author_id == later.c.author_id,
            newer.c.revision > later.c.revision,
        )
        conditions += [later.c.status != AnnotationStatus.WITHDRAWN, ~superseded]
    return exists().where(*conditions)


def written_by_a_change(annotation_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a change of the label set or of somebody's work wrote the revision: nobody has labeled it then."""
    return exists().where(label_change_items.c.annotation_id == annotation_id) | exists().where(
        work_change_items.c.annotation_id == annotation_id
    )


def is_withdrawal(annotation_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether the revision withdraws another in its author's place."""
    items = work_change_items
    return exists().where(items.c.annotation_id == annotation_id, items.c.undoes.is_(False))


def no_longer_shown(annotation_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a change of somebody's work wrote the revision, and it isn't a withdrawal that still holds."""
    undone = and_(
        work_change_items.c.annotation_id == annotation_id, work_change_items.c.undoes | is_put_back()
    )
    return exists().where(undone)
