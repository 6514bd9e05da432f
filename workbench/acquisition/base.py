"""What a query strategy is, and where strategies are found.

Most strategies say of each example how much asking for it would teach: its acquisition score, **higher = ask
first**. It is a pure function of the probabilities of one pass over the pool, so every such strategy is computed in the
same pass. Others read what the same pass leaves of each example (``Features``) when a batch is chosen: some weigh the
examples against the whole pool, some choose a *set* in which no example repeats another. A new strategy is one new file
in this package that calls ``STRATEGIES.add``; ``tests/selection/test_strategy_contract.py`` and
``test_set_contract.py`` then hold it to the shared contract.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from workbench.acquisition.features import Features
from workbench.domain import Prediction
from workbench.registry import Registry

Floats: TypeAlias = NDArray[np.float64]

TAGGING_TASKS = frozenset({"ner", "pos"})
ANSWER_TASKS = frozenset({"qa"})

TINY = float(np.finfo(np.float32).tiny)
"""Stands for a probability of exactly 0 inside a logarithm: 1.2e-38, whose logarithm is about -87."""


class TokenBatch:
    """Class probabilities of many examples, token after token, and what several strategies want of them.

    Args:
        probabilities: Shape (total tokens, classes), each row summing to 1.
        offsets: Shape (examples + 1,): tokens ``offsets[i]:offsets[i + 1]`` are example ``i``'s; it starts at 0,
            never falls and ends at the number of tokens. An example may have no token.
        disagreement: Of each token, how much the label depends on which dropout mask of the model is asked, in nats,
            shape (tokens,); without it, 0: one opinion does not disagree.

    Raises:
        ValueError: The shapes do not fit each other.
    """

    def __init__(
        self,
        probabilities: NDArray[Any],
        offsets: NDArray[Any],
        disagreement: NDArray[Any] | None = None,
    ) -> None:
        if probabilities.ndim != 2 or offsets.ndim != 1 or not len(offsets):
            raise ValueError(f"shapes {probabilities.shape} and {offsets.shape} are not (T, C) and (N + 1,)")
        self.probabilities = np.asarray(probabilities, dtype=np.float64)
        self.offsets = np.asarray(offsets, dtype=np.int64)
        self.lengths: NDArray[np.int64] = np.diff(self.offsets)
        if self.offsets[0] != 0 or self.offsets[-1] != len(probabilities) or (self.lengths < 0).any():
            raise ValueError(f"offsets do not cut {len(probabilities)} tokens into examples")
        said = np.zeros(len(probabilities)) if disagreement is None else disagreement
        self.disagreement = np.asarray(said, dtype=np.float64)
        if self.disagreement.shape != (len(probabilities),):
            raise ValueError(f"{self.disagreement.shape} is no disagreement of {len(probabilities)} tokens")
        self._filled = self.lengths > 0

    @cached_property
    def best(self) -> Floats:
        """Probability of each token's best class, shape (tokens,)."""
        best: Floats = self.probabilities.max(axis=1, initial=0.0)
        return np.minimum(best, 1.0)

    @cached_property
    def second(self) -> Floats:
        """Probability of each token's second-best class, shape (tokens,); 0 where there is one class only."""
        classes = self.probabilities.shape[1]
        if classes < 2:
            return np.zeros(len(self.probabilities))
        top = np.partition(self.probabilities, classes - 2, axis=1)
        return np.asarray(top[:, classes - 2], dtype=np.float64)

    @cached_property
    def log_best(self) -> Floats:
        """Logarithm of ``best``, at least ``log(TINY)``."""
        return np.log(np.maximum(self.best, TINY))

    @cached_property
    def entropy(self) -> Floats:
        """Entropy of each token's classes as a share of the largest possible, 0..1, shape (tokens,)."""
        return normalised_entropy(self.probabilities)

    def total(self, values: Floats) -> Floats:
        """Sum of the tokens' values in each example, 0 for one without tokens."""
        return self._reduce(np.add, values)

    def mean(self, values: Floats) -> Floats:
        """Mean of the tokens' values in each example, 0 for one without tokens."""
        return self.total(values) / np.maximum(self.lengths, 1)

    def largest(self, values: Floats) -> Floats:
        """Largest of the tokens' values in each example, 0 for one without tokens."""
        return self._reduce(np.maximum, values)

    def _reduce(self, function: np.ufunc, values: Floats) -> Floats:
        result = np.zeros(len(self.lengths))
        if self._filled.any():
            # reduceat would give an empty segment its neighbour's first value: only the filled ones are cut out.
            result[self._filled] = function.reduceat(values, self.offsets[:-1][self._filled])
        return result


@dataclass(frozen=True, slots=True)
class AnswerView:
    """What a model says of one question.

    Attributes:
        prediction: The prediction decoded at temperature 1; its ``alternatives`` are the n-best answers (start, end,
            probability), best first, (0, 0, p) being "no answer".
        start: Probabilities over the candidate positions of all windows, the CLS position first, shape (positions,).
        end: The same for the answer's end.
    """

    prediction: Prediction
    start: Floats
    end: Floats

    @property
    def probabilities(self) -> list[float]:
        """Probabilities of the n-best answers, best first; the prediction's confidence where there are none."""
        found = sorted((float(item[2]) for item in self.prediction.alternatives), reverse=True)
        return found or [self.prediction.confidence]


@dataclass(frozen=True, slots=True)
class SetView:
    """What a set is chosen from.

    Attributes:
        features: Of the candidates.
        known: Of what is labeled already, or in a batch, or chosen before.
        scores: Of the candidates by the strategy's ``guide``, 0 or more, shape (candidates,); zeros without one.
    """

    features: Features
    known: Features
    scores: Floats


class Chosen(NamedTuple):
    """A candidate (its row) that was chosen, a number that says how much it was wanted, and why in words."""

    row: int
    score: float
    why: str


TaggingScorer: TypeAlias = Callable[[TokenBatch], Floats]
AnswerScorer: TypeAlias = Callable[[AnswerView], float]
PoolScorer: TypeAlias = Callable[[Features], Floats]
Chooser: TypeAlias = Callable[[SetView, int, np.random.Generator], list[Chosen]]
"""Chooses so many candidates, each once, the one to ask first at the front; all of them where there are fewer."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """A way to choose what to ask next.

    Attributes:
        name: As the command line and the database know it.
        title: As a page shows it.
        sentence: What it asks for, to somebody who has never heard of it.
        formula: The acquisition score, higher = ask first.
        bounds: The range of the score.
        cost: What it takes beyond one pass of the model over the pool.
        paper: Where it comes from.
        tagging: The score from token probabilities, or None.
        answers: The score from answer probabilities, or None.
        tasks: Names of the task types that it serves.
        reads_disagreement: Whether it needs opinions under dropout beside the probabilities.
        over_pool: The score from the features of everything that was scored together, or None.
        choose: Chooses a set, or None.
        reads: Arrays of ``Features`` that ``over_pool`` or ``choose`` reads.
        guide: Name of the strategy whose scores it reads; where the pool is too large to weigh every example, the
            highest of them are weighed. Without one those that are weighed are drawn by lot.
        noise: Strength of the Gumbel noise that belongs to the strategy itself.
    """

    name: str
    title: str
    sentence: str
    formula: str
    bounds: str
    cost: str
    paper: str
    tagging: TaggingScorer | None = None
    answers: AnswerScorer | None = None
    tasks: frozenset[str] = frozenset()
    reads_disagreement: bool = False
    over_pool: PoolScorer | None = None
    choose: Chooser | None = None
    reads: frozenset[str] = frozenset()
    guide: str = ""
    noise: float = 0.0

    @property
    def scores_examples(self) -> bool:
        """Whether a pass over the pool gives each example its score."""
        return self.tagging is not None or self.answers is not None

    @property
    def needs_model(self) -> bool:
        """Whether a model version must have scored the pool before; a base model's embeddings do for some."""
        return self.scores_examples or bool(self.guide) or bool(self.reads - {"embeddings"})

    @property
    def scored_by(self) -> str:
        """Name of the strategy whose stored scores it reads: its own, its guide's, or none."""
        return self.name if self.scores_examples else self.guide

    def score(self, probabilities: NDArray[Any]) -> float:
        """The score of one example from its class probabilities, shape (tokens, classes).

        Raises:
            ValueError: It reads no token probabilities.
        """
        if self.tagging is None:
            raise ValueError(f"{self.name} reads no token probabilities")
        offsets = np.array([0, len(probabilities)])
        return float(self.tagging(TokenBatch(probabilities, offsets))[0])


STRATEGIES: Registry[Strategy] = Registry("query strategy")


def normalised_entropy(probabilities: NDArray[Any]) -> Floats:
    """Entropy over the last axis as a share of its largest possible value, 0..1; 0 where there is one outcome.

    Probabilities of exactly 0 add nothing, as in the limit.

    >>> normalised_entropy(np.array([[0.5, 0.5], [1.0, 0.0]])).tolist()
    [1.0, 0.0]
    """
    outcomes = probabilities.shape[-1]
    if outcomes < 2:
        return np.zeros(probabilities.shape[:-1])
    values = np.asarray(probabilities, dtype=np.float64)
    entropy = -(values * np.log(np.maximum(values, TINY))).sum(axis=-1) / np.log(outcomes)
    return np.asarray(np.clip(entropy, 0.0, 1.0), dtype=np.float64)


def tasks_of(tagging: TaggingScorer | None, answers: AnswerScorer | None) -> frozenset[str]:
    """Task types that a strategy with these scorers serves; one without any serves all."""
    if tagging is None and answers is None:
        return TAGGING_TASKS | ANSWER_TASKS
    return (TAGGING_TASKS if tagging else frozenset()) | (ANSWER_TASKS if answers else frozenset())
