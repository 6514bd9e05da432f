"""Splits of what is stored: who is in which, and whether they may still change."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, exists, select, update

from workbench.domain import Split
from workbench.storage.rows import chunks
from workbench.storage.tables import annotations as revisions
from workbench.storage.tables import batches, examples, snapshots, users
from workbench.storage.visible import in_project


class SplitRow(NamedTuple):
    """An example as far as splitting is concerned; ``context`` is a hash of the text."""

    id: int
    document_id: int
    split: str
    content_hash: str
    context: str


class Splits:
    """Repository of splits; see ``Store``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, project_id: int) -> list[SplitRow]:
        """Every example of a project, in its order."""
        columns = examples.c
        found = self._connection.execute(
            select(
                columns.id,
                columns.document_id,
                columns.split,
                columns.content_hash,
                columns.text,
                columns.question,
            )
            .where(in_project(project_id))
            .order_by(columns.position),
            execution_options={"yield_per": 2_000},
        )
        return [
            SplitRow(*row[:4], _context(row.text) if row.question is not None else row[3]) for row in found
        ]

    def of_imports(self, project_id: int) -> dict[int, frozenset[Split]]:
        """The splits that the examples of each import are in, by import id."""
        found: dict[int, set[Split]] = {}
        for import_id, split in self._connection.execute(
            select(examples.c.import_id, examples.c.split).where(in_project(project_id)).distinct()
        ):
            found.setdefault(import_id, set()).add(Split(split))
        return {import_id: frozenset(splits) for import_id, splits in found.items()}

    def move(self, splits: Mapping[int, Split]) -> None:
        """Give these examples other splits."""
        statement = (
            update(examples).where(examples.c.id == bindparam("example")).values(split=bindparam("to"))
        )
        for part in chunks(splits.items()):
            self._connection.execute(
                statement, [{"example": example_id, "to": split.value} for example_id, split in part]
            )

    def used_by(self, project_id: int) -> str | None:
        """What stands on the splits as they are, in words; None where nothing does."""
        by_people = (
            select(revisions.c.id)
            .join(users, users.c.id == revisions.c.author_id)
            .join(examples, examples.c.id == revisions.c.example_id)
            .where(in_project(project_id), users.c.system.is_(False))
        )
        for statement, words in (
            (select(snapshots.c.id).where(snapshots.c.project_id == project_id), "a run has read its splits"),
            (
                select(batches.c.id).where(batches.c.project_id == project_id),
                "a batch was selected from its pool",
            ),
            (by_people, "people have labeled its examples"),
        ):
            if self._connection.execute(select(exists(statement))).scalar_one():
                return words
        return None


def _context(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
