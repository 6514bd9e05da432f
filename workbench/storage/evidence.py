"""What is asked of a project to say whether labeling pays: costs of snapshots, lots, a stop set, doubted labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, case, delete, func, insert, select

from workbench.domain import Json, Split
from workbench.storage.rows import chunks, id_chunks
from workbench.storage.tables import batch_items, batches, examples, gold, metadata, snapshot_items, suspects
from workbench.storage.visible import in_project

REVISIONS = metadata.tables["annotations"]

LOT = "random"


@dataclass(frozen=True, slots=True)
class LabelCost:
    """What went into the training examples of a snapshot.

    Attributes:
        examples: How many.
        words: In them.
        logged: How many of their labels have their time logged.
        seconds: Logged with those.
        unlogged_words: In the others.
    """

    examples: int
    words: int
    logged: int
    seconds: float
    unlogged_words: int


@dataclass(frozen=True, slots=True)
class Suspect:
    """A labeled example whose label is probably wrong.

    Attributes:
        example_id: The example.
        annotation_id: The revision that was doubted.
        quality: How likely the model found its least likely label, 0..1.
        seen: Whether the model had learned from this very label.
        details: ``items``: what is doubted, and what the model says in its place.
    """

    example_id: int
    annotation_id: int
    quality: float
    seen: bool
    details: Json


class Evidence:
    """Repository of what the evidence pages read; see ``Store``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def label_cost(self, snapshot_id: int) -> LabelCost:
        """What went into what a snapshot lets a model learn from."""
        seconds, words = REVISIONS.c.seconds, examples.c.words
        row = self._connection.execute(
            select(
                func.count(),
                func.coalesce(func.sum(words), 0),
                func.count(seconds),
                func.coalesce(func.sum(seconds), 0.0),
                func.coalesce(func.sum(case((seconds.is_(None), words), else_=0)), 0),
            )
            .select_from(snapshot_items)
            .join(examples, examples.c.id == snapshot_items.c.example_id)
            .join(REVISIONS, REVISIONS.c.id == snapshot_items.c.annotation_id)
            .where(snapshot_items.c.snapshot_id == snapshot_id, snapshot_items.c.split == Split.TRAIN)
        ).one()
        return LabelCost(int(row[0]), int(row[1]), int(row[2]), float(row[3]), int(row[4]))

    def in_snapshot(self, snapshot_id: int, example_ids: Sequence[int]) -> set[int]:
        """Those of the examples that a snapshot holds, in whatever role."""
        found: set[int] = set()
        for part in id_chunks(example_ids):
            statement = select(snapshot_items.c.example_id).where(
                snapshot_items.c.snapshot_id == snapshot_id, snapshot_items.c.example_id.in_(part)
            )
            found.update(self._connection.execute(statement).scalars())
        return found

    def drawn_by_lot(self, project_id: int) -> list[int]:
        """Labeled examples that no model chose, the newest batch's first.

        These are a batch's share by lot, and whole batches by ``random`` that nothing narrowed.
        """
        rows = self._connection.execute(
            select(batch_items.c.example_id, batch_items.c.reason, batches.c.parameters, batches.c.strategy)
            .join(batches, batches.c.id == batch_items.c.batch_id)
            .join(gold, gold.c.example_id == batch_items.c.example_id)
            .where(batches.c.project_id == project_id, ~batch_items.c.probe)
            .order_by(batches.c.number.desc(), batch_items.c.position)
        )
        return [
            row.example_id
            for row in rows
            if row.reason.get("audit") or (row.strategy == LOT and not row.parameters.get("filters"))
        ]

    # --- doubted labels -----------------------------------------------------------------------------

    def put_suspects(self, project_id: int, run_id: int, rows: Iterable[Suspect]) -> int:
        """Keep what a run doubts, in place of what earlier runs of the project did; how many."""
        for other in self._suspect_runs(project_id):
            self._connection.execute(delete(suspects).where(suspects.c.run_id == other))
        stored = 0
        for chunk in chunks(rows):
            there = self._existing([row.example_id for row in chunk])
            values = [
                {
                    "run_id": run_id,
                    "example_id": row.example_id,
                    "annotation_id": row.annotation_id,
                    "quality": row.quality,
                    "seen": row.seen,
                    "details": dict(row.details),
                }
                for row in chunk
                if row.example_id in there
            ]
            if values:
                self._connection.execute(insert(suspects), values)
            stored += len(values)
        return stored

    def suspects(self, run_id: int) -> list[Suspect]:
        """What a run doubts and nobody has looked at since, the most doubtful first.

        A label that was confirmed or corrected is another revision, which the run has not judged.
        """
        rows = self._connection.execute(
            select(suspects)
            .join(
                gold,
                (gold.c.example_id == suspects.c.example_id)
                & (gold.c.annotation_id == suspects.c.annotation_id),
            )
            .where(suspects.c.run_id == run_id)
            .order_by(suspects.c.seen, suspects.c.quality, suspects.c.example_id)
        )
        return [
            Suspect(row.example_id, row.annotation_id, row.quality, row.seen, row.details) for row in rows
        ]

    def _suspect_runs(self, project_id: int) -> list[int]:
        statement = (
            select(suspects.c.run_id)
            .join(examples, examples.c.id == suspects.c.example_id)
            .where(in_project(project_id))
            .distinct()
        )
        return list(self._connection.execute(statement).scalars())

    def _existing(self, ids: Sequence[int]) -> set[int]:
        return {
            found
            for part in id_chunks(ids)
            for found in self._connection.execute(
                select(examples.c.id).where(examples.c.id.in_(part))
            ).scalars()
        }
