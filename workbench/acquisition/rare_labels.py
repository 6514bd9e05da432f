"""Doubt about rare labels counts more than doubt about common ones."""

from __future__ import annotations

import numpy as np

from workbench.acquisition.base import STRATEGIES, TAGGING_TASKS, TINY, Floats, Strategy
from workbench.acquisition.features import Features


def reweighted_entropy(features: Features) -> Floats:
    """Token entropy in which each class has the same weight in the pool as a whole.

    Formula: ``(1 / T) * sum_t H(p(t)) / log(classes) * sum_c w(c) p(t, c)`` with ``w(c) = 1 / (classes * f(c))``, f(c)
    being the share of the class in what the model predicts for the pool. Range 0 upwards; without any difference
    between the classes it is the score ``entropy``. Cost: O(pool x classes) when a batch is chosen.
    Paper: after Luo et al. (2023), Re-weighting tokens, Findings of EMNLP, who count classes among the labels and read
    the best class alone; here the predicted shares are read, which knows labels that nobody has given yet.
    """
    doubts = np.asarray(features.doubts, dtype=np.float64)
    if not len(doubts):
        return np.zeros(0)
    shares = np.asarray(features.classes, dtype=np.float64).mean(axis=0)
    weights = 1.0 / (doubts.shape[1] * np.maximum(shares, TINY))
    # A class that nobody sees anywhere has no doubt about it either.
    return np.asarray(doubts @ np.where(shares > 0, weights, 0.0), dtype=np.float64)


STRATEGIES.add(
    "rare-labels",
    Strategy(
        name="rare-labels",
        title="Doubts about rare labels",
        sentence="Asks where the model is unsure of labels that are rare: doubt about a common one counts less.",
        formula="(1/T) Σ_t H(p_t) / log(C) Σ_c w_c p_t(c), w_c = 1 / (C f_c), f_c: predicted share of the pool",
        bounds="0 upwards",
        cost="one product over the pool when a batch is chosen",
        paper="after Luo et al. (2023), Re-weighting Tokens",
        over_pool=reweighted_entropy,
        reads=frozenset({"classes", "doubts"}),
        tasks=TAGGING_TASKS,
    ),
)
