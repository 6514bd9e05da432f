"""Copies of a SQLite database, and checks of either database: what maintenance needs below the repositories."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from workbench.domain import AnnotationStatus
from workbench.errors import DatabaseUnavailable, InvalidInput, SchemaMismatch, Unavailable
from workbench.storage.migrate import known_revisions
from workbench.storage.schema import current
from workbench.storage.store import Store
from workbench.storage.tables import annotations as revisions
from workbench.storage.tables import gold

BUSY_SECONDS = 30.0


def sqlite_file(store: Store) -> Path | None:
    """The file of a SQLite database, None for PostgreSQL."""
    url = store.engine.url
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def schema_of(store: Store) -> str | None:
    """The revision of a database, None where it is empty. Raises DatabaseUnavailable where it can't be read."""
    try:
        return current(store)
    except DBAPIError as error:
        raise DatabaseUnavailable(
            f"the database can't be read ({str(error.orig).strip().splitlines()[0]})",
            remedy="restore a backup with `workbench restore FILE`",
        ) from error


def copy_sqlite(source: Path, target: Path) -> None:
    """A consistent copy of a database that others may be writing to; whole or not there.

    Raises:
        InvalidInput: ``source`` is no SQLite database.
        Unavailable: There is no space or no permission.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        with closing(_open(source)) as old, closing(sqlite3.connect(part)) as new:
            old.backup(new)
            new.execute("PRAGMA journal_mode = DELETE")
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)
    except sqlite3.DatabaseError as error:
        raise InvalidInput(
            f"{source} can't be read as a database ({error})", remedy="choose another file"
        ) from error
    except OSError as error:
        raise Unavailable(
            f"{target} can't be written ({error.strerror})", remedy="check the disk space and the permissions"
        ) from error
    finally:
        part.unlink(missing_ok=True)


def check_file(path: Path) -> str:
    """The schema revision of a backup that is whole.

    Raises:
        InvalidInput: It is no database of the workbench, or damaged.
        SchemaMismatch: A newer workbench wrote it.
    """
    if not path.is_file():
        raise InvalidInput(f"there is no file {path}", remedy="check the path")
    try:
        with closing(_open(path)) as connection:
            problems = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise InvalidInput(
            f"{path} is no backup of a workbench ({error})", remedy="give a file that `workbench backup` made"
        ) from error
    if problems != "ok" or orphans or row is None:
        raise InvalidInput(f"{path} is damaged", remedy="give another backup")
    revision = str(row[0])
    if revision not in known_revisions():
        raise SchemaMismatch(
            f"{path} is of a newer workbench (schema {revision})", remedy="upgrade the workbench first"
        )
    return revision


def put_back(backup: Path, live: Path, aside: Path) -> None:
    """Make the live database what the backup is; what was there is copied to ``aside`` first.

    A live database that can't be read any more is moved aside as it is, with its journal.

    Raises:
        DatabaseUnavailable: Somebody writes to the database and does not stop.
    """
    if live.exists():
        try:
            copy_sqlite(live, aside)
        except InvalidInput:
            _move_aside(live, aside)
    live.parent.mkdir(parents=True, exist_ok=True)
    try:
        with closing(_open(backup)) as old, closing(sqlite3.connect(live, timeout=BUSY_SECONDS)) as new:
            new.execute("PRAGMA journal_mode = WAL")
            new.execute("BEGIN IMMEDIATE")
            new.rollback()
            old.backup(new)
    except sqlite3.DatabaseError as error:
        raise DatabaseUnavailable(
            f"the database could not be replaced ({error})",
            remedy="stop the server and its runs, then try again",
        ) from error


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS)


def _move_aside(live: Path, aside: Path) -> None:
    aside.parent.mkdir(parents=True, exist_ok=True)
    for ending in ("", "-wal", "-shm"):
        file = live.with_name(live.name + ending)
        if file.exists():
            shutil.move(file, aside.with_name(aside.name + ending))


def database_problems(store: Store) -> list[str]:
    """What is wrong inside a database, a sentence each; none is good."""
    problems: list[str] = []
    with store.read() as tx:
        if store.engine.dialect.name == "sqlite":
            found = tx.connection.execute(text("PRAGMA integrity_check(3)")).scalars().all()
            problems += [f"the file is damaged: {line}" for line in found if line != "ok"]
            orphans = len(tx.connection.execute(text("PRAGMA foreign_key_check")).all())
            if orphans:
                problems.append(f"{orphans} rows have lost the row that they belong to")
        crossed = tx.connection.execute(
            select(gold.c.example_id)
            .join(revisions, revisions.c.id == gold.c.annotation_id)
            .where(
                (revisions.c.example_id != gold.c.example_id)
                | (revisions.c.status != AnnotationStatus.ACCEPTED)
            )
        ).all()
        if crossed:
            problems.append(f"{len(crossed)} examples have gold that is not their accepted annotation")
    return problems
