"""What people did and what became of it, row by row, in one pass: what the figures of a team are counted from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from workbench.domain import Json
from workbench.storage.revisions import newest_of_author
from workbench.storage.rows import aware
from workbench.storage.tables import annotations as revisions
from workbench.storage.tables import examples, gold, predictions, users
from workbench.storage.visible import in_project
from workbench.storage.withdrawn import written_by_a_change


class WorkRow(NamedTuple):
    """One revision by a person.

    Attributes:
        person: Its author.
        example_id: Its example.
        revision: Its number.
        status: What it says.
        at: When.
        seconds: Logged with it.
        payload: Its labels.
        written: A change of labels or of somebody's work wrote it; nobody has looked at the example then.
        newest: It is what its author says now.
        words: Of the example.
        text: Of the example, where texts are asked for.
        suggested: What its suggestion said, where it started from one that is still known.
        from_suggestion: Whether it started from one.
        gold: The labels that count, where they are somebody else's word.
    """

    person: str
    example_id: int
    revision: int
    status: str
    at: datetime
    seconds: float | None
    payload: Json | None
    written: bool
    newest: bool
    words: int
    text: str | None
    suggested: Json | None
    from_suggestion: bool
    gold: Json | None


class WorkNumbers:
    """Repository of what figures of a team are counted from; see ``Store``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def stamp(self) -> tuple[object, ...]:
        """Changes whenever anybody says anything, in any project: revisions are only ever added."""
        found = select(func.count(), func.max(revisions.c.id))
        return tuple(self._connection.execute(found).one())

    def rows(
        self,
        project_id: int,
        *,
        user_id: int | None = None,
        since: datetime | None = None,
        texts: bool = False,
        agreed: bool = False,
    ) -> Iterator[WorkRow]:
        """Revisions by people, the oldest first of each person and example.

        Args:
            project_id: The project.
            user_id: Only this person's.
            since: Only what was said from then on.
            texts: Give each example's text too.
            agreed: Gold is what several people agree on: then one's own version, taken as gold, is not one's own word
                alone.
        """
        right = revisions.alias("right_ones")
        foreign = (right.c.author_id != revisions.c.author_id) | (
            gold.c.accepted_by.is_not(None) & (gold.c.accepted_by != revisions.c.author_id)
        )
        columns = (
            users.c.name,
            revisions.c.example_id,
            revisions.c.revision,
            revisions.c.status,
            revisions.c.created_at,
            revisions.c.seconds,
            revisions.c.payload,
            written_by_a_change(revisions.c.id).label("written"),
            newest_of_author().label("newest"),
            examples.c.words,
            examples.c.text,
            predictions.c.payload.label("suggested"),
            revisions.c.suggestion_version_id.is_not(None).label("from_suggestion"),
            right.c.payload.label("gold"),
            foreign.label("foreign"),
        )
        statement = (
            select(*columns)
            .join(examples, examples.c.id == revisions.c.example_id)
            .join(users, users.c.id == revisions.c.author_id)
            .outerjoin(gold, gold.c.example_id == revisions.c.example_id)
            .outerjoin(right, right.c.id == gold.c.annotation_id)
            .outerjoin(
                predictions,
                (predictions.c.model_version_id == revisions.c.suggestion_version_id)
                & (predictions.c.example_id == revisions.c.example_id),
            )
            .where(in_project(project_id), ~users.c.system)
            .order_by(revisions.c.author_id, revisions.c.example_id, revisions.c.revision)
        )
        if user_id is not None:
            statement = statement.where(revisions.c.author_id == user_id)
        if since is not None:
            statement = statement.where(revisions.c.created_at >= since)
        for row in self._connection.execute(statement, execution_options={"yield_per": 2_000}):
            yield WorkRow(
                row.name,
                row.example_id,
                row.revision,
                row.status,
                aware(row.created_at),
                row.seconds,
                row.payload,
                bool(row.written),
                bool(row.newest),
                row.words,
                row.text if texts else None,
                row.suggested,
                bool(row.from_suggestion),
                row.gold if agreed or row.foreign else None,
            )
