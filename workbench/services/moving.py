"""Move a workbench to another database."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from workbench.config import Settings, driver_url
from workbench.errors import InvalidInput, SchemaMismatch, WrongState
from workbench.storage.copying import CopiedTable, OnTable, copy_database
from workbench.storage.migrate import ensure_schema
from workbench.storage.schema import head
from workbench.storage.store import Store
from workbench.storage.upkeep import schema_of


@dataclass(frozen=True, slots=True)
class Moved:
    """What was copied, and where to; URLs without their passwords."""

    source: str
    target: str
    tables: tuple[CopiedTable, ...]
    seconds: float

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(table.rows for table in self.tables)


def move_database(settings: Settings, url: str, on_table: OnTable) -> Moved:
    """Copy the database of these settings into an empty one, compared by counts and checksums.

    The source stays as it is, and is written to by nobody meanwhile. Models and runs lie in the home folder and are
    not touched.

    Args:
        settings: Of the workbench to move.
        url: Of the empty database.
        on_table: Hears of progress.

    Raises:
        InvalidInput: The target is the source, or not empty.
        SchemaMismatch: The source is older or newer than this code.
        WrongState: Runs or imports are at work, or the copy differs.
        DatabaseUnavailable: One of the two does not answer, or refuses a row.
    """
    begin = time.monotonic()
    if driver_url(url) == settings.url:
        raise InvalidInput("that is the database in use", remedy="name another one, empty")
    source = Store(settings.url)
    target = Store(driver_url(url))
    try:
        _ready(source)
        ensure_schema(target, settings.backups_dir)
        tables = copy_database(source, target, on_table)
        with target.write() as tx:
            tx.users.audit(None, "migrate-database", _shown(source))
        return Moved(_shown(source), _shown(target), tables, time.monotonic() - begin)
    finally:
        source.close()
        target.close()


def _ready(source: Store) -> None:
    found = schema_of(source)
    if found != head():
        raise SchemaMismatch(
            f"the database has schema {found}, this workbench needs {head()}",
            remedy="run `workbench init` first",
        )
    with source.read() as tx:
        active, loads = tx.runs.active(), len(tx.loads.all())
    for number, what in ((active, "run"), (loads, "import")):
        if number:
            raise WrongState(
                f"{number} {what}{'s are' if number > 1 else ' is'} at work",
                remedy="wait for the end, or cancel, then stop the server and copy",
            )


def _shown(store: Store) -> str:
    url = store.engine.url
    if url.get_backend_name() == "sqlite":
        return str(Path(str(url.database)))
    return url.render_as_string(hide_password=True)
