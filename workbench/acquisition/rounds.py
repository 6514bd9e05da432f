"""A set that is chosen until somebody has enough of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workbench.acquisition.base import Chosen, SetView, Strategy
from workbench.acquisition.features import Features

MOST_WEIGHED = 5_000
"""Candidates that a set is chosen from at most: seconds of clustering become a fraction of one."""


SMALLER = 10
"""The second set is a tenth of the first: it makes up for what was left out of that. Then each is twice the last."""


def choose_in_rounds(strategy: Strategy, view: SetView, count: int, seed: int) -> Iterator[list[Chosen]]:
    """The candidates that a strategy chooses, the one to ask first at the front, until all of them are chosen.

    How many of a set a budget in words takes, or how many near-duplicates are left out of it, is known only when it is
    chosen: when one set is used up, a smaller one is chosen from the rest, as though the first were labeled.

    Args:
        strategy: One that chooses sets.
        view: The candidates.
        count: Examples that are probably wanted, 1 or more.
        seed: Any integer.

    Raises:
        ValueError: The strategy chooses no sets.
    """
    if strategy.choose is None:
        raise ValueError(f"{strategy.name} chooses no sets")
    rng = np.random.default_rng(seed & 0xFFFF_FFFF_FFFF_FFFF)
    left = np.arange(len(view.features))
    known = view.known
    for wanted in _sizes(max(1, count)):
        if not len(left):
            return
        part = SetView(view.features.take(left), known, view.scores[left])
        chosen = strategy.choose(part, wanted, rng)
        yield [item._replace(row=int(left[item.row])) for item in chosen]
        rows = np.array([item.row for item in chosen], dtype=np.int64)
        taken = part.features.take(rows)
        known = Features.joined([known, taken]) if len(known) else taken
        left = np.delete(left, rows)


def _sizes(count: int) -> Iterator[int]:
    yield count
    size = max(1, count // SMALLER)
    while True:
        yield size
        size *= 2
