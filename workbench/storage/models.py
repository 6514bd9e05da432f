"""Model versions, and what they said: predictions, acquisition scores, evaluations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from workbench.domain import Evaluation, Json, ModelVersion, Split
from workbench.errors import NotFound
from workbench.storage.rows import aware, chunks, id_chunks, now
from workbench.storage.snapshots import GoldRow, Snapshot, SnapshotRow, Snapshots
from workbench.storage.tables import (
    acquisition_scores,
    evaluations,
    examples,
    model_versions,
    predictions,
    projects,
)
from workbench.storage.upsert import upsert

DETAILS = ("confidences", "uncertainty", "alternatives")


class Models(Snapshots):
    """Repository of snapshots, model versions and what they said; see ``Store``."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)

    # --- versions -----------------------------------------------------------------------------------

    def next_number(self, project_id: int) -> int:
        """The number that the project's next version gets. In a writing block nobody else gets it."""
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(
                select(projects.c.id).where(projects.c.id == project_id).with_for_update()
            )
        highest: int | None = self._connection.execute(
            select(func.max(model_versions.c.number)).where(model_versions.c.project_id == project_id)
        ).scalar_one()
        return (highest or 0) + 1

    def add_version(
        self,
        project_id: int,
        number: int,
        *,
        base_model: str,
        parent_id: int | None,
        run_id: int,
        snapshot_id: int,
        labels: Sequence[str],
        artifact: str,
        artifact_sha256: str,
        parameters: Json,
        metrics: Json,
        note: str = "",
    ) -> ModelVersion:
        """Register a trained model. A run has at most one version (``run_id`` is unique).

        Args:
            project_id: The project.
            number: From ``next_number`` in the same block.
            base_model: Registered name, hub name or folder that it grew from.
            parent_id: Id of the version that it was continued from.
            run_id: The run that trained it.
            snapshot_id: The data that it was trained on.
            labels: The label set at that moment.
            artifact: Its folder, relative to the models folder.
            artifact_sha256: Hash over the folder's files.
            parameters: How it was trained.
            metrics: ``{"validation": {…}}``.
            note: Free text.
        """
        self._connection.execute(
            insert(model_versions).values(
                project_id=project_id,
                number=number,
                base_model=base_model,
                parent_id=parent_id,
                run_id=run_id,
                snapshot_id=snapshot_id,
                labels=list(labels),
                artifact=artifact,
                artifact_sha256=artifact_sha256,
                parameters=dict(parameters),
                metrics=dict(metrics),
                note=note,
                created_at=now(),
            )
        )
        return self.by_number(project_id, number)

    def versions(self, project_id: int) -> tuple[ModelVersion, ...]:
        """The project's versions, by number."""
        rows = self._connection.execute(
            _versions().where(model_versions.c.project_id == project_id).order_by(model_versions.c.number)
        )
        return tuple(_version(row) for row in rows)

    def by_number(self, project_id: int, number: int) -> ModelVersion:
        """The version of that number. Raises NotFound, which lists the ones there are."""
        found = _versions().where(
            model_versions.c.project_id == project_id, model_versions.c.number == number
        )
        row = self._connection.execute(found).one_or_none()
        if row is None:
            numbers = [str(version.number) for version in self.versions(project_id)]
            known = f"choose from {', '.join(numbers)}" if numbers else "train one first"
            raise NotFound(f"there is no model version {number}", remedy=known)
        return _version(row)

    def by_id(self, version_id: int) -> ModelVersion:
        """The version of that id. Raises NotFound."""
        row = self._connection.execute(_versions().where(model_versions.c.id == version_id)).one_or_none()
        if row is None:
            raise NotFound(f"there is no model version with id {version_id}")
        return _version(row)

    def of_run(self, run_id: int) -> ModelVersion | None:
        """The version that a run made, or None."""
        row = self._connection.execute(_versions().where(model_versions.c.run_id == run_id)).one_or_none()
        return _version(row) if row is not None else None

    def owner_of(self, artifact: str) -> ModelVersion | None:
        """The version whose folder this is, or None."""
        row = self._connection.execute(_versions().where(model_versions.c.artifact == artifact)).one_or_none()
        return _version(row) if row is not None else None

    def promote(self, project_id: int, version_id: int) -> None:
        """Make it the project's chosen version, in place of any other."""
        others = update(model_versions).where(
            model_versions.c.project_id == project_id, model_versions.c.id != version_id
        )
        self._connection.execute(others.values(promoted_at=None))
        self._connection.execute(
            update(model_versions).where(model_versions.c.id == version_id).values(promoted_at=now())
        )

    def set_note(self, version_id: int, note: str) -> None:
        """Replace its note."""
        self._connection.execute(
            update(model_versions).where(model_versions.c.id == version_id).values(note=note)
        )

    # --- predictions and scores ---------------------------------------------------------------------

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

    def _existing(self, ids: Sequence[int]) -> set[int]:
        return {
            found
            for part in id_chunks(ids)
            for found in self._connection.execute(
                select(examples.c.id).where(examples.c.id.in_(part))
            ).scalars()
        }

    # --- evaluations --------------------------------------------------------------------------------

    def add_evaluation(
        self,
        version_id: int,
        split: Split,
        data_hash: str,
        examples: int,
        metrics: Json,
        run_id: int | None = None,
    ) -> Evaluation:
        """Store metrics on the gold labels that a split has now; the same data measured again replaces them."""
        row = {
            "model_version_id": version_id,
            "split": split,
            "data_hash": data_hash,
            "examples": examples,
            "metrics": dict(metrics),
            "run_id": run_id,
            "created_at": now(),
        }
        key = evaluations.c
        there = (key.model_version_id == version_id) & (key.split == split) & (key.data_hash == data_hash)
        if not self._connection.execute(update(evaluations).where(there).values(row)).rowcount:
            self._connection.execute(insert(evaluations).values(row))
        return _evaluation(self._connection.execute(_evaluations().where(there)).one())

    def evaluations(self, project_id: int, *, split: Split | None = None) -> tuple[Evaluation, ...]:
        """Evaluations of the project's versions, oldest first."""
        found = _evaluations().where(model_versions.c.project_id == project_id)
        if split is not None:
            found = found.where(evaluations.c.split == split)
        rows = self._connection.execute(found.order_by(evaluations.c.created_at, evaluations.c.id))
        return tuple(_evaluation(row) for row in rows)


def _versions() -> Select[Any]:
    parent = model_versions.alias("parent_version")
    return select(model_versions, parent.c.number.label("parent")).outerjoin(
        parent, parent.c.id == model_versions.c.parent_id
    )


def _version(row: Row[Any]) -> ModelVersion:
    return ModelVersion(
        id=row.id,
        project_id=row.project_id,
        number=row.number,
        base_model=row.base_model,
        parent=row.parent,
        run_id=row.run_id,
        snapshot_id=row.snapshot_id,
        labels=tuple(row.labels),
        artifact=row.artifact,
        artifact_sha256=row.artifact_sha256,
        parameters=row.parameters,
        metrics=row.metrics,
        note=row.note,
        promoted_at=aware(row.promoted_at),
        archived_at=aware(row.archived_at),
        created_at=aware(row.created_at),
    )


def _evaluations() -> Select[Any]:
    return select(evaluations, model_versions.c.number).join(
        model_versions, model_versions.c.id == evaluations.c.model_version_id
    )


def _evaluation(row: Row[Any]) -> Evaluation:
    return Evaluation(
        id=row.id,
        model_version=row.number,
        split=Split(row.split),
        data_hash=row.data_hash,
        examples=row.examples,
        metrics=row.metrics,
        run_id=row.run_id,
        created_at=aware(row.created_at),
    )


__all__ = ["GoldRow", "Models", "Snapshot", "SnapshotRow"]
