"""What a training loop is fed with: encoded windows, their targets, and the loss of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from workbench.domain import Answers, ExampleText, Payload
from workbench.modeling.encode import TaggingWindows, continuation_of
from workbench.modeling.encode_answers import AnswerWindows
from workbench.modeling.engine import model_inputs, padding_before
from workbench.modeling.ragged import Ragged
from workbench.modeling.tokenizer import SubwordTokenizer
from workbench.tasks import IGNORE, TaggingTask


class TrainingData(Protocol):
    """Windows with targets.

    Attributes:
        lengths: Sub-words of each window.
        rows: Those of the windows that give loss.
    """

    lengths: NDArray[np.int64]
    rows: NDArray[np.int64]

    def inputs(self, rows: NDArray[np.int64]) -> dict[str, torch.Tensor]:
        """What the network takes for some windows, padded to the longest of them."""

    def weight(self, rows: NDArray[np.int64]) -> float:
        """Targets in some windows, which their summed loss is divided by."""

    def loss(self, output: Any, rows: NDArray[np.int64]) -> torch.Tensor:
        """Summed loss of what the network gave for some windows."""


class TaggingData:
    """Tokens with classes: cross entropy over the sub-words that carry one."""

    def __init__(
        self,
        windows: TaggingWindows,
        token_targets: NDArray[np.int64],
        tokenizer: SubwordTokenizer,
        classes: Sequence[str],
        *,
        all_subwords: bool,
        weighted: bool = False,
    ) -> None:
        self._windows = windows
        self._tokenizer = tokenizer
        self.lengths = windows.lengths
        targets = windows.targets(
            token_targets, all_subwords=all_subwords, continuation=continuation_of(classes)
        )
        self._targets = Ragged(targets, windows.ids.bounds)
        said = targets != IGNORE
        self._class_weights = class_weights(targets[said], len(classes)) if weighted else None
        each = said.astype(np.float64)
        if self._class_weights is not None:
            each[said] = self._class_weights[targets[said]]
        sums = np.concatenate([[0.0], np.cumsum(each)])
        self._weights = sums[windows.ids.bounds[1:]] - sums[windows.ids.bounds[:-1]]
        self.rows = np.flatnonzero(self._weights)

    def inputs(self, rows: NDArray[np.int64]) -> dict[str, torch.Tensor]:
        """Sub-words and where they stand."""
        return model_inputs(self._windows, rows, self._tokenizer)

    def weight(self, rows: NDArray[np.int64]) -> float:
        """Sub-words that carry a class, each by the weight of its class."""
        return float(self._weights[rows].sum())

    def loss(self, output: Any, rows: NDArray[np.int64]) -> torch.Tensor:
        """Summed over the sub-words that carry a class."""
        targets = torch.from_numpy(self._targets.padded(rows, IGNORE, left=self._tokenizer.pads_left))
        logits = output.logits.float()
        weights = None
        if self._class_weights is not None:
            weights = torch.from_numpy(self._class_weights).to(logits.device, torch.float32)
        return cross_entropy(
            logits.flatten(0, 1),
            targets.to(logits.device).flatten(),
            weight=weights,
            ignore_index=IGNORE,
            reduction="sum",
        )


class AnswerData:
    """Windows with the columns where their answer starts and ends: the mean of both cross entropies.

    An answer can't lie in the padding of a batch: what a window costs does not depend on those beside it.
    """

    def __init__(
        self,
        windows: AnswerWindows,
        payloads: Sequence[Payload],
        examples: Sequence[ExampleText],
        tokenizer: SubwordTokenizer,
    ) -> None:
        self._windows = windows
        self._tokenizer = tokenizer
        self.lengths = windows.lengths
        answers = [
            payload.answers[0] if isinstance(payload, Answers) and payload.answers else None
            for payload in payloads
        ]
        self._targets = windows.targets(answers, examples)
        self.rows = np.arange(len(windows))

    def inputs(self, rows: NDArray[np.int64]) -> dict[str, torch.Tensor]:
        """Sub-words, where they stand, and which of both texts they are of."""
        return model_inputs(self._windows, rows, self._tokenizer)

    def weight(self, rows: NDArray[np.int64]) -> float:
        """Windows."""
        return len(rows)

    def loss(self, output: Any, rows: NDArray[np.int64]) -> torch.Tensor:
        """Summed over the windows."""
        targets = self._targets[rows] + padding_before(self._windows, rows, self._tokenizer)[:, None]
        place = torch.from_numpy(targets).to(output.start_logits.device)
        padding = torch.from_numpy(self._windows.ids.mask(rows, left=self._tokenizer.pads_left) == 0)
        padding = padding.to(place.device)
        starts, ends = (
            cross_entropy(logits.float().masked_fill(padding, -torch.inf), place[:, side], reduction="sum")
            for side, logits in enumerate((output.start_logits, output.end_logits))
        )
        return (starts + ends) / 2


RAREST, COMMONEST = 5.0, 0.2
"""Bounds of a class's weight."""


def class_weights(targets: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """A weight for each class: ``sqrt(N / (C n_c))``, between 0.2 and 5; 1 for a class that does not occur.

    ``n_c`` of the ``N`` targets are of class c, and ``C`` classes occur. The root keeps a class of a handful of
    words from drowning the rest, as plain inverse frequency does.

    >>> class_weights(np.array([0, 0, 0, 0, 1]), 3).round(3).tolist()
    [0.791, 1.581, 1.0]
    """
    counts = np.bincount(targets, minlength=classes).astype(np.float64)
    there = counts > 0
    weights = np.ones(classes)
    weights[there] = np.sqrt(counts.sum() / (there.sum() * counts[there]))
    return np.clip(weights, COMMONEST, RAREST)


def tagging_targets(
    task: TaggingTask, payloads: Sequence[Payload], examples: Sequence[ExampleText], classes: Sequence[str]
) -> NDArray[np.int64]:
    """Class of every token of all examples, one after another."""
    rows = [
        task.targets(payload, example, classes) for payload, example in zip(payloads, examples, strict=True)
    ]
    return np.concatenate([np.empty(0, dtype=np.int64), *rows])
