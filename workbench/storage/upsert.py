"""Bulk inserts that meet rows which are there already, on both databases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from workbench.storage.rows import chunks


def insert_new(
    connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]], *, key: Sequence[str]
) -> None:
    """Insert the rows whose key is not there yet; leave the others as they are."""
    statement = _insert(connection, table).on_conflict_do_nothing(index_elements=list(key))
    for chunk in chunks(rows):
        connection.execute(statement, chunk)


def upsert(
    connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]], *, key: Sequence[str]
) -> None:
    """Insert the rows, replacing those of the same key."""
    statement = _insert(connection, table)
    changed = {
        column.name: statement.excluded[column.name] for column in table.columns if column.name not in key
    }
    statement = statement.on_conflict_do_update(index_elements=list(key), set_=changed)
    for chunk in chunks(rows):
        connection.execute(statement, chunk)


def _insert(connection: Connection, table: Table) -> Any:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
