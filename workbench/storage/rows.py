"""Small helpers that every repository uses."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar, overload

from sqlalchemy import JSON, Connection, Table

T = TypeVar("T")
CHUNK = 5_000
"""Rows of one bulk insert."""

MAX_PARAMETERS = 900
"""Ids of one ``IN`` list (SQLite's oldest limit on parameters is 999)."""


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)


@overload
def aware(moment: datetime) -> datetime: ...
@overload
def aware(moment: None) -> None: ...
def aware(moment: datetime | None) -> datetime | None:
    """The moment with its zone: SQLite gives them back naive, PostgreSQL aware."""
    if moment is not None and moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    return moment


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """Lists of at most ``size`` items, in order."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def id_chunks(ids: Sequence[T]) -> Iterator[Sequence[T]]:
    """Slices that fit an ``IN`` list."""
    for start in range(0, len(ids), MAX_PARAMETERS):
        yield ids[start : start + MAX_PARAMETERS]


def escape_like(text: str) -> str:
    r"""The text with LIKE's wildcards escaped by ``\``."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def bulk_insert(
    connection: Connection,
    table: Table,
    names: Sequence[str],
    rows: Sequence[Sequence[object]],
    encoded: Collection[str] = (),
) -> None:
    """Insert many rows by the driver's own ``executemany``.

    SQLAlchemy's copies a dictionary a row and asks for every value how it is bound: more than half of the time of
    an import. Here each column is asked once.

    Args:
        connection: Of the writing transaction.
        table: Where to.
        names: Columns that the rows give, in their order; a column that is left out takes the database's default.
        rows: Tuples of values.
        encoded: Columns of JSON whose values are JSON text already.
    """
    if not rows:
        return
    dialect = connection.dialect
    quote = dialect.identifier_preparer.quote
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    columns_sql, marks = ", ".join(map(quote, names)), ", ".join([mark] * len(names))
    statement = f"INSERT INTO {quote(table.name)} ({columns_sql}) VALUES ({marks})"
    binders = {
        place: bind
        for place, name in enumerate(names)
        if name not in encoded and (bind := _binder(connection, table, name)) is not None
    }
    if binders:
        columns = list(zip(*rows, strict=True))
        for place, bind in binders.items():
            columns[place] = _bound(bind, columns[place])
        rows = list(zip(*columns, strict=True))
    connection.exec_driver_sql(statement, list(map(tuple, rows)))


def _bound(bind: Callable[[Any], Any], column: Sequence[Any]) -> tuple[Any, ...]:
    first = column[0]
    if all(value is first for value in column):
        return (bind(first),) * len(column)  # the moment of all of them
    return tuple(map(bind, column))


def _binder(connection: Connection, table: Table, name: str) -> Callable[[Any], Any] | None:
    kind = table.c[name].type.dialect_impl(connection.dialect)
    if isinstance(kind, JSON):
        return json_text
    return kind.bind_processor(connection.dialect)


def json_text(value: Any) -> str | None:
    """The value as a JSON column keeps it, None as no value.

    An empty object, which most of an import's values are, needs no encoder.
    """
    return None if value is None else "{}" if value == {} else json.dumps(value)


def json_text_pattern(name: str, *, ascii_only: bool) -> str:
    """LIKE pattern of a text inside of a JSON column's own text: SQLite keeps what Python wrote, in ASCII."""
    return f"%{escape_like(json.dumps(name, ensure_ascii=ascii_only))}%"
