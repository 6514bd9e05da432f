"""Forward passes: windows in, probabilities or logits out, in the order in which the windows were given.

Windows of alike length are batched together up to a budget of padded sub-words; only the positions that are
read are taken out of a batch, all at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.errors import RunFailed
from workbench.modeling.device import Device, out_of_memory
from workbench.modeling.disagreement import HeadOpinions, head_opinions
from workbench.modeling.encode import TaggingWindows
from workbench.modeling.encode_answers import AnswerWindows
from workbench.modeling.lanes import BUDGET as LANE_BUDGET
from workbench.modeling.lanes import Bystander, lanes_for, side_by_side
from workbench.modeling.pooling import Pooling
from workbench.modeling.ragged import Ragged, budget_batches, ranges
from workbench.modeling.tokenizer import SubwordTokenizer

OnBatch = Callable[[int], None]
"""Called after each batch with the number of its windows; may raise Cancelled."""

Windows = TaggingWindows | AnswerWindows


def nothing(_windows: int) -> None:
    """Do nothing after a batch."""


def model_inputs(
    windows: Windows, rows: NDArray[np.int64], tokenizer: SubwordTokenizer
) -> dict[str, torch.Tensor]:
    """What the network takes for some windows, padded to the longest of them.

    Windows of one length, as sorted ones mostly are, need no mask, and attention is quicker without.
    """
    left = tokenizer.pads_left
    inputs = {"input_ids": torch.from_numpy(windows.ids.padded(rows, tokenizer.pad_id, left=left))}
    if np.ptp(windows.lengths[rows]):
        inputs["attention_mask"] = torch.from_numpy(windows.ids.mask(rows, left=left))
    if tokenizer.uses_types and isinstance(windows, AnswerWindows):
        types = Ragged(windows.types, windows.ids.bounds).padded(rows, 0, left=left)
        inputs["token_type_ids"] = torch.from_numpy(types)
    return inputs


def padding_before(
    windows: Windows, rows: NDArray[np.int64], tokenizer: SubwordTokenizer
) -> NDArray[np.int64]:
    """How far padding on the left moves the columns of each window; zeros where it is on the right."""
    lengths = windows.lengths[rows]
    return lengths.max(initial=0) - lengths if tokenizer.pads_left else np.zeros_like(lengths)


class Engine:
    """Runs one network on one device. It does not train it, and leaves it in evaluation mode."""

    def __init__(
        self, network: Any, tokenizer: SubwordTokenizer, device: Device, token_budget: int | None = None
    ) -> None:
        self._network = network
        self._tokenizer = tokenizer
        self._device = device
        self._budget = token_budget or device.token_budget

    def pooling(self, windows: Windows, outputs: int) -> Pooling:
        """Where a pass over the windows gathers embeddings and gradients; ``outputs`` of the head for each token."""
        return Pooling(self._network, windows, outputs)

    def tagging(
        self,
        windows: TaggingWindows,
        classes: int,
        on_batch: OnBatch = nothing,
        *,
        disagreement: bool = False,
        pooling: Pooling | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Class probabilities of every token, shape (tokens, classes), and how much the head disagrees with
        itself on each under dropout, shape (tokens,); 0 where nobody asked, or the head is not one linear layer.
        Embeddings and gradients gather in ``pooling``."""
        result = np.zeros((len(windows.column), classes), dtype=np.float32)
        disagreed = np.zeros(len(result), dtype=np.float32)
        opinions = head_opinions(self._network) if disagreement else None

        def read(output: Any, rows: NDArray[np.int64]) -> None:
            first = windows.tokens[rows]
            counts = windows.tokens[rows + 1] - first
            tokens = ranges(first, counts)
            columns = windows.column[tokens] + np.repeat(
                padding_before(windows, rows, self._tokenizer), counts
            )
            row = np.repeat(np.arange(len(rows)), counts)
            probabilities = self._pick(output.logits, row, columns).softmax(-1)
            result[tokens] = probabilities.cpu().numpy()
            if opinions is not None:
                states = self._pick(opinions.states, row, columns)
                disagreed[tokens] = opinions.disagreement(states).cpu().numpy()
            if pooling is not None:
                states = self._pick(pooling.states, row, columns)
                pooling.add(rows, row, _errors(probabilities), states, left=self._tokenizer.pads_left)

        with _listening(opinions), _listening(pooling):
            self._run(windows, read, on_batch)
        return result, disagreed

    def answers(
        self, windows: AnswerWindows, on_batch: OnBatch = nothing, *, pooling: Pooling | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Start and end logits beside ``windows.columns.values``; embeddings and gradients gather in ``pooling``."""
        starts = np.zeros(len(windows.columns.values), dtype=np.float32)
        ends = np.zeros_like(starts)

        def read(output: Any, rows: NDArray[np.int64]) -> None:
            places = windows.columns.indices(rows)
            counts = windows.columns.lengths[rows]
            columns = windows.columns.values[places] + np.repeat(
                padding_before(windows, rows, self._tokenizer), counts
            )
            row = np.repeat(np.arange(len(rows)), counts)
            starts[places] = self._pick(output.start_logits, row, columns).cpu().numpy()
            ends[places] = self._pick(output.end_logits, row, columns).cpu().numpy()
            if pooling is not None:
                said = np.stack([starts[places], ends[places]], axis=1)
                errors = torch.from_numpy(_window_errors(said, counts)).to(self._device.torch_device)
                states = self._pick(pooling.states, row, columns)
                pooling.add(rows, row, errors, states, left=self._tokenizer.pads_left)

        with _listening(pooling):
            self._run(windows, read, on_batch)
        return starts, ends

    def _pick(
        self, logits: torch.Tensor, rows: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> torch.Tensor:
        place = self._device.torch_device
        return logits[torch.from_numpy(rows).to(place), torch.from_numpy(columns).to(place)].float()

    def _run(
        self, windows: Windows, read: Callable[[Any, NDArray[np.int64]], None], on_batch: OnBatch
    ) -> None:
        self._network.eval()

        def work(rows: NDArray[np.int64]) -> None:
            with torch.inference_mode():
                self._batch(windows, rows, read)

        lanes = lanes_for(self._device, int(windows.lengths.sum()))
        budget = min(self._budget, LANE_BUDGET) if lanes > 1 else self._budget
        batches = list(budget_batches(windows.lengths, budget))
        if lanes > 1:
            bystander = Bystander(self._network)
            for rows in (batches.pop(0), batches.pop()):  # the longest and the shortest
                work(rows)
                bystander.look()
                on_batch(len(rows))
            lanes = 1 if bystander.saw_a_change else lanes
        side_by_side(work, batches, lambda rows: on_batch(len(rows)), lanes)

    def _batch(
        self, windows: Windows, rows: NDArray[np.int64], read: Callable[[Any, NDArray[np.int64]], None]
    ) -> None:
        """One batch; where memory does not suffice, its halves, and smaller batches from then on."""
        inputs = model_inputs(windows, rows, self._tokenizer)
        try:
            with self._device.precise():
                output = self._network(**{k: v.to(self._device.torch_device) for k, v in inputs.items()})
            read(output, rows)  # sums over what was seen are in float32, whatever the network computes in
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            if len(rows) == 1:
                raise RunFailed(
                    f"one window of {int(windows.lengths[rows[0]])} sub-words does not fit into the memory of "
                    f"{self._device.name}",
                    remedy="use a smaller max length or another device",
                ) from error
            spent = error
        else:
            return
        del inputs, spent
        self._device.free_memory()
        self._budget = max(1, self._budget // 2)
        half = len(rows) // 2
        self._batch(windows, rows[:half], read)
        self._batch(windows, rows[half:], read)


def _listening(ear: HeadOpinions | Pooling | None) -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext() if ear is None else ear.listening()


def _errors(probabilities: torch.Tensor) -> torch.Tensor:
    """Gradient of the loss with respect to the logits, were the likeliest class right; shape of the probabilities."""
    errors = probabilities.clone()
    errors.scatter_add_(1, probabilities.argmax(1, keepdim=True), -torch.ones_like(errors[:, :1]))
    return errors


def _window_errors(logits: NDArray[np.float32], counts: NDArray[np.int64]) -> NDArray[np.float32]:
    """The same for starts and ends, over the positions of each window; shape (positions, 2)."""
    starts = np.cumsum(counts) - counts
    window = np.repeat(np.arange(len(counts)), counts)
    highest = np.maximum.reduceat(logits, starts, axis=0)
    chances = np.exp(logits - highest[window])
    errors = np.asarray(chances / np.add.reduceat(chances, starts, axis=0)[window], dtype=np.float32)
    for side in range(2):
        best = np.flatnonzero(logits[:, side] == highest[window, side])
        errors[best[np.unique(window[best], return_index=True)[1]], side] -= 1.0
    return errors
