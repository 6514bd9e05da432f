"""No model: every example alike. The arm that every other strategy has to beat."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.acquisition.base import STRATEGIES, Floats, Strategy, tasks_of


def random_scores(keys: NDArray[Any], seed: int) -> Floats:
    """A number in 0..1 for each key that depends on the key and the seed alone.

    The same key has the same number whatever else is in the pool and whichever database holds it, so a seed
    names one order for good. SplitMix64's finaliser over the key and a stream that the seed picks.

    Args:
        keys: Non-negative integers, shape (examples,), such as an example's position in its project.
        seed: Any integer.

    Returns:
        Shape (examples,), evenly spread over 0 (included) to 1 (excluded).
    """
    stream = _mix(np.array([seed & 0xFFFF_FFFF_FFFF_FFFF], dtype=np.uint64))
    mixed = _mix(np.asarray(keys).astype(np.uint64) + stream)
    return np.asarray((mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53, dtype=np.float64)


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


RANDOM = STRATEGIES.add(
    "random",
    Strategy(
        name="random",
        title="Random",
        sentence="Takes examples by lot. Needs no model: right for the first round, and the yardstick later.",
        formula="u(seed, example), uniform on [0, 1)",
        bounds="0 to 1",
        cost="nothing: no model is asked",
        paper="the baseline of Settles (2009), Active Learning Literature Survey",
        tasks=tasks_of(None, None),
    ),
)
