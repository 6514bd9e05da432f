"""Ordinary examples of kinds of which nothing is labeled: for the first batches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.acquisition.base import STRATEGIES, Chosen, Floats, SetView, Strategy, tasks_of
from workbench.acquisition.clusters import k_means, nearest, squared_distances, unit

MOST_CLUSTERS = 500
NEIGHBOURS = 20
"""Both as in the paper."""

LARGEST = 2_000
"""Members of a cluster among which neighbours are looked for."""

LEAST_DISTANCE = 1e-3
"""Of a text to its neighbours: equal texts would be infinitely typical."""


def typical_of_uncovered(view: SetView, count: int, rng: np.random.Generator) -> list[Chosen]:
    """TypiClust: the most typical example of each cluster that holds no label, the largest clusters first.

    Formula: ``1 / ((1 / K) * sum_j |z_i - z_j|)`` over the K = 20 nearest neighbours within the cluster, embeddings of
    length 1; as many clusters of k-means as examples are labeled and wanted together, 500 at most. (The paper clusters
    what is labeled too; here each labeled example counts in the cluster whose centre is nearest.) Clusters with the
    fewest labels come first, of those the largest; each example that is chosen counts as a label of its cluster.
    Range 0 to 1,000. Cost: k-means over the candidates, and distances within each cluster.
    Paper: Hacohen, Dekel and Weinshall (2022), Active learning on a budget: opposite strategies suit high and low
    budgets, ICML.
    """
    points = unit(view.features.embeddings)
    count = min(count, len(points))
    if not count:
        return []
    known = unit(view.known.embeddings) if len(view.known) else np.zeros((0, points.shape[1]), np.float32)
    clusters = min(len(known) + count, MOST_CLUSTERS)
    members, centres = k_means(points, clusters, rng)
    labels = np.bincount(nearest(known, centres)[0], minlength=len(centres))
    left = {cluster: np.flatnonzero(members == cluster) for cluster in range(len(centres))}
    left = {cluster: rows for cluster, rows in left.items() if len(rows)}
    sizes = {cluster: len(rows) for cluster, rows in left.items()}
    found: list[Chosen] = []
    while len(found) < count:
        cluster = min(left, key=lambda each: (labels[each], -sizes[each], each))
        rows = left[cluster]
        scores = typicality(points[rows])
        best = int(scores.argmax())
        held = f"{labels[cluster]} labeled" if labels[cluster] else "nothing labeled"
        apart = f"{1 / scores[best]:.2f} from its neighbours" if len(rows) > 1 else "the only one left of it"
        why = f"typical of cluster {cluster + 1} of {len(centres)} ({sizes[cluster]:,} examples, {held}): {apart}"
        found.append(Chosen(int(rows[best]), float(scores[best]), why))
        labels[cluster] += 1
        left[cluster] = np.delete(rows, best)
        if not len(left[cluster]):
            del left[cluster]
    return found


def typicality(points: NDArray[np.float32]) -> Floats:
    """One by the mean distance of each row to its nearest others, shape (rows,)."""
    step = -(-len(points) // LARGEST)
    others = points[::step]  # a cluster larger than that is thinned out evenly
    neighbours = min(NEIGHBOURS, len(others) - 1)
    if neighbours < 1:
        return np.full(len(points), 1.0 / 2.0)
    apart = squared_distances(points, others)
    # A row that is among the others is not its own neighbour.
    apart[np.arange(0, len(points), step), np.arange(len(others))] = np.inf
    near = np.sqrt(np.partition(apart, neighbours - 1, axis=1)[:, :neighbours])
    return np.asarray(1.0 / np.maximum(near.mean(axis=1), LEAST_DISTANCE), dtype=np.float64)


STRATEGIES.add(
    "typiclust",
    Strategy(
        name="typiclust",
        title="Typical examples (TypiClust)",
        sentence="For a cold start: takes an ordinary example of each group of texts of which nothing is labeled yet. "
        "The base model's embeddings will do.",
        formula="argmax_i 1 / mean_j |z_i - z_j| over 20 neighbours, in the largest clusters without a label",
        bounds="0 to 1,000",
        cost="k-means over at most 5,000 candidates, by lot where the pool is larger",
        paper="Hacohen et al. (2022), Active Learning on a Budget: Opposite Strategies Suit High and Low Budgets",
        choose=typical_of_uncovered,
        reads=frozenset({"embeddings"}),
        tasks=tasks_of(None, None),
    ),
)
