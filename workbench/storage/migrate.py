"""Create, upgrade and check the schema, by Alembic."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from workbench.errors import DatabaseUnavailable, SchemaMismatch
from workbench.storage.schema import SCRIPTS, current, head
from workbench.storage.store import Store

LOCK_KEY = 7_240_915


def ensure_schema(store: Store, backups: Path) -> bool:
    """Bring a database to ``head``; True when something was done.

    An empty database is created; an older one is copied into ``backups`` first (SQLite) and upgraded in one
    transaction, so that a failure leaves it as it was. Several processes may call this at once.

    Raises:
        SchemaMismatch: The database is newer than this code.
        DatabaseUnavailable: It can't be opened.
    """
    if current(store) == head():
        return False
    with _exclusive(store) as connection:
        found = MigrationContext.configure(connection).get_current_revision()
        if found == head():
            return False
        if found is not None:
            _refuse_newer(found)
            _back_up(store, backups, found)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return True


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config


def known_revisions() -> frozenset[str]:
    """Every revision that this code can upgrade from."""
    return frozenset(script.revision for script in _scripts().walk_revisions())


def _refuse_newer(found: str) -> None:
    if found not in known_revisions():
        raise SchemaMismatch(
            f"the database is of a newer workbench (schema {found}, this one knows {head()})",
            remedy="upgrade the workbench, or restore a backup of this version",
        )


@contextmanager
def _exclusive(store: Store) -> Iterator[Connection]:
    """One connection that upgrades while others wait; committed at the end, all or nothing."""
    engine = store.engine.execution_options(writing=True)
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            # A rebuilt parent table would cascade its children away; the switch works outside a transaction only.
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.execute("PRAGMA foreign_keys = OFF")
            try:
                with connection.begin():
                    yield connection
                    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
                    if broken:
                        raise SchemaMismatch(
                            f"the upgrade would leave {len(broken)} rows without their parent"
                        )
            finally:
                raw.execute("PRAGMA foreign_keys = ON")
    else:
        with engine.connect() as connection, connection.begin():
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
            yield connection


def _back_up(store: Store, backups: Path, revision: str) -> None:
    if store.engine.dialect.name != "sqlite":
        return
    source = Path(str(store.engine.url.database))
    backups.mkdir(parents=True, exist_ok=True)
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    target = backups / f"{source.stem}-{revision}-{moment}.db"
    if shutil.disk_usage(backups).free < source.stat().st_size * 2:
        raise DatabaseUnavailable(
            "there is not enough disk space to back the database up before its upgrade",
            remedy="free some space",
        )
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
