"""How a revision is read: the one query and the one mapping that every repository of labels uses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    func,
    select,
    true,
)

from workbench.domain import Annotation, AnnotationStatus, Sharing
from workbench.errors import NotFound
from workbench.storage.rows import aware
from workbench.storage.tables import annotations as revisions
from workbench.storage.tables import examples, model_versions, projects, users
from workbench.tasks import get_task

# Statements that every answer needs are built once, and given their values at each call.
_LOCKED = (
    select(projects.c.settings)
    .join(examples, projects.c.id == examples.c.project_id)
    .where(examples.c.id == bindparam("example"))
    .with_for_update(key_share=True, of=examples)
)


class Revisions:
    """Base of the repositories that read revisions."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def _lock(self, example_id: int) -> Sharing:
        """Serialise writers of one example (SQLite serialises all of them); how its project's work is shared out."""
        found = self._connection.execute(_LOCKED, {"example": example_id}).one_or_none()
        if found is None:
            raise NotFound(f"there is no example with id {example_id}")
        return Sharing.of(found.settings)

    def _one(self, statement: Select[Any], values: Mapping[str, Any] | None = None) -> Annotation | None:
        row = self._connection.execute(statement, values).one_or_none()
        return to_annotation(row) if row is not None else None

    def _all(self, statement: Select[Any], values: Mapping[str, Any] | None = None) -> tuple[Annotation, ...]:
        return tuple(to_annotation(row) for row in self._connection.execute(statement, values))


def newest_of_author() -> ColumnElement[bool]:
    """Whether a revision is its author's newest of its example: what they say now."""
    later = revisions.alias()
    return ~exists().where(
        later.c.example_id == revisions.c.example_id,
        later.c.author_id == revisions.c.author_id,
        later.c.revision > revisions.c.revision,
    )


def labels_are_partial(payload: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether stored labels are partial (``workbench.domain.is_partial``); false where there are none."""
    said: ColumnElement[bool] = payload["partial"].as_boolean()
    # Nearly no payload has the word in it, and looking for a word takes half of what reading JSON does.
    return and_(func.coalesce(cast(payload, Text), "").contains('"partial"'), said.is_(true()))


def asks_anew(payload: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether stored answers are to a question that their author has worded anew; false where there are none."""
    wording: ColumnElement[str] = payload["question"].as_string()
    return and_(func.coalesce(cast(payload, Text), "").contains('"question"'), wording.is_not(None))


@cache
def select_revisions() -> Select[Any]:
    """Revisions with their author's name, their task and the number of the suggesting version."""
    return (
        select(
            revisions,
            users.c.name.label("author"),
            projects.c.task,
            model_versions.c.number.label("suggestion_version"),
        )
        .join(users, users.c.id == revisions.c.author_id)
        .join(examples, examples.c.id == revisions.c.example_id)
        .join(projects, projects.c.id == examples.c.project_id)
        .outerjoin(model_versions, model_versions.c.id == revisions.c.suggestion_version_id)
    )


def to_annotation(row: Row[Any]) -> Annotation:
    """The revision in a row of ``select_revisions``."""
    return Annotation(
        id=row.id,
        example_id=row.example_id,
        author_id=row.author_id,
        author=row.author,
        revision=row.revision,
        status=AnnotationStatus(row.status),
        payload=None if row.payload is None else get_task(row.task).load(row.payload),
        client_id=row.client_id,
        seconds=row.seconds,
        comment=row.comment,
        batch_id=row.batch_id,
        suggestion_version=row.suggestion_version,
        created_at=aware(row.created_at),
    )
