"""``workbench backup``, ``restore``, ``migrate-database`` and ``doctor``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.base import JsonOption, YesOption, app, confirm, emit, err, out
from workbench.config import get_settings
from workbench.errors import WrongState
from workbench.services.maintenance import MaintenanceService
from workbench.services.moving import move_database
from workbench.storage.store import Store


@contextmanager
def _maintenance() -> Iterator[MaintenanceService]:
    """The service over the database as it is: neither made nor upgraded, since it may be what is broken."""
    settings = get_settings()
    store = Store(settings.url)
    try:
        yield MaintenanceService(store, settings)
    finally:
        store.close()


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to make.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the file where it exists.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Copy the database into a file, while others work with it."""
    with _maintenance() as maintenance:
        target = maintenance.backup(file, force=force)
        size = target.stat().st_size

        def show() -> None:
            out.print(f"{target}: {size:,} bytes, checked.", markup=False)
            models = get_settings().models_dir
            out.print(f"Models are not in it; copy {models} as well.", markup=False)

        emit(as_json, {"file": target, "bytes": size}, show)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `workbench backup` made.")],
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make the database what a backup is; the present one is kept in the backups folder."""
    confirm(f"Make {file} the database? What was done since is set aside.", yes)
    with _maintenance() as maintenance:
        done = maintenance.restore(file)

        def show() -> None:
            out.print(f"The database is that of {done.backup}.", markup=False)
            if done.replaced:
                out.print(f"What was there before is in {done.replaced}.", markup=False)

        emit(as_json, {"file": done.backup, "schema": done.revision, "replaced": done.replaced}, show)


@app.command("migrate-database")
def migrate_database(
    url: Annotated[
        str, typer.Argument(help="An empty database: postgresql://USER@HOST/NAME or sqlite:///FILE.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Copy everything into another database, PostgreSQL or SQLite, and compare counts and checksums.

    Stop the server first: what is saved after the copy stays in the old database, which is left as it is.
    """

    def on_table(name: str, done: int, total: int) -> None:
        if total and done == total:
            err.print(f"  {name}: {total:,} rows", markup=False)

    moved = move_database(get_settings(), url, on_table)

    def show() -> None:
        out.print(
            f"{moved.rows:,} rows of {len(moved.tables)} tables are in {moved.target}, with the same checksums "
            f"({moved.seconds:.0f} s).",
            markup=False,
        )
        out.print("Set WORKBENCH_DATABASE_URL to it and start the server again.", markup=False)

    data = {
        "from": moved.source,
        "to": moved.target,
        "rows": moved.rows,
        "seconds": moved.seconds,
        "tables": {table.name: {"rows": table.rows, "checksum": table.checksum} for table in moved.tables},
    }
    emit(as_json, data, show)


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """Check database, models, runs, disk and device, and say what to do; exits 1 when something is wrong."""
    with _maintenance() as maintenance:
        checks = maintenance.doctor()
    healthy = all(check.ok for check in checks)

    def show() -> None:
        for check in checks:
            out.print(f"{'ok   ' if check.ok else 'WRONG'}  {check.name:9} {check.detail}", markup=False)
            if not check.ok and check.remedy:
                out.print(f"                 → {check.remedy}", markup=False)

    emit(as_json, {"ok": healthy, "checks": list(checks)}, show)
    if not healthy:
        wrong = ", ".join(check.name for check in checks if not check.ok)
        raise WrongState(f"something is wrong: {wrong}", remedy="do what is said of each")
