"""Two model versions on the same labeled examples: which is better, by how much, how sure that is, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.domain import Answers, GoldSet, ModelVersion, Project, Spans, Split
from workbench.errors import InvalidInput, WrongState
from workbench.services.judging import Judged, Judgement, as_split, freeze, judge, statistics_of
from workbench.services.leaks import Leak, leak_of
from workbench.services.pairs import Pair
from workbench.services.per_label import ANSWERED, UNANSWERED, LabelDifference, per_label
from workbench.services.snapshots import snapshot_pages
from workbench.statistics import examples_needed, paired_bootstrap, randomisation_p_value, score
from workbench.storage.kept import Kept
from workbench.storage.store import Store
from workbench.tasks import Task, get_task
from workbench.tasks.mistakes import Reading, read

FEW = 50
"""Below so many examples or documents an interval by resampling is itself unsure."""

KEPT = 6
"""Comparisons that are kept to be looked into again: each holds a split's texts, labels and predictions."""

NAMED = 3
"""Labels that the sentence about what got worse names at most."""


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
        gold_set: Number of the frozen set of them.
        partial: Examples of the split that are left out, because their labels are partial; a frozen set has none.
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
    gold_set: int
    partial: int = 0

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

    @property
    def of_questions(self) -> bool:
        """Whether the rows of ``per_label`` are kinds of questions."""
        return bool(self.per_label) and {row.label for row in self.per_label} <= {ANSWERED, UNANSWERED}

    @property
    def worse(self) -> tuple[LabelDifference, ...]:
        """Labels on which ``b`` is lower, those that are surely so first, then the largest losses."""
        lower = [row for row in self.per_label if row.support and row.difference < 0]
        return tuple(sorted(lower, key=lambda row: (row.high >= 0, row.difference)))

    @property
    def worse_sentence(self) -> str:
        """Where ``b`` got worse, in words."""
        parts = []
        for row in self.worse[:NAMED]:
            sure = "" if row.high < 0 else ", which may be chance"
            parts.append(
                f"{row.label} ({self._points(row.difference):+.1f} points, {row.support:,} in gold{sure})"
            )
        broken = (
            f"{self.broken:,} of {self.examples:,} examples that version {self.a} had right are now wrong"
            if self.broken
            else f"nothing that version {self.a} had right is now wrong"
        )
        if not parts:
            what = "kind of question" if self.of_questions else "label"
            return f"Version {self.b} got worse on no {what}; {broken}."
        return f"Version {self.b} got worse on {', '.join(parts)}; {broken}."

    def _points(self, value: float) -> float:
        return 100.0 * value / self.scale


@dataclass(frozen=True, slots=True)
class Analysis:
    """A comparison with everything that it was computed from, to look into.

    Attributes:
        task: Name of the task type.
        versions: The two.
        comparison: What came of it.
        gold_set: What both were measured on.
        leaks: What either version was trained on of that.
        judgement: The examples with gold and both predictions.
        readings: For each example, what is right and wrong with each prediction.
        documents: Names by id.
        imports: File names by id.
    """

    task: str
    versions: tuple[ModelVersion, ModelVersion]
    comparison: Comparison
    gold_set: GoldSet
    leaks: tuple[Leak, Leak]
    judgement: Judgement
    readings: tuple[tuple[Reading, Reading], ...]
    documents: dict[int, str]
    imports: dict[int, str]

    @property
    def doubted(self) -> tuple[int, ...]:
        """Numbers of those versions whose score is too high, because they were trained on what they are measured on."""
        pairs = zip(self.versions, self.leaks, strict=True)
        return tuple(version.number for version, leak in pairs if leak.sentence)

    @property
    def examples(self) -> tuple[Judged, ...]:
        """The examples, in the project's order."""
        return self.judgement.examples


class ComparisonService:
    """Compare what two versions have predicted."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept = Kept(KEPT)

    def compare(
        self, project: Project, a: int, b: int, split: Split | str = Split.TEST, gold_set: int | None = None
    ) -> Comparison:
        """Compare two versions; see ``analyse``, which raises the same."""
        return self.analyse(project, a, b, split, gold_set).comparison

    def analyse(
        self, project: Project, a: int, b: int, split: Split | str = Split.TEST, gold_set: int | None = None
    ) -> Analysis:
        """Compare two versions on the labeled examples of a split, both on exactly the same gold labels.

        Args:
            project: The project.
            a: Number of the one version.
            b: Number of the other.
            split: What both were evaluated on.
            gold_set: Number of a frozen set of that split; None takes the gold labels of now, and freezes them.

        Raises:
            NotFound: There is no such version, or no such frozen set.
            InvalidInput: It is the same version twice, or nothing in the split is labeled.
            WrongState: A version has not predicted all of the examples.
        """
        wanted = as_split(split)
        if a == b:
            raise InvalidInput(
                f"version {a} can't be compared with itself", remedy="give two different versions"
            )
        task = get_task(project.task)
        with self._store.read() as tx:
            first, second = (tx.models.by_number(project.id, number) for number in (a, b))
            chosen = None if gold_set is None else tx.models.gold_set(project.id, wanted, gold_set)
            judgement = judge(tx, project, wanted, (first.id, second.id), chosen)
            names = tx.annotations.document_names({row.document_id for row in judgement.rows})
            files = {record.id: record.file_name for record in tx.examples.imports(project.id)}
        _refuse_missing(project, (first, second), judgement, wanted)
        frozen = chosen or freeze(self._store, project, wanted, judgement)
        readings = tuple(_read(each) for each in judgement.examples)
        comparison = _compare(task, judgement, readings, (a, b), frozen)
        with self._store.read() as tx:
            leaks = leak_of(tx, first, frozen), leak_of(tx, second, frozen)
        return Analysis(
            project.task, (first, second), comparison, frozen, leaks, judgement, readings, names, files
        )

    def look_into(self, project: Project, pair: Pair) -> Analysis:
        """``analyse`` for a pair, kept while neither version is measured anew and the labels keep their names."""
        split, number = pair.gold_set.split, pair.gold_set.number
        return self._kept.get(
            (project.id, pair.a, pair.b, split, number),
            (project.labels, *(each.created_at for each in pair.evaluations)),
            lambda: self.analyse(project, pair.a, pair.b, split, number),
        )

    def seen(self, project: Project, a: int, b: int) -> tuple[frozenset[str], frozenset[str]]:
        """What the training data of either version holds: surfaces of entities, words, or contexts. Raises NotFound."""
        found = []
        for number in (a, b):
            with self._store.read() as tx:
                version = tx.models.by_number(project.id, number)
            found.append(_surfaces(self._store, get_task(project.task), version.snapshot_id))
        return found[0], found[1]


def _surfaces(store: Store, task: Task, snapshot_id: int) -> frozenset[str]:
    surfaces: set[str] = set()
    for row in snapshot_pages(store, snapshot_id):
        if row.split is not Split.TRAIN or row.payload is None:
            continue
        payload, content = task.load(row.payload), row.content
        if isinstance(payload, Spans):
            surfaces.update(content.text[span.start : span.end] for span in payload.spans)
        elif isinstance(payload, Answers):
            surfaces.add(content.text)
        else:
            surfaces.update(content.words)
    return frozenset(surfaces)


def _read(each: Judged) -> tuple[Reading, Reading]:
    first, second = each.predicted
    reading = read(each.gold, first, each.content)
    return reading, reading if first == second else read(each.gold, second, each.content)


def _refuse_missing(
    project: Project, versions: Sequence[ModelVersion], judgement: Judgement, split: Split
) -> None:
    for version, missing in zip(versions, judgement.missing, strict=True):
        if missing:
            raise WrongState(
                f"version {version.number} has not been measured on {missing} labeled examples of the {split} split",
                remedy=f"run `workbench evaluate {project.name} --model-version {version.number} --split {split}`",
            )


def _compare(
    task: Task,
    judgement: Judgement,
    readings: Sequence[tuple[Reading, Reading]],
    numbers: tuple[int, int],
    gold_set: GoldSet,
) -> Comparison:
    first, second = statistics_of(task, judgement, 0), statistics_of(task, judgement, 1)
    groups = judgement.groups
    difference, low, high = (float(part) for part in paired_bootstrap(first, second, task.aggregate, groups))
    right = np.array([[part.all_right for part in pair] for pair in readings], dtype=bool).reshape(-1, 2)
    ids = np.array([row.example_id for row in judgement.rows], dtype=np.int64)
    fixed, broken = ids[~right[:, 0] & right[:, 1]], ids[right[:, 0] & ~right[:, 1]]
    decided = low > 0 or high < 0
    return Comparison(
        a=numbers[0],
        b=numbers[1],
        split=gold_set.split,
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
        per_label=per_label(task, judgement, readings, first, second, groups),
        needed=None if decided else examples_needed(difference, low, high, len(ids)),
        data_hash=judgement.data_hash,
        gold_set=gold_set.number,
        partial=judgement.partial,
    )
