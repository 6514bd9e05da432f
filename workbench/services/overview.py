"""How far a project is in the loop, and the one thing to do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from workbench.domain import Batch, Evaluation, ModelVersion, Project, Run, Split
from workbench.services.leaks import warning_of
from workbench.storage.sizes import SplitCounts
from workbench.storage.store import Store
from workbench.tasks import get_task

TRAINED_ON = (Split.POOL, Split.TRAIN)


class Stage(StrEnum):
    """The steps of the loop, in their order."""

    DATA = "data"
    SELECT = "select"
    LABEL = "label"
    TRAIN = "train"
    COMPARE = "compare"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do next: where, what the button says, and why."""

    stage: Stage
    action: str
    reason: str


@dataclass(frozen=True, slots=True)
class Overview:
    """Where a project stands.

    Attributes:
        project: The project.
        splits: Examples, gold and words of each split that has any.
        batches: Batches, oldest first.
        versions: Model versions, by number.
        evaluations: The newest evaluation of each version on the test split, by version number.
        active: Runs that are queued or running.
        trained_on: Labeled examples that the newest version was made from, those held out included.
    """

    project: Project
    splits: Mapping[Split, SplitCounts]
    batches: tuple[Batch, ...]
    versions: tuple[ModelVersion, ...]
    evaluations: Mapping[int, Evaluation]
    active: tuple[Run, ...]
    trained_on: int

    @property
    def examples(self) -> int:
        """Of all splits."""
        return sum(counts.examples for counts in self.splits.values())

    @property
    def labeled(self) -> int:
        """Examples with accepted labels, of all splits."""
        return sum(counts.gold for counts in self.splits.values())

    @property
    def learnable(self) -> int:
        """Labeled examples that a model can be trained on now."""
        return sum(self.splits[split].gold for split in TRAINED_ON if split in self.splits)

    @property
    def unlabeled_pool(self) -> int:
        """Examples of the pool without accepted labels."""
        pool = self.splits.get(Split.POOL, SplitCounts())
        return pool.examples - pool.gold

    @property
    def waiting(self) -> int:
        """Selected examples that nobody has answered."""
        return sum(batch.items - batch.done for batch in self.batches)

    @property
    def newest(self) -> ModelVersion | None:
        """The newest model version."""
        return self.versions[-1] if self.versions else None

    def score(self, version: ModelVersion) -> tuple[float | None, str]:
        """A version's primary metric, and what it was measured on: the test split, else its validation data."""
        name = get_task(self.project.task).primary_metric
        measured = self.evaluations.get(version.number)
        if measured is not None:
            return measured.metrics.get(name), "test"
        return version.metrics.get("validation", {}).get(name), "validation"

    def warning(self, version: ModelVersion) -> str | None:
        """What to say in red of a version's score, or None."""
        return warning_of(self.evaluations.get(version.number))

    @property
    def best(self) -> ModelVersion | None:
        """The promoted version, else the one with the highest score on the best data that it was measured on.

        One whose score is too high is not asked while there are others.
        """
        promoted = [version for version in self.versions if version.promoted]
        measured = [version for version in self.versions if version.number in self.evaluations]
        fair = [version for version in measured if self.warning(version) is None]
        pool = promoted or fair or measured
        return max(pool or self.versions, key=lambda version: self.score(version)[0] or 0.0, default=None)

    @property
    def next_step(self) -> NextStep:
        """The one thing to do next."""
        return _next_step(self)


def overview(store: Store, project: Project) -> Overview:
    """Read where a project stands."""
    with store.read() as tx:
        splits = tx.sizes.counts(project.id)
        versions = tx.models.versions(project.id)
        evaluations = tx.models.evaluations(project.id, split=Split.TEST)
        trained_on = 0
        if versions:
            counts = tx.models.snapshot(versions[-1].snapshot_id).counts
            trained_on = sum(number for number in counts.values() if isinstance(number, int))
            trained_on -= splits[Split.VALIDATION].gold if Split.VALIDATION in splits else 0
        return Overview(
            project=project,
            splits=splits,
            batches=tx.batches.all(project.id),
            versions=versions,
            evaluations={evaluation.model_version: evaluation for evaluation in evaluations},
            active=tuple(run for run in tx.runs.all(project.id, limit=50) if run.state.active),
            trained_on=trained_on,
        )


def _next_step(now: Overview) -> NextStep:
    """The first of the loop's steps that is worth taking."""
    training = any(run.kind == "train" for run in now.active)
    fresh = now.learnable - now.trained_on
    newest = now.newest
    rules = (
        (not now.examples, _IMPORT),
        (training, NextStep(Stage.TRAIN, "Watch the training", "A model is being trained.")),
        (
            now.waiting > 0,
            NextStep(Stage.LABEL, "Go on labeling", f"{now.waiting:,} selected examples wait for you."),
        ),
        (not now.learnable and not now.unlabeled_pool, _IMPORT_POOL),
        (
            not now.learnable,
            NextStep(
                Stage.SELECT,
                "Select the first batch",
                f"{now.unlabeled_pool:,} examples wait in the pool; a random batch is a good start.",
            ),
        ),
        (
            newest is None,
            NextStep(
                Stage.TRAIN, "Train the first version", f"{now.learnable:,} labeled examples are ready."
            ),
        ),
        (
            fresh > 0 and newest is not None,
            NextStep(
                Stage.TRAIN,
                "Train the next version",
                f"{fresh:,} labeled {'examples are' if fresh > 1 else 'example is'} new since version "
                f"{newest.number if newest else 0}.",
            ),
        ),
        (
            newest is not None and newest.number not in now.evaluations and _gold(now, Split.TEST) > 0,
            NextStep(
                Stage.COMPARE,
                "Measure the newest version",
                f"Version {newest.number if newest else 0} has not been measured on the test split yet.",
            ),
        ),
        (
            now.unlabeled_pool > 0,
            NextStep(
                Stage.SELECT,
                "Select the next batch",
                f"{now.unlabeled_pool:,} examples wait in the pool; let the model say which of them to label.",
            ),
        ),
    )
    return next((step for holds, step in rules if holds), _EXPORT)


def _gold(now: Overview, split: Split) -> int:
    return now.splits[split].gold if split in now.splits else 0


_IMPORT = NextStep(Stage.DATA, "Import data", "The project has no examples yet.")
_IMPORT_POOL = NextStep(
    Stage.DATA, "Import a pool", "There is nothing to label and nothing to learn from yet."
)
_EXPORT = NextStep(Stage.EXPORT, "Export the best version", "Everything in the pool is labeled.")
