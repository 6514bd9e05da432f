"""Model versions: list, look at, promote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workbench.config import Settings
from workbench.domain import Evaluation, ModelVersion, Project
from workbench.errors import ModelUnavailable, NotFound, WrongState
from workbench.storage.models import Snapshot
from workbench.storage.store import Store
from workbench.tasks import get_task


class ModelService:
    """Versions are known by their number, counted from 1 in each project."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def list(self, project: Project) -> tuple[ModelVersion, ...]:
        """The project's versions, by number."""
        with self._store.read() as tx:
            return tx.models.versions(project.id)

    def get(self, project: Project, number: int) -> ModelVersion:
        """The version of that number. Raises NotFound, which lists the ones there are."""
        with self._store.read() as tx:
            return tx.models.by_number(project.id, number)

    def best(self, project: Project) -> ModelVersion:
        """The promoted version, else the best by validation (``best_by_validation``).

        Raises NotFound when there is none.
        """
        versions = self.list(project)
        if not versions:
            raise NotFound(f"{project.name} has no model version", remedy="train one first")
        for version in versions:
            if version.promoted:
                return version
        return best_by_validation(project, versions)

    def resolve(self, project: Project, name: str | int) -> ModelVersion:
        """A version by its number, or by the words ``best`` and ``latest``. Raises NotFound."""
        if name == "best":
            return self.best(project)
        if name == "latest":
            versions = self.list(project)
            if versions:
                return versions[-1]
        if isinstance(name, str) and not name.isdigit():
            raise NotFound(f"there is no model version {name!r}", remedy="give a number, best or latest")
        return self.get(project, int(name))

    def promote(
        self, project: Project, number: int, user_id: int | None = None, reason: str = ""
    ) -> ModelVersion:
        """Make a version the project's chosen one; who did so, when and why is kept with it and in the audit log.

        Raises:
            NotFound: There is no such version.
            WrongState: It is archived.
            ModelUnavailable: Its files were pruned, or are gone.
        """
        with self._store.write() as tx:
            tx.models.hold(project.id)
            version = tx.models.by_number(project.id, number)
            if version.archived_at is not None:
                raise WrongState(f"version {number} is archived", remedy="bring it back first")
            artifact_folder(self._settings, version)
            tx.models.promote(project.id, version.id, user_id, reason.strip())
            said = {"reason": reason.strip()} if reason.strip() else {}
            tx.users.audit(user_id, "promote", f"model version {number}", said, project.id)
            return tx.models.by_number(project.id, number)

    def archive(
        self, project: Project, number: int, archived: bool = True, user_id: int | None = None
    ) -> ModelVersion:
        """Put a version away, or bring it back: an archived one suggests, selects and ranks nothing; its files stay.

        Raises:
            NotFound: There is no such version.
            WrongState: It is the promoted one.
        """
        with self._store.write() as tx:
            version = tx.models.by_number(project.id, number)
            if archived and version.promoted:
                raise WrongState(f"version {number} is promoted", remedy="promote another one first")
            if archived == (version.archived_at is not None):
                return version
            tx.models.archive(version.id, archived)
            action = "archive" if archived else "unarchive"
            tx.users.audit(user_id, action, f"model version {number}", project_id=project.id)
            return tx.models.by_number(project.id, number)

    def set_note(self, project: Project, number: int, note: str, user_id: int | None = None) -> ModelVersion:
        """Replace a version's note. Raises NotFound."""
        with self._store.write() as tx:
            version = tx.models.by_number(project.id, number)
            tx.models.set_note(version.id, note.strip())
            tx.users.audit(user_id, "note", f"model version {number}", project_id=project.id)
            return tx.models.by_number(project.id, number)

    def artifact_path(self, version: ModelVersion) -> Path:
        """The folder of a version. Raises ModelUnavailable when its files were pruned, or are gone."""
        return artifact_folder(self._settings, version)

    def evaluations(self, project: Project) -> tuple[Evaluation, ...]:
        """Evaluations of the project's versions, oldest first."""
        with self._store.read() as tx:
            return tx.models.evaluations(project.id)

    def snapshot(self, version: ModelVersion) -> Snapshot:
        """The data that a version was trained on."""
        with self._store.read() as tx:
            return tx.models.snapshot(version.snapshot_id)


def artifact_folder(settings: Settings, version: ModelVersion) -> Path:
    """The folder of a version. Raises ModelUnavailable when its files were pruned, or are gone."""
    refuse_pruned(version)
    folder = settings.models_dir / version.artifact
    if not (folder / "config.json").is_file():
        raise ModelUnavailable(
            f"the files of version {version.number} are gone ({folder})",
            remedy="restore them from a backup, or train a new version",
        )
    return folder


def refuse_pruned(version: ModelVersion) -> None:
    """Raise ModelUnavailable for a version whose files were removed to save space, and say how to have them again."""
    if version.pruned_at is not None:
        raise ModelUnavailable(
            f"the files of version {version.number} were pruned on {version.pruned_at:%Y-%m-%d} to save space",
            remedy="train it again from the same examples, parameters and seed, which are kept: "
            f"`workbench train PROJECT --again {version.number}`, or *Train again* on the Compare page",
        )


def best_by_validation(project: Project, versions: Sequence[ModelVersion]) -> ModelVersion:
    """The version with the highest primary metric on its validation data.

    Of equals the newest is taken; a version without a validation score ranks last, and one that is archived or has
    no files any more is not asked while there are others. There must be one.
    """
    asked = (
        [version for version in versions if version.usable]
        or [version for version in versions if not version.pruned]
        or versions
    )
    return max(asked, key=lambda version: (primary_score(project, version) or -1.0, version.number))


def primary_score(project: Project, version: ModelVersion) -> float | None:
    """The task's primary metric on the version's validation data, None where it was not measured."""
    value = version.metrics.get("validation", {}).get(get_task(project.task).primary_metric)
    return float(value) if isinstance(value, (int, float)) else None
