"""The order in which a strategy goes through the pool, page by page, best first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from workbench.acquisition import Strategy, noisy_scores, random_scores
from workbench.featurefiles import FeatureStore
from workbench.storage.candidates import Candidate, Filters
from workbench.storage.store import Transaction

WALK = 20_000
"""Random positions that are looked up a page at a time before the rest of the pool is read at once."""


def by_score(
    tx: Transaction, version_id: int, strategy: str, filters: Filters, sizes: Iterator[int]
) -> Iterator[list[Candidate]]:
    """Candidates by falling acquisition score; ``sizes`` says how many each page reads."""
    after: tuple[float, int] | None = None
    for limit in sizes:
        page = tx.batches.candidates.ranked(version_id, strategy, filters, limit=limit, after=after)
        yield page
        if len(page) < limit:
            return
        last = page[-1]
        assert last.score is not None
        after = (last.score, last.id)


def by_noisy_score(
    tx: Transaction,
    version_id: int,
    strategy: str,
    filters: Filters,
    sizes: Iterator[int],
    *,
    seed: int,
    strength: float,
    draw: int,
) -> Iterator[list[Candidate]]:
    """Candidates by falling score under noise; each keeps the score that it has without."""
    ids, scores = tx.models.all_scores(version_id, strategy)
    order = np.argsort(-noisy_scores(scores, ids, seed, strength, draw), kind="stable")
    yield from _in_order(tx, ids[order], scores[order], filters, sizes, version_id)


def by_pool_score(
    tx: Transaction,
    project_id: int,
    version_id: int,
    strategy: Strategy,
    features: FeatureStore,
    filters: Filters,
    sizes: Iterator[int],
) -> Iterator[list[Candidate]]:
    """Candidates by falling score of a strategy that weighs each example against the unlabeled pool.

    The features hold labeled examples too, for strategies that choose sets; they say nothing of what is still there.
    """
    assert strategy.over_pool is not None
    ids = features.ids()
    ids = ids[~np.isin(ids, tx.batches.candidates.covered(project_id))]
    scores = strategy.over_pool(features.take(ids, strategy.reads))
    order = np.lexsort((-ids, -scores))
    yield from _in_order(tx, ids[order], scores[order], filters, sizes, version_id)


def _in_order(
    tx: Transaction,
    ids: NDArray[np.int64],
    scores: NDArray[np.float64],
    filters: Filters,
    sizes: Iterator[int],
    version_id: int,
) -> Iterator[list[Candidate]]:
    start = 0
    while start < len(ids):
        part = slice(start, start + next(sizes))
        start = part.stop
        score_of = dict(zip(ids[part].tolist(), scores[part].tolist(), strict=True))
        free = tx.batches.candidates.free_among(list(score_of), filters, version_id)
        yield [replace(candidate, score=score_of[candidate.id]) for candidate in free]


def by_lot(
    tx: Transaction,
    project_id: int,
    version_id: int | None,
    filters: Filters,
    seed: int,
    sizes: Iterator[int],
) -> Iterator[list[Candidate]]:
    """Candidates in the order that a seed gives their positions: the same in every database and for any pool.

    The lots of all positions are drawn first and looked up from the highest down, so that a batch from a million
    examples reads a few hundred of them. Where few positions are free, or filters apply, the pool is read once.
    """
    candidates = tx.batches.candidates
    positions = np.arange(candidates.last_position(project_id) + 1)
    walked = np.zeros(len(positions), dtype=bool)
    if filters == Filters():
        order = np.argsort(-random_scores(positions, seed), kind="stable")[:WALK]
        start = 0
        while start < len(order):
            chunk = order[start : start + next(sizes)]
            start += len(chunk)
            yield _with_lots(candidates.at_positions(project_id, chunk.tolist()), seed)
        walked[order] = True
    if walked.all():
        return
    ids, found = candidates.keys(project_id, filters, version_id)
    ids, found = ids[~walked[found]], found[~walked[found]]
    ids = ids[np.argsort(-random_scores(found, seed), kind="stable")]
    start = 0
    while start < len(ids):
        chunk = ids[start : start + next(sizes)]
        start += len(chunk)
        yield _with_lots(candidates.by_ids(chunk.tolist()), seed)


def _with_lots(page: Sequence[Candidate], seed: int) -> list[Candidate]:
    lots = random_scores(np.array([candidate.position for candidate in page], dtype=np.int64), seed)
    return [replace(candidate, score=float(lot)) for candidate, lot in zip(page, lots, strict=True)]
