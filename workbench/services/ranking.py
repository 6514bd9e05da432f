"""Candidates in the order in which a strategy asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from workbench.acquisition import (
    MOST_WEIGHED,
    Features,
    SetView,
    Strategy,
    choose_in_rounds,
    random_scores,
)
from workbench.domain import Project
from workbench.evidence.cost import Cost
from workbench.services.labelmaps import mapped_predictions
from workbench.services.orders import by_lot, by_noisy_score, by_pool_score, by_score
from workbench.services.picking import chunk_sizes
from workbench.services.selectionrules import Sources
from workbench.storage.candidates import Candidate, Filters
from workbench.storage.store import Transaction
from workbench.tasks import get_task

MOST_KNOWN = 20_000
"""Labeled examples that candidates are held against at most, drawn by lot: more would take seconds."""

PAGE = 2_500
"""Candidates that are read at a time where thousands are weighed against each other."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a ranking goes by.

    Attributes:
        project: The project.
        strategy: The strategy.
        sources: What it reads.
        filters: What the choice is narrowed to.
        seed: Of everything drawn by lot.
        draw: Which batch of the project it is for, so that the noise is not that of another.
        noise: Strength of the noise on scores.
        size: The budget, in ``unit``.
        unit: ``examples``, ``words`` or ``seconds``.
        cost: What seconds are predicted by.
    """

    project: Project
    strategy: Strategy
    sources: Sources
    filters: Filters
    seed: int
    draw: int
    noise: float
    size: int
    unit: str
    cost: Cost


def in_order(tx: Transaction, asked: Question) -> Iterator[tuple[Candidate, bool]]:
    """Candidates best first, each with whether a labeled example has the same content."""
    if asked.strategy.choose is None:
        pages = _narrowed(tx, asked, _pages(tx, asked, chunk_sizes(asked.size, asked.unit)))
    else:
        pages = _sets(tx, asked)
    yield from with_twins(tx, asked.project, pages)


def with_twins(
    tx: Transaction, project: Project, pages: Iterable[list[Candidate]]
) -> Iterator[tuple[Candidate, bool]]:
    """Candidates, each with whether a labeled example has the same content."""
    for page in pages:
        hashes = [candidate.content_hash for candidate in page]
        taken = tx.batches.candidates.taken_hashes(project.id, hashes)
        yield from ((candidate, candidate.content_hash in taken) for candidate in page)


def _pages(tx: Transaction, asked: Question, sizes: Iterator[int]) -> Iterator[list[Candidate]]:
    """By the strategy's own scores, or where it chooses sets by its guide's, or else by lot."""
    strategy, version, filters, seed = asked.strategy, asked.sources.version, asked.filters, asked.seed
    noise = asked.noise or strategy.noise
    if strategy.over_pool is not None:
        assert version is not None and asked.sources.features is not None
        features = asked.sources.features
        return by_pool_score(tx, asked.project.id, version.id, strategy, features, filters, sizes)
    if strategy.scored_by and version is not None:
        if noise:
            return by_noisy_score(
                tx,
                version.id,
                strategy.scored_by,
                filters,
                sizes,
                seed=seed,
                strength=noise,
                draw=asked.draw,
            )
        return by_score(tx, version.id, strategy.scored_by, filters, sizes)
    return by_lot(tx, asked.project.id, version.id if version else None, filters, seed, sizes)


def _narrowed(
    tx: Transaction, asked: Question, pages: Iterable[list[Candidate]]
) -> Iterator[list[Candidate]]:
    """Without those in which the version does not see the label after all that the filter names."""
    label, version = asked.filters.label, asked.sources.version
    task = get_task(asked.project.task)
    for page in pages:
        if not label or version is None:
            yield page
            continue
        examples = tx.examples.by_ids([candidate.id for candidate in page])
        contents = {example.id: example.content for example in examples}
        said = mapped_predictions(tx, asked.project, version, contents)
        yield [
            candidate
            for candidate in page
            if candidate.id in said and label in task.labels_in(said[candidate.id].payload)
        ]


def _sets(tx: Transaction, asked: Question) -> Iterator[list[Candidate]]:
    """What a strategy chooses of some thousands of candidates, then of the next thousands, until none are left."""
    store = asked.sources.features
    assert store is not None
    known = _known(tx, asked)
    pages = _narrowed(tx, asked, _pages(tx, asked, _always(PAGE)))
    weighed: list[Candidate] = []
    for page in pages:
        holds = store.holds(np.array([candidate.id for candidate in page], dtype=np.int64))
        weighed += [candidate for candidate, there in zip(page, holds, strict=True) if there]
        if len(weighed) >= MOST_WEIGHED:
            yield from _chosen(asked, weighed[:MOST_WEIGHED], known)
            weighed = weighed[MOST_WEIGHED:]
    if weighed:
        yield from _chosen(asked, weighed, known)


def _known(tx: Transaction, asked: Question) -> Features:
    """Features of what is labeled or in a batch."""
    store = asked.sources.features
    assert store is not None
    ids = tx.batches.candidates.covered(asked.project.id)
    ids = ids[store.holds(ids)]
    if len(ids) > MOST_KNOWN:
        ids = ids[np.argsort(random_scores(ids, asked.seed), kind="stable")[:MOST_KNOWN]]
    return store.take(ids, asked.strategy.reads)


def _chosen(asked: Question, weighed: list[Candidate], known: Features) -> Iterator[list[Candidate]]:
    store = asked.sources.features
    assert store is not None
    ids = np.array([candidate.id for candidate in weighed], dtype=np.int64)
    scores = np.array([candidate.score or 0.0 for candidate in weighed])
    view = SetView(store.take(ids, asked.strategy.reads), known, scores)
    for chosen in choose_in_rounds(asked.strategy, view, _wanted(asked, weighed), asked.seed):
        yield [replace(weighed[item.row], score=item.score, why=item.why) for item in chosen]


def _wanted(asked: Question, weighed: list[Candidate]) -> int:
    """How many examples the budget probably takes."""
    words = sum(candidate.words for candidate in weighed) / len(weighed)
    each = {
        "examples": 1.0,
        "words": max(words, 1.0),
        "seconds": max(asked.cost.seconds(1, round(words)), 0.1),
    }
    return min(len(weighed), max(1, round(asked.size / each[asked.unit])))


def _always(size: int) -> Iterator[int]:
    while True:
        yield size
