"""Engines for SQLite and PostgreSQL that behave alike where it matters.

SQLite runs in WAL mode with foreign keys on; a writing transaction begins with ``BEGIN IMMEDIATE``, so that
a read followed by a write can't fail with "database is locked" beside another writer.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, NoSuchModuleError, OperationalError

from workbench.errors import DatabaseUnavailable
from workbench.storage.door import Door

BUSY_TIMEOUT_MS = 30_000

LASTING = ("PRAGMA synchronous = FULL", "PRAGMA wal_autocheckpoint = 1000")
"""Before a writing transaction: what is committed survives a power failure."""

PROMPT = ("PRAGMA synchronous = NORMAL", "PRAGMA wal_autocheckpoint = 1000")
"""Before one that somebody waits for, and that may be lost with the machine's power."""

HIDDEN = ("PRAGMA synchronous = NORMAL", "PRAGMA wal_autocheckpoint = 0")
"""Before one whose loss would harm nobody: the disk is not waited for, and the log is emptied by ``checkpoint``.

What is lost is a tail of the log, never a part of the middle: the next lasting commit brings all before it to disk.
"""

TRUSTED_SECONDS = 1.0
"""How long after its last use a connection is taken to stand."""


def make_engine(url: str) -> Engine:
    """An engine for a database URL. Raises DatabaseUnavailable on a URL that names no known database."""
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError) as error:
        raise DatabaseUnavailable(
            "WORKBENCH_DATABASE_URL is not a database URL",
            remedy="give sqlite:///FILE or postgresql://USER@HOST/NAME",
        ) from error
    if backend == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise DatabaseUnavailable(
                "an in-memory database can't be shared", remedy="name a file in the URL"
            )
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        return _sqlite(url)
    if backend == "postgresql":
        try:
            engine = create_engine(parsed, pool_size=10, max_overflow=20)
        except ModuleNotFoundError as error:
            raise DatabaseUnavailable(
                "PostgreSQL needs the psycopg package",
                remedy="run pip install -e '.[postgresql]' in the workbench's folder",
            ) from error
        _ping_after_rest(engine)
        return engine
    raise DatabaseUnavailable(f"{backend} is not supported", remedy="use SQLite or PostgreSQL")


def _ping_after_rest(engine: Engine) -> None:
    """Ask whether a connection still stands, but not of one that has just been used: asking is a round trip."""

    @event.listens_for(engine, "checkin")
    def _rest(_connection: Any, record: Any) -> None:
        record.info["rested_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _ping(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("rested_since", float("inf")) < TRUSTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError("the connection is gone") from error


def _sqlite(url: str) -> Engine:
    door = Door(Path(str(make_url(url).database)))
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA cache_size = -65536")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("outside", False):
            return
        if not options.get("writing", False):
            connection.exec_driver_sql("BEGIN")
            return
        raw = connection.connection.driver_connection
        assert raw is not None
        prompt = options.get("prompt", False)
        try:
            for setting in HIDDEN if options.get("hidden", False) else PROMPT if prompt else LASTING:
                raw.execute(setting)
            raw.execute("PRAGMA busy_timeout = 0")
            door.enter(lambda: raw.execute("BEGIN IMMEDIATE"), BUSY_TIMEOUT_MS / 1000, prompt=prompt)
        except sqlite3.OperationalError as error:
            raise OperationalError("BEGIN IMMEDIATE", None, error) from error
        finally:
            raw.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")

    return engine


def checkpoint(engine: Engine) -> None:
    """Move what is committed from SQLite's log into the database file; nobody who reads or writes has to wait."""
    if engine.dialect.name == "sqlite":
        with engine.execution_options(outside=True).connect() as connection:  # outside of a transaction
            connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").all()
