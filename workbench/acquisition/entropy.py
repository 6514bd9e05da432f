"""How evenly the model spreads its belief."""

from __future__ import annotations

import numpy as np

from workbench.acquisition.base import (
    STRATEGIES,
    AnswerView,
    Floats,
    Strategy,
    TokenBatch,
    normalised_entropy,
    tasks_of,
)


def mean_entropy(batch: TokenBatch) -> Floats:
    """Mean token entropy.

    Formula: ``(1 / T) * sum_t H(p(t)) / log(classes)``. Range 0..1. Cost: O(tokens x classes).
    Paper: Settles and Craven (2008), An analysis of active learning strategies for sequence labeling tasks, EMNLP.
    """
    return batch.mean(batch.entropy)


def max_entropy(batch: TokenBatch) -> Floats:
    """Entropy of the most uncertain token.

    Formula: ``max_t H(p(t)) / log(classes)``. Range 0..1. Cost: O(tokens x classes).
    Paper: after Settles and Craven (2008), with the maximum in place of the mean.
    """
    return batch.largest(batch.entropy)


def start_end_entropy(view: AnswerView) -> float:
    """Mean of the entropies of where the answer starts and where it ends.

    Formula: ``(H(start) + H(end)) / (2 * log(positions))``. Range 0..1. Cost: O(positions).
    Paper: token entropy of Settles and Craven (2008) over positions in place of labels.
    """
    parts = [normalised_entropy(_distribution(positions)) for positions in (view.start, view.end)]
    return float(np.mean(parts))


def _distribution(positions: Floats) -> Floats:
    total = float(positions.sum())
    return positions / total if total > 0 else positions


STRATEGIES.add(
    "entropy",
    Strategy(
        name="entropy",
        title="Entropy",
        sentence="Asks where the model is unsure on average: its belief is spread over many labels or positions.",
        formula="(1/T) Σ_t H(p_t) / log(classes); for questions (H(start) + H(end)) / (2 log(positions))",
        bounds="0 to 1",
        cost="none beyond the pass over the pool",
        paper="Settles and Craven (2008), An Analysis of Active Learning Strategies for Sequence Labeling Tasks",
        tagging=mean_entropy,
        answers=start_end_entropy,
        tasks=tasks_of(mean_entropy, start_end_entropy),
    ),
)

STRATEGIES.add(
    "max-entropy",
    Strategy(
        name="max-entropy",
        title="Highest entropy",
        sentence="Asks where one word leaves the model at a loss, its belief spread over many labels.",
        formula="max_t H(p_t) / log(classes)",
        bounds="0 to 1",
        cost="none beyond the pass over the pool",
        paper="after Settles and Craven (2008), with the maximum in place of the mean",
        tagging=max_entropy,
        tasks=tasks_of(max_entropy, None),
    ),
)
