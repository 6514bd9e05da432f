"""Noise on scores, so that a batch is not the same kind of example over and over."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.acquisition.base import TINY, Floats
from workbench.acquisition.random_order import random_scores


def noisy_scores(scores: NDArray[Any], keys: NDArray[Any], seed: int, strength: float = 1.0) -> Floats:
    """Logarithms of scores with Gumbel noise; their order replaces that of the scores.

    Formula: ``log s + strength * g`` with ``g = -log(-log u)``, u uniform on (0, 1) for the seed and the key. The first
    k by it are drawn without replacement with chances proportional to ``s^(1 / strength)``: with strength 1 "power"
    acquisition, which on the score ``bald`` is PowerBALD. Range: all real numbers. Cost: one number an example.
    Paper: Kirsch et al. (2023), Stochastic batch acquisition: a simple baseline for deep active learning, TMLR.

    Args:
        scores: 0 or more, shape (examples,).
        keys: Non-negative integers that name the examples, shape (examples,); the same one draws the same noise.
        seed: Any integer.
        strength: 0 keeps the order of the scores.
    """
    lots = np.maximum(random_scores(keys, seed), TINY)
    noise = -np.log(-np.log(lots))
    return np.asarray(np.log(np.maximum(scores, TINY)) + strength * noise, dtype=np.float64)
