"""Near duplicates of short texts: MinHash sketches, found by banding and confirmed by what the sketches share.

A text is the set of its pairs of neighbouring words. Two texts resemble each other as much as their sets do (Jaccard:
shared pairs over all pairs); the share of equal minima under random hash functions estimates that (Broder 1997, On
the resemblance and containment of documents). Of each minimum 8 bits are kept (Li and König 2010, b-Bit minwise
hashing), so a sketch is 64 bytes. Pairs that are equal in one of 16 bands of 4 minima are looked at (Indyk and
Motwani 1998; Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3), and are near duplicates where
the estimate is 0.7 or more.

With these numbers a pair of resemblance 0.7 is looked at with a chance of 98.8 %, one of 0.8 with 99.98 %, one of 0.3
with 12 %, and then refused; the estimate's standard error at 0.7 is 0.06. One changed word in a sentence of fifteen
leaves a resemblance of 0.75. Texts of fewer than five words have no sketch: they are equal or they are not.

>>> one, other, short = sketch(["the cat sat on the mat", "The cat sat  on the mat", "the cat"])
>>> bool((one == other).all()), bool(short.any())
(True, False)
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

MINIMA = 64
"""Hash functions, and bytes of a sketch."""
BANDS = 16
LEAST = 0.7
"""Estimated resemblance from which two texts are near duplicates."""
LEAST_WORDS = 5
MOST_WORDS = 200_000
"""Different words whose hashes are remembered between calls."""
MOST_PAIRS = 4_000_000
"""Candidate pairs of one band that are looked at; text that repeats itself more is boilerplate."""

Sketches = NDArray[np.uint8]
"""Shape (texts, 64); a row of zeros is a text without a sketch."""

_RANDOM = np.random.default_rng(20_240_131)
_FACTORS = _RANDOM.integers(1, 2**32, MINIMA, dtype=np.uint32) | np.uint32(1)
_SHIFTS = _RANDOM.integers(0, 2**32, MINIMA, dtype=np.uint32)
_ODD = np.uint32(0x9E3779B1)


class _Words(dict[str, int]):
    """Hash of each word, 32 bits, the same in every process."""

    def __missing__(self, word: str) -> int:
        if len(self) >= MOST_WORDS:
            self.clear()
        self[word] = found = zlib.crc32(word.encode("utf-8", "surrogatepass"))
        return found


_words = _Words()


def sketch(texts: Sequence[str], contexts: Sequence[str] | None = None) -> Sketches:
    """Sketches of texts, shape (texts, 64).

    Args:
        texts: Sentences or questions.
        contexts: What each question is about: questions on different contexts are never near duplicates.
    """
    split = [text.lower().split() for text in texts]
    lengths = np.fromiter(map(len, split), dtype=np.int64, count=len(split))
    found = np.zeros((len(texts), MINIMA), dtype=np.uint8)
    enough = np.flatnonzero(lengths >= LEAST_WORDS)
    if not len(enough):
        return found
    long = split if len(enough) == len(split) else [split[index] for index in enough.tolist()]
    lengths = lengths[enough]
    total = int(lengths.sum())
    words = np.fromiter(map(_words.__getitem__, chain.from_iterable(long)), dtype=np.uint32, count=total)
    pairs = _mixed(words[:-1] * _ODD + words[1:])
    ends = np.cumsum(lengths)
    inside = np.ones(total - 1, dtype=bool)
    inside[ends[:-1] - 1] = False
    pairs = pairs[inside]
    starts = np.concatenate(([0], np.cumsum(lengths - 1)[:-1]))
    if contexts is not None:
        salts = [zlib.crc32(contexts[index].encode("utf-8", "surrogatepass")) for index in enough.tolist()]
        pairs = _mixed(pairs ^ np.repeat(np.array(salts, dtype=np.uint32), lengths - 1))
    for number in range(MINIMA):
        minima = np.minimum.reduceat(pairs * _FACTORS[number] + _SHIFTS[number], starts)
        found[enough, number] = _mixed(minima) >> np.uint32(24)
    found[enough, 0] |= ~found[enough].any(axis=1)  # none of them is the row that means "no sketch"
    return found


def _mixed(values: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Every bit of the result depends on every bit given (the finalizer of MurmurHash3)."""
    values = values ^ (values >> np.uint32(16))
    values = values * np.uint32(0x85EBCA6B)
    values = values ^ (values >> np.uint32(13))
    values = values * np.uint32(0xC2B2AE35)
    return values ^ (values >> np.uint32(16))


def resemblance(first: Sketches, second: Sketches) -> NDArray[np.float64]:
    """Estimated resemblance, 0..1, of sketches side by side, shape (pairs,)."""
    chance = 1 / 256
    equal = (first == second).mean(axis=1)
    return np.asarray(np.clip((equal - chance) / (1 - chance), 0.0, 1.0))


def earlier(sketches: Sketches) -> NDArray[np.int64]:
    """For each text the index of an earlier one that it nearly repeats, -1 where there is none; shape (texts,).

    In each band a text is compared with the one before it in its bucket and with the first one.
    """
    found = np.full(len(sketches), -1, dtype=np.int64)
    rows = np.flatnonzero(sketches.any(axis=1))
    bands = _bands(sketches)
    for band in range(BANDS):
        keys = bands[rows, band]
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        same = ordered[1:] == ordered[:-1]
        if not same.any():
            continue
        begins = np.concatenate(([True], ~same))
        firsts = np.maximum.accumulate(np.where(begins, np.arange(len(ordered)), 0))
        later = np.flatnonzero(~begins)
        for before in (later - 1, firsts[later]):
            _keep(found, sketches, sketches, rows[order[later]], rows[order[before]])
    return found


def among(sketches: Sketches, others: Sketches) -> NDArray[np.int64]:
    """For each text the index of one of ``others`` that it nearly repeats, -1 where there is none; shape (texts,)."""
    found = np.full(len(sketches), -1, dtype=np.int64)
    mine, theirs = np.flatnonzero(sketches.any(axis=1)), np.flatnonzero(others.any(axis=1))
    if not len(mine) or not len(theirs):
        return found
    my_bands, their_bands = _bands(sketches), _bands(others)
    for band in range(BANDS):
        keys = my_bands[mine, band]
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        asked = their_bands[theirs, band]
        left, right = np.searchsorted(keys, asked, "left"), np.searchsorted(keys, asked, "right")
        counts = right - left
        counts[np.cumsum(counts) > MOST_PAIRS] = 0
        hits = np.flatnonzero(counts)
        if not len(hits):
            continue
        sizes = counts[hits]
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        places = np.repeat(left[hits], sizes) + within
        _keep(found, sketches, others, mine[order[places]], np.repeat(theirs[hits], sizes))
    return found


def _keep(
    found: NDArray[np.int64],
    sketches: Sketches,
    others: Sketches,
    one: NDArray[np.int64],
    other: NDArray[np.int64],
) -> None:
    """Write down the pairs that are near duplicates, where a text has none yet."""
    new = found[one] < 0
    one, other = one[new], other[new]
    for start in range(0, len(one), 100_000):
        part, against = one[start : start + 100_000], other[start : start + 100_000]
        near = resemblance(sketches[part], others[against]) >= LEAST
        found[part[near][::-1]] = against[near][::-1]


def _bands(sketches: Sketches) -> NDArray[np.uint32]:
    """Shape (texts, 16): four minima of 8 bits are one number."""
    return np.ascontiguousarray(sketches).view(np.uint32)
