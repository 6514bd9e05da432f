"""Sentences of tokens as a model reads them: sub-words in windows, and where each token is read.

A token is read at its first sub-word, in the one window where that sub-word has the most context, in training,
scoring and prediction alike: each token gives loss once and has one row of probabilities.

Context is what stands around a sentence in its document (FLERT, see ``domain.context``): the encoder sees it, nothing
of it is labeled or read. There is no mark between it and the sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.domain import ExampleText
from workbench.modeling.ragged import Ragged, bounds_of
from workbench.modeling.tokenizer import SubwordTokenizer, Template, as_array, check_window
from workbench.modeling.windows import fitting_stride, plan
from workbench.tasks.base import IGNORE


@dataclass(frozen=True, slots=True)
class TaggingWindows:
    """The windows of some examples. "Token" counts the tokens of all examples, one after another, from 0.

    Attributes:
        ids: Sub-words of each window, special ones included.
        example: Of each window, its example's index; shape (windows,).
        tokens: Window ``i`` reads the tokens ``tokens[i]:tokens[i + 1]``; shape (windows + 1,).
        column: Where in its window each token's first sub-word stands; shape (tokens,).
        owner: Beside each sub-word of ``ids``: the token that it belongs to, if that is read in this window, else -1.
        examples: Example ``i`` has the tokens ``examples[i]:examples[i + 1]``; shape (examples + 1,).
    """

    ids: Ragged
    example: NDArray[np.int64]
    tokens: NDArray[np.int64]
    column: NDArray[np.int64]
    owner: NDArray[np.int64]
    examples: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Sub-words of each window."""
        return self.ids.lengths

    def targets(
        self,
        token_targets: NDArray[np.int64],
        *,
        all_subwords: bool = False,
        continuation: NDArray[np.int64] | None = None,
    ) -> NDArray[np.int64]:
        """Class of every sub-word, beside ``ids.values``; IGNORE for those that give no loss.

        Args:
            token_targets: Class of every token; IGNORE where nobody has said.
            all_subwords: Whether a token's later sub-words carry its class too.
            continuation: The class that later sub-words carry in place of each class (``I-X`` for ``B-X``).
        """
        result = np.full(len(self.owner), IGNORE, dtype=np.int64)
        owned = self.owner >= 0
        if all_subwords:
            values = token_targets[self.owner[owned]]
            if continuation is not None:
                values = np.where(values >= 0, continuation[np.maximum(values, 0)], values)
            result[owned] = values
        window = np.repeat(np.arange(len(self)), np.diff(self.tokens))
        result[self.ids.bounds[window] + self.column] = token_targets
        return result


Around = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Sub-words that stand before and after a sentence, in reading order."""


def encode_tagging(
    tokenizer: SubwordTokenizer,
    examples: Sequence[ExampleText],
    *,
    max_length: int,
    stride: int,
    context: int = 0,
) -> TaggingWindows:
    """Encode the tokens of examples.

    Args:
        tokenizer: Loaded for words.
        examples: Each with tokens; one without any has no window.
        max_length: Sub-words per window, special ones included.
        stride: Sub-words that neighbouring windows of one example share.
        context: Sub-words of ``before`` and of ``after``, at most, that stand around an example. Where it fits into a
            window, they share what it leaves of it; a longer one has them at its outer ends.

    Raises:
        InvalidInput: Hardly anything fits into a window.
    """
    template = tokenizer.template(pair=False)
    capacity = check_window(max_length, template)
    stride = fitting_stride(capacity, stride)
    encodings = tokenizer.encode_words([example.words for example in examples])
    around = _around(tokenizer, examples, context)
    parts = _Parts(template)
    for index, (example, encoding) in enumerate(zip(examples, encodings, strict=True)):
        if example.tokens:
            subwords = _subwords(encoding, len(example.tokens), tokenizer.unknown_id)
            near = _fitting(around[index], len(subwords[0]), capacity) if index in around else None
            parts.add(index, *subwords, near, capacity, stride)
        parts.first_token += len(example.tokens)
    return parts.windows([len(example.tokens) for example in examples])


def _subwords(encoding: Any, tokens: int, unknown: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ids of an example's sub-words and the token of each; a token that has none gets the unknown one."""
    ids, owner = as_array(encoding.ids), as_array(encoding.word_ids)
    if len(_firsts(owner)) < tokens:
        missing = np.setdiff1d(np.arange(tokens), owner)
        places = np.searchsorted(owner, missing)
        ids, owner = np.insert(ids, places, unknown), np.insert(owner, places, missing)
    return ids, owner


def _firsts(owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each token's first sub-word stands."""
    begins = np.ones(len(owner), dtype=bool)
    np.not_equal(owner[1:], owner[:-1], out=begins[1:])
    return begins.nonzero()[0]


def _around(tokenizer: SubwordTokenizer, examples: Sequence[ExampleText], context: int) -> dict[int, Around]:
    """At most ``context`` sub-words on either side of those examples that have some, the nearest, by index."""
    if not context:
        return {}
    having = [index for index, example in enumerate(examples) if example.before or example.after]
    texts = [text for index in having for text in (examples[index].before, examples[index].after)]
    ids = [as_array(encoding.ids) for encoding in tokenizer.encode_texts(texts)]
    return {
        index: (before[-context:], after[:context])
        for index, before, after in zip(having, ids[::2], ids[1::2], strict=True)
    }


def _fitting(around: Around, length: int, capacity: int) -> Around:
    """What of the context fits into a window beside ``length`` sub-words; all of it where more than one is needed.

    Each side has half of the room, and what the other one leaves of its half.
    """
    before, after = around
    room = capacity - length
    if room < 0:
        return around
    left = min(len(before), max(room // 2, room - len(after)))
    return before[len(before) - left :], after[: room - left]


class _Parts:
    """What windows are put together from."""

    def __init__(self, template: Template) -> None:
        self._before, self._after = (np.asarray(part, dtype=np.int64) for part in template.parts)
        self._no_before = np.full(len(self._before), -1, dtype=np.int64)
        self._no_after = np.full(len(self._after), -1, dtype=np.int64)
        self._ids: list[NDArray[np.int64]] = []
        self._owner: list[NDArray[np.int64]] = []
        self._example: list[int] = []
        self._read: list[int] = []
        self._columns: list[NDArray[np.int64]] = []
        self.first_token = 0

    def add(
        self,
        example: int,
        ids: NDArray[np.int64],
        owner: NDArray[np.int64],
        around: Around | None,
        capacity: int,
        stride: int,
    ) -> None:
        """Cut one example's sub-words, and those around them, into windows; one that reads only context is left out."""
        first = _firsts(owner)
        if around is None and len(ids) <= capacity:  # as nearly all sentences do
            self._window(example, ids, owner + self.first_token, first)
            return
        start, end = 0, len(ids)
        if around is not None:
            before, after = around
            start, end = len(before), len(before) + end
            first = first + start
            ids = np.concatenate([before, ids, after])
            owner = np.concatenate([np.full_like(before, -1), owner, np.full_like(after, -1)])
        for window in plan(len(ids), capacity, stride):
            if window.own_end <= start or window.own_start >= end:
                continue
            mine = first[np.searchsorted(first, window.own_start) : np.searchsorted(first, window.own_end)]
            owners = np.full(window.end - window.start, -1, dtype=np.int64)
            if len(mine):
                inside = owner[window.start : window.end]
                held = (inside >= owner[mine[0]]) & (inside <= owner[mine[-1]])
                owners[held] = inside[held] + self.first_token
            self._window(example, ids[window.start : window.end], owners, mine - window.start)

    def _window(
        self, example: int, ids: NDArray[np.int64], owners: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> None:
        self._ids += [self._before, ids, self._after]
        self._owner += [self._no_before, owners, self._no_after]
        self._example.append(example)
        self._read.append(len(columns))
        self._columns.append(columns + len(self._before))

    def windows(self, tokens: Sequence[int]) -> TaggingWindows:
        """All that were added."""
        nothing = np.empty(0, dtype=np.int64)
        lengths = [sum(map(len, self._ids[i : i + 3])) for i in range(0, len(self._ids), 3)]
        return TaggingWindows(
            ids=Ragged(np.concatenate([nothing, *self._ids]), bounds_of(lengths)),
            example=np.asarray(self._example, dtype=np.int64),
            tokens=bounds_of(self._read),
            column=np.concatenate([nothing, *self._columns]),
            owner=np.concatenate([nothing, *self._owner]),
            examples=bounds_of(list(tokens)),
        )


def continuation_of(classes: Sequence[str]) -> NDArray[np.int64]:
    """For each class the one that later sub-words of a token carry: ``I-X`` for ``B-X``, else itself."""
    index = {name: position for position, name in enumerate(classes)}
    return np.array(
        [index.get(f"I-{name[2:]}", i) if name.startswith("B-") else i for i, name in enumerate(classes)],
        dtype=np.int64,
    )
