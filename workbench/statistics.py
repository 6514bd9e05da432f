"""How sure a difference between two models is. Pure functions on arrays of counts.

A metric is a function of *sufficient statistics*: counts that add up over examples (correct, predicted, gold).
Two models are measured on the same examples, so every resampling here draws the same examples for both.
Examples of one document resemble each other; where ``groups`` says which belong together, whole groups are
drawn, because single examples would make the interval too narrow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Statistics: TypeAlias = Mapping[str, Floats]
"""Counts by name; the first axis is the example, or the group, or the resample."""

Aggregate: TypeAlias = Callable[[Statistics], Floats]
"""A metric from summed counts, over whatever leading axes they have."""

RESAMPLES = 2_000
LEVEL = 0.95
SEED = 20_260
BLOCK = 4_000_000
"""Draws that are held in memory at a time."""

DETECTABLE = 2.80
"""A true difference of so many standard errors is found at the 5 % level four times in five (1.96 + 0.84)."""

TWO_SIDED = 1.96


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with the range that it lies in with the probability ``level``."""

    value: float
    low: float
    high: float
    level: float = LEVEL

    @property
    def excludes_zero(self) -> bool:
        """Whether zero lies outside."""
        return self.low > 0 or self.high < 0


def grouped(statistics: Statistics, groups: NDArray[np.int64] | None) -> dict[str, Floats]:
    """Counts summed within groups.

    Args:
        statistics: Each of shape (examples, …).
        groups: Group of each example, shape (examples,), any integers; None makes each example its own group.

    Returns:
        Each of shape (groups, …), groups in rising order.
    """
    if groups is None:
        return {name: np.asarray(values, dtype=np.float64) for name, values in statistics.items()}
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(ordered) else order
    return {
        name: np.add.reduceat(np.asarray(values, dtype=np.float64)[order], starts, axis=0)
        if len(order)
        else np.asarray(values, dtype=np.float64)
        for name, values in statistics.items()
    }


def score(statistics: Statistics, aggregate: Aggregate) -> Floats:
    """The metric over all examples."""
    return aggregate({name: np.asarray(values.sum(axis=0)) for name, values in statistics.items()})


def bootstrap(
    statistics: Statistics,
    aggregate: Aggregate,
    groups: NDArray[np.int64] | None = None,
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = SEED,
) -> Interval:
    """A metric of one model with its percentile bootstrap interval (Efron 1979).

    Args:
        statistics: Each of shape (examples,).
        aggregate: The metric.
        groups: What is drawn together.
        resamples: How often.
        level: Of the interval.
        seed: The same seed draws the same.
    """
    of_groups = grouped(statistics, groups)
    drawn = np.concatenate(
        [
            np.atleast_1d(aggregate(_weighed(weights, of_groups)))
            for weights in _draws(of_groups, resamples, seed)
        ]
    )
    low, high = _percentiles(drawn, level)
    return Interval(float(score(statistics, aggregate)), float(low), float(high), level)


def paired_bootstrap(
    a: Statistics,
    b: Statistics,
    aggregate: Aggregate,
    groups: NDArray[np.int64] | None = None,
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = SEED,
) -> tuple[Floats, Floats, Floats]:
    """The difference of a metric, second less first, with its percentile bootstrap interval.

    Both models are measured on each resample of the same groups (Koehn 2004; Berg-Kirkpatrick et al. 2012).

    Args:
        a: The first model's counts, each of shape (examples, …); further axes (labels) are metrics of their own.
        b: The second model's.
        aggregate: The metric.
        groups: What is drawn together.
        resamples: How often.
        level: Of the interval.
        seed: The same seed draws the same.

    Returns:
        Difference, low end, high end, each of the shape of one metric.
    """
    first, second = grouped(a, groups), grouped(b, groups)
    drawn = [
        aggregate(_weighed(weights, second)) - aggregate(_weighed(weights, first))
        for weights in _draws(first, resamples, seed)
    ]
    low, high = _percentiles(np.concatenate(drawn), level)
    return score(b, aggregate) - score(a, aggregate), low, high


def randomisation_p_value(
    a: Statistics,
    b: Statistics,
    aggregate: Aggregate,
    groups: NDArray[np.int64] | None = None,
    *,
    rounds: int = RESAMPLES,
    seed: int = SEED,
) -> float:
    """``randomisation_p_values`` of a single metric."""
    return float(randomisation_p_values(a, b, aggregate, groups, rounds=rounds, seed=seed))


def randomisation_p_values(
    a: Statistics,
    b: Statistics,
    aggregate: Aggregate,
    groups: NDArray[np.int64] | None = None,
    *,
    rounds: int = RESAMPLES,
    seed: int = SEED,
) -> Floats:
    """How often models that don't differ would differ by as much, either way.

    Approximate randomisation (Noreen 1989; Yeh 2000): the two models' outputs are swapped on a random half of the
    groups. One is added to both counts, so the least p-value is 1 / (rounds + 1).

    Args:
        a: The first model's counts, each of shape (examples, …); further axes are metrics of their own.
        b: The second model's.
        aggregate: The metric.
        groups: What is swapped together.
        rounds: How often.
        seed: The same seed draws the same.

    Returns:
        Of the shape of one metric.
    """
    first, second = grouped(a, groups), grouped(b, groups)
    count = _length(first)
    observed = np.abs(score(b, aggregate) - score(a, aggregate))
    totals = {name: (values.sum(axis=0), second[name].sum(axis=0)) for name, values in first.items()}
    gain = {name: second[name] - first[name] for name in first}
    rng = np.random.default_rng(seed)
    extreme = np.zeros(observed.shape)
    for block in _blocks(rounds, count):
        swap = rng.integers(0, 2, size=(block, count)).astype(np.float64)
        moved = _weighed(swap, gain)
        left = aggregate({name: totals[name][0] + moved[name] for name in first})
        right = aggregate({name: totals[name][1] - moved[name] for name in first})
        extreme += (np.abs(right - left) >= observed - 1e-12).sum(axis=0)
    return np.asarray((extreme + 1) / (rounds + 1))


def examples_needed(difference: float, low: float, high: float, examples: int) -> int | None:
    """How many examples would probably tell a true difference of this size from none.

    The standard error is read off a 95 % interval and falls with the square root of the examples.

    Returns:
        A total, at least ``examples``; None where there is no difference to tell or no interval.
    """
    error = (high - low) / (2 * TWO_SIDED)
    if not difference or not error or not examples:
        return None
    return max(examples, ceil(examples * (DETECTABLE * error / abs(difference)) ** 2))


def _length(statistics: Statistics) -> int:
    return len(next(iter(statistics.values())))


def _blocks(total: int, width: int) -> Iterator[int]:
    step = max(1, BLOCK // max(width, 1))
    for start in range(0, total, step):
        yield min(step, total - start)


def _draws(statistics: Statistics, resamples: int, seed: int) -> Iterator[Floats]:
    """How often each group is drawn in each resample, shape (some resamples, groups)."""
    count = _length(statistics)
    rng = np.random.default_rng(seed)
    for block in _blocks(resamples, count):
        chosen = (
            rng.integers(0, count, size=(block, count)) if count else np.zeros((block, 0), dtype=np.int64)
        )
        flat = (chosen + np.arange(block)[:, None] * count).ravel()
        yield np.bincount(flat, minlength=block * count).reshape(block, count).astype(np.float64)


def _weighed(weights: Floats, statistics: Statistics) -> dict[str, Floats]:
    return {name: np.tensordot(weights, values, axes=1) for name, values in statistics.items()}


def _percentiles(drawn: Floats, level: float) -> tuple[Floats, Floats]:
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(drawn, [tail, 100 - tail], axis=0)
    return low, high
