"""What tasks that give each token a class have in common: token ranges, targets, and reading probabilities."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.domain import ExampleText, Offset, Prediction, Span
from workbench.errors import InvalidPayload
from workbench.tasks.schemes import TokenSpan

ALTERNATIVES = 3
DECIMALS = 5
"""Probabilities are rounded to so many decimals when they leave the arrays: they are shown and stored, not summed."""


def token_range(span: Span, tokens: Sequence[Offset]) -> tuple[int, int]:
    """The half-open range of tokens that ``span`` covers exactly.

    Raises:
        InvalidPayload: It does not start and end where tokens do.
    """
    # Tokens are in order and apart: pairs compare by their starts, and the last one inside is before the next start.
    first = bisect_left(tokens, (span.start, 0))
    after = bisect_left(tokens, (span.end, 0), lo=first)
    if first < after and tokens[first][0] == span.start and tokens[after - 1][1] == span.end:
        return first, after
    raise InvalidPayload(
        f"span {span.start} to {span.end} ({span.label}) does not start and end where tokens do",
        remedy="label whole tokens",
    )


def to_token_spans(spans: Sequence[Span], example: ExampleText) -> list[TokenSpan]:
    """Token ranges of character spans. Raises InvalidPayload where one is not on token boundaries."""
    return [TokenSpan(*token_range(span, example.tokens), span.label) for span in spans]


def to_character_spans(spans: Sequence[TokenSpan], example: ExampleText) -> tuple[Span, ...]:
    """Character spans of token ranges."""
    tokens = example.tokens
    return tuple(Span(tokens[span.start][0], tokens[span.end - 1][1], span.label) for span in spans)


@dataclass(frozen=True, slots=True)
class Readout:
    """What class probabilities of some tokens say, as plain values; every sequence is one item per token.

    Attributes:
        best: Index of the winning class (the lowest on a tie).
        probability: Of the winning class.
        uncertainty: Entropy over the classes divided by its maximum, 0..1.
        alternatives: At most three (label, probability), best first.
    """

    best: list[int]
    probability: list[float]
    uncertainty: list[float]
    alternatives: list[tuple[tuple[str, float], ...]]

    def part(self, start: int, end: int) -> Readout:
        """The tokens ``start`` to ``end``."""
        return Readout(
            self.best[start:end],
            self.probability[start:end],
            self.uncertainty[start:end],
            self.alternatives[start:end],
        )


def normalised_entropy(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Entropy of each row over its maximum, 0..1; zeros where there is one class only."""
    classes = probabilities.shape[-1]
    if classes < 2:
        return np.zeros(probabilities.shape[:-1])
    p = probabilities.astype(np.float64, copy=False)
    entropy = -(p * np.log(np.maximum(p, 1e-300))).sum(axis=-1)
    return np.asarray(np.clip(entropy / np.log(classes), 0.0, 1.0))


def read_out(
    probabilities: NDArray[np.floating],
    classes: Sequence[str],
    labels: Sequence[str],
    groups: NDArray[np.int64],
) -> Readout:
    """Read class probabilities of shape (tokens, classes), of as many examples as there are, in one go.

    Args:
        probabilities: Rows sum to one.
        classes: The model's classes.
        labels: What people call them: classes that mean the same label (``B-PER``, ``I-PER``) share one.
        groups: For each class the index of its label, shape (classes,).
    """
    p = probabilities.astype(np.float64, copy=False)
    if not len(p):
        return Readout([], [], [], [])
    by_label = p
    if len(labels) != len(classes):
        by_label = p @ np.eye(len(labels))[groups]
    top = min(ALTERNATIVES, len(labels))
    order = np.argsort(-by_label, axis=1, kind="stable")[:, :top]
    chances = np.take_along_axis(by_label, order, axis=1).round(DECIMALS)
    # Column by column, in loops of zip's and map's own: a pool has millions of tokens.
    ranks = [
        zip(map(labels.__getitem__, order[:, rank].tolist()), chances[:, rank].tolist(), strict=True)
        for rank in range(top)
    ]
    best = p.argmax(axis=1)
    return Readout(
        best=best.tolist(),
        probability=np.take_along_axis(p, best[:, None], axis=1)[:, 0].round(DECIMALS).tolist(),
        uncertainty=normalised_entropy(p).round(DECIMALS).tolist(),
        alternatives=list(zip(*ranks, strict=True)),
    )


class TaggingBase(ABC):
    """Decoding that works on the tokens of many examples at once; a task adds how labels are read from classes."""

    def labels_of(self, classes: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
        """Labels that the classes stand for, and each class's index into them."""
        return list(classes), np.arange(len(classes))

    @abstractmethod
    def _predict(self, readout: Readout, example: ExampleText, classes: Sequence[str]) -> Prediction:
        """What the task makes of the numbers of one example."""

    def decode_many(
        self, probabilities: NDArray[np.floating], examples: Sequence[ExampleText], classes: Sequence[str]
    ) -> list[Prediction]:
        """Predictions of several examples.

        Args:
            probabilities: Of all their tokens, one example after the other, shape (tokens of all, classes).
            examples: In the same order.
            classes: The model's classes.
        """
        labels, groups = self.labels_of(classes)
        readout = read_out(probabilities, classes, labels, groups)
        predictions = []
        start = 0
        for example in examples:
            end = start + len(example.tokens)
            predictions.append(self._predict(readout.part(start, end), example, classes))
            start = end
        return predictions

    def decode(
        self, probabilities: NDArray[np.float32], example: ExampleText, classes: Sequence[str]
    ) -> Prediction:
        """The prediction that class probabilities of shape (tokens, classes) amount to."""
        return self.decode_many(probabilities, [example], classes)[0]
