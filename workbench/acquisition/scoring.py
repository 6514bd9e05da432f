"""Scores by several strategies from one pass of a model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.acquisition.base import STRATEGIES, AnswerView, Floats, Strategy, TokenBatch
from workbench.domain import Prediction
from workbench.errors import InvalidInput

ORDER = (
    "mnlp",
    "margin",
    "entropy",
    "least-confidence",
    "min-probability",
    "max-entropy",
    "bald",
    "power-bald",
    "no-answer-distance",
    "badge",
    "clustered-margin",
    "rare-labels",
    "cal",
    "coreset",
    "kmeans",
    "typiclust",
    "random",
)
"""The order in which people are shown them; any other follows by name."""


def strategies_for(task: str) -> tuple[Strategy, ...]:
    """Strategies that serve a task type, the ones to try first at the front, ``random`` after the model-based."""
    return in_order(strategy for _, strategy in STRATEGIES.items() if task in strategy.tasks)


def in_order(strategies: Iterable[Strategy]) -> tuple[Strategy, ...]:
    """Strategies as people are shown them."""
    rank = {name: index for index, name in enumerate(ORDER)}
    return tuple(sorted(strategies, key=lambda strategy: (rank.get(strategy.name, len(rank)), strategy.name)))


def single_pass(task: str) -> tuple[str, ...]:
    """Names of the strategies that one pass over the pool can score for a task type."""
    return tuple(strategy.name for strategy in strategies_for(task) if strategy.scores_examples)


def score_tagging(names: Iterable[str], probabilities: NDArray[Any]) -> dict[str, float]:
    """Scores of one example.

    Args:
        names: Strategies that read token probabilities.
        probabilities: Shape (tokens, classes).

    Raises:
        UnknownName: There is no such strategy.
        InvalidInput: A strategy reads something else, or a probability is not a number.
    """
    offsets = np.array([0, len(probabilities)])
    return {
        name: float(scores[0]) for name, scores in score_tagging_batch(names, probabilities, offsets).items()
    }


def score_tagging_batch(
    names: Iterable[str],
    probabilities: NDArray[Any],
    offsets: NDArray[Any],
    disagreement: NDArray[Any] | None = None,
) -> dict[str, Floats]:
    """Scores of many examples at once, without a loop over them.

    Args:
        names: Strategies that read token probabilities.
        probabilities: Shape (total tokens, classes): the tokens of all examples, one after another.
        offsets: Shape (examples + 1,): tokens ``offsets[i]:offsets[i + 1]`` are example ``i``'s.
        disagreement: Shape (total tokens,), for strategies that read it.

    Returns:
        For each name the scores, shape (examples,), higher = ask first; an example without tokens scores 0.

    Raises:
        UnknownName: There is no such strategy.
        InvalidInput: A strategy reads something else, or a probability is not a number.
    """
    batch = TokenBatch(probabilities, offsets, disagreement)
    _refuse_nan(batch.best)
    _refuse_nan(batch.disagreement)
    result: dict[str, Floats] = {}
    for name in names:
        scorer = STRATEGIES[name].tagging
        if scorer is None:
            raise InvalidInput(
                f"the strategy {name!r} reads no token probabilities",
                remedy=f"choose from {', '.join(single_pass('ner'))}",
            )
        result[name] = scorer(batch)
    return result


def class_features(probabilities: NDArray[Any], offsets: NDArray[Any]) -> tuple[Floats, Floats]:
    """What ``Features`` keeps of the classes: ``classes`` and ``doubts``, shape (examples, classes) each.

    Args:
        probabilities: Shape (total tokens, classes).
        offsets: Shape (examples + 1,), as of ``score_tagging_batch``.
    """
    batch = TokenBatch(probabilities, offsets)
    doubts = batch.probabilities * batch.entropy[:, None]
    means = [
        np.stack([batch.mean(column) for column in values.T], axis=1)
        for values in (batch.probabilities, doubts)
    ]
    return means[0], means[1]


def score_answers(
    names: Iterable[str], prediction: Prediction, start: NDArray[Any], end: NDArray[Any]
) -> dict[str, float]:
    """Scores of one question.

    Args:
        names: Strategies that read answer probabilities.
        prediction: Decoded at temperature 1, with its n-best answers.
        start: Probabilities over the candidate positions of all windows, CLS first, shape (positions,).
        end: The same for the answer's end.

    Raises:
        UnknownName: There is no such strategy.
        InvalidInput: A strategy reads something else, or a probability is not a number.
    """
    view = AnswerView(prediction, np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64))
    _refuse_nan(view.start)
    _refuse_nan(view.end)
    result: dict[str, float] = {}
    for name in names:
        scorer = STRATEGIES[name].answers
        if scorer is None:
            raise InvalidInput(
                f"the strategy {name!r} reads no answers",
                remedy=f"choose from {', '.join(single_pass('qa'))}",
            )
        result[name] = float(scorer(view))
    return result


def _refuse_nan(values: Floats) -> None:
    if not np.isfinite(values).all():
        raise InvalidInput(
            "the model gives probabilities that are not numbers",
            remedy="train a new version, with a lower learning rate",
        )
