"""Gold that follows what people say, for many examples at once: the same rule as ``Gold.follow_gold``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from workbench.domain import AnnotationStatus, Sharing
from workbench.storage.gold import Standing, agreed
from workbench.storage.revisions import newest_of_author
from workbench.storage.rows import id_chunks, now
from workbench.storage.tables import annotations as revisions
from workbench.storage.tables import gold, users


class GoldRow(NamedTuple):
    """What counts of an example, whose label it is, and who has decided so; ``system``: its author is no person."""

    annotation_id: int
    author_id: int
    system: bool
    accepted_by: int | None
    accepted_at: datetime

    @property
    def decided(self) -> bool:
        """Whether it is a person's decision, which no rule changes."""
        return self.accepted_by is not None and not self.system


def gold_rows(connection: Connection, example_ids: Sequence[int]) -> dict[int, GoldRow]:
    """What counts of each of these examples that has gold, by its id."""
    found: dict[int, GoldRow] = {}
    for part in id_chunks(example_ids):
        rows = connection.execute(
            select(
                gold.c.example_id,
                gold.c.annotation_id,
                revisions.c.author_id,
                users.c.system,
                gold.c.accepted_by,
                gold.c.accepted_at,
            )
            .join(revisions, revisions.c.id == gold.c.annotation_id)
            .join(users, users.c.id == revisions.c.author_id)
            .where(gold.c.example_id.in_(part))
        )
        found.update({row[0]: GoldRow(*row[1:]) for row in rows})
    return found


def put_gold(
    connection: Connection, rows: Sequence[tuple[int, int | None, int | None, datetime | None]]
) -> None:
    """Make gold what the rows say: (example id, annotation id or None, who accepts it, when; None is now)."""
    for part in id_chunks([row[0] for row in rows]):
        connection.execute(delete(gold).where(gold.c.example_id.in_(part)))
    moment = now()
    values = [
        {
            "example_id": example_id,
            "annotation_id": annotation_id,
            "accepted_by": by,
            "accepted_at": at or moment,
        }
        for example_id, annotation_id, by, at in rows
        if annotation_id is not None
    ]
    if values:
        connection.execute(insert(gold), values)


def follow_many(connection: Connection, example_ids: Sequence[int], sharing: Sharing) -> None:
    """Make gold what stands accepted by now, or take it away where nothing does; decisions stay.

    The caller has locked the examples, and works out afterwards which items are open.
    """
    current = gold_rows(connection, example_ids)
    free = [one for one in example_ids if one not in current or not current[one].decided]
    standing = _standing(connection, free)
    changes: list[tuple[int, int | None, int | None, datetime | None]] = []
    for example_id in free:
        wanted = agreed(standing.get(example_id, ()), sharing.needed(example_id))
        if wanted != (current[example_id].annotation_id if example_id in current else None):
            changes.append((example_id, wanted, None, None))
    put_gold(connection, changes)


def _standing(connection: Connection, example_ids: Sequence[int]) -> dict[int, list[Standing]]:
    """The accepted revisions that stand of each example, newest first."""
    found: dict[int, list[Standing]] = {}
    for part in id_chunks(example_ids):
        rows = connection.execute(
            select(revisions.c.example_id, revisions.c.id, revisions.c.payload, users.c.system)
            .join(users, users.c.id == revisions.c.author_id)
            .where(
                revisions.c.example_id.in_(part),
                revisions.c.status == AnnotationStatus.ACCEPTED,
                newest_of_author(),
            )
            .order_by(revisions.c.example_id, revisions.c.revision.desc())
        )
        for row in rows:
            found.setdefault(row.example_id, []).append(Standing(row.id, row.payload, row.system))
    return found
