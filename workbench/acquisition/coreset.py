"""Examples that lie far from everything labeled so far."""

from __future__ import annotations

import numpy as np

from workbench.acquisition.base import STRATEGIES, Chosen, SetView, Strategy, tasks_of
from workbench.acquisition.clusters import from_row, nearest, unit


def k_center(view: SetView, count: int, rng: np.random.Generator) -> list[Chosen]:
    """Again and again the example that is farthest from everything labeled or chosen (greedy k-center).

    Formula: ``argmax_i min_j |z_i - z_j|`` over embeddings of length 1, j running over what is labeled, in a batch or
    chosen before. Score: that distance. Range 0..2; it never rises along a batch. Where nothing is labeled, the first
    is the one nearest to the mean. Cost: O(candidates x (labeled + chosen) x width).
    Paper: Sener and Savarese (2018), Active learning for convolutional neural networks: a core-set approach, ICLR.
    """
    points = unit(view.features.embeddings)
    count = min(count, len(points))
    if not count:
        return []
    lengths = np.einsum("ij,ij->i", points, points)
    chosen: list[Chosen] = []
    free = np.ones(len(points), dtype=bool)
    if len(view.known):
        _, distances = nearest(points, unit(view.known.embeddings))
    else:
        middle = points.mean(axis=0, keepdims=True)
        first = int(((points - middle) ** 2).sum(axis=1).argmin())
        free[first] = False
        chosen.append(Chosen(first, 2.0, "the most ordinary example, for nothing is labeled yet"))
        distances = from_row(points, lengths, first)
    while len(chosen) < count:
        row = int(np.where(free, distances, -1.0).argmax())
        distance = float(np.sqrt(distances[row]))
        chosen.append(
            Chosen(row, distance, f"distance {distance:.2f} to the nearest labeled or chosen example")
        )
        free[row] = False
        np.minimum(distances, from_row(points, lengths, row), out=distances)
    return chosen


STRATEGIES.add(
    "coreset",
    Strategy(
        name="coreset",
        title="Farthest from the labeled (core-set)",
        sentence="Asks for what is least like anything labeled so far: nothing in the pool stays far from a label.",
        formula="argmax_i min_j |z_i - z_j|, j over what is labeled or chosen",
        bounds="0 to 2",
        cost="distances of at most 5,000 candidates to what is labeled, by lot where the pool is larger",
        paper="Sener and Savarese (2018), Active Learning for Convolutional Neural Networks: A Core-Set Approach",
        choose=k_center,
        reads=frozenset({"embeddings"}),
        tasks=tasks_of(None, None),
    ),
)
