"""What leads did to one person's work: the list, and who holds what when it is given to others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from workbench.domain import Json, Sharing, WorkChange
from workbench.domain.workchanges import DOING, UNDONE
from workbench.errors import NotFound
from workbench.storage.rows import aware, id_chunks, now
from workbench.storage.sharing import spoken
from workbench.storage.tables import batch_items, examples, leases, users, work_changes
from workbench.storage.visible import in_project

_by = users.alias("changers")


class Held(NamedTuple):
    """An example that somebody holds."""

    example_id: int
    batch_id: int | None
    expires_at: datetime


class WorkChanges:
    """Repository of changes of people's work; see ``Store``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self,
        project_id: int,
        kind: str,
        person_id: int,
        *,
        scope: Json,
        note: str,
        user_id: int | None,
        state: str = DOING,
        effect: Json | None = None,
    ) -> WorkChange:
        """A new one, numbered from 1 in its project, whose row the caller has locked."""
        newest = select(func.coalesce(func.max(work_changes.c.number), 0)).where(
            work_changes.c.project_id == project_id
        )
        values = {
            "project_id": project_id,
            "number": self._connection.execute(newest).scalar_one() + 1,
            "kind": kind,
            "person_id": person_id,
            "state": state,
            "scope": dict(scope),
            "effect": dict(effect or {}),
            "note": note,
            "user_id": user_id,
            "created_at": now(),
        }
        self._connection.execute(insert(work_changes).values(values))
        return self.by_number(project_id, values["number"])

    def all(self, project_id: int) -> tuple[WorkChange, ...]:
        """Every change of a project, the newest first."""
        statement = _select().where(work_changes.c.project_id == project_id)
        rows = self._connection.execute(statement.order_by(work_changes.c.number.desc()))
        return tuple(_change(row) for row in rows)

    def by_number(self, project_id: int, number: int) -> WorkChange:
        """The project's change of that number. Raises NotFound."""
        statement = _select().where(work_changes.c.project_id == project_id, work_changes.c.number == number)
        row = self._connection.execute(statement).one_or_none()
        if row is None:
            raise NotFound(
                f"there is no change {number} of people's work", remedy="look at `workbench work history`"
            )
        return _change(row)

    def set_state(
        self, change_id: int, state: str, *, effect: Json | None = None, undo_effect: Json | None = None
    ) -> None:
        """Say how far a change is, and what it has done."""
        values: dict[str, Any] = {"state": state}
        if effect is not None:
            values["effect"] = dict(effect)
        if undo_effect is not None:
            values["undo_effect"] = dict(undo_effect)
        if state == UNDONE:
            values["undone_at"] = now()
        self._connection.execute(update(work_changes).where(work_changes.c.id == change_id).values(values))

    def held(self, project_id: int, user_id: int, batch_id: int | None = None) -> list[Held]:
        """What of a project a person holds at the moment, by example."""
        statement = (
            select(leases.c.example_id, leases.c.batch_id, leases.c.expires_at)
            .join(examples, examples.c.id == leases.c.example_id)
            .where(in_project(project_id), leases.c.user_id == user_id, leases.c.expires_at > now())
            .order_by(leases.c.example_id)
        )
        if batch_id is not None:
            statement = statement.where(leases.c.batch_id == batch_id)
        return [Held(row[0], row[1], aware(row[2])) for row in self._connection.execute(statement)]

    def taken(
        self, items: Sequence[tuple[int | None, int]], sharing: Sharing, but: Sequence[int]
    ) -> set[int]:
        """Those of the (batch id or None, example id) that need nobody more, or that others hold than these people."""
        batch_of = {example_id: batch_id for batch_id, example_id in items}
        held = (
            select(func.count())
            .select_from(leases)
            .where(
                leases.c.example_id == examples.c.id,
                leases.c.expires_at > now(),
                leases.c.user_id.not_in(but),
            )
            .scalar_subquery()
        )
        closed: set[int] = set()
        for part in id_chunks(list(batch_of)):
            rows = self._connection.execute(
                select(batch_items.c.batch_id, batch_items.c.example_id).where(
                    batch_items.c.example_id.in_(part), ~batch_items.c.open, ~batch_items.c.probe
                )
            )
            closed |= {row.example_id for row in rows if batch_of[row.example_id] == row.batch_id}
            for example_id, people, holders in self._connection.execute(
                select(examples.c.id, spoken(examples.c.id), held).where(examples.c.id.in_(part))
            ):
                wanted = sharing.wanted(example_id)
                full = people >= wanted and batch_of[example_id] is None
                if full or (holders and (wanted == 1 or people + holders >= wanted)):
                    closed.add(example_id)
        return closed


def _select() -> Select[Any]:
    return (
        select(work_changes, users.c.name.label("person"), _by.c.name.label("by_name"))
        .join(users, users.c.id == work_changes.c.person_id)
        .outerjoin(_by, _by.c.id == work_changes.c.user_id)
    )


def _change(row: Row[Any]) -> WorkChange:
    return WorkChange(
        id=row.id,
        project_id=row.project_id,
        number=row.number,
        kind=row.kind,
        person_id=row.person_id,
        person=row.person,
        state=row.state,
        scope=row.scope,
        effect=row.effect,
        undo_effect=row.undo_effect,
        note=row.note,
        by=row.by_name,
        created_at=aware(row.created_at),
        undone_at=aware(row.undone_at),
    )
