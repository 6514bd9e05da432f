"""Questions and contexts as a model reads them: windows over the context, each with the question beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.domain import Answer, ExampleText
from workbench.modeling.ragged import Ragged, bounds_of
from workbench.modeling.tokenizer import SubwordTokenizer, Template, as_array, check_window
from workbench.modeling.windows import Window, fitting_stride, gaps_joined, plan

NOWHERE = (-1, -1)


@dataclass(frozen=True, slots=True)
class AnswerWindows:
    """The windows of some questions.

    Attributes:
        ids: Sub-words of each window.
        types: Token type ids beside ``ids.values``.
        example: Of each window, its example's index; shape (windows,). An example's windows are neighbours.
        columns: Where in each window answers can start and end: CLS first, then the context's sub-words.
        places: Beside ``columns.values``: (start, end) in code points of the context, (-1, -1) for CLS.
        owned: Beside ``columns.values``: whether the sub-word has the most context in this window (CLS: always).
        shortened: Examples whose question was cut, since it would have left too little room.
        examples: Number of examples.
    """

    ids: Ragged
    types: NDArray[np.int64]
    example: NDArray[np.int64]
    columns: Ragged
    places: NDArray[np.int64]
    owned: NDArray[np.bool_]
    shortened: tuple[int, ...]
    examples: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Sub-words of each window."""
        return self.ids.lengths

    def windows_of(self, example: int) -> range:
        """Indexes of an example's windows."""
        return range(
            int(np.searchsorted(self.example, example, side="left")),
            int(np.searchsorted(self.example, example, side="right")),
        )

    def targets(self, answers: Sequence[Answer | None], examples: Sequence[ExampleText]) -> NDArray[np.int64]:
        """Columns where each window's answer starts and ends, shape (windows, 2); those of CLS where it holds none.

        Args:
            answers: Of each example; None where there is no answer.
            examples: The examples that were encoded.
        """
        result = np.empty((len(self), 2), dtype=np.int64)
        for window in range(len(self)):
            columns, places = (
                self.columns[window],
                self.places[slice(*self.columns.bounds[window : window + 2])],
            )
            result[window] = columns[0]
            answer = answers[int(self.example[window])]
            if answer is None or len(columns) < 2:
                continue
            start, end = _stripped(answer, examples[int(self.example[window])].text)
            first = int(np.searchsorted(places[1:, 1], start, side="right")) + 1
            last = int(np.searchsorted(places[1:, 0], end, side="left"))
            whole_start = first > 1 or places[1, 0] <= start or self._is_first(window)
            whole_end = last < len(columns) - 1 or places[-1, 1] >= end or self._is_last(window)
            if first <= last and whole_start and whole_end:
                result[window] = columns[first], columns[last]
        return result

    def _is_first(self, window: int) -> bool:
        return window == 0 or self.example[window - 1] != self.example[window]

    def _is_last(self, window: int) -> bool:
        return window + 1 == len(self) or self.example[window + 1] != self.example[window]


def _stripped(answer: Answer, text: str) -> tuple[int, int]:
    piece = text[answer.start : answer.end]
    return answer.start + len(piece) - len(piece.lstrip()), answer.end - (len(piece) - len(piece.rstrip()))


def encode_answers(
    tokenizer: SubwordTokenizer, examples: Sequence[ExampleText], *, max_length: int, stride: int
) -> AnswerWindows:
    """Encode questions with their contexts. A context that several questions share is encoded once.

    Only the context is cut into windows. A question that is longer than half the window is cut to that, and said so in
    ``shortened``.

    Args:
        tokenizer: Loaded for running text.
        examples: Each with a question.
        max_length: Sub-words per window, question and special ones included.
        stride: Sub-words of the context that neighbouring windows share.

    Raises:
        InvalidInput: Hardly anything fits into a window.
    """
    template = tokenizer.template(pair=True)
    room = check_window(max_length, template)
    texts = list(dict.fromkeys(example.text for example in examples))
    contexts = {}
    for text, encoding in zip(texts, tokenizer.encode_texts(texts), strict=True):
        offsets = as_array(encoding.offsets).reshape(-1, 2)
        contexts[text] = (as_array(encoding.ids), gaps_joined(text, offsets))
    questions = tokenizer.encode_texts([(example.question or "").strip() for example in examples])
    build = _Builder(template, tokenizer.cls_id, context_first=tokenizer.pads_left)
    shortened = []
    for index, (example, encoding) in enumerate(zip(examples, questions, strict=True)):
        question = as_array(encoding.ids)
        if len(question) > room // 2:
            shortened.append(index)
            question = question[: room // 2]
        ids, offsets = contexts[example.text]
        capacity = room - len(question)
        for window in plan(len(ids), capacity, fitting_stride(capacity, stride)):
            build.add(index, question, ids, offsets, window)
    return build.windows(tuple(shortened), len(examples))


class _Builder:
    """Puts windows together: question and context, or context and question where batches are padded on the left."""

    def __init__(self, template: Template, cls_id: int | None, *, context_first: bool) -> None:
        self._template = template
        self._cls_id = cls_id
        self._context_first = context_first
        self._ids: list[NDArray[np.int64]] = []
        self._types: list[NDArray[np.int64]] = []
        self._example: list[int] = []
        self._columns: list[NDArray[np.int64]] = []
        self._places: list[NDArray[np.int64]] = []
        self._owned: list[NDArray[np.bool_]] = []

    def add(
        self,
        example: int,
        question: NDArray[np.int64],
        context: NDArray[np.int64],
        offsets: NDArray[np.int64],
        window: Window,
    ) -> None:
        """One window of one example."""
        part = context[window.start : window.end]
        texts = (part, question) if self._context_first else (question, part)
        pieces: list[NDArray[np.int64]] = []
        types: list[NDArray[np.int64]] = []
        for index, special in enumerate(self._template.parts):
            pieces.append(np.asarray(special, dtype=np.int64))
            types.append(np.asarray(self._template.types[index], dtype=np.int64))
            if index < len(texts):
                pieces.append(texts[index])
                types.append(np.full(len(texts[index]), self._template.text_types[index], dtype=np.int64))
        ids = np.concatenate(pieces)
        before = sum(map(len, pieces[: 1 if self._context_first else 3]))
        positions = np.arange(window.start, window.end)
        self._ids.append(ids)
        self._types.append(np.concatenate(types))
        self._example.append(example)
        self._columns.append(np.concatenate([[self._cls(pieces)], before + np.arange(len(part))]))
        self._places.append(np.concatenate([[NOWHERE], offsets[window.start : window.end]]))
        self._owned.append(
            np.concatenate([[True], (positions >= window.own_start) & (positions < window.own_end)])
        )

    def _cls(self, pieces: Sequence[NDArray[np.int64]]) -> int:
        """Column of the CLS sub-word among the special ones, or 0 where the model has none."""
        at = 0
        for index, piece in enumerate(pieces):
            if index % 2 == 0 and self._cls_id is not None and self._cls_id in piece:
                return at + int(np.flatnonzero(piece == self._cls_id)[0])
            at += len(piece)
        return 0

    def windows(self, shortened: tuple[int, ...], examples: int) -> AnswerWindows:
        """All that were added."""
        none = np.empty(0, dtype=np.int64)
        return AnswerWindows(
            ids=Ragged(np.concatenate([none, *self._ids]), bounds_of(list(map(len, self._ids)))),
            types=np.concatenate([none, *self._types]),
            example=np.asarray(self._example, dtype=np.int64),
            columns=Ragged(np.concatenate([none, *self._columns]), bounds_of(list(map(len, self._columns)))),
            places=np.concatenate([none.reshape(0, 2), *self._places]),
            owned=np.concatenate([np.empty(0, dtype=np.bool_), *self._owned]),
            shortened=shortened,
            examples=examples,
        )
