"""Which schema a database has and which one this code needs, found without Alembic: every start asks."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.exc import OperationalError

from workbench.errors import DatabaseUnavailable
from workbench.storage.store import Store

SCRIPTS = Path(__file__).resolve().parents[2] / "migrations"
_FOLLOWS = re.compile(r'^down_revision = "(\w+)"', re.MULTILINE)
"""A migration's file begins with its revision (``0009_budgets_in_seconds.py``) and says which one it follows."""


def head() -> str:
    """The revision that this code needs: the one that no other follows, whatever its number."""
    files = list((SCRIPTS / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))
    followed = {name for file in files for name in _FOLLOWS.findall(file.read_text(encoding="utf-8"))}
    return max({file.name[:4] for file in files} - followed)


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
