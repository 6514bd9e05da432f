"""Which items of batches still wait for somebody: kept with each item, so that a claim finds them by index.

What is kept follows from the labels (``answered``) and is worked out anew, for the examples that it may have changed
for, by whatever changes labels, gold or how the work is shared out. ``workbench doctor`` compares the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import ColumnElement, Connection, Update, bindparam, case, exists, func, select, update

from workbench.domain import AnnotationStatus, Sharing
from workbench.storage.candidates import live_annotation
from workbench.storage.rows import id_chunks
from workbench.storage.sharing import people_wanted, settled, spoken
from workbench.storage.tables import batch_items, batches, examples, probe_answers, projects

CORRECTION = "correction"
"""Strategy of a batch of labeled examples that a person wants looked at again."""


def answered(sharing: Sharing) -> ColumnElement[bool]:
    """Whether an item needs nothing more.

    In a correction batch every item had labels before: only newer ones count. A probe has gold: what is said of it is
    kept elsewhere, and one person's word is enough.
    """
    return case((batch_items.c.probe, probed()), else_=_answered(sharing))


def probed() -> ColumnElement[bool]:
    """Whether somebody has answered an item that is a probe."""
    return (
        exists()
        .where(
            probe_answers.c.example_id == batch_items.c.example_id,
            probe_answers.c.batch_id == batch_items.c.batch_id,
            probe_answers.c.status != AnnotationStatus.WITHDRAWN.value,
        )
        .correlate_except(probe_answers)
    )


def _answered(sharing: Sharing) -> ColumnElement[bool]:
    example_id = batch_items.c.example_id
    corrected = live_annotation(example_id, since=batches.c.created_at)
    if sharing.alone:
        return ((batches.c.strategy != CORRECTION) & live_annotation(example_id)) | corrected
    full = settled(example_id) | (spoken(example_id) >= people_wanted(example_id, sharing))
    return ((batches.c.strategy != CORRECTION) & full) | ((batches.c.strategy == CORRECTION) & corrected)


def reckon(connection: Connection, example_ids: Sequence[int], sharing: Sharing | None = None) -> None:
    """Work out again which items of these examples, of one project, are open."""
    if sharing is None and example_ids:
        asked = _SETTINGS_OF_EXAMPLE, {"example": example_ids[0]}
        sharing = Sharing.of(connection.execute(*asked).scalar_one())
    for part in id_chunks(example_ids):
        assert sharing is not None
        connection.execute(_reckoned(sharing), {"ids": list(part)})


def reckon_batch(connection: Connection, batch_id: int, sharing: Sharing) -> None:
    """Work out which items of a batch are open."""
    connection.execute(_differing(sharing).where(batch_items.c.batch_id == batch_id))


def reckon_project(connection: Connection, project_id: int, sharing: Sharing) -> int:
    """Work out again which items of a project's batches are open; how many were kept otherwise."""
    mine = select(batches.c.id).where(batches.c.project_id == project_id)
    statement = _differing(sharing).where(batch_items.c.batch_id.in_(mine))
    return connection.execute(statement).rowcount


def wrongly_kept(connection: Connection, project_id: int, sharing: Sharing) -> int:
    """How many items of a project's batches are kept as open or closed against what their labels say."""
    statement = (
        select(func.count())
        .select_from(batch_items.join(batches, batches.c.id == batch_items.c.batch_id))
        .where(batches.c.project_id == project_id, batch_items.c.open == answered(sharing))
    )
    return connection.execute(statement).scalar_one()


_SETTINGS_OF_EXAMPLE = (
    select(projects.c.settings)
    .join(examples, projects.c.id == examples.c.project_id)
    .where(examples.c.id == bindparam("example"))
)


@lru_cache(maxsize=64)
def _reckoned(sharing: Sharing) -> Update:
    return _differing(sharing).where(batch_items.c.example_id.in_(bindparam("ids", expanding=True)))


def _differing(sharing: Sharing) -> Update:
    done = exists().where(batches.c.id == batch_items.c.batch_id, answered(sharing))
    return update(batch_items).where(batch_items.c.open == done).values(open=~batch_items.c.open)
