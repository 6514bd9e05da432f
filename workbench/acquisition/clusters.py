"""Distances, nearest neighbours and clusters of rows, in NumPy; the same result for the same seed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.acquisition.features import Rows

ITERATIONS = 10
"""Of Lloyd's algorithm at most; which examples lie nearest to the centres hardly changes after that."""

STILL = 0.005
"""Share of the rows that still change their cluster when it is good enough."""

BLOCK = 2_048
"""Rows whose distances to all others are held at once."""


def unit(rows: NDArray[Any]) -> NDArray[np.float32]:
    """Rows of length 1, float32; a row of zeros stays one. Distances of such rows run from 0 to 2."""
    values = np.asarray(rows, dtype=np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", values, values, dtype=np.float32))
    return np.asarray(values / np.maximum(lengths, np.finfo(np.float32).tiny)[:, None], dtype=np.float32)


def squared_distances(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Squared Euclidean distance of each row of ``a`` to each of ``b``, shape (rows of a, rows of b)."""
    products: NDArray[np.float32] = a @ b.T
    products *= -2.0
    products += np.einsum("ij,ij->i", a, a)[:, None]
    products += np.einsum("ij,ij->i", b, b)[None, :]
    np.maximum(products, 0.0, out=products)
    return products


def from_row(rows: NDArray[np.float32], lengths: NDArray[np.float32], row: int) -> NDArray[np.float32]:
    """Squared distance of every row to one of them, shape (rows,); ``lengths`` are the rows' own squared lengths."""
    # Not by BLAS: for so small a product it spends far longer waiting for its threads.
    products = np.einsum("ij,j->i", rows, rows[row])
    apart: NDArray[np.float32] = np.maximum(lengths + lengths[row] - 2.0 * products, 0.0)
    return apart


def nearest(a: NDArray[np.float32], b: NDArray[np.float32]) -> tuple[Rows, NDArray[np.float32]]:
    """For each row of ``a`` the nearest row of ``b`` and the squared distance to it, shape (rows of a,) each.

    Raises:
        ValueError: ``b`` has no row.
    """
    if not len(b):
        raise ValueError("there is no row to be near to")
    which = np.empty(len(a), dtype=np.int64)
    distances = np.empty(len(a), dtype=np.float32)
    for start in range(0, len(a), BLOCK):
        block = squared_distances(a[start : start + BLOCK], b)
        found = block.argmin(axis=1)
        which[start : start + len(block)] = found
        distances[start : start + len(block)] = block[np.arange(len(block)), found]
    return which, distances


def spread_out(
    rows: NDArray[np.float32], count: int, rng: np.random.Generator, first: Rows | None = None
) -> Rows:
    """Rows drawn one after another with chances as their squared distance to the nearest one drawn before.

    Arthur and Vassilvitskii (2007), k-means++: the advantages of careful seeding, SODA. Each of at most ``count`` rows
    is drawn once; where every row left coincides with one that was drawn, the lowest of them are taken.

    Args:
        rows: Shape (rows, width).
        count: How many to draw.
        rng: Drawn from once a row.
        first: Rows to begin with; by default one drawn evenly.
    """
    count = min(count, len(rows))
    if count <= 0:
        return np.empty(0, dtype=np.int64)
    chosen = [int(rng.integers(len(rows)))] if first is None else [int(row) for row in first[:count]]
    lengths = np.einsum("ij,ij->i", rows, rows)
    distances = np.full(len(rows), np.inf, dtype=np.float32)
    free = np.ones(len(rows), dtype=bool)
    for place in range(count):
        if place == len(chosen):
            chosen.append(_drawn(distances, free, rng))
        row = chosen[place]
        free[row] = False
        np.minimum(distances, from_row(rows, lengths, row), out=distances)
        distances[row] = 0.0
    return np.array(chosen, dtype=np.int64)


def _drawn(distances: NDArray[np.float32], free: NDArray[np.bool_], rng: np.random.Generator) -> int:
    heights = np.cumsum(np.where(free, distances, 0.0), dtype=np.float64)
    lot = rng.random()
    if heights[-1] <= 0:
        return int(np.flatnonzero(free)[0])
    found = int(np.searchsorted(heights, lot * heights[-1], side="right"))
    return min(found, len(distances) - 1)


def k_means(
    rows: NDArray[np.float32], count: int, rng: np.random.Generator
) -> tuple[Rows, NDArray[np.float32]]:
    """Clusters of rows by Lloyd's algorithm from a k-means++ beginning.

    Args:
        rows: Shape (rows, width).
        count: Clusters; no more than there are rows are made. One that loses its rows keeps its centre.
        rng: Of the beginning.

    Returns:
        Each row's cluster, shape (rows,), and the centres, shape (clusters, width).
    """
    centres = rows[spread_out(rows, count, rng)].copy()
    if not len(centres):
        return np.empty(0, dtype=np.int64), centres
    members = np.full(len(rows), -1, dtype=np.int64)
    for _ in range(ITERATIONS):
        found, _ = nearest(rows, centres)
        moved = int((found != members).sum())
        members = found
        if moved <= STILL * len(rows):
            break
        order = np.argsort(members, kind="stable")
        sizes = np.bincount(members, minlength=len(centres))
        held = np.flatnonzero(sizes)
        starts = (np.cumsum(sizes) - sizes)[held]
        centres[held] = np.add.reduceat(rows[order], starts, axis=0) / sizes[held, None]
    return members, centres
