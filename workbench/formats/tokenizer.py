"""Words and sentences of plain text, for files that bring neither.

An export of a model that labels words brings a copy of this file, so it needs the standard library only.

>>> text = "Dr. Ada Lovelace's engine (1843) cost 3.50 pounds. It never ran."
>>> [text[start:end] for start, end in tokenize(text)][:7]
['Dr.', 'Ada', 'Lovelace', "'s", 'engine', '(', '1843']
>>> [text[start:end] for start, end in sentences(text)][1]
'It never ran.'
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

Offset = tuple[int, int]
"""As in ``workbench.domain``, which an export has not."""

_ABBREVIATIONS = (
    "Dr|Mr|Mrs|Ms|Prof|St|Sr|Jr|Gen|Col|Capt|Lt|Sgt|Rev|Hon|vs|etc|Inc|Ltd|Co|Corp|No|Fig|approx|"
    "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|e\\.g|i\\.e|z\\.B|d\\.h|u\\.a|bzw|ca|Nr|Bd|Hrsg"
)
_MARKS = (  # vowel signs, points and joiners that belong to a word though \w leaves them out
    "\u0300-\u036f\u0591-\u05bd\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff\u0e31-\u0e4e"
    "\u0f71-\u0f84\u102b-\u103e\u17b4-\u17d3\u200c\u200d"
)
_LETTERS = rf"\w[\w{_MARKS}]*"
_WORD = re.compile(
    r"(?:https?://|www\.)\S{0,2000}[^\s.,;:!?)\]}'\"»”’]"  # addresses of the web
    r"|[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+"  # of mail
    rf"|(?:{_ABBREVIATIONS})\.(?=\s)"
    r"|(?:[^\W\d_]\.){2,}"  # U.S.
    rf"|[@#]{_LETTERS}"
    r"|\d+(?:[.,:/-]\d+)*(?!\w)"  # 3.50, 1996-08-22
    r"|['’](?:s|S|re|ve|ll|d|m|t)\b"
    rf"|{_LETTERS}(?:[-‐·]{_LETTERS})*"
    r"|\.{2,}|-{2,}|[^\w\s]"
)
# Each quantifier is bounded or starts only where its run does: no text makes these patterns take quadratic time.
_END = re.compile(
    r"(?<![.!?…])[.!?…]++[\"'”’»)\]]*+(?=\s+[\"'“‘«(\[]*+[^\W_a-z])|(?<![。！？])[。！？]++[」』”]?|(?<!\s)\s*\n\s*?\n"
)
_ABBREVIATED = re.compile(rf"(?:\b(?:{_ABBREVIATIONS})|\b[^\W\d_]|(?:[^\W\d_]\.)+[^\W\d_])\.$")


def tokenize(text: str) -> tuple[Offset, ...]:
    """Half-open ranges of the words and signs of a text, in code points, in order."""
    return tuple(match.span() for match in _WORD.finditer(text))


def sentences(text: str) -> list[Offset]:
    """Half-open ranges of the sentences of a running text, trimmed; together they hold all but white space."""
    ends = [
        match.end()
        for match in _END.finditer(text)
        if not _ABBREVIATED.search(text[max(0, match.end() - 24) : match.end()])
    ]
    result: list[Offset] = []
    start = 0
    for end in [*ends, len(text)]:
        piece = text[start:end]
        bare = piece.strip()
        if bare:
            first = start + len(piece) - len(piece.lstrip())
            result.append((first, first + len(bare)))
        start = end
    return result


def cut_at(tokens: Sequence[Offset], places: Iterable[int]) -> tuple[Offset, ...]:
    """The tokens, those that hold a place inside them cut in two there."""
    wanted = sorted(set(places))
    result: list[Offset] = []
    index = 0
    for start, end in tokens:
        while index < len(wanted) and wanted[index] <= start:
            index += 1
        while index < len(wanted) and wanted[index] < end:
            result.append((start, wanted[index]))
            start = wanted[index]  # noqa: PLW2901
            index += 1
        result.append((start, end))
    return tuple(result)


def joined(words: Sequence[str]) -> tuple[str, tuple[Offset, ...]]:
    """Words put together by single spaces, and where each of them lies."""
    offsets: list[Offset] = []
    place = 0
    for word in words:
        end = place + len(word)
        offsets.append((place, end))
        place = end + 1
    return " ".join(words), tuple(offsets)


def aligned(words: Sequence[str], text: str) -> tuple[Offset, ...] | None:
    """Where words lie in a text that they make up but for white space, or None if they don't."""
    offsets: list[Offset] = []
    place = 0
    length = len(text)
    for word in words:
        while place < length and not text.startswith(word, place) and text[place].isspace():
            place += 1
        if not word or not text.startswith(word, place):
            return None
        offsets.append((place, place + len(word)))
        place += len(word)
    return tuple(offsets) if not text[place:].strip() else None
