"""Learning curves: how well a model does against what its labels cost.

A curve is a pair of arrays: costs, rising (words, examples or annotator seconds), and the metric at each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]
Curve: TypeAlias = tuple[Floats, Floats]

STUDENT = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
"""97.5 % quantiles of Student's t with 1, 2, … degrees of freedom; with more than the last, that of the last serves."""

NORMAL = 1.96


@dataclass(frozen=True, slots=True)
class Spread:
    """A mean over repetitions with its 95 % interval; the ends are None where there is one repetition only."""

    mean: float
    low: float | None
    high: float | None
    count: int


def curve(costs: ArrayLike, values: ArrayLike) -> Curve:
    """Arrays of a curve, checked.

    Raises:
        ValueError: They are empty, of different lengths or not numbers, or a cost does not rise.
    """
    x, y = np.asarray(costs, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or not len(x):
        raise ValueError(f"shapes {x.shape} and {y.shape} are no curve")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("a curve holds numbers only")
    if any(before >= after for before, after in pairwise(x.tolist())):
        raise ValueError("costs must rise")
    return x, y


def area_under(found: Curve, low: float, high: float) -> float:
    """Mean height of a curve between two costs, by the trapezoid rule; beyond its ends it goes on level.

    Comparable over curves where all are measured between the same costs. The range is that of the metric.

    Raises:
        ValueError: ``low`` is not below ``high``.

    >>> area_under(curve([0, 10], [0.0, 1.0]), 0, 10)
    0.5
    """
    if not low < high:
        raise ValueError(f"there is nothing between {low} and {high}")
    x, y = found
    inside = x[(x > low) & (x < high)]
    at = np.concatenate([[low], inside, [high]])
    return float(np.trapezoid(np.interp(at, x, y), at) / (high - low))


def cost_to_reach(found: Curve, target: float) -> float | None:
    """The cost from which a curve has reached a target, on the line between two points; None where it never does.

    The first crossing counts, even where the curve falls below the target again: at that cost there was a model
    as good as that.
    """
    x, y = found
    reached = np.flatnonzero(y >= target)
    if not len(reached):
        return None
    first = int(reached[0])
    if first == 0:
        return float(x[0])
    share = (target - y[first - 1]) / (y[first] - y[first - 1])
    return float(x[first - 1] + share * (x[first] - x[first - 1]))


def spread(values: Sequence[float]) -> Spread:
    """Mean of repetitions with its interval by Student's t. Raises ValueError where there are none."""
    if not values:
        raise ValueError("there is nothing to average")
    array = np.asarray(values, dtype=np.float64)
    mean, count = float(array.mean()), len(array)
    if count == 1:
        return Spread(mean, None, None, 1)
    quantile = STUDENT[min(count - 1, len(STUDENT)) - 1]
    half = quantile * float(array.std(ddof=1)) / sqrt(count)
    return Spread(mean, mean - half, mean + half, count)


def mean_curve(curves: Sequence[Curve], points: int = 60) -> list[tuple[float, Spread]]:
    """Several seeds' curves as one: (cost, spread) at even steps over the costs that all of them cover.

    Returns:
        Empty where there is no curve or no cost that all cover; a single item where they share one cost.
    """
    if not curves:
        return []
    low = max(float(x[0]) for x, _ in curves)
    high = min(float(x[-1]) for x, _ in curves)
    if low > high:
        return []
    grid = np.linspace(low, high, points) if low < high else np.array([low])
    rows = np.array([np.interp(grid, x, y) for x, y in curves])
    return [(float(at), spread(rows[:, index].tolist())) for index, at in enumerate(grid)]
