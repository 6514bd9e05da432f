"""The most doubtful example of each kind: uncertainty and variety at once."""

from __future__ import annotations

import numpy as np

from workbench.acquisition.base import STRATEGIES, Chosen, SetView, Strategy, tasks_of
from workbench.acquisition.clusters import k_means, unit

SHORTLIST = 10
"""Candidates for each example wanted: of the others the model is too sure to be worth a place."""


def doubtful_of_each_cluster(view: SetView, count: int, rng: np.random.Generator) -> list[Chosen]:
    """K-means over the most doubtful candidates, and of each cluster the most doubtful.

    Formula: the candidates with the ``10 * n`` highest margin scores fall into ``n`` clusters of k-means over
    embeddings of length 1; of each the highest score is taken. Score: that margin score. Range 0..1. Cost: k-means over
    10 n rows.
    Paper: Zhdanov (2019), Diverse mini-batch active learning (without its weights in k-means).
    """
    shortlist = np.argsort(-view.scores, kind="stable")[: SHORTLIST * max(count, 0)]
    members, centres = k_means(unit(view.features.embeddings[shortlist]), count, rng)
    found: list[Chosen] = []
    for cluster in range(len(centres)):
        places = np.flatnonzero(members == cluster)
        if len(places):
            row = int(shortlist[places[0]])  # the shortlist is in the order of the scores
            doubtful = f"{len(places)} doubtful example{'s' if len(places) > 1 else ''}"
            why = f"the smallest margin among the {doubtful} of cluster {cluster + 1} of {len(centres)}"
            found.append(Chosen(row, float(view.scores[row]), why))
    found.sort(key=lambda item: (-item.score, item.row))
    return found


STRATEGIES.add(
    "clustered-margin",
    Strategy(
        name="clustered-margin",
        title="Doubtful, one of each kind",
        sentence="Groups the examples that the model is least sure of and takes the most doubtful one of each group.",
        formula="argmax of the margin score in each of n clusters of the 10 n most doubtful",
        bounds="0 to 1",
        cost="k-means over ten times as many candidates as examples are wanted, 5,000 at most",
        paper="after Zhdanov (2019), Diverse Mini-Batch Active Learning",
        choose=doubtful_of_each_cluster,
        reads=frozenset({"embeddings"}),
        guide="margin",
        tasks=tasks_of(None, None),
    ),
)
