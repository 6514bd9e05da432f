"""What a pass leaves of each example beside labels and scores: its embedding, and a sketch of its gradient.

Both come from the last hidden states of the same single pass; nothing is computed twice.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.acquisition import Features, class_features
from workbench.modeling.encode import TaggingWindows
from workbench.modeling.encode_answers import AnswerWindows
from workbench.modeling.lanes import LastStates
from workbench.modeling.ragged import Ragged

SKETCH = 256
"""Numbers of a sketch. A gradient of the last layer has classes times width of them, some 3,500 for CoNLL-2003."""

SEED = 2_019


class Pooling:
    """Sums over each window of what its sub-words and tokens give, gathered batch by batch."""

    def __init__(self, network: Any, windows: TaggingWindows | AnswerWindows, outputs: int) -> None:
        """Prepare to gather.

        Args:
            network: Of transformers, with a head.
            windows: That will be run.
            outputs: Of the head for each token (classes), or for each position (2: start and end).
        """
        self._encoder = getattr(network, network.base_model_prefix)
        self._weights = Ragged(subword_weights(windows), windows.ids.bounds)
        width = int(network.config.hidden_size)
        self.embeddings = np.zeros((len(windows), width), dtype=np.float32)
        self.gradients = np.zeros((len(windows), SKETCH), dtype=np.float32)
        lots = np.random.default_rng([SEED, outputs, width])
        signs = [lots.integers(0, 2, size=(rows, SKETCH)) * 2.0 - 1.0 for rows in (outputs, width)]
        self._signs = [torch.from_numpy((side / SKETCH**0.25).astype(np.float32)) for side in signs]
        self._last = LastStates()

    @property
    def states(self) -> torch.Tensor:
        """The last hidden states of the batch that ran last in this lane, shape (windows, sub-words, width)."""
        return self._last.of_batch

    def means(self, example: NDArray[np.int64], examples: int) -> NDArray[np.float32]:
        """Embeddings of ``examples`` examples; ``example`` says which one each window is of."""
        of_subword = np.repeat(example, self._weights.lengths)
        counts = np.bincount(of_subword, weights=self._weights.values, minlength=examples)
        return _by_example(self.embeddings, example, counts)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Keep what the encoder gives last."""

        def keep(_module: torch.nn.Module, _given: Any, output: Any) -> None:
            self._last.of_batch = output[0]

        handle = self._encoder.register_forward_hook(keep)
        try:
            yield
        finally:
            handle.remove()
            self._last = LastStates()

    def add(
        self,
        rows: NDArray[np.int64],
        window: NDArray[np.int64],
        errors: torch.Tensor,
        states: torch.Tensor,
        *,
        left: bool,
    ) -> None:
        """Gather one batch.

        A sketch is ``(e A) * (h B)`` with random signs A and B, whose scalar products are right on average for the
        outer product ``e h`` that the gradient is (Sun, Guo, Tropp and Udell 2018, Tensor random projection for low
        memory dimension reduction). It is linear: the sketch of a sum is the sum of the sketches.

        Args:
            rows: Windows of the batch.
            window: For each position that the head reads, its window's place in the batch.
            errors: What the head says there minus what it would have to say, shape (positions, outputs).
            states: The last hidden states there, shape (positions, width).
            left: Whether the batch is padded on the left.
        """
        place = self.states.device
        weights = torch.from_numpy(self._weights.padded(rows, 0, left=left)).to(place)
        pooled = torch.bmm(weights[:, None, :], self.states.float())[:, 0]
        self.embeddings[rows] = pooled.cpu().numpy()
        outputs, inputs = (side.to(place) for side in self._signs)
        sketches = (errors.float() @ outputs) * (states.float() @ inputs)
        sums = torch.zeros(len(rows), SKETCH, device=place)
        sums.index_add_(0, torch.from_numpy(window).to(place), sketches)
        self.gradients[rows] = sums.cpu().numpy()


def subword_weights(windows: TaggingWindows | AnswerWindows) -> NDArray[np.float32]:
    """How much each sub-word counts in its example's embedding, beside ``ids.values``.

    A sub-word of the text counts once, in the window where it is read. For questions the question and the special
    sub-words, which stand in every window, count once in all; a tagger's special sub-words count nothing.
    """
    if isinstance(windows, TaggingWindows):
        return (windows.owner >= 0).astype(np.float32)
    each = 1.0 / np.maximum(np.bincount(windows.example, minlength=windows.examples), 1)
    weights = np.repeat(each[windows.example], windows.lengths).astype(np.float32)
    columns = windows.columns
    places = np.repeat(windows.ids.bounds[:-1], columns.lengths) + columns.values
    text = windows.places[:, 0] >= 0
    weights[places[text]] = windows.owned[text].astype(np.float32)
    return weights


def tagging_features(
    pooling: Pooling, windows: TaggingWindows, probabilities: NDArray[np.float32]
) -> Features:
    """What was gathered, by example: embeddings over sub-words, gradients and classes over words."""
    classes, doubts = class_features(probabilities, windows.examples)
    return Features(
        pooling.means(windows.example, len(windows.examples) - 1),
        _by_example(pooling.gradients, windows.example, np.diff(windows.examples)),
        classes.astype(np.float32),
        doubts.astype(np.float32),
    )


def answer_features(pooling: Pooling, windows: AnswerWindows) -> Features:
    """What was gathered, by example: gradients are means over windows, and there are no classes."""
    counts = np.bincount(windows.example, minlength=windows.examples)
    none = np.zeros((windows.examples, 0), dtype=np.float32)
    gradients = _by_example(pooling.gradients, windows.example, counts)
    return Features(pooling.means(windows.example, windows.examples), gradients, none, none)


def _by_example(
    sums: NDArray[np.float32], example: NDArray[np.int64], counts: NDArray[Any]
) -> NDArray[np.float32]:
    """Means over examples from sums over windows.

    Args:
        sums: Shape (windows, width).
        example: Of each window, its example's index.
        counts: What to divide each example by, shape (examples,); 0 leaves zeros.
    """
    totals = np.zeros((len(counts), sums.shape[1]), dtype=np.float32)
    np.add.at(totals, example, sums)
    return np.asarray(totals / np.maximum(counts, np.finfo(np.float32).tiny)[:, None], dtype=np.float32)
