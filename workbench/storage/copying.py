"""Copy a whole database into an empty one of either kind, and prove that both hold the same.

Rows go over table by table, parents first, JSON as text and moments in UTC. The target is written in one transaction,
which is committed only when every table has the same number of rows and the same checksum on both sides.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Integer,
    Select,
    Table,
    Text,
    cast,
    column,
    exists,
    func,
    insert,
    select,
    text,
)
from sqlalchemy import table as plain_table
from sqlalchemy.exc import DBAPIError

from workbench.errors import DatabaseUnavailable, InvalidInput, WrongState
from workbench.storage.rows import CHUNK, aware, chunks
from workbench.storage.store import Store
from workbench.storage.tables import metadata

Values = tuple[Any, ...]
OnTable = Callable[[str, int, int], None]
"""Called with a table's name, the rows done and their number."""

WORD = 1 << 64


@dataclass(frozen=True, slots=True)
class CopiedTable:
    """What one table held, on both sides.

    Attributes:
        name: Of the table.
        rows: Their number.
        checksum: Sum over the rows, modulo 2^64, of the first 8 bytes of each row's SHA-256, in hex: it depends on
            what the rows hold, not on their order nor on how a database spells JSON, numbers and moments.
    """

    name: str
    rows: int
    checksum: str


def copy_database(source: Store, target: Store, on_table: OnTable) -> tuple[CopiedTable, ...]:
    """Copy everything; the target has the schema and no row, and has all of it or nothing at the end.

    Nobody writes to the source meanwhile: others wait, and find it as it was.

    Raises:
        InvalidInput: The target holds something.
        WrongState: The copy differs from the source; nothing was kept.
        DatabaseUnavailable: The target refuses a row, or one of the two does not answer.
    """
    with source.write() as old, target.write() as new:
        _hold(old.connection)
        _refuse_rows(new.connection)
        tables = metadata.sorted_tables  # each after those that it refers to
        sent = [_send(old.connection, new.connection, table, on_table) for table in tables]
        for table, said in zip(tables, sent, strict=True):
            found = checksum(new.connection, table)
            if found != said:
                raise WrongState(
                    f"the table {table.name} arrived with {found.rows:,} rows and checksum {found.checksum}, "
                    f"it left with {said.rows:,} and {said.checksum}",
                    remedy="nothing was kept; copy again while nobody else uses the new database",
                )
            _set_sequence(new.connection, table)
    return tuple(sent)


def checksum(connection: Connection, table: Table) -> CopiedTable:
    """Count and checksum of a table."""
    total, rows = 0, 0
    for values in _rows(connection, table):
        total += _digest(values)
        rows += 1
    return CopiedTable(table.name, rows, f"{total % WORD:016x}")


def _hold(connection: Connection) -> None:
    """Let nobody write: SQLite's writing transaction does that by itself."""
    if connection.dialect.name == "postgresql":
        names = ", ".join(table.name for table in metadata.sorted_tables)
        connection.execute(text(f"LOCK TABLE {names} IN SHARE MODE"))


def _refuse_rows(connection: Connection) -> None:
    full = [
        table.name
        for table in metadata.sorted_tables
        if connection.execute(select(exists(select(text("1")).select_from(table)))).scalar_one()
    ]
    if full:
        raise InvalidInput(
            f"the database to copy into is not empty ({', '.join(full[:3])})",
            remedy="name an empty one, such as one made by createdb",
        )


def _send(old: Connection, new: Connection, table: Table, on_table: OnTable) -> CopiedTable:
    total, rows = 0, 0
    number = old.execute(select(func.count()).select_from(table)).scalar_one()
    on_table(table.name, 0, number)
    with _refusals(table), _writer(new, table) as write:
        for chunk in chunks(_rows(old, table), CHUNK):
            write(chunk)
            total += sum(map(_digest, chunk))
            rows += len(chunk)
            on_table(table.name, rows, number)
    return CopiedTable(table.name, rows, f"{total % WORD:016x}")


def _is_json(each: Column[Any]) -> bool:
    return isinstance(each.type, JSON)


def _select(table: Table) -> Select[Any]:
    wanted = [cast(each, Text).label(each.name) if _is_json(each) else each for each in table.columns]
    return select(*wanted).order_by(*table.primary_key.columns)


def _rows(connection: Connection, table: Table) -> Iterator[Values]:
    """The table's rows by primary key, JSON as its canonical text, moments aware."""
    places = [place for place, each in enumerate(table.columns) if _is_json(each)]
    with connection.execute(_select(table).execution_options(yield_per=CHUNK)) as result:
        for row in result:
            values: list[Any] = [_moment(value) if isinstance(value, datetime) else value for value in row]
            for place in places:
                if values[place] is not None:
                    values[place] = canonical(values[place])
            yield tuple(values)


def _moment(value: datetime) -> datetime:
    return aware(value).astimezone(UTC)


def canonical(document: str) -> str:
    """A JSON text in the one form that both databases agree on: PostgreSQL sorts keys, and writes 1e22 in full.

    >>> canonical('{"b": 1e2, "a": [0.5, -0.0]}')
    '{"a":[0.5,0],"b":100}'
    """
    value = json.loads(document, parse_float=_number)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _number(digits: str) -> float | int:
    value = float(digits)
    return int(value) if value.is_integer() else value


def _digest(values: Values) -> int:
    whole = hashlib.sha256()
    for value in values:
        part = value if isinstance(value, bytes) else _spelled(value).encode()
        whole.update(b"%d:" % len(part))
        whole.update(part)
    return int.from_bytes(whole.digest()[:8])


def _spelled(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat()
    return "\0" if value is None else str(value)


@contextmanager
def _writer(connection: Connection, table: Table) -> Iterator[Callable[[Sequence[Values]], None]]:
    names = [each.name for each in table.columns]
    if connection.dialect.name == "postgresql":
        raw = connection.connection.driver_connection
        assert raw is not None
        quoted = ", ".join(f'"{name}"' for name in names)
        with raw.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({quoted}) FROM STDIN') as stream:

            def copy(rows: Sequence[Values]) -> None:
                for row in rows:
                    stream.write_row(row)

            yield copy
        return
    as_text = plain_table(
        table.name, *(column(each.name, Text() if _is_json(each) else each.type) for each in table.columns)
    )

    def add(rows: Sequence[Values]) -> None:
        connection.execute(insert(as_text), [dict(zip(names, row, strict=True)) for row in rows])

    yield add


@contextmanager
def _refusals(table: Table) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        reason: BaseException = error.orig or error
        raise _refused(table, reason) from error
    except Exception as error:
        if not hasattr(error, "sqlstate"):  # psycopg's own, met outside SQLAlchemy's cursor
            raise
        raise _refused(table, error) from error


def _refused(table: Table, reason: BaseException) -> DatabaseUnavailable:
    first = (str(reason).strip().splitlines() or [type(reason).__name__])[0]
    return DatabaseUnavailable(
        f"the new database refuses a row of {table.name} ({first})",
        remedy="nothing was kept; mend what it says and copy again",
    )


def _set_sequence(connection: Connection, table: Table) -> None:
    """Explicit ids do not move PostgreSQL's sequences: the next row would get an id that is taken."""
    if connection.dialect.name != "postgresql" or not _counts(table):
        return
    connection.execute(
        text(
            f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), max(id)) "
            f"FROM {table.name} HAVING max(id) IS NOT NULL"
        )
    )


def _counts(table: Table) -> bool:
    key = table.columns.get("id")
    return key is not None and key.primary_key and isinstance(key.type, Integer)
