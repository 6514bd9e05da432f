"""What reviewers say to people about their revisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from workbench.domain import Remark
from workbench.storage.rows import aware, id_chunks, now
from workbench.storage.tables import annotations as revisions
from workbench.storage.tables import examples, remarks, users
from workbench.storage.visible import in_project


class Remarks:
    """Repository of remarks; see ``Store``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, annotation_id: int, author_id: int, text: str) -> None:
        """Say something about a revision."""
        self._connection.execute(
            insert(remarks).values(
                annotation_id=annotation_id, author_id=author_id, text=text, created_at=now()
            )
        )

    def of_example(self, example_id: int) -> tuple[Remark, ...]:
        """Every remark on an example, oldest first."""
        return self._all(_select().where(revisions.c.example_id == example_id))

    def unseen(self, project_id: int, user_id: int) -> tuple[Remark, ...]:
        """Remarks on the person's revisions that they have not put away, oldest first."""
        return self._all(
            _select().where(
                in_project(project_id),
                revisions.c.author_id == user_id,
                remarks.c.seen_at.is_(None),
            )
        )

    def seen(self, project_id: int, user_id: int, remark_ids: Sequence[int]) -> None:
        """The person has read these remarks; those to others are left as they are."""
        mine = (
            select(remarks.c.id)
            .join(revisions, revisions.c.id == remarks.c.annotation_id)
            .join(examples, examples.c.id == revisions.c.example_id)
            .where(in_project(project_id), revisions.c.author_id == user_id)
        )
        for part in id_chunks(remark_ids):
            self._connection.execute(
                update(remarks).where(remarks.c.id.in_(part), remarks.c.id.in_(mine)).values(seen_at=now())
            )

    def _all(self, statement: Select[Any]) -> tuple[Remark, ...]:
        return tuple(
            Remark(
                id=row.id,
                annotation_id=row.annotation_id,
                example_id=row.example_id,
                author=row.author,
                to=row.to,
                text=row.text,
                created_at=aware(row.created_at),
                seen=row.seen_at is not None,
            )
            for row in self._connection.execute(statement.order_by(remarks.c.id))
        )


def _select() -> Select[Any]:
    author, to = users.alias("author"), users.alias("to")
    return (
        select(remarks, revisions.c.example_id, author.c.name.label("author"), to.c.name.label("to"))
        .join(revisions, revisions.c.id == remarks.c.annotation_id)
        .join(examples, examples.c.id == revisions.c.example_id)
        .join(author, author.c.id == remarks.c.author_id)
        .join(to, to.c.id == revisions.c.author_id)
    )
