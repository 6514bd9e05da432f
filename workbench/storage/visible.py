"""What of a project may be seen: everything before an import that is still being written.

An import is written in short transactions, so that nobody waits long for the database, and yet it is all there or
not there. Its rows take the positions behind all others, and a row of ``loads`` says from which on nobody looks;
the last transaction deletes that row. The horizon is one uncorrelated look at a table that is nearly always
empty, and a range on a column that the indexes of examples end in: readers pay nothing for it.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, func, select

from workbench.storage.tables import examples, imports, loads

BEYOND = 2**31 - 1
"""No example has this position and no import this id."""


def in_project(project_id: int | ColumnElement[int]) -> ColumnElement[bool]:
    """The project's examples, as every reader sees them: without those of an import that is being written."""
    horizon = select(loads.c.first_position).where(loads.c.project_id == project_id).scalar_subquery()
    return and_(examples.c.project_id == project_id, examples.c.position < func.coalesce(horizon, BEYOND))


def imported(project_id: int) -> ColumnElement[bool]:
    """The project's imports that are whole."""
    horizon = select(loads.c.first_import).where(loads.c.project_id == project_id).scalar_subquery()
    return and_(imports.c.project_id == project_id, imports.c.id < func.coalesce(horizon, BEYOND))
