"""Answers that are probably wrong: confident learning's rule for questions, whose labels are no classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.evidence.curves import Floats


@dataclass(frozen=True, slots=True)
class AnswerDoubts:
    """What was found.

    Attributes:
        suspected: Whether each question's label is probably wrong, shape (questions,).
        threshold: How sure the model is, on average, where it agrees with the label; 1 where it never does.
    """

    suspected: NDArray[np.bool_]
    threshold: float


def find_answer_doubts(
    confidence: Floats, agrees: NDArray[np.bool_], contradicts: NDArray[np.bool_]
) -> AnswerDoubts:
    """Suspect a label that the model contradicts, as sure of it as it is on average where it agrees.

    The threshold is that of Northcutt, Jiang and Chuang (2021), with "agrees with the label" as the one class: a model
    that is rarely sure has a low one.

    Args:
        confidence: Of the model's own answer, 0..1, shape (questions,), out of sample.
        agrees: Whether that answer is the label's, roughly.
        contradicts: Whether it has nothing in common with it; an answer may do neither.

    Raises:
        ValueError: The shapes do not fit.
    """
    if not confidence.shape == agrees.shape == contradicts.shape:
        raise ValueError(f"shapes {confidence.shape}, {agrees.shape}, {contradicts.shape} do not fit")
    threshold = float(confidence[agrees].mean()) if agrees.any() else 1.0
    return AnswerDoubts(contradicts & (confidence >= threshold), threshold)
