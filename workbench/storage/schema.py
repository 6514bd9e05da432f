"""Which schema a database has and which one this code needs, found without Alembic: every start asks."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.exc import OperationalError

from workbench.errors import DatabaseUnavailable
from workbench.storage.store import Store

SCRIPTS = Path(__file__).resolve().parents[2] / "migrations"
DIGITS = 4
"""A migration's file begins with its revision: ``0009_budgets_in_seconds.py``."""


def head() -> str:
    """The revision that this code needs."""
    return max(path.name[:DIGITS] for path in (SCRIPTS / "versions").glob(f"{'[0-9]' * DIGITS}_*.py"))


def current(store: Store) -> str | None:
    """The revision of a database, None when it is empty.

    Raises:
        DatabaseUnavailable: The database can't be opened.
    """
    try:
        with store.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    except OperationalError as error:
        raise DatabaseUnavailable(
            f"the database can't be opened ({str(error.orig).strip().splitlines()[0]})",
            remedy="check WORKBENCH_DATABASE_URL and that the server runs",
        ) from error
    return None if found is None else str(found)
