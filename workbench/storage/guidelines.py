"""Versions of guidelines, and who has read which."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select

from workbench.domain.guidelines import GuidelineVersion
from workbench.errors import NotFound
from workbench.storage.rows import aware, now
from workbench.storage.tables import guideline_reads, guideline_versions, users
from workbench.storage.upsert import insert_new


class Guidelines:
    """Repository of guidelines; see ``Store``. The newest version's text also stands with its project."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, project_id: int, text: str, note: str, user_id: int | None) -> GuidelineVersion:
        """The next version, in a project whose row the caller has locked; its author has read it."""
        highest = select(func.coalesce(func.max(guideline_versions.c.number), 0)).where(
            guideline_versions.c.project_id == project_id
        )
        values = {
            "project_id": project_id,
            "number": self._connection.execute(highest).scalar_one() + 1,
            "text": text,
            "note": note,
            "user_id": user_id,
            "created_at": now(),
        }
        self._connection.execute(insert(guideline_versions).values(values))
        added = self.by_number(project_id, values["number"])
        if user_id is not None:
            self.see(added.id, user_id)
        return added

    def all(self, project_id: int) -> tuple[GuidelineVersion, ...]:
        """Every version, the newest first."""
        statement = _select().where(guideline_versions.c.project_id == project_id)
        rows = self._connection.execute(statement.order_by(guideline_versions.c.number.desc()))
        return tuple(_version(row) for row in rows)

    def by_number(self, project_id: int, number: int) -> GuidelineVersion:
        """The version of that number. Raises NotFound."""
        statement = _select().where(
            guideline_versions.c.project_id == project_id, guideline_versions.c.number == number
        )
        row = self._connection.execute(statement).one_or_none()
        if row is None:
            raise NotFound(
                f"there is no version {number} of these guidelines",
                remedy="see `workbench guidelines history`",
            )
        return _version(row)

    def newest(self, project_id: int) -> GuidelineVersion | None:
        """The version that holds, None where nobody has written any."""
        statement = _select().where(guideline_versions.c.project_id == project_id)
        row = self._connection.execute(
            statement.order_by(guideline_versions.c.number.desc()).limit(1)
        ).first()
        return _version(row) if row is not None else None

    def last_seen(self, project_id: int, user_id: int) -> GuidelineVersion | None:
        """The newest version that a person has read."""
        statement = (
            _select()
            .join(guideline_reads, guideline_reads.c.version_id == guideline_versions.c.id)
            .where(guideline_versions.c.project_id == project_id, guideline_reads.c.user_id == user_id)
            .order_by(guideline_versions.c.number.desc())
            .limit(1)
        )
        row = self._connection.execute(statement).first()
        return _version(row) if row is not None else None

    def see(self, version_id: int, user_id: int) -> None:
        """A person has read a version; saying so again changes nothing."""
        row = {"version_id": version_id, "user_id": user_id, "seen_at": now()}
        insert_new(self._connection, guideline_reads, [row], key=("version_id", "user_id"))

    def readers(self, project_id: int) -> dict[str, int]:
        """The newest version that each person has read, by name."""
        rows = self._connection.execute(
            select(users.c.name, func.max(guideline_versions.c.number))
            .join(guideline_reads, guideline_reads.c.user_id == users.c.id)
            .join(guideline_versions, guideline_versions.c.id == guideline_reads.c.version_id)
            .where(guideline_versions.c.project_id == project_id)
            .group_by(users.c.name)
        )
        return {row[0]: row[1] for row in rows}


def _select() -> Select[Any]:
    return select(guideline_versions, users.c.name.label("by_name")).outerjoin(
        users, users.c.id == guideline_versions.c.user_id
    )


def _version(row: Row[Any]) -> GuidelineVersion:
    return GuidelineVersion(row.id, row.number, row.text, row.note, row.by_name, aware(row.created_at))
