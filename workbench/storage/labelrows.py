"""Labels on their way out of a project: gold or each annotator's own, with where they come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, select

from workbench.domain import AnnotationStatus, Json, Split
from workbench.storage.rows import aware
from workbench.storage.tables import annotations as revisions
from workbench.storage.tables import examples, gold, model_versions, users
from workbench.storage.visible import in_project

_accepters = users.alias("accepters")


@dataclass(frozen=True, slots=True)
class LabelRow:
    """The labels of one example by one annotator; ``accepted_at`` is None unless they are gold."""

    example_id: int
    payload: Json
    annotator: str
    revision: int
    labeled_at: datetime
    seconds: float | None
    suggestion_version: int | None
    comment: str
    accepted_by: str | None
    accepted_at: datetime | None


class LabelRows:
    """Repository of labels to export; see ``Store``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def gold(self, project_id: int, split: Split | None = None) -> Iterator[LabelRow]:
        """Every gold label, in the project's order."""
        return self._rows(_select().join(gold, gold.c.annotation_id == revisions.c.id), project_id, split)

    def own(
        self, project_id: int, split: Split | None = None, annotator: str | None = None
    ) -> Iterator[LabelRow]:
        """The newest revision of each annotator (or of one), where it is accepted, in the project's order.

        System users (the labels that files came with) are left out unless they are named.
        """
        newest = (
            select(func.max(revisions.c.revision))
            .where(
                revisions.c.example_id == examples.c.id,
                revisions.c.author_id == users.c.id,
            )
            .correlate(examples, users)
            .scalar_subquery()
        )
        whose = ~users.c.system if annotator is None else users.c.name == annotator
        statement = (
            _select()
            .outerjoin(gold, gold.c.annotation_id == revisions.c.id)
            .where(
                whose,
                revisions.c.revision == newest,
                revisions.c.status == AnnotationStatus.ACCEPTED.value,
            )
        )
        return self._rows(statement, project_id, split)

    def annotators(self, project_id: int) -> list[str]:
        """Names of everybody who labeled an example of the project, sorted; system users too."""
        statement = (
            select(users.c.name)
            .join(revisions, revisions.c.author_id == users.c.id)
            .join(examples, examples.c.id == revisions.c.example_id)
            .where(in_project(project_id))
            .distinct()
            .order_by(users.c.name)
        )
        return list(self._connection.execute(statement).scalars())

    def _rows(self, statement: Select[Any], project_id: int, split: Split | None) -> Iterator[LabelRow]:
        wanted = (
            in_project(project_id)
            if split is None
            else and_(in_project(project_id), examples.c.split == split)
        )
        statement = (
            statement.add_columns(gold.c.accepted_at, _accepters.c.name.label("accepted_by"))
            .outerjoin(_accepters, _accepters.c.id == gold.c.accepted_by)
            .where(wanted)
            .order_by(examples.c.position, users.c.name)
        )
        for row in self._connection.execute(statement, execution_options={"yield_per": 2_000}):
            yield _label_row(row)


def _select() -> Select[Any]:
    return (
        select(
            examples.c.id.label("example_id"),
            revisions.c.payload,
            users.c.name.label("annotator"),
            revisions.c.revision,
            revisions.c.created_at,
            revisions.c.seconds,
            revisions.c.comment,
            model_versions.c.number.label("suggestion_version"),
        )
        .select_from(revisions)
        .join(examples, examples.c.id == revisions.c.example_id)
        .join(users, users.c.id == revisions.c.author_id)
        .outerjoin(model_versions, model_versions.c.id == revisions.c.suggestion_version_id)
    )


def _label_row(row: Row[Any]) -> LabelRow:
    return LabelRow(
        example_id=row.example_id,
        payload=row.payload,
        annotator=row.annotator,
        revision=row.revision,
        labeled_at=aware(row.created_at),
        seconds=row.seconds,
        suggestion_version=row.suggestion_version,
        comment=row.comment,
        accepted_by=row.accepted_by,
        accepted_at=aware(row.accepted_at),
    )
