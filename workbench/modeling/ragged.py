"""Rows of unequal length in one flat array, and the batches that are made of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Ragged:
    """Rows one after another.

    Attributes:
        values: All rows, shape (items, …).
        bounds: Row ``i`` is ``values[bounds[i]:bounds[i + 1]]``; shape (rows + 1,).
    """

    values: NDArray[Any]
    bounds: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Sequence[Any], dtype: Any = np.int64) -> Ragged:
        """From a sequence of sequences of numbers."""
        values = (
            np.concatenate([np.asarray(row, dtype=dtype) for row in rows]) if rows else np.empty(0, dtype)
        )
        return cls(values, bounds_of([len(row) for row in rows]))

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def __getitem__(self, row: int) -> NDArray[Any]:
        return self.values[self.bounds[row] : self.bounds[row + 1]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Items of each row."""
        return np.diff(self.bounds)

    def indices(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where the items of the given rows stand in ``values``, row after row."""
        starts = self.bounds[rows]
        return ranges(starts, self.bounds[rows + 1] - starts)

    def padded(self, rows: NDArray[np.int64], fill: int, *, left: bool = False) -> NDArray[Any]:
        """The rows as a rectangle as wide as the longest, filled up on the right (or left)."""
        lengths = self.lengths[rows]
        width = int(lengths.max(initial=0))
        places = np.arange(width)[None, :]
        held = places >= width - lengths[:, None] if left else places < lengths[:, None]
        box = np.full((len(rows), width), fill, dtype=self.values.dtype)
        box[held] = self.values[self.indices(rows)]
        return box

    def mask(self, rows: NDArray[np.int64], *, left: bool = False) -> NDArray[np.int64]:
        """1 where ``padded`` holds an item, else 0."""
        lengths = self.lengths[rows]
        width = int(lengths.max(initial=0))
        places = np.arange(width)[None, :]
        held = places >= width - lengths[:, None] if left else places < lengths[:, None]
        return held.astype(np.int64)


def bounds_of(lengths: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Running sums that begin with 0."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.asarray(lengths, dtype=np.int64))])


def ranges(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """``start, start + 1, …`` of each pair, one after another.

    >>> ranges(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.asarray(np.arange(total) + np.repeat(starts - (ends - lengths), lengths), dtype=np.int64)


def budget_batches(lengths: NDArray[np.int64], budget: int) -> Iterator[NDArray[np.int64]]:
    """Rows in batches of alike length, the longest first, each of at most ``budget`` padded items (or one row).

    Rows of one length that fill a third of a batch have batches of their own, of one size: nothing is padded there, and
    attention needs no mask. Fewer are joined by those that are next in length.
    """
    order = np.argsort(-lengths, kind="stable")
    ascending = -lengths[order]
    start = 0
    while start < len(order):
        length = max(1, -int(ascending[start]))
        size = max(1, budget // length)
        alike = int(np.searchsorted(ascending, ascending[start], side="right")) - start
        if alike * length >= budget // 3:
            size = math.ceil(alike / math.ceil(alike / size))
        yield order[start : start + size]
        start += size


def training_batches(
    lengths: NDArray[np.int64], batch_size: int, rng: np.random.Generator, *, pool: int = 200
) -> list[NDArray[np.int64]]:
    """Every row once, in batches of ``batch_size`` rows of alike length, in random order.

    Rows are shuffled, cut into pools of ``pool`` batches, sorted by length within each and cut into batches,
    whose order is shuffled again: little padding, and still a random order of everything.
    """
    order = rng.permutation(len(lengths))
    batches: list[NDArray[np.int64]] = []
    for start in range(0, len(order), batch_size * pool):
        part = order[start : start + batch_size * pool]
        part = part[np.argsort(lengths[part], kind="stable")]
        batches += [part[at : at + batch_size] for at in range(0, len(part), batch_size)]
    return [batches[index] for index in rng.permutation(len(batches))]
