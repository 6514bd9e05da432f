"""Labels that are probably wrong: confident learning over token classes.

Northcutt, Jiang and Chuang (2021), Confident learning: estimating uncertainty in dataset labels, JAIR;
Wang and Mueller (2022), Detecting label errors in token classification data. The probabilities have to come from a
model that did not learn from these labels (by cross-validation, or on a split it was not trained on): one that has
learned an error by heart is sure of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.evidence.curves import Floats

UNKNOWN = -1
"""Class of a token without a label: never doubted, and no threshold is read off it."""


@dataclass(frozen=True, slots=True)
class Doubts:
    """What was found.

    Attributes:
        suspected: Whether each token's label is probably wrong, shape (tokens,).
        proposed: The class that it probably is, shape (tokens,); the label's own where it is not suspected.
        quality: The model's probability of each token's label, 0..1, lower = more doubtful, shape (tokens,).
        thresholds: For each class how sure the model is, on average, of tokens labeled so, shape (classes,); 1 for
            a class that no token has.
    """

    suspected: NDArray[np.bool_]
    proposed: NDArray[np.int64]
    quality: Floats
    thresholds: Floats


def find_doubts(labels: NDArray[np.int64], probabilities: NDArray[np.floating]) -> Doubts:
    """Suspect each token that stands off the diagonal of the confident joint.

    A token counts as confidently of class j where ``p(j)`` reaches the mean ``p(j)`` of the tokens labeled j; of
    several such classes the likeliest counts. Where that is not its label, the label is suspected.

    Args:
        labels: Shape (tokens,), classes from 0, or ``UNKNOWN``.
        probabilities: Shape (tokens, classes), out of sample.

    Raises:
        ValueError: The shapes do not fit, or a label is no class.
    """
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1]:
        raise ValueError(f"shapes {labels.shape} and {probabilities.shape} do not fit")
    tokens, classes = probabilities.shape
    if tokens and not (labels.min() >= UNKNOWN and labels.max() < classes):
        raise ValueError(f"labels must be classes below {classes}, or {UNKNOWN}")
    values = np.asarray(probabilities, dtype=np.float64)
    known = labels != UNKNOWN
    at = np.where(known, labels, 0)
    quality = np.where(known, values[np.arange(tokens), at], 1.0)
    counts = np.bincount(labels[known], minlength=classes)
    sums = np.bincount(labels[known], weights=quality[known], minlength=classes)
    thresholds = np.where(counts > 0, sums / np.maximum(counts, 1), 1.0)
    # The tolerance keeps a token whose class has it as its only example from missing its own mean by rounding.
    confident = np.where(values >= thresholds - 1e-9, values, -1.0) if classes else values
    likeliest = confident.argmax(axis=1) if classes else np.zeros(0, dtype=np.int64)
    sure = confident.max(axis=1, initial=-1.0) >= 0.0
    suspected = known & sure & (likeliest != labels)
    return Doubts(suspected, np.where(suspected, likeliest, labels), quality, thresholds)


def example_quality(quality: Floats, offsets: NDArray[np.int64]) -> Floats:
    """The quality of each example's labels: that of its worst token, 1 where it has none.

    The minimum ranked sentences with an error best of the scores that Wang and Mueller (2022) compare.

    Args:
        quality: Of every token, shape (tokens,).
        offsets: Tokens ``offsets[i]:offsets[i + 1]`` are example i's; shape (examples + 1,).
    """
    result = np.ones(len(offsets) - 1)
    filled = np.diff(offsets) > 0
    if filled.any():
        result[filled] = np.minimum.reduceat(quality, offsets[:-1][filled])
    return result
