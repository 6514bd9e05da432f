"""How a text's words are read in windows, and how their classes become entities or tags. NumPy only.

An export of a model that labels words brings this file; the pipeline for transformers and the one for ONNX Runtime both
use it. A word is read at its first sub-word, in the one window where that has the most context. Positions count code
points of the text.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

DEFAULTS = {"max_length": 128, "stride": 32, "temperature": 1.0, "joins": True}
"""What a model brings of its own; see ``workbench_words`` in its ``config.json``."""

Place = tuple[int, int]
"""Start and end in code points of the text."""

OUTSIDE = "O"


@dataclass(frozen=True)
class Window:
    """Sub-words that are read at once.

    Attributes:
        ids: The sub-words, special ones included.
        columns: Where the first sub-word of each word stands that is read here.
        words: Those words, counted from 0 in the text.
    """

    ids: list[int]
    columns: list[int]
    words: list[int]


def read_windows(
    around: tuple[Sequence[int], Sequence[int]],
    ids: Sequence[int],
    owners: Sequence[int | None],
    words: int,
    *,
    unknown: int,
    max_length: int,
    stride: int,
) -> Iterator[Window]:
    """The windows over one text.

    Args:
        around: Special sub-words before and after a text.
        ids: Sub-words of the text's words.
        owners: The word that each belongs to.
        words: How many words there are.
        unknown: Sub-word of a word that has none of its own.
        max_length: Sub-words of a window, special ones included.
        stride: Sub-words that neighbouring windows share at least.
    """
    before, after = around
    all_ids, all_owners = _completed(ids, owners, words, unknown)
    first = [at for at, owner in enumerate(all_owners) if at == 0 or owner != all_owners[at - 1]]
    capacity = max_length - len(before) - len(after)
    for start, end, own, own_end in plan(len(all_ids), capacity, min(stride, capacity // 2)):
        mine = first[bisect_left(first, own) : bisect_left(first, own_end)]
        yield Window(
            [*before, *all_ids[start:end], *after],
            [at - start + len(before) for at in mine],
            [all_owners[at] for at in mine],
        )


def plan(length: int, capacity: int, stride: int) -> list[tuple[int, int, int, int]]:
    """Windows over sub-words: start, end, and the range that is read in it, where it has the most context."""
    if length <= capacity:
        return [(0, length, 0, length)]
    starts = [*range(0, length - capacity, capacity - stride), length - capacity]
    middles = [(before + capacity - 1 + after) // 2 + 1 for before, after in pairwise(starts)]
    return [
        (start, start + capacity, own, own_end)
        for start, own, own_end in zip(starts, [0, *middles], [*middles, length], strict=True)
    ]


def probabilities(logits: Any, temperature: float) -> Any:
    """Of the classes of some words, from logits of shape (words, classes)."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    raised = np.exp(scaled - scaled.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def grouped(
    text: str, words: Sequence[Place], chances: Any, labels: Sequence[str], joins: bool
) -> list[dict[str, Any]]:
    """What the classes of a text's words amount to.

    Args:
        text: The text.
        words: Where its words stand.
        chances: Probabilities, shape (words, classes).
        labels: Names of the classes.
        joins: Whether they are ``B-X`` and ``I-X`` of entities; otherwise each word is a group of its own.

    Returns:
        ``{"entity_group", "score", "word", "start", "end"}`` of each; the score is the mean of the words'.
    """
    groups: list[dict[str, Any]] = []
    before = ""
    for (start, end), row in zip(words, chances, strict=True):
        best = int(row.argmax())
        prefix, _, kind = labels[best].partition("-") if joins else ("", "", labels[best])
        if joins and labels[best] == OUTSIDE:
            kind = ""
        elif joins and prefix == "I" and kind == before:
            groups[-1]["end"] = end
            groups[-1]["scores"].append(float(row[best]))
        else:
            groups.append({"entity_group": kind, "scores": [float(row[best])], "start": start, "end": end})
        before = kind
    return [
        {
            "entity_group": group["entity_group"],
            "score": float(np.mean(group["scores"])),
            "word": text[group["start"] : group["end"]],
            "start": group["start"],
            "end": group["end"],
        }
        for group in groups
    ]


def _completed(
    ids: Sequence[int], owners: Sequence[int | None], words: int, unknown: int
) -> tuple[list[int], list[int]]:
    """Sub-words and their words, with one for each word that has none."""
    all_ids: list[int] = []
    all_owners: list[int] = []
    due = 0
    for found, owner in [*zip(ids, owners, strict=True), (unknown, words)]:
        if owner is None:
            continue
        while due < owner:
            all_ids.append(unknown)
            all_owners.append(due)
            due += 1
        if owner < words:
            all_ids.append(found)
            all_owners.append(owner)
            due = owner + 1
    return all_ids, all_owners
