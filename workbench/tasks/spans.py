"""The best answers of a model that scores starts and ends, over all windows of a context. NumPy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Candidates:
    """The best answers of one example, best first.

    Attributes:
        spans: (start, end) in code points of the context, no two alike.
        scores: Start logit plus end logit of each.
        null_score: Of "no answer": the lowest of the windows, since one window that holds an answer decides.
    """

    spans: list[tuple[int, int]]
    scores: NDArray[np.float64]
    null_score: float

    @property
    def margin(self) -> float:
        """Score of "no answer" less that of the best answer; infinite where no answer is possible."""
        return self.null_score - float(self.scores[0]) if self.spans else np.inf


def window_candidates(
    start: NDArray[np.floating],
    end: NDArray[np.floating],
    offsets: NDArray[np.int64],
    n_best: int,
    longest: int,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The best answers of one window: (start, end) of shape (n, 2) in code points and scores of shape (n,).

    Every pair of a start and an end at most ``longest`` sub-words apart is weighed, not only those of the best
    starts with the best ends, at the cost of one addition each.
    """
    inside = offsets[:, 0] >= 0
    starts = np.where(inside, start, -np.inf).astype(np.float64)
    ends = np.where(inside, end, -np.inf).astype(np.float64)
    padded = np.concatenate([ends, np.full(longest - 1, -np.inf)])
    scores = (starts[:, None] + sliding_window_view(padded, longest)).ravel()
    keep = min(n_best, int(np.isfinite(scores).sum()))
    if not keep:
        return np.empty((0, 2), dtype=np.int64), np.empty(0)
    top = np.argpartition(-scores, keep - 1)[:keep]
    first = top // longest
    last = first + top % longest
    return np.stack([offsets[first, 0], offsets[last, 1]], axis=1), scores[top]


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without white space at its ends (some tokenizers count the space before a word to it)."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - (len(piece) - len(piece.rstrip()))


def candidates(
    starts: Sequence[NDArray[np.floating]],
    ends: Sequence[NDArray[np.floating]],
    offsets: Sequence[NDArray[np.int64]],
    text: str,
    *,
    n_best: int = 20,
    longest: int = 30,
) -> Candidates:
    """The best answers over all windows, merged by their place in the text (arguments as ``decode_answers``)."""
    best: dict[tuple[int, int], float] = {}
    null = np.inf
    for start, end, offset in zip(starts, ends, offsets, strict=True):
        null = min(null, float(start[0]) + float(end[0]))
        places, scores = window_candidates(start, end, offset, n_best, longest)
        for (first, last), score in zip(places.tolist(), scores.tolist(), strict=True):
            place = _trim(text, first, last)
            if place[0] < place[1] and score > best.get(place, -np.inf):
                best[place] = score
    ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))[:n_best]
    return Candidates(
        [place for place, _ in ranked],
        np.array([score for _, score in ranked]),
        null if np.isfinite(null) else 0.0,
    )


def softmax(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Probabilities of the last axis."""
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True), dtype=np.float64)
