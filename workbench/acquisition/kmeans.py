"""One example from the middle of each kind of example that the pool holds."""

from __future__ import annotations

import numpy as np

from workbench.acquisition.base import STRATEGIES, Chosen, SetView, Strategy, tasks_of
from workbench.acquisition.clusters import k_means, squared_distances, unit


def nearest_to_centres(view: SetView, count: int, rng: np.random.Generator) -> list[Chosen]:
    """As many clusters as examples are wanted, and of each the example nearest to its centre; large clusters first.

    Formula: ``argmin_i |z_i - m_k|`` for each centre ``m_k`` of k-means (Lloyd from a k-means++ beginning) over
    embeddings of length 1. Score: the cluster's share of the candidates. Range 0..1. Cost: O(candidates x clusters x
    width) an iteration, 10 iterations at most.
    Paper: Xu, Akella and Zhang (2007), Incorporating diversity and density in active learning for relevance feedback,
    ECIR; with a model's embeddings Yuan, Lin and Boyd-Graber (2020), Cold-start active learning, EMNLP.
    """
    points = unit(view.features.embeddings)
    members, centres = k_means(points, count, rng)
    found: list[Chosen] = []
    for cluster in range(len(centres)):
        rows = np.flatnonzero(members == cluster)
        if len(rows):
            distances = squared_distances(points[rows], centres[cluster : cluster + 1])[:, 0]
            best = int(distances.argmin())
            why = (
                f"nearest to the middle of cluster {cluster + 1} of {len(centres)}, which holds {len(rows):,} of "
                f"{len(points):,} examples; distance {np.sqrt(distances[best]):.2f}"
            )
            found.append(Chosen(int(rows[best]), len(rows) / len(points), why))
    found.sort(key=lambda item: (-item.score, item.row))
    return found


STRATEGIES.add(
    "kmeans",
    Strategy(
        name="kmeans",
        title="One of each kind (k-means)",
        sentence="Groups the texts by what they are like and takes the most ordinary one of each group.",
        formula="argmin_i |z_i - m_k| for each centre m_k of k-means over the embeddings z",
        bounds="0 to 1: the share of the candidates that the group holds",
        cost="k-means over at most 5,000 candidates when a batch is chosen, by lot where the pool is larger",
        paper="Xu et al. (2007), Incorporating Diversity and Density in Active Learning; Yuan et al. (2020)",
        choose=nearest_to_centres,
        reads=frozenset({"embeddings"}),
        tasks=tasks_of(None, None),
    ),
)
