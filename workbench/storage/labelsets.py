"""Changes of label sets: their history, and the revisions that carry them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, select, update

from workbench.domain import Json
from workbench.errors import NotFound
from workbench.storage.replacements import NewRevision, Replacements, Standing
from workbench.storage.rows import aware, now
from workbench.storage.tables import batches, label_changes, labels, projects, users


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """A change of a label set, as the history keeps it. ``number`` counts from 1 in its project.

    ``labels`` says what became what, ``before`` holds the label rows as they stood, ``counts`` what was rewritten.
    """

    id: int
    project_id: int
    number: int
    kind: str
    labels: Json
    before: tuple[Json, ...]
    counts: Json
    batch: int | None
    batch_id: int | None
    user: str | None
    created_at: datetime
    undone_at: datetime | None


class LabelSets(Replacements):
    """Repository of label sets and their history; see ``Store``."""

    def lock(self, project_id: int) -> None:
        """Let nobody save annotations or import into the project until this block ends."""
        self._connection.execute(select(projects.c.id).where(projects.c.id == project_id).with_for_update())

    # --- the label set ------------------------------------------------------------------------------

    def rows(self, project_id: int) -> list[dict[str, Any]]:
        """The label rows of a project, in their order."""
        columns = [column for column in labels.c if column.name not in ("id", "project_id")]
        found = self._connection.execute(
            select(*columns).where(labels.c.project_id == project_id).order_by(labels.c.position, labels.c.id)
        )
        return [dict(row._mapping) for row in found]

    def put(self, project_id: int, row: Json, *, named: str | None = None) -> None:
        """Write a label row, over the one called ``named`` (by default as the row is), or as a new one."""
        changed = self._connection.execute(
            update(labels)
            .where(labels.c.project_id == project_id, labels.c.name == (named or row["name"]))
            .values(**row)
        ).rowcount
        if not changed:
            self._connection.execute(insert(labels).values(project_id=project_id, **row))

    def remove(self, project_id: int, name: str) -> None:
        """Take a label out of the set."""
        self._connection.execute(
            delete(labels).where(labels.c.project_id == project_id, labels.c.name == name)
        )

    # --- history ------------------------------------------------------------------------------------

    def add_change(
        self,
        project_id: int,
        kind: str,
        what: Json,
        before: Sequence[Json],
        user_id: int | None,
    ) -> int:
        """Id of a new line of the history, which ``complete`` fills."""
        number = (
            select(func.coalesce(func.max(label_changes.c.number), 0) + 1)
            .where(label_changes.c.project_id == project_id)
            .scalar_subquery()
        )
        return int(
            self._connection.execute(
                insert(label_changes)
                .values(
                    project_id=project_id,
                    number=number,
                    kind=kind,
                    labels=dict(what),
                    before=[dict(row) for row in before],
                    counts={},
                    user_id=user_id,
                    created_at=now(),
                )
                .returning(label_changes.c.id)
            ).scalar_one()
        )

    def complete(self, change_id: int, counts: Json, batch_id: int | None) -> None:
        """Write down what a change has done."""
        self._connection.execute(
            update(label_changes)
            .where(label_changes.c.id == change_id)
            .values(counts=dict(counts), batch_id=batch_id)
        )

    def set_undone(self, change_id: int) -> None:
        """Mark a change as undone."""
        self._connection.execute(
            update(label_changes).where(label_changes.c.id == change_id).values(undone_at=now())
        )

    def history(self, project_id: int) -> tuple[ChangeRecord, ...]:
        """Every change of the project's label set, oldest first."""
        rows = self._connection.execute(
            _changes().where(label_changes.c.project_id == project_id).order_by(label_changes.c.number)
        )
        return tuple(_record(row) for row in rows)

    def change(self, change_id: int) -> ChangeRecord:
        """The change of that id. Raises NotFound."""
        row = self._connection.execute(_changes().where(label_changes.c.id == change_id)).one_or_none()
        if row is None:
            raise NotFound(f"there is no change of labels with id {change_id}")
        return _record(row)


def _changes() -> Select[Any]:
    return (
        select(label_changes, users.c.name.label("user"), batches.c.number.label("batch"))
        .outerjoin(users, users.c.id == label_changes.c.user_id)
        .outerjoin(batches, batches.c.id == label_changes.c.batch_id)
    )


def _record(row: Row[Any]) -> ChangeRecord:
    return ChangeRecord(
        id=row.id,
        project_id=row.project_id,
        number=row.number,
        kind=row.kind,
        labels=row.labels,
        before=tuple(row.before),
        counts=row.counts,
        batch=row.batch,
        batch_id=row.batch_id,
        user=row.user,
        created_at=aware(row.created_at),
        undone_at=aware(row.undone_at),
    )


__all__ = ["ChangeRecord", "LabelSets", "NewRevision", "Standing"]
