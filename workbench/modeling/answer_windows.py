"""How a question's context is read in windows, and how the answer is chosen over all of them. NumPy only.

An export of a model that answers questions brings this file; the pipeline for transformers and the one for ONNX
Runtime both use it. Positions count code points of the context.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

DEFAULTS = {
    "max_length": 384,
    "stride": 128,
    "allow_no_answer": False,
    "no_answer_threshold": 0.0,
    "max_answer_tokens": 30,
}
"""What a model brings of its own; see ``workbench_question_answering`` in its ``config.json``."""

Place = tuple[int, int]
"""Start and end in code points of the context."""

N_BEST = 20
NOWHERE = (-1, -1)


@dataclass(frozen=True)
class PairTemplate:
    """What a tokenizer puts around and between two texts.

    Attributes:
        parts: Special sub-words before, between and after the texts; ids.
        special_types: Token type ids of those parts.
        text_types: Token type id of each text.
        cls_id: Of the CLS sub-word, None where there is none.
    """

    parts: tuple[list[int], list[int], list[int]]
    special_types: tuple[list[int], list[int], list[int]]
    text_types: list[int]
    cls_id: int | None

    @classmethod
    def of(
        cls, ids: Sequence[int], types: Sequence[int], sequences: Sequence[int | None], cls_id: int | None
    ) -> PairTemplate:
        """From what the tokenizer makes of two short texts."""
        parts: tuple[list[int], list[int], list[int]] = ([], [], [])
        special_types: tuple[list[int], list[int], list[int]] = ([], [], [])
        text_types = [0, 0]
        part = 0
        for token, kind, sequence in zip(ids, types, sequences, strict=True):
            if sequence is None:
                parts[part].append(token)
                special_types[part].append(kind)
            else:
                part, text_types[sequence] = sequence + 1, kind
        return cls(parts, special_types, text_types, cls_id)

    @property
    def size(self) -> int:
        """Special sub-words in all."""
        return sum(map(len, self.parts))

    def around(self, first: list[int], second: list[int]) -> tuple[list[int], list[int]]:
        """Ids and token type ids of a whole window."""
        ids = [*self.parts[0], *first, *self.parts[1], *second, *self.parts[2]]
        types = [
            *self.special_types[0],
            *[self.text_types[0]] * len(first),
            *self.special_types[1],
            *[self.text_types[1]] * len(second),
            *self.special_types[2],
        ]
        return ids, types


@dataclass(frozen=True)
class Window:
    """Sub-words that are read at once.

    Attributes:
        ids: Sub-words, the question's and special ones included.
        types: Token type ids beside them.
        columns: Where an answer can start and end: CLS first, then the context's sub-words.
        places: Beside the columns; ``NOWHERE`` for CLS.
    """

    ids: list[int]
    types: list[int]
    columns: list[int]
    places: list[Place]


def read_windows(
    template: PairTemplate,
    question: Sequence[int],
    context: str,
    ids: Sequence[int],
    offsets: Sequence[Place],
    *,
    max_length: int,
    stride: int,
    context_first: bool = False,
) -> Iterator[Window]:
    """The windows over one context, each with the question beside it.

    Args:
        template: Of the tokenizer.
        question: Sub-words of the question; cut to half a window.
        context: The text.
        ids: Its sub-words.
        offsets: Where each stands in it.
        max_length: Sub-words of a window, special ones included.
        stride: Sub-words of the context that neighbouring windows share.
        context_first: Whether the context stands before the question (models padded on the left).
    """
    room = max_length - template.size
    asked = list(question[: room // 2])
    capacity = room - len(asked)
    places = _joined(context, offsets)
    for start, end in _cut(len(ids), capacity, min(stride, capacity // 2)):
        part = list(ids[start:end])
        first, second = (part, asked) if context_first else (asked, part)
        whole, types = template.around(first, second)
        before = len(template.parts[0])
        if not context_first:
            before += len(asked) + len(template.parts[1])
        cls = template.cls_id
        column = whole.index(cls) if cls is not None and cls in whole else 0
        yield Window(
            whole, types, [column, *range(before, before + len(part))], [NOWHERE, *places[start:end]]
        )


def best_answers(
    context: str,
    windows: Sequence[tuple[Any, Any, Sequence[Place]]],
    *,
    top_k: int,
    allow_no_answer: bool,
    threshold: float,
    longest: int,
) -> list[dict[str, Any]]:
    """At most ``top_k`` answers of one question, the chosen one first, the others by their scores.

    Args:
        context: The text.
        windows: Of each: start logits, end logits and places, one item for each of its columns.
        top_k: Answers wanted.
        allow_no_answer: Whether ``""`` may be given.
        threshold: By how much "no answer" has to exceed the best answer.
        longest: Longest answer, in sub-words.
    """
    best: dict[Place, float] = {}
    null = float("inf")
    for start_logits, end_logits, places in windows:
        starts, ends = (np.asarray(row, dtype=np.float64) for row in (start_logits, end_logits))
        null = min(null, float(starts[0] + ends[0]))
        for found, score in _candidates(starts, ends, places, longest):
            place = _trimmed(context, *found)
            if place[0] < place[1] and score > best.get(place, -np.inf):
                best[place] = score
    ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))[:N_BEST]
    none_wins = not ranked or (allow_no_answer and null - ranked[0][1] > threshold)
    if allow_no_answer or not ranked:
        ranked.append(((0, 0), null))
    scores = np.array([score for _, score in ranked], dtype=np.float64)
    chances = np.exp(scores - scores.max())
    chances /= chances.sum()
    answers: list[dict[str, Any]] = [
        {"answer": context[start:end], "score": float(chance), "start": start, "end": end}
        for ((start, end), _), chance in zip(ranked, chances, strict=True)
    ]
    chosen = answers.pop(-1 if none_wins else 0)
    answers.sort(key=lambda answer: -answer["score"])
    return [chosen, *answers][:top_k]


def _cut(length: int, capacity: int, stride: int) -> list[Place]:
    """Ranges over ``length`` sub-words; the last one is moved back until it is full."""
    if length <= capacity:
        return [(0, length)]
    starts = [*range(0, length - capacity, capacity - stride), length - capacity]
    return [(start, start + capacity) for start in starts]


def _joined(text: str, offsets: Sequence[Place]) -> list[Place]:
    """Offsets with combining marks and joiners counted to the sub-word before them: normalisers drop them."""
    joined = [(start, end) for start, end in offsets]
    if text.isascii():
        return joined
    following = [*(start for start, _ in joined[1:]), len(text)]
    for index, (start, end) in enumerate(joined):
        last = end
        while last < following[index] and unicodedata.category(text[last]) in ("Mn", "Me", "Mc", "Cf"):
            last += 1
        joined[index] = (start, last)
    return joined


def _candidates(starts: Any, ends: Any, places: Sequence[Place], longest: int) -> list[tuple[Place, float]]:
    """The best pairs of a start and an end in one window: ((start, end) in code points, score)."""
    inside = np.array([start >= 0 for start, _ in places])
    starts, ends = np.where(inside, starts, -np.inf), np.where(inside, ends, -np.inf)
    padded = np.concatenate([ends, np.full(longest - 1, -np.inf)])
    scores = (starts[:, None] + np.lib.stride_tricks.sliding_window_view(padded, longest)).ravel()
    keep = min(N_BEST, int(np.isfinite(scores).sum()))
    if not keep:
        return []
    top = np.argpartition(-scores, keep - 1)[:keep]
    return [
        ((places[index // longest][0], places[index // longest + index % longest][1]), float(scores[index]))
        for index in top.tolist()
    ]


def _trimmed(text: str, start: int, end: int) -> Place:
    """The range without white space at its ends."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - (len(piece) - len(piece.rstrip()))
