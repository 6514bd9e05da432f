"""Where two versions differ: their scores label by label, or for questions with an answer and without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.domain import Answers
from workbench.services.judging import Judgement
from workbench.statistics import (
    Aggregate,
    Floats,
    Statistics,
    paired_bootstrap,
    randomisation_p_values,
    score,
)
from workbench.tasks import Task
from workbench.tasks.mistakes import Reading

ANSWERED, UNANSWERED = "questions with an answer", "questions without an answer"
"""What questions are divided into: they have no labels."""


@dataclass(frozen=True, slots=True)
class LabelDifference:
    """One label (for questions: those with or without an answer) under both versions, in the metric's scale.

    ``low`` and ``high`` are the 95 % interval of the difference, by the same resamples as the whole; ``p_value`` is by
    approximate randomisation, not corrected for there being many labels.
    """

    label: str
    support: int
    a: float
    b: float
    difference: float
    low: float
    high: float
    p_value: float = 1.0


def per_label(
    task: Task,
    judgement: Judgement,
    readings: Sequence[tuple[Reading, Reading]],
    first: Statistics,
    second: Statistics,
    groups: NDArray[np.int64] | None,
) -> tuple[LabelDifference, ...]:
    """F1 of each label under both versions, the most frequent label first; the task's metric for questions.

    Args:
        task: The task type.
        judgement: The examples, with the predictions of two versions.
        readings: What is right and wrong with those.
        first: The one version's sufficient statistics, for questions.
        second: The other's.
        groups: What is resampled together.
    """
    if any(isinstance(example.gold, Answers) for example in judgement.examples):
        return _per_kind_of_question(task, judgement, first, second, groups)
    labels = sorted({label for pair in readings for reading in pair for label in _labels(reading)})
    place = {label: index for index, label in enumerate(labels)}
    # (versions, examples, labels, counts): right, predicted, gold
    table = np.zeros((2, len(readings), len(labels), 3))
    for index, pair in enumerate(readings):
        for version, reading in enumerate(pair):
            row = table[version, index]
            for label, count in reading.right.items():
                row[place[label]] += count
            for mistake in reading.mistakes:
                if mistake.predicted:
                    row[place[mistake.predicted], 1] += 1
                if mistake.gold:
                    row[place[mistake.gold], 2] += 1
    first, second = (
        {"right": part[..., 0], "predicted": part[..., 1], "gold": part[..., 2]} for part in table
    )
    rows = _rows(labels, table[0, :, :, 2].sum(axis=0), first, second, _f1, groups)
    return tuple(sorted(rows, key=lambda row: (-row.support, row.label)))


def _per_kind_of_question(
    task: Task,
    judgement: Judgement,
    first: Statistics,
    second: Statistics,
    groups: NDArray[np.int64] | None,
) -> tuple[LabelDifference, ...]:
    unanswerable = np.array(
        [isinstance(example.gold, Answers) and example.gold.no_answer for example in judgement.examples],
        dtype=bool,
    )
    kinds = {ANSWERED: ~unanswerable, UNANSWERED: unanswerable}
    names = [name for name, chosen in kinds.items() if chosen.any()]
    # The whole split is resampled for either kind: a kind that has one question is then not in every resample, as
    # another split might not have it, and its interval is not a point.
    of_kind = np.stack([kinds[name] for name in names], axis=1)
    a, b = (
        {key: values[:, np.newaxis] * of_kind for key, values in part.items()} for part in (first, second)
    )
    return tuple(_rows(names, of_kind.sum(axis=0), a, b, task.aggregate, groups))


def _rows(
    names: Sequence[str],
    support: NDArray[Any],
    first: Statistics,
    second: Statistics,
    aggregate: Aggregate,
    groups: NDArray[np.int64] | None,
) -> list[LabelDifference]:
    """A row for each name; its statistics are a column of theirs, shape (examples, names)."""
    difference, low, high = paired_bootstrap(first, second, aggregate, groups)
    p_values = randomisation_p_values(first, second, aggregate, groups)
    scores = [score(part, aggregate) for part in (first, second)]
    return [
        LabelDifference(
            name,
            int(support[index]),
            float(scores[0][index]),
            float(scores[1][index]),
            float(difference[index]),
            float(low[index]),
            float(high[index]),
            float(p_values[index]),
        )
        for index, name in enumerate(names)
    ]


def _labels(reading: Reading) -> set[str]:
    wrong = {label for mistake in reading.mistakes for label in (mistake.gold, mistake.predicted) if label}
    return wrong | set(reading.right)


def _f1(statistics: Mapping[str, Floats]) -> Floats:
    total = statistics["predicted"] + statistics["gold"]
    return np.divide(2 * statistics["right"], total, out=np.zeros_like(total), where=total > 0)
