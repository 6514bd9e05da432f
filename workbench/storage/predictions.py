"""What model versions said of examples: predictions and acquisition scores, in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, func, select

from workbench.storage.rows import chunks, id_chunks
from workbench.storage.tables import acquisition_scores, examples, predictions
from workbench.storage.upsert import upsert

DETAILS = ("confidences", "uncertainty", "alternatives")


class Predictions:
    """The part of ``Models`` that keeps what versions said."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def forget_predictions(self, example_id: int) -> None:
        """Take away what every version said of an example, whose question is another now."""
        for table in (predictions, acquisition_scores):
            self._connection.execute(delete(table).where(table.c.example_id == example_id))

    def put_predictions(self, version_id: int, rows: Iterable[tuple[int, Mapping[str, Any]]]) -> int:
        """Store predictions, replacing those of the same examples; examples that are gone are left out.

        Args:
            version_id: Id of the version.
            rows: Pairs of example id and prediction, in the form of ``tasks.predictions.dump_prediction``.

        Returns:
            How many were stored.
        """
        stored = 0
        for chunk in chunks(rows):
            there = self._existing([example_id for example_id, _ in chunk])
            values = [
                {
                    "model_version_id": version_id,
                    "example_id": example_id,
                    "payload": dict(prediction["payload"]),
                    "confidence": prediction["confidence"],
                    "details": {name: prediction.get(name, []) for name in DETAILS},
                }
                for example_id, prediction in chunk
                if example_id in there
            ]
            upsert(self._connection, predictions, values, key=("model_version_id", "example_id"))
            stored += len(values)
        return stored

    def predictions(self, version_id: int, example_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """What the version said of these examples, by example id, in the form that ``put_predictions`` takes."""
        found: dict[int, dict[str, Any]] = {}
        for ids in id_chunks(example_ids):
            rows = self._connection.execute(
                select(predictions).where(
                    predictions.c.model_version_id == version_id, predictions.c.example_id.in_(ids)
                )
            )
            for row in rows:
                found[row.example_id] = {"payload": row.payload, "confidence": row.confidence, **row.details}
        return found

    def payloads(self, version_id: int, example_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """What ``predictions`` gives as ``payload`` alone, by example id."""
        columns = predictions.c
        found: dict[int, dict[str, Any]] = {}
        for ids in id_chunks(example_ids):
            rows = self._connection.execute(
                select(columns.example_id, columns.payload).where(
                    columns.model_version_id == version_id, columns.example_id.in_(ids)
                )
            )
            found.update({row[0]: row[1] for row in rows})
        return found

    def said(
        self, version_id: int, example_ids: Sequence[int]
    ) -> dict[int, tuple[dict[str, Any], float, list[float]]]:
        """Payload, confidence and confidences alone, by example id: a tenth of what ``predictions`` reads."""
        found: dict[int, tuple[dict[str, Any], float, list[float]]] = {}
        columns = predictions.c
        for ids in id_chunks(example_ids):
            rows = self._connection.execute(
                select(
                    columns.example_id, columns.payload, columns.confidence, columns.details["confidences"]
                ).where(columns.model_version_id == version_id, columns.example_id.in_(ids))
            )
            found.update({row[0]: (row[1], row[2], row[3] or []) for row in rows})
        return found

    def iter_predictions(self, version_id: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """Every prediction of the version, by example id, read in pages."""
        after, page = 0, 2_000
        while True:
            rows = self._connection.execute(
                select(predictions)
                .where(predictions.c.model_version_id == version_id, predictions.c.example_id > after)
                .order_by(predictions.c.example_id)
                .limit(page)
            ).all()
            for row in rows:
                yield (
                    row.example_id,
                    {"payload": row.payload, "confidence": row.confidence, **row.details},
                )
            if len(rows) < page:
                return
            after = rows[-1].example_id

    def put_scores(self, version_id: int, rows: Iterable[tuple[int, str, float]]) -> int:
        """Store acquisition scores as (example id, strategy, score), replacing those of the same example and strategy.

        Returns:
            How many were stored; examples that are gone are left out.
        """
        stored = 0
        for chunk in chunks(rows):
            there = self._existing(list({example_id for example_id, _, _ in chunk}))
            values = [
                {
                    "model_version_id": version_id,
                    "example_id": example_id,
                    "strategy": strategy,
                    "score": score,
                }
                for example_id, strategy, score in chunk
                if example_id in there
            ]
            key = ("model_version_id", "strategy", "example_id")
            upsert(self._connection, acquisition_scores, values, key=key)
            stored += len(values)
        return stored

    def top_scores(
        self, version_id: int, strategy: str, limit: int, *, offset: int = 0
    ) -> list[tuple[int, float]]:
        """The (example id, score) to ask first by a strategy: highest score, then lowest id."""
        scores = acquisition_scores.c
        rows = self._connection.execute(
            select(scores.example_id, scores.score)
            .where(scores.model_version_id == version_id, scores.strategy == strategy)
            .order_by(scores.score.desc(), scores.example_id)
            .limit(limit)
            .offset(offset)
        )
        return [(row.example_id, row.score) for row in rows]

    def scored(self, version_id: int) -> dict[str, int]:
        """How many examples the version has scored, by strategy."""
        scores = acquisition_scores.c
        rows = self._connection.execute(
            select(scores.strategy, func.count())
            .where(scores.model_version_id == version_id)
            .group_by(scores.strategy)
        )
        return {row[0]: row[1] for row in rows}

    def has_scored(self, version_id: int, strategy: str | None = None) -> bool:
        """Whether the version has scored anything, by a strategy or by any."""
        scores = acquisition_scores.c
        found = select(scores.example_id).where(scores.model_version_id == version_id)
        if strategy is not None:
            found = found.where(scores.strategy == strategy)
        return self._connection.execute(found.limit(1)).first() is not None

    def _existing(self, ids: Sequence[int]) -> set[int]:
        return {
            found
            for part in id_chunks(ids)
            for found in self._connection.execute(
                select(examples.c.id).where(examples.c.id.in_(part))
            ).scalars()
        }

    def all_scores(self, version_id: int, strategy: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Ids and scores of all that a version has scored, candidates or not, by id; shape (scored,) each."""
        rank = acquisition_scores
        statement = select(rank.c.example_id, rank.c.score).where(
            rank.c.model_version_id == version_id, rank.c.strategy == strategy
        )
        # From the driver's own rows: of a million SQLAlchemy's take a second.
        cursor: Any = self._connection.execute(statement).cursor
        table = np.fromiter(map(tuple, cursor), dtype=[("id", np.int64), ("score", np.float64)])
        table = table[np.argsort(table["id"], kind="stable")]
        return table["id"].copy(), table["score"].copy()

    def score_values(self, version_id: int, strategy: str, limit: int = 50_000) -> NDArray[np.float64]:
        """Scores by a version, for a picture of them: evenly thinned out where there are more than ``limit``."""
        rank = acquisition_scores
        of_strategy = (rank.c.model_version_id == version_id, rank.c.strategy == strategy)
        total = self._connection.execute(select(func.count()).where(*of_strategy)).scalar_one()
        every = max(1, -(-total // limit))
        statement = select(rank.c.score).where(*of_strategy, rank.c.example_id % every == 0)
        return np.fromiter(self._connection.execute(statement).scalars(), dtype=np.float64)
