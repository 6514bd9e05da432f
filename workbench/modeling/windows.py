"""How a text that is longer than the model is cut, and which window a sub-word is read in."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Window(NamedTuple):
    """One window over a text's sub-words; half-open ranges.

    Attributes:
        start: First sub-word in it.
        end: First sub-word after it.
        own_start: First sub-word that is read here.
        own_end: First sub-word that is not read here any more.
    """

    start: int
    end: int
    own_start: int
    own_end: int


def plan(length: int, capacity: int, stride: int) -> list[Window]:
    """Windows over ``length`` sub-words; every sub-word is read in exactly one, where it has the most context.

    Args:
        length: Sub-words of the text. None at all still gives one (empty) window.
        capacity: Sub-words that fit into one window, at least 1.
        stride: Sub-words that neighbouring windows share at least, fewer than ``capacity``. The last window is
            moved back until it is full, since context is worth having.

    >>> plan(10, 6, 2)
    [Window(start=0, end=6, own_start=0, own_end=5), Window(start=4, end=10, own_start=5, own_end=10)]
    """
    if length <= capacity:
        return [Window(0, length, 0, length)]
    step = capacity - stride
    starts = [*range(0, length - capacity, step), length - capacity]
    cuts = [0]
    for before, after in pairwise(starts):
        overlap_end = before + capacity
        cuts.append((overlap_end - 1 + after) // 2 + 1)  # a tie goes to the earlier window
    cuts.append(length)
    return [
        Window(start, start + capacity, cuts[index], cuts[index + 1]) for index, start in enumerate(starts)
    ]


def fitting_stride(capacity: int, stride: int) -> int:
    """``stride``, or half the window where it is wider than that."""
    return min(stride, capacity // 2)


def gaps_joined(text: str, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Offsets of shape (sub-words, 2) with combining marks and joiners counted to the sub-word before them.

    Normalisers drop accents and joiners before sub-words are made, so that they lie between two offsets; an answer
    that ended there would be cut inside a letter.
    """
    if text.isascii() or not len(offsets):
        return offsets
    import unicodedata

    joined = offsets.copy()
    following = np.append(offsets[1:, 0], len(text))
    for index in np.flatnonzero(following > offsets[:, 1]).tolist():
        end = int(offsets[index, 1])
        while end < following[index] and unicodedata.category(text[end]) in ("Mn", "Me", "Mc", "Cf"):
            end += 1
        joined[index, 1] = end
    return joined
