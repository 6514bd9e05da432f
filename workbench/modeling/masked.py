"""Texts with some of their sub-words hidden, for an encoder to fill in: masked language modelling.

Of each window 15 % of the sub-words are to be named: eight of ten are replaced by the mask, one by any other
sub-word, one stays (Devlin et al. 2019, BERT). Every pass hides others (Liu et al. 2019, RoBERTa).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from workbench.errors import InvalidInput
from workbench.modeling.ragged import Ragged, bounds_of
from workbench.modeling.tokenizer import SubwordTokenizer, as_array, check_window
from workbench.modeling.windows import plan

HIDDEN = 0.15
MASKED, KEPT = 0.8, 0.1
"""Of the sub-words that are to be named: replaced by the mask, left as they are. The rest become any other."""

FEWEST = 3
"""Sub-words of a window: with fewer there is nothing to go by."""

TOGETHER = 2_000
"""Texts that are encoded at once."""


def text_windows(texts: Iterable[str], tokenizer: SubwordTokenizer, max_length: int) -> Ragged:
    """Texts as windows of sub-words, special ones included; what is too short to go by is left out.

    Raises:
        InvalidInput: Hardly anything fits into a window.
    """
    template = tokenizer.template(pair=False)
    before, after = (np.asarray(part, dtype=np.int64) for part in template.parts)
    capacity = check_window(max_length, template)
    rows = [
        np.concatenate([before, ids[window.start : window.end], after])
        for ids in _encoded(texts, tokenizer)
        for window in plan(len(ids), capacity, 0)
        if window.end - window.start >= FEWEST
    ]
    values = np.concatenate([np.empty(0, dtype=np.int64), *rows])
    return Ragged(values, bounds_of([len(row) for row in rows]))


def _encoded(texts: Iterable[str], tokenizer: SubwordTokenizer) -> Iterator[NDArray[np.int64]]:
    source = iter(texts)
    while part := list(islice(source, TOGETHER)):
        yield from (as_array(encoding.ids) for encoding in tokenizer.encode_texts(part))


class MaskedData:
    """Windows as often as they are read, each time with other sub-words hidden.

    What is hidden in a row follows from the seed and the row alone, so that a run that is resumed hides the same.

    Args:
        windows: Of ``text_windows``.
        tokenizer: That they were made by.
        network: A masked language model. Its head costs as much as a small encoder: from now on it reads the hidden
            sub-words alone, and gives logits of shape (hidden sub-words, vocabulary).
        passes: How often the windows are read, at most.
        seed: Of what is hidden.

    Raises:
        InvalidInput: The tokenizer knows no mask.
    """

    def __init__(
        self, windows: Ragged, tokenizer: SubwordTokenizer, network: Any, passes: int, seed: int
    ) -> None:
        if tokenizer.hf.mask_token_id is None:
            raise InvalidInput(
                "this model's tokenizer knows no mask, so the model can't be adapted to the texts",
                remedy="set the passes over the texts to 0, or choose another base model",
            )
        self._ids = windows
        self._seed = seed
        self._mask = int(tokenizer.hf.mask_token_id)
        self._vocabulary = int(network.config.vocab_size)
        self._pad, self._left = tokenizer.pad_id, tokenizer.pads_left
        self._before, self._after = (len(part) for part in tokenizer.template(pair=False).parts)
        self.lengths = np.tile(windows.lengths, passes)
        self.rows = np.arange(len(self.lengths))
        inside = self.lengths - self._before - self._after
        self._hidden = np.maximum(1, np.round(HIDDEN * inside).astype(np.int64))
        self._places = torch.empty(0, 2, dtype=torch.int64)
        self._targets = torch.empty(0, dtype=torch.int64)
        network.base_model.register_forward_hook(self._pick)

    def inputs(self, rows: NDArray[np.int64]) -> dict[str, torch.Tensor]:
        """Sub-words, some of them hidden, and where they stand; ``loss`` is of what was asked for last."""
        drawn = [self._draw(int(row)) for row in rows]
        shown = Ragged.of([ids for ids, _ in drawn])
        every = np.arange(len(rows))
        shift = shown.lengths.max(initial=0) - shown.lengths if self._left else np.zeros_like(shown.lengths)
        places = [
            np.stack([np.full(len(at), index), at + shift[index]]) for index, (_, at) in enumerate(drawn)
        ]
        truth = [self._ids[int(row) % len(self._ids)][at] for row, (_, at) in zip(rows, drawn, strict=True)]
        self._places = torch.from_numpy(np.concatenate(places, axis=1))
        self._targets = torch.from_numpy(np.concatenate(truth))
        return {
            "input_ids": torch.from_numpy(shown.padded(every, self._pad, left=self._left)),
            "attention_mask": torch.from_numpy(shown.mask(every, left=self._left)),
        }

    def weight(self, rows: NDArray[np.int64]) -> float:
        """Sub-words that are hidden in some windows."""
        return float(self._hidden[rows].sum())

    def loss(self, output: Any, rows: NDArray[np.int64]) -> torch.Tensor:
        """Summed over the hidden sub-words of the windows that ``inputs`` was asked for."""
        return cross_entropy(output.logits.float(), self._targets.to(output.logits.device), reduction="sum")

    def _draw(self, row: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """A window as it is shown, and where in it something is hidden."""
        rng = np.random.default_rng([self._seed, row])
        ids = self._ids[row % len(self._ids)].copy()
        inside = len(ids) - self._before - self._after
        places = self._before + np.sort(rng.choice(inside, self._hidden[row], replace=False))
        lots = rng.random(len(places))
        ids[places[lots < MASKED]] = self._mask
        others = places[lots >= MASKED + KEPT]
        ids[others] = rng.integers(self._vocabulary, size=len(others))
        return ids, places

    def _pick(self, _encoder: torch.nn.Module, _given: Any, output: Any) -> Any:
        states = output["last_hidden_state"]
        row, column = self._places.to(states.device)
        output["last_hidden_state"] = states[row, column]
        return output
