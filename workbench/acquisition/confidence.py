"""How little the model believes in its own best guess."""

from __future__ import annotations

import numpy as np

from workbench.acquisition.base import STRATEGIES, AnswerView, Floats, Strategy, TokenBatch, tasks_of


def least_confidence(batch: TokenBatch) -> Floats:
    """One minus the probability of the whole best labeling.

    Formula: ``1 - prod_t max_c p(t, c)``, the chance that at least one token is wrong, if tokens err independently.
    Range 0..1; it rises with length. Cost: O(tokens x classes). Below a probability of 1e-16 all examples tie at 1.
    Paper: Culotta and McCallum (2005), Reducing labeling effort for structured prediction tasks.
    """
    return np.abs(np.expm1(batch.total(batch.log_best)))


def least_confidence_answer(view: AnswerView) -> float:
    """One minus the probability of the best answer: ``1 - p(1)`` over the n-best answers, range 0..1."""
    return 1.0 - view.probabilities[0]


def mnlp(batch: TokenBatch) -> Floats:
    """Maximum normalised log-probability, negated so that higher = ask first.

    Formula: ``-(1 / T) * sum_t log max_c p(t, c)``. Range 0..log(classes), at most 87 where a probability is 0; the
    division by the length T keeps it from asking for long examples only. Cost: O(tokens x classes).
    Paper: Shen et al. (2018), Deep active learning for named entity recognition, ICLR.
    """
    return np.abs(batch.mean(batch.log_best))


def min_probability(batch: TokenBatch) -> Floats:
    """One minus the best class's probability at the least sure token.

    Formula: ``1 - min_t max_c p(t, c)``. Range 0..1 - 1/classes. Cost: O(tokens x classes).
    Paper: Marcheggiani and Artieres (2014), An experimental comparison of active learning strategies for
    partially labeled sequences (minimum token probability), EMNLP.
    """
    return batch.largest(1.0 - batch.best)


STRATEGIES.add(
    "mnlp",
    Strategy(
        name="mnlp",
        title="MNLP",
        sentence="Asks where the model is least sure per word, so that long examples get no advantage. A good default.",
        formula="-(1/T) Σ_t log max_c p(y_t = c)",
        bounds="0 to log(classes)",
        cost="none beyond the pass over the pool",
        paper="Shen et al. (2018), Deep Active Learning for Named Entity Recognition",
        tagging=mnlp,
        tasks=tasks_of(mnlp, None),
    ),
)

STRATEGIES.add(
    "least-confidence",
    Strategy(
        name="least-confidence",
        title="Least confidence",
        sentence="Asks where the whole guess is most probably wrong somewhere. Prefers long examples.",
        formula="1 - P(best labeling or answer)",
        bounds="0 to 1",
        cost="none beyond the pass over the pool",
        paper="Culotta and McCallum (2005), Reducing Labeling Effort for Structured Prediction Tasks",
        tagging=least_confidence,
        answers=least_confidence_answer,
        tasks=tasks_of(least_confidence, least_confidence_answer),
    ),
)

STRATEGIES.add(
    "min-probability",
    Strategy(
        name="min-probability",
        title="Least sure word",
        sentence="Asks where a single word puzzles the model most, whatever it thinks of the others.",
        formula="1 - min_t max_c p(y_t = c)",
        bounds="0 to 1 - 1/classes",
        cost="none beyond the pass over the pool",
        paper="Marcheggiani and Artières (2014), An Experimental Comparison of Active Learning Strategies for "
        "Partially Labeled Sequences",
        tagging=min_probability,
        tasks=tasks_of(min_probability, None),
    ),
)
