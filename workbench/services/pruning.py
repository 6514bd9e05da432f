"""Free disk space: the files of older model versions go, what was measured and predicted with them stays.

The order is that of ``prune``: the versions are marked in one transaction that also makes sure that nothing reads
them, and only then are their folders renamed and removed. A kill in between leaves marked versions with files, which
a later supervisor sweeps (``jobs.housekeeping``); nobody uses a marked one's files, whatever is left of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workbench.config import Settings
from workbench.domain import ModelVersion, Project, Run
from workbench.errors import InvalidInput, Unavailable
from workbench.jobs.artifacts import discard, size_on_disk
from workbench.services.protection import protections
from workbench.storage.store import Store


@dataclass(frozen=True, slots=True)
class VersionFiles:
    """What a version takes on the disk.

    Attributes:
        number: Of the version.
        size: Bytes of its model and its features.
        pruned_at: When its files were pruned, None while it has them.
        reasons: Why they stay, in words; none where pruning removes them.
    """

    number: int
    size: int
    pruned_at: datetime | None
    reasons: tuple[str, ...]

    @property
    def goes(self) -> bool:
        """Whether pruning removes its files."""
        return self.pruned_at is None and not self.reasons

    @property
    def stays(self) -> bool:
        """Whether it keeps its files."""
        return self.pruned_at is None and bool(self.reasons)


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """What pruning to the newest ``keep`` versions removes; every version, by number."""

    keep: int
    versions: tuple[VersionFiles, ...]

    @property
    def going(self) -> tuple[VersionFiles, ...]:
        """Those whose files go."""
        return tuple(version for version in self.versions if version.goes)

    @property
    def size(self) -> int:
        """Bytes of all versions."""
        return sum(version.size for version in self.versions)

    @property
    def freed(self) -> int:
        """Bytes of those that go."""
        return sum(version.size for version in self.going)


class PruningService:
    """Look at what versions take, and prune."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def sizes(self, project: Project) -> dict[int, int]:
        """Bytes of each version that has its files, by its number."""
        with self._store.read() as tx:
            versions = tx.models.versions(project.id)
        return {
            version.number: size_on_disk(self._settings, version.artifact)
            for version in versions
            if not version.pruned
        }

    def plan(self, project: Project, keep: int) -> PrunePlan:
        """What ``prune`` would do now. Raises InvalidInput for fewer than one version to keep."""
        _check(keep)
        with self._store.read() as tx:
            versions = tx.models.versions(project.id)
            reasons = protections(tx, self._settings, project, versions, keep)
        sizes = {version.number: size_on_disk(self._settings, version.artifact) for version in versions}
        return PrunePlan(keep, _files(versions, reasons, sizes))

    def prune(self, project: Project, keep: int, user_id: int | None = None) -> PrunePlan:
        """Remove the files of versions older than the newest ``keep`` that nothing protects.

        Rows, metrics, predictions and parameters stay. Each version has a line in the audit log.

        Args:
            project: The project.
            keep: How many of the newest keep their files in any case; 1 or more.
            user_id: Who asks.

        Returns:
            What was done; ``going`` are the versions whose files are gone.

        Raises:
            InvalidInput: Fewer than one version is to be kept.
            Unavailable: A folder can't be removed. Its version is marked all the same, and the folder is tried again
                when a supervisor starts.
        """
        _check(keep)
        with self._store.read() as tx:
            artifacts = {version.number: version.artifact for version in tx.models.versions(project.id)}
        sizes = {number: size_on_disk(self._settings, artifact) for number, artifact in artifacts.items()}
        with self._store.write() as tx:
            versions = tx.models.hold(project.id)
            reasons = protections(tx, self._settings, project, versions, keep)
            plan = PrunePlan(keep, _files(versions, reasons, sizes))
            by_number = {version.number: version for version in versions}
            for gone in plan.going:
                tx.models.mark_pruned(by_number[gone.number].id)
                said = {"bytes": gone.size, "keep": keep}
                tx.users.audit(user_id, "prune", f"model version {gone.number}", said, project.id)
        for gone in plan.going:
            self._discard(by_number[gone.number])
        return plan

    def _discard(self, version: ModelVersion) -> None:
        try:
            discard(self._settings, version.artifact)
        except OSError as error:
            raise Unavailable(
                f"the files of version {version.number} can't be removed ({error.strerror or error})",
                remedy=f"check the permissions of {self._settings.models_dir} and {self._settings.features_dir}; "
                "the next supervisor tries it again",
            ) from error


def prune_after(store: Store, settings: Settings, run: Run) -> None:
    """Prune a run's project to ``WORKBENCH_KEEP_MODELS`` versions, and say so in the run's log.

    Does nothing where that is not set.
    """
    if settings.keep_models is None:
        return
    with store.read() as tx:
        project = tx.projects.by_id(run.project_id)
    done = PruningService(store, settings).prune(project, settings.keep_models)
    if done.going:
        with store.write() as tx:
            tx.runs.say(run.id, run.attempt, f"{pruned_sentence(done)}.")


def pruned_sentence(plan: PrunePlan) -> str:
    """``Pruned the files of versions 1 and 2 (54.3 MB)``; of a plan by which something goes."""
    return f"Pruned the files of {named(plan.going)} ({megabytes(plan.freed)})"


def megabytes(octets: int) -> str:
    """``54.3 MB``."""
    return f"{octets / 1e6:,.1f} MB"


def named(versions: Sequence[VersionFiles]) -> str:
    """``version 1``, ``versions 1, 2 and 5``."""
    numbers = [str(version.number) for version in versions]
    if len(numbers) == 1:
        return f"version {numbers[0]}"
    return f"versions {', '.join(numbers[:-1])} and {numbers[-1]}"


def plan_json(project: Project, plan: PrunePlan, *, done: bool) -> dict[str, Any]:
    """The document that the command prints."""
    return {
        "project": project.name,
        "keep": plan.keep,
        "done": done,
        "bytes": plan.size,
        "freed": plan.freed,
        "pruned": [version.number for version in plan.going],
        "versions": [
            {
                "model_version": version.number,
                "bytes": version.size,
                "files": "stay" if version.stays else "pruned" if done or version.pruned_at else "go",
                "stays_because": list(version.reasons) if version.stays else [],
            }
            for version in plan.versions
        ],
    }


def _check(keep: int) -> None:
    if keep < 1:
        raise InvalidInput(f"{keep} can't be how many newest versions are kept", remedy="give 1 or more")


def _files(
    versions: Sequence[ModelVersion], reasons: dict[int, tuple[str, ...]], sizes: dict[int, int]
) -> tuple[VersionFiles, ...]:
    return tuple(
        VersionFiles(
            version.number, sizes.get(version.number, 0), version.pruned_at, reasons.get(version.number, ())
        )
        for version in versions
    )
