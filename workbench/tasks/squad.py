"""Exact match and F1 of answers, as SQuAD 1.1 and 2.0 define them, and the no-answer threshold.

An answer is compared after normalisation: lower case, ASCII punctuation dropped, the words a, an and the
dropped, white space made single. F1 counts the words that both have. A question with several accepted
answers takes the best of them; one without an answer is right (1) when nothing was answered, else wrong (0).
(Rajpurkar et al. 2016, 2018.) Where an accepted answer is nothing but articles or punctuation, the rules
of 2.0 hold: it is not counted as accepted. The script of 1.1 counts it, and gives no F1 where nothing is left of
an answer; ``best_of_v1`` does the same.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b", re.UNICODE)


def normalise(text: str) -> str:
    """The form in which answers are compared.

    >>> normalise("The  U.S. (and Canada)")
    'us and canada'
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(predicted: str, gold: str) -> float:
    """1.0 where both are the same after normalisation, else 0.0."""
    return float(normalise(predicted) == normalise(gold))


def token_f1(predicted: str, gold: str) -> float:
    """Harmonic mean of the shares of words in common, 0..1; an empty answer matches only an empty one."""
    guess, truth = normalise(predicted).split(), normalise(gold).split()
    if not guess or not truth:
        return float(guess == truth)
    common = (Counter(guess) & Counter(truth)).total()
    if not common:
        return 0.0
    precision, recall = common / len(guess), common / len(truth)
    return 2 * precision * recall / (precision + recall)


def best_of(predicted: str, gold: Sequence[str]) -> tuple[float, float]:
    """Exact match and F1, each the best over the accepted answers. No accepted answer: "" is right."""
    accepted = [text for text in gold if normalise(text)] or [""]
    return (
        max(exact_match(predicted, text) for text in accepted),
        max(token_f1(predicted, text) for text in accepted),
    )


def best_of_v1(predicted: str, gold: Sequence[str]) -> tuple[float, float]:
    """Exact match and F1 as the script of 1.1 counts them. There is at least one accepted answer."""
    guess = normalise(predicted)
    return (
        max(exact_match(predicted, text) for text in gold),
        max(token_f1(predicted, text) if guess and normalise(text) else 0.0 for text in gold),
    )


def best_threshold(
    margins: ArrayLike, if_answered: ArrayLike, if_not_answered: ArrayLike
) -> tuple[float, float]:
    """The no-answer threshold that would have scored highest.

    A question counts as answered where its margin is at or below the threshold.

    Args:
        margins: Score of "no answer" less that of the best answer, one per question.
        if_answered: What the question scores when its best answer is given.
        if_not_answered: What it scores when "no answer" is given.

    Returns:
        Threshold and mean score. Between two margins the middle is taken; among equally good thresholds the one
        nearest to 0.
    """
    margin = np.asarray(margins, dtype=np.float64)
    if not len(margin):
        return 0.0, 0.0
    yes, no = np.asarray(if_answered, dtype=np.float64), np.asarray(if_not_answered, dtype=np.float64)
    order = np.argsort(margin, kind="stable")
    margin, gain = margin[order], (yes - no)[order]
    totals: NDArray[np.float64] = np.concatenate([[0.0], np.cumsum(gain)]) + no.sum()
    cuts = np.concatenate([[margin[0] - 1.0], (margin[:-1] + margin[1:]) / 2, [margin[-1] + 1.0]])
    possible = np.concatenate([[True], margin[:-1] < margin[1:], [True]])
    best = totals[possible].max()
    good = cuts[possible & (totals >= best - 1e-9)]
    return float(good[np.abs(good).argmin()]), float(best / len(margin))
