"""Is it paying? What labels have bought on this project, what the next ones would, and whether to stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from workbench.domain import Project, Split
from workbench.errors import InvalidInput
from workbench.evidence.cost import Cost
from workbench.evidence.curves import Curve, curve
from workbench.evidence.powerlaw import ENOUGH, Estimate, PowerLaw, fit_power_law
from workbench.services.annotatorcost import logged_cost
from workbench.services.audit import Audit, AuditScore, audit
from workbench.services.judging import as_split
from workbench.services.pairs import fair_splits
from workbench.services.stopset import StopSet, StopSets, models_stamp
from workbench.services.versions import VersionRow, VersionService
from workbench.storage.sizes import SplitCounts
from workbench.storage.store import Store, Transaction
from workbench.tasks import get_task

AXES = {
    "examples": "labeled examples that it was trained on",
    "words": "words that it was trained on",
    "hours": "hours of an annotator",
}
LABELS = 100
MOST_LABELS = 1_000_000
LITTLE = 0.001
"""Of the metric's scale: what is not worth a hundred labels."""


@dataclass(frozen=True, slots=True)
class ProgressPoint:
    """A version that was measured on the labels of now.

    Attributes:
        version: Its number.
        base_model: That it began with.
        examples: That it learned from.
        words: In those.
        hours: An annotator's for those: logged where they are, predicted for the rest.
        logged: Share of the examples whose time was logged, 0..1.
        score: The primary metric.
        low: Lower end of its 95 % interval.
        high: Upper end.
        audit: The same on examples drawn by lot.
        fitted: Whether it is among the points that the extrapolation goes through.
        warning: Why its score is too high, or None.
    """

    version: int
    base_model: str
    examples: int
    words: int
    hours: float
    logged: float
    score: float
    low: float | None
    high: float | None
    audit: AuditScore
    fitted: bool
    warning: str | None

    def cost(self, axis: str) -> float:
        """What it cost, by a key of ``AXES``."""
        return float(getattr(self, axis))


@dataclass(frozen=True, slots=True)
class Next:
    """What the next labels are expected to bring.

    Attributes:
        labels: How many.
        gain: In the primary metric; None where there are too few points to say.
        hours: That they cost.
        words: In them, at the pool's mean.
    """

    labels: int
    gain: Estimate | None
    hours: float
    words: float


@dataclass(frozen=True)
class Progress:
    """The answer.

    Attributes:
        metric: The primary metric's key.
        scale: Its maximum.
        split: What versions were measured on; None where nothing of the test or validation split is labeled.
        points: By what they cost, lowest first.
        unmeasured: Numbers of versions that were not measured on the labels of now and can be.
        cost: An annotator's seconds.
        next: The next labels.
        audit: Examples drawn by lot.
        stop: Whether versions still change what they say.
    """

    metric: str
    scale: float
    split: Split | None
    points: tuple[ProgressPoint, ...]
    unmeasured: tuple[int, ...]
    cost: Cost
    next: Next
    audit: Audit
    stop: StopSet

    @property
    def laws(self) -> dict[str, PowerLaw | None]:
        """Of each axis its extrapolation, None where there are too few points."""
        return {axis: self.law(axis) for axis in AXES}

    def law(self, axis: str) -> PowerLaw | None:
        """The same of one axis, fitted when it is first asked for."""
        if axis not in self._fitted:
            found = self.line(axis)
            self._fitted[axis] = fit_power_law(found, self.scale) if found is not None else None
        return self._fitted[axis]

    @cached_property
    def _fitted(self) -> dict[str, PowerLaw | None]:
        return {}

    def line(self, axis: str) -> Curve | None:
        """Costs and scores of the points that the extrapolation goes through; None where there is none."""
        points = [point for point in self.points if point.fitted and point.cost(axis) > 0]
        best: dict[float, float] = {}
        for point in points:
            cost = point.cost(axis)
            best[cost] = max(best.get(cost, 0.0), point.score)
        costs = sorted(best)
        return curve(costs, [best[cost] for cost in costs]) if costs else None

    @property
    def sentences(self) -> tuple[str, ...]:
        """What to say, the most important first."""
        return (self._said_of_gain(), self._said_of_audit(), self.stop.stability.sentence, self.cost.sentence)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to say in red: points whose score is too high, which are left out of the extrapolation."""
        return tuple(f"Version {point.version}: {point.warning}" for point in self.points if point.warning)

    def _said_of_gain(self) -> str:
        if self.split is None:
            return "Nothing of the test or validation split is labeled, so no version can be measured."
        if not self.points:
            return "No version was measured on the labels of now yet."
        gain = self.next.gain
        if gain is None:
            costs = self.line("examples")
            missing = ENOUGH - (len(costs[0]) if costs is not None else 0)
            more = "one more version" if missing == 1 else f"{missing} more versions"
            return (
                f"Too early to say what more labels would bring: that takes {more}, measured, each on more labels "
                "than the last."
            )
        little = LITTLE * self.scale
        if gain.low > little:
            sure = "the curve still rises"
        elif gain.high < little:
            sure = "the curve has stopped rising"
        else:
            sure = "the curve does not say for sure that it still rises"
        points = [value * 100.0 / self.scale for value in (gain.value, gain.low, gain.high)]
        return (
            f"The next {self.next.labels:,} labels are expected to bring {points[0]:+.1f} points ({points[1]:.1f} to "
            f"{points[2]:.1f}) for about {hours_said(self.next.hours)} of an annotator: {sure}."
        )

    def _said_of_audit(self) -> str:
        found = self.audit.then
        if found.score is None:
            if not self.audit.labeled:
                return (
                    "No labeled example was drawn by lot. Let a share of each batch be (on the Select page, or "
                    "`workbench select --audit-share 0.1`): only such examples say how good the model is on the pool."
                )
            if not found.examples:
                return (
                    "Nothing that was drawn by lot was predicted before it was labeled: let a share of the next "
                    "batches be drawn by lot, and score the pool before you label them."
                )
            return (
                f"Examples drawn by lot that were predicted before they were labeled: {found.examples}. "
                "Too few for a score."
            )
        digits = ".3f" if self.scale <= 1 else ".1f"
        return (
            f"On {found.examples} examples of the pool drawn by lot, versions that had not learned from them scored "
            f"{found.score:{digits}} ({found.low or 0.0:{digits}} to {found.high or 0.0:{digits}})."
        )


def hours_said(hours: float) -> str:
    """``20 minutes``, ``1.5 hours``."""
    minutes = hours * 60
    return f"{minutes:.0f} minutes" if minutes < 90 else f"{hours:.1f} hours"


class ProgressService:
    """Read the answer off what is stored; nothing is computed by a model."""

    def __init__(self, store: Store, versions: VersionService, stop_sets: StopSets) -> None:
        self._store = store
        self._versions = versions
        self._stop_sets = stop_sets

    def report(self, project: Project, split: Split | str | None = None, labels: int = LABELS) -> Progress:
        """What labels have bought so far and what the next ones would.

        Args:
            project: The project.
            split: What versions were measured on; None takes the test split, else the validation split, whichever
                is labeled.
            labels: How many next labels to look at.

        Raises:
            InvalidInput: There is no such split, or the number makes no sense.
        """
        if not 1 <= labels <= MOST_LABELS:
            raise InvalidInput(f"{labels} can't be the next labels", remedy=f"give 1 to {MOST_LABELS:,}")
        task = get_task(project.task)
        with self._store.read() as tx:
            measured = as_split(split) if split is not None else _labeled_split(tx.sizes.counts(project.id))
            mean_words = tx.sizes.mean_words(project.id)
            cost = logged_cost(tx, project)
        table = self._versions.table(project, measured)
        rows = [row for row in table.rows if not row.version.archived_at]
        current = [row for row in rows if row.current]
        with self._store.read() as tx:
            versions = [row.version for row in rows]
            judged = tx.once(
                ("audit", project.id), models_stamp(tx, project), partial(audit, tx, project, versions)
            )
            points = _points(tx, current, cost, judged, task.primary_metric)
        progress = Progress(
            metric=task.primary_metric,
            scale=task.metric_scale,
            split=measured,
            points=points,
            unmeasured=tuple(row.version.number for row in rows if not row.current and row.measurable),
            cost=cost,
            next=Next(labels, None, 0.0, 0.0),
            audit=judged,
            stop=self._stop_sets.agreement(project),
        )
        return _with_next(progress, labels, mean_words)


def _points(
    tx: Transaction, rows: Sequence[VersionRow], cost: Cost, judged: Audit, metric: str
) -> tuple[ProgressPoint, ...]:
    points = []
    for row in rows:
        assert row.evaluation is not None
        spent = tx.once(
            ("spent", row.version.snapshot_id),
            row.version.created_at,  # what a snapshot holds is frozen
            partial(tx.evidence.label_cost, row.version.snapshot_id),
        )
        predicted = cost.seconds(spent.examples - spent.logged, spent.unlogged_words)
        low, high = row.evaluation.metrics.get("confidence_interval") or (None, None)
        points.append(
            ProgressPoint(
                version=row.version.number,
                base_model=row.version.base_model,
                examples=spent.examples,
                words=spent.words,
                hours=(spent.seconds + predicted) / 3600.0,
                logged=spent.logged / spent.examples if spent.examples else 0.0,
                score=float(row.evaluation.metrics[metric]),
                low=low,
                high=high,
                audit=judged.versions.get(row.version.number, AuditScore(0)),
                fitted=row.version.base_model == rows[-1].version.base_model and row.warning is None,
                warning=row.warning,
            )
        )
    return tuple(sorted(points, key=lambda point: (point.examples, point.version)))


def _labeled_split(counts: dict[Split, SplitCounts]) -> Split | None:
    return next(iter(fair_splits(split for split, found in counts.items() if found.gold)), None)


def _with_next(progress: Progress, labels: int, mean_words: float) -> Progress:
    """The same with what the next labels bring, from the last point on."""
    law = progress.law("examples")
    gain = None
    if law is not None:
        here = max(point.examples for point in progress.points if point.fitted)
        gain = law.gain(here, here + labels)
    hours = progress.cost.seconds(labels, labels * mean_words) / 3600.0
    found = replace(progress, next=Next(labels, gain, hours, labels * mean_words))
    vars(found)["_fitted"] = progress._fitted  # of the same points
    return found


def progress_json(project: Project, progress: Progress) -> dict[str, Any]:
    """The document that the command prints."""
    return {
        "project": project.name,
        "metric": progress.metric,
        "scale": progress.scale,
        "split": progress.split,
        "points": progress.points,
        "unmeasured": progress.unmeasured,
        "warnings": progress.warnings,
        "extrapolation": {
            axis: None if law is None else {"ceiling": law.ceiling} for axis, law in progress.laws.items()
        },
        "next": progress.next,
        "cost": progress.cost,
        "audit": {
            "labeled": progress.audit.labeled,
            "then": progress.audit.then,
            "versions": {str(number): found for number, found in progress.audit.versions.items()},
        },
        "stop": {
            "examples": progress.stop.examples,
            "versions": progress.stop.versions,
            "unread": progress.stop.unread,
            "kappas": progress.stop.stability.kappas,
            "recent": progress.stop.stability.recent,
            "stop": progress.stop.stability.stop,
        },
        "sentences": progress.sentences,
    }
