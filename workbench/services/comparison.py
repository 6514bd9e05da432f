"""Two model versions on the same labeled examples: which is better, by how much, how sure that is, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.domain import Example, ModelVersion, Payload, Project, Split
from workbench.errors import InvalidInput, WrongState
from workbench.services.judging import (
    Judgement,
    as_split,
    is_right,
    judge,
    statistics_of,
)
from workbench.services.per_label import LabelDifference, per_label
from workbench.statistics import (
    examples_needed,
    paired_bootstrap,
    randomisation_p_value,
    score,
)
from workbench.storage.store import Store
from workbench.tasks import Task, get_task

FEW = 50
"""Below so many examples or documents an interval by resampling is itself unsure."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Version ``b`` against version ``a``; differences are b less a.

    Attributes:
        a: Number of the one version.
        b: Number of the other.
        split: What both were measured on.
        metric: The task's primary metric.
        scale: Its maximum.
        score_a: What ``a`` reaches.
        score_b: What ``b`` reaches.
        difference: Of the scores.
        confidence_interval: 95 %, of the difference, by paired bootstrap.
        p_value: By approximate randomisation.
        examples: Labeled examples that both have predicted.
        unit: What was resampled: ``documents`` or ``examples``.
        units: How many of them there are.
        fixed: How many examples ``a`` had wrong and ``b`` has right.
        broken: How many ``a`` had right and ``b`` has wrong.
        fixed_examples: Their ids, in the project's order.
        broken_examples: The same.
        per_label: By label, the most frequent first.
        needed: How many examples would probably tell a difference of this size, where these don't.
        data_hash: Of the examples and gold labels that it was computed on.
    """

    a: int
    b: int
    split: Split
    metric: str
    scale: float
    score_a: float
    score_b: float
    difference: float
    confidence_interval: tuple[float, float]
    p_value: float
    examples: int
    unit: str
    units: int
    fixed: int
    broken: int
    fixed_examples: tuple[int, ...]
    broken_examples: tuple[int, ...]
    per_label: tuple[LabelDifference, ...]
    needed: int | None
    data_hash: str

    @property
    def decided(self) -> bool:
        """Whether the interval leaves no doubt which version is better."""
        low, high = self.confidence_interval
        return low > 0 or high < 0

    @property
    def sentence(self) -> str:
        """The result in words, in points (hundredths of the metric's maximum)."""
        low, high = (self._points(value) for value in self.confidence_interval)
        gap = self._points(self.difference)
        interval = f"95 % interval {low:.1f} to {high:.1f}"
        if self.fixed == self.broken == 0 and not self.difference:
            text = f"Versions {self.a} and {self.b} are equally good on these examples."
        elif self.decided:
            better, worse = (self.b, self.a) if gap > 0 else (self.a, self.b)
            if gap < 0:
                interval = f"95 % interval {-high:.1f} to {-low:.1f}"
            text = f"Version {better} is better than version {worse} by {abs(gap):.1f} points ({interval})."
        else:
            text = f"These examples can't tell which is better: the difference is {gap:+.1f} points ({interval})."
            if self.needed:
                text += (
                    f" To tell a difference of this size takes about {self.needed:,} labeled examples; "
                    f"there are {self.examples:,}."
                )
        if self.units < FEW:
            text += f" With only {self.units} {self.unit}, take the interval itself with care."
        return text

    def _points(self, value: float) -> float:
        return 100.0 * value / self.scale


@dataclass(frozen=True, slots=True)
class Change:
    """An example with its gold label, both predictions, and whether nothing of either is wrong."""

    example: Example
    gold: Payload
    a: Payload
    b: Payload
    a_right: bool
    b_right: bool


class ComparisonService:
    """Compare what two versions have predicted."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def compare(self, project: Project, a: int, b: int, split: Split | str = Split.TEST) -> Comparison:
        """Compare two versions on the labeled examples of a split.

        Both must have been evaluated on it; the gold labels are those of now.

        Raises:
            NotFound: There is no such version.
            InvalidInput: It is the same version twice, or nothing in the split is labeled.
            WrongState: A version has not predicted the split's labeled examples.
        """
        wanted = as_split(split)
        if a == b:
            raise InvalidInput(
                f"version {a} can't be compared with itself", remedy="give two different versions"
            )
        task = get_task(project.task)
        with self._store.read() as tx:
            versions = [tx.models.by_number(project.id, number) for number in (a, b)]
            judgement = judge(tx, project, wanted, [version.id for version in versions])
        _refuse_missing(project, versions, judgement, wanted)
        return _compare(task, judgement, a, b, wanted)

    def changes(
        self, project: Project, a: int, b: int, split: Split | str, example_ids: Sequence[int]
    ) -> list[Change]:
        """Examples with their gold label and both predictions, in the order of the ids. Raises NotFound."""
        task = get_task(project.task)
        as_split(split)
        with self._store.read() as tx:
            found = [
                tx.models.predictions(tx.models.by_number(project.id, number).id, example_ids)
                for number in (a, b)
            ]
            gold = tx.annotations.gold_of(example_ids)
            examples = tx.examples.by_ids(example_ids)
        changes = []
        for example in examples:
            truth = gold[example.id][0].payload if example.id in gold else None
            if truth is not None and all(example.id in predictions for predictions in found):
                payloads = [task.load(part[example.id]["payload"]) for part in found]
                right = [is_right(task, truth, payload, example.content) for payload in payloads]
                changes.append(Change(example, truth, payloads[0], payloads[1], right[0], right[1]))
        return changes


def _refuse_missing(
    project: Project, versions: Sequence[ModelVersion], judgement: Judgement, split: Split
) -> None:
    for version, missing in zip(versions, judgement.missing, strict=True):
        if missing:
            raise WrongState(
                f"version {version.number} has not been measured on {missing} labeled examples of the {split} split",
                remedy=f"run `workbench evaluate {project.name} --model-version {version.number} --split {split}`",
            )


def _compare(task: Task, judgement: Judgement, a: int, b: int, split: Split) -> Comparison:
    first, second = statistics_of(task, judgement, 0), statistics_of(task, judgement, 1)
    groups = judgement.groups
    difference, low, high = (float(part) for part in paired_bootstrap(first, second, task.aggregate, groups))
    right = np.array(
        [
            [is_right(task, example.gold, predicted, example.content) for predicted in example.predicted]
            for example in judgement.examples
        ],
        dtype=bool,
    ).reshape(-1, 2)
    ids = np.array([example.example_id for example in judgement.examples], dtype=np.int64)
    fixed, broken = ids[~right[:, 0] & right[:, 1]], ids[right[:, 0] & ~right[:, 1]]
    decided = low > 0 or high < 0
    return Comparison(
        a=a,
        b=b,
        split=split,
        metric=task.primary_metric,
        scale=task.metric_scale,
        score_a=float(score(first, task.aggregate)),
        score_b=float(score(second, task.aggregate)),
        difference=difference,
        confidence_interval=(low, high),
        p_value=randomisation_p_value(first, second, task.aggregate, groups),
        examples=len(ids),
        unit="examples" if groups is None else "documents",
        units=len(ids) if groups is None else len(np.unique(groups)),
        fixed=len(fixed),
        broken=len(broken),
        fixed_examples=tuple(fixed.tolist()),
        broken_examples=tuple(broken.tolist()),
        per_label=per_label(task, judgement, first, second, groups),
        needed=None if decided else examples_needed(difference, low, high, len(ids)),
        data_hash=judgement.data_hash,
    )
