"""Noise on scores, so that a batch is not the same kind of example over and over."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.acquisition.base import TINY, Floats
from workbench.acquisition.random_order import random_scores

NOISE_SEED, NEXT_DRAW = 2_000_003, 1_000_000_007
"""Added to the seed: the noise must not be the lots of the strategy ``random``, by which a first batch was drawn and so
took the examples with the highest ones, nor that of the batch before, which took the best of its own."""


def noisy_scores(
    scores: NDArray[Any], keys: NDArray[Any], seed: int, strength: float = 1.0, draw: int = 0
) -> Floats:
    """Logarithms of scores with Gumbel noise; their order replaces that of the scores.

    Formula: ``log s + strength * g`` with ``g = -log(-log u)``, u uniform on (0, 1) for seed, draw and key. The first
    k by it are drawn without replacement with chances proportional to ``s^(1 / strength)``: with strength 1 "power"
    acquisition, which on the score ``bald`` is PowerBALD. Range: all real numbers. Cost: one number an example.
    Paper: Kirsch et al. (2023), Stochastic batch acquisition: a simple baseline for deep active learning, TMLR.

    Args:
        scores: 0 or more, shape (examples,).
        keys: Non-negative integers that name the examples, shape (examples,); the same one draws the same noise.
        seed: Any integer.
        strength: 0 keeps the order of the scores.
        draw: Which draw with this seed it is, 0 or more; each has noise of its own.
    """
    lots = np.maximum(random_scores(keys, seed + NOISE_SEED + draw * NEXT_DRAW), TINY)
    noise = -np.log(-np.log(lots))
    return np.asarray(np.log(np.maximum(scores, TINY)) + strength * noise, dtype=np.float64)
