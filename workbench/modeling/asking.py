"""What strategies ask for next of a pool in memory: the same pass, scores and sets as on a project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.acquisition import (
    MOST_WEIGHED,
    STRATEGIES,
    Features,
    SetView,
    Strategy,
    choose_in_rounds,
    noisy_scores,
    random_scores,
    score_answers,
    score_tagging_batch,
)
from workbench.domain import ExampleText
from workbench.modeling.predict import ANSWER_CHUNK, TAGGING_CHUNK, Predictor
from workbench.reporting import Reporter
from workbench.tasks import AnswerTask


@dataclass(frozen=True, slots=True)
class Pool:
    """Labeled examples that are replayed as a pool.

    Attributes:
        contents: The examples.
        words: Of each, as an import counts them, shape (examples,).
        near: A key that near-duplicates share.
    """

    contents: Sequence[ExampleText]
    words: NDArray[np.int64]
    near: Sequence[str]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a model's pass over the pool left: scores by strategy and features of all examples that were read.

    Attributes:
        rest: Indices of the unlabeled examples, rising.
        scores: By strategy, beside ``rest``.
        features: Of the whole pool, zeros where nothing was read; without columns where no strategy reads them.
    """

    rest: NDArray[np.int64]
    scores: Mapping[str, NDArray[np.float64]]
    features: Features


def read_pool(
    predictor: Predictor, pool: Pool, labeled: Sequence[int], names: Iterable[str], reporter: Reporter
) -> Seen:
    """One pass over what is unlabeled; and over what is labeled, where a strategy holds the others against it.

    Args:
        predictor: The model.
        pool: The examples.
        labeled: Indices of those that are labeled.
        names: Of the strategies that will be asked.
        reporter: Asked whether to stop.
    """
    strategies = [STRATEGIES[name] for name in names]
    scored = sorted({strategy.scored_by for strategy in strategies} - {""})
    reads = frozenset[str]().union(*(strategy.reads for strategy in strategies))
    everything = np.arange(len(pool.contents))
    rest = np.setdiff1d(everything, np.asarray(labeled, dtype=np.int64))
    if not scored and not reads:
        return Seen(rest, {}, Features.nothing(len(everything)))
    rows = everything if reads else rest
    scores = {name: np.zeros(len(everything)) for name in scored}
    parts: list[Features] = []
    size = ANSWER_CHUNK if isinstance(predictor.model.task, AnswerTask) else TAGGING_CHUNK
    for start in range(0, len(rows), size):
        reporter.check()
        part = rows[start : start + size]
        found, features = _read(predictor, [pool.contents[row] for row in part], scored, bool(reads))
        for name, values in found.items():
            scores[name][part] = values
        if features is not None:
            parts.append(features)
    features = Features.joined(parts) if parts else Features.nothing(len(everything))
    return Seen(rest, {name: values[rest] for name, values in scores.items()}, features)


def _read(
    predictor: Predictor, contents: Sequence[ExampleText], names: Sequence[str], features: bool
) -> tuple[dict[str, NDArray[np.float64]], Features | None]:
    if isinstance(predictor.model.task, AnswerTask):
        told = predictor.answer(contents, untempered=bool(names), features=features)
        each = [
            score_answers(names, said, *logits.probabilities())
            for said, logits in zip(told.untempered, told.logits, strict=True)
        ]
        return {name: np.array([one[name] for one in each]) for name in names}, told.features
    opinions = any(STRATEGIES[name].reads_disagreement for name in names)
    seen = predictor.tag(contents, disagreement=opinions, features=features)
    scores = score_tagging_batch(names, seen.probabilities, seen.offsets, seen.disagreement)
    return scores, seen.features


def asked_for(
    strategy: Strategy, pool: Pool, seen: Seen, labeled: Sequence[int], seed: int, batch_words: int
) -> Iterator[int]:
    """Indices of unlabeled examples, the one to ask first at the front, until all are asked for.

    Args:
        strategy: The strategy.
        pool: The examples.
        seen: What the pass left.
        labeled: Indices of those that are labeled.
        seed: Of everything drawn by lot.
        batch_words: Words that are probably wanted.
    """
    lots = random_scores(np.arange(len(pool.contents)), seed)[seen.rest]
    scores = seen.scores[strategy.scored_by] if strategy.scored_by else lots
    if strategy.over_pool is not None:
        scores = strategy.over_pool(seen.features.take(seen.rest))
    if strategy.noise:
        scores = noisy_scores(scores, seen.rest, seed, strategy.noise, draw=len(labeled))
    order = seen.rest[np.argsort(-scores, kind="stable")]
    if strategy.choose is None:
        yield from order.tolist()
        return
    ranks = dict(zip(seen.rest.tolist(), scores.tolist(), strict=True))
    known = seen.features.take(np.asarray(labeled, dtype=np.int64))
    each = max(1.0, float(pool.words[seen.rest].mean())) if len(seen.rest) else 1.0
    for start in range(0, len(order), MOST_WEIGHED):
        part = order[start : start + MOST_WEIGHED]
        guide = np.array([ranks[index] for index in part.tolist()])
        view = SetView(seen.features.take(part), known, guide)
        for chosen in choose_in_rounds(strategy, view, round(batch_words / each), seed):
            yield from (int(part[item.row]) for item in chosen)


def take(
    order: Iterable[int], pool: Pool, labeled: Sequence[int], words: int, *, duplicates: bool
) -> list[int]:
    """Indices in their order until their words reach the budget; none labeled, no near-duplicate unless allowed."""
    taken = set(labeled)
    seen = {pool.near[index] for index in labeled}
    picks: list[int] = []
    spent = 0
    for index in order:
        if index in taken or (pool.near[index] in seen and not duplicates):
            continue
        seen.add(pool.near[index])
        picks.append(index)
        spent += int(pool.words[index])
        if spent >= words:
            break
    return picks
