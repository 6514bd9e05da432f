"""Model versions and their evaluations; with what they read (snapshots) and said (predictions)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, insert, select, update

from workbench.domain import Evaluation, Json, ModelVersion, Split
from workbench.errors import NotFound
from workbench.storage.goldsets import GoldSets
from workbench.storage.predictions import Predictions
from workbench.storage.rows import aware, now
from workbench.storage.snapshots import GoldRow, Snapshot, SnapshotRow
from workbench.storage.tables import (
    evaluations,
    gold_sets,
    model_versions,
    projects,
    runs,
    snapshots,
    users,
)


@dataclass(frozen=True, slots=True)
class Training:
    """How a version was trained.

    Attributes:
        counts: Examples of its snapshot, by the split that they play.
        seconds: How long it took, None where it is not known.
        device: On what, None where it is not known.
    """

    counts: Json
    seconds: float | None
    device: str | None


class Models(GoldSets, Predictions):
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
        rows = self._connection.execute(_OF_PROJECT, {"project": project_id})
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

    def trainings(self, project_id: int) -> dict[int, Training]:
        """How each of the project's versions was trained, by the version's id."""
        rows = self._connection.execute(
            select(model_versions.c.id, snapshots.c.counts, runs.c.result, runs.c.device)
            .join(snapshots, snapshots.c.id == model_versions.c.snapshot_id)
            .join(runs, runs.c.id == model_versions.c.run_id)
            .where(model_versions.c.project_id == project_id)
        )
        return {
            row.id: Training(row.counts, row.result.get("seconds"), row.device or row.result.get("device"))
            for row in rows
        }

    def promote(self, project_id: int, version_id: int, user_id: int | None = None, reason: str = "") -> None:
        """Make it the project's chosen version, in place of any other."""
        others = update(model_versions).where(
            model_versions.c.project_id == project_id, model_versions.c.id != version_id
        )
        self._connection.execute(others.values(promoted_at=None, promoted_by=None, promoted_reason=""))
        self._connection.execute(
            update(model_versions)
            .where(model_versions.c.id == version_id)
            .values(promoted_at=now(), promoted_by=user_id, promoted_reason=reason)
        )

    def archive(self, version_id: int, archived: bool = True) -> None:
        """Put it away, or bring it back."""
        self._connection.execute(
            update(model_versions)
            .where(model_versions.c.id == version_id)
            .values(archived_at=now() if archived else None)
        )

    def hold(self, project_id: int, numbers: Iterable[int] | None = None) -> tuple[ModelVersion, ...]:
        """Versions by number (None: all), as they stay to the end of the writing block: none is pruned meanwhile."""
        held = select(model_versions.c.id).where(model_versions.c.project_id == project_id)
        if numbers is not None:
            held = held.where(model_versions.c.number.in_(numbers))
        # SQLite has one writer and leaves the lock out. Those that only refer to a row are not kept waiting.
        self._connection.execute(held.order_by(model_versions.c.id).with_for_update(key_share=True)).all()
        found = _versions().where(model_versions.c.id.in_(held)).order_by(model_versions.c.number)
        return tuple(_version(row) for row in self._connection.execute(found))

    def mark_pruned(self, version_id: int) -> None:
        """Note that its files are no longer there, or about to go."""
        self._connection.execute(
            update(model_versions).where(model_versions.c.id == version_id).values(pruned_at=now())
        )

    def pruned_artifacts(self) -> tuple[str, ...]:
        """The folders of every pruned version, of any project."""
        found = select(model_versions.c.artifact).where(model_versions.c.pruned_at.is_not(None))
        return tuple(self._connection.execute(found.order_by(model_versions.c.id)).scalars())

    def set_note(self, version_id: int, note: str) -> None:
        """Replace its note."""
        self._connection.execute(
            update(model_versions).where(model_versions.c.id == version_id).values(note=note)
        )

    # --- evaluations --------------------------------------------------------------------------------

    def add_evaluation(
        self,
        version_id: int,
        split: Split,
        data_hash: str,
        examples: int,
        metrics: Json,
        run_id: int | None = None,
        gold_set_id: int | None = None,
    ) -> Evaluation:
        """Store metrics on the gold labels that a split has now; the same data measured again replaces them."""
        row = {
            "model_version_id": version_id,
            "split": split,
            "data_hash": data_hash,
            "examples": examples,
            "metrics": dict(metrics),
            "run_id": run_id,
            "gold_set_id": gold_set_id,
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


@cache
def _versions() -> Select[Any]:
    parent, promoter = model_versions.alias("parent_version"), users.alias("promoter")
    return (
        select(model_versions, parent.c.number.label("parent"), promoter.c.name.label("promoter"))
        .outerjoin(parent, parent.c.id == model_versions.c.parent_id)
        .outerjoin(promoter, promoter.c.id == model_versions.c.promoted_by)
    )


_OF_PROJECT = (
    _versions().where(model_versions.c.project_id == bindparam("project")).order_by(model_versions.c.number)
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
        promoted_by=row.promoter,
        promoted_reason=row.promoted_reason,
        pruned_at=aware(row.pruned_at),
    )


def _evaluations() -> Select[Any]:
    return (
        select(evaluations, model_versions.c.number, gold_sets.c.number.label("gold_set"))
        .join(model_versions, model_versions.c.id == evaluations.c.model_version_id)
        .outerjoin(gold_sets, gold_sets.c.id == evaluations.c.gold_set_id)
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
        gold_set=row.gold_set,
    )


__all__ = ["GoldRow", "Models", "Snapshot", "SnapshotRow", "Training"]
