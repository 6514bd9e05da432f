"""Examples that look like labeled ones, and of which the model yet says something else."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.acquisition.base import (
    STRATEGIES,
    TAGGING_TASKS,
    Chosen,
    Floats,
    SetView,
    Strategy,
)
from workbench.acquisition.clusters import BLOCK, squared_distances, unit

NEIGHBOURS = 10
"""As in the paper."""

LEAST = 1e-4
"""Stands for a share of 0: half-precision numbers hold nothing much smaller."""


def contrast(view: SetView, count: int, rng: np.random.Generator) -> list[Chosen]:
    """CAL: mean divergence of what the model says of the labeled neighbours from what it says of the example.

    Formula: ``(1 / k) * sum_l KL(q_l || q_i)`` over the k = 10 labeled examples that lie nearest to i by embeddings of
    length 1. **Aggregation for tokens:** ``q`` is the mean over an example's tokens of the class probabilities, the
    shares in which the model sees each class. Range 0 to about 9. Examples without a labeled neighbour score 0 and come
    in their order. Cost: O(candidates x labeled x width).
    Paper: Margatina et al. (2021), Active learning by acquiring contrastive examples, EMNLP.
    """
    scores, distances = divergences(view)
    order = np.argsort(-scores, kind="stable")[: max(count, 0)]
    asked = min(NEIGHBOURS, len(view.known))
    why = f"of its {asked} nearest labeled examples the model says something else"
    return [
        Chosen(
            int(row),
            float(scores[row]),
            f"{why}: divergence {scores[row]:.2f}, distance {distances[row]:.2f}"
            if asked
            else "nothing is labeled that it could be held against",
        )
        for row in order
    ]


def divergences(view: SetView) -> tuple[Floats, Floats]:
    """Each candidate's score and its distance to the nearest labeled example, shape (candidates,) each."""
    scores, distances = np.zeros(len(view.features)), np.zeros(len(view.features))
    neighbours = min(NEIGHBOURS, len(view.known))
    if not neighbours or not len(view.features):
        return scores, distances
    points, known = unit(view.features.embeddings), unit(view.known.embeddings)
    said, told = _shares(view.features.classes), _shares(view.known.classes)
    negative_entropy = (told * np.log(told)).sum(axis=1)
    for start in range(0, len(points), BLOCK):
        rows = slice(start, start + BLOCK)
        apart = squared_distances(points[rows], known)
        near = np.argpartition(apart, neighbours - 1, axis=1)[:, :neighbours]
        cross = np.einsum("ikc,ic->ik", told[near], np.log(said[rows]))
        scores[rows] = np.maximum(negative_entropy[near] - cross, 0.0).mean(axis=1)
        distances[rows] = np.sqrt(np.take_along_axis(apart, near, axis=1).min(axis=1))
    return scores, distances


def _shares(classes: NDArray[Any]) -> Floats:
    values = np.maximum(np.asarray(classes, dtype=np.float64), LEAST)
    return np.asarray(values / values.sum(axis=1, keepdims=True), dtype=np.float64)


STRATEGIES.add(
    "cal",
    Strategy(
        name="cal",
        title="Unlike its labeled neighbours (CAL)",
        sentence="Asks for examples that resemble labeled ones, but of which the model says something else.",
        formula="(1/k) Σ_l KL(q_l ‖ q_i) over the k = 10 nearest labeled examples l; q: mean class probabilities",
        bounds="0 to about 9",
        cost="distances of at most 5,000 candidates to what is labeled, by lot where the pool is larger",
        paper="Margatina et al. (2021), Active Learning by Acquiring Contrastive Examples",
        choose=contrast,
        reads=frozenset({"embeddings", "classes"}),
        tasks=TAGGING_TASKS,
    ),
)
