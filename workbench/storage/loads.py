"""Imports that are being written: who writes, how far, and what to remove when nobody does any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, select, text, update

from workbench.errors import WrongState
from workbench.storage.imports import Imports
from workbench.storage.rows import aware, id_chunks, now
from workbench.storage.tables import annotations as revisions
from workbench.storage.tables import (
    documents,
    examples,
    gold,
    imports,
    loads,
    oracle_answers,
)


@dataclass(frozen=True, slots=True)
class Load:
    """An import that is being written. ``owner`` names one attempt of one process; counts are of examples."""

    project_id: int
    first_import: int
    first_position: int
    owner: str
    written: int
    total: int
    heartbeat_at: datetime


class Loads:
    """Repository of imports that are being written; see ``Store``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, project_id: int) -> Load | None:
        """The import that is being written into a project, or None."""
        row = self._connection.execute(select(loads).where(loads.c.project_id == project_id)).first()
        return _load(row) if row is not None else None

    def all(self) -> tuple[Load, ...]:
        """Every import that is being written, or was when its process died."""
        return tuple(_load(row) for row in self._connection.execute(select(loads)))

    def begin(self, project_id: int, import_ids: Sequence[int], first: int, owner: str, total: int) -> None:
        """Hide these imports, and every example from position ``first`` on, until ``publish``.

        Call it in the block that has added the imports, with the project locked and no other load of it.
        """
        self._connection.execute(
            insert(loads).values(
                project_id=project_id,
                first_import=min(import_ids),
                first_position=first,
                owner=owner,
                written=0,
                total=total,
                heartbeat_at=now(),
                created_at=now(),
            )
        )

    def beat(self, project_id: int, owner: str, written: int) -> None:
        """Say that the owner lives and how far it is. Raises WrongState where it was given up for dead."""
        changed = self._connection.execute(
            update(loads)
            .where(loads.c.project_id == project_id, loads.c.owner == owner)
            .values(written=written, heartbeat_at=now())
        ).rowcount
        if not changed:
            raise WrongState(
                "this import was silent for too long and has been taken back", remedy="import the file again"
            )

    def publish(self, project_id: int, owner: str) -> None:
        """Let everybody see it. Raises WrongState where it was given up for dead."""
        self.beat(project_id, owner, 0)
        self._connection.execute(delete(loads).where(loads.c.project_id == project_id))
        if self._connection.dialect.name == "postgresql":
            # Its planner would take the tables for what they were before, until it looks by itself after a minute.
            self._connection.execute(text("ANALYZE documents, examples, annotations, gold, oracle_answers"))

    def remove_some(self, load: Load, limit: int) -> bool:
        """Take back some of an unfinished import's rows; whether any may be left. Repeat in short transactions.

        The row of ``loads`` goes last, so that nothing of it is ever seen, and a beat of its owner fails from the
        first call on.
        """
        taken = (
            update(loads)
            .where(loads.c.project_id == load.project_id, loads.c.owner.in_((load.owner, TAKEN_BACK)))
            .values(owner=TAKEN_BACK)
        )
        if not self._connection.execute(taken).rowcount:
            return False
        hidden = select(examples.c.id).where(
            examples.c.project_id == load.project_id, examples.c.position >= load.first_position
        )
        ids = self._ids(hidden.order_by(examples.c.position).limit(limit))
        if ids:
            self._remove_examples(ids)
            return True
        unfinished = select(imports.c.id).where(
            imports.c.project_id == load.project_id, imports.c.id >= load.first_import
        )
        ids = self._ids(select(documents.c.id).where(documents.c.import_id.in_(unfinished)).limit(limit))
        if ids:
            for part in id_chunks(ids):
                self._connection.execute(delete(documents).where(documents.c.id.in_(part)))
            return True
        for import_id in self._ids(unfinished):
            Imports(self._connection).delete_import(import_id)
        self._connection.execute(delete(loads).where(loads.c.project_id == load.project_id))
        return False

    def _remove_examples(self, ids: Sequence[int]) -> None:
        for part in id_chunks(ids):
            for table in (gold, oracle_answers, revisions):
                self._connection.execute(delete(table).where(table.c.example_id.in_(part)))
            self._connection.execute(delete(examples).where(examples.c.id.in_(part)))

    def _ids(self, statement: Select[Any]) -> list[int]:
        return list(self._connection.execute(statement).scalars())


TAKEN_BACK = "taken back"
"""Owner of a load whose rows are being removed."""


def _load(row: Row[Any]) -> Load:
    return Load(
        project_id=row.project_id,
        first_import=row.first_import,
        first_position=row.first_position,
        owner=row.owner,
        written=row.written,
        total=row.total,
        heartbeat_at=aware(row.heartbeat_at),
    )
