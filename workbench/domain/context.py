"""What stands around a sentence in its document, as far as a model reads it along with the sentence.

Schweter and Akbik 2020, FLERT: Document-Level Features for Named Entity Recognition, https://arxiv.org/abs/2011.06993.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from workbench.domain.kinds import Split

MOST_CONTEXT = 512
"""Sub-words on each side."""

CHARACTERS = 8
"""Characters kept for each sub-word of context, about twice as many as one has in most languages."""

_SIDES = {Split.POOL: "learned from", Split.TRAIN: "learned from"}


def one_side(first: Split, second: Split) -> bool:
    """Whether a sentence of one split may be read as context of one of the other.

    The pool and the train split are both learned from; validation and test stand alone, so that no text that a model is
    measured on is seen in training, not even without its labels.
    """
    return _SIDES.get(first, first) == _SIDES.get(second, second)


def text_before(nearest_first: Iterable[str], context: int) -> str:
    """The sentences before one as a single text: whole ones, the nearest first, until there is enough for ``context``
    sub-words. Where the last is too long by itself, its far end is left out.

    >>> text_before(["Then they ate.", "Anna cooked."], 64)
    'Anna cooked. Then they ate.'
    >>> text_before(["Then they ate.", "Anna cooked."], 2)
    'Then they ate.'
    """
    limit = context * CHARACTERS
    text = " ".join(reversed(_enough(nearest_first, context, limit)))
    if len(text) <= limit:
        return text
    cut = text[-limit:]
    _, _, whole = cut.partition(" ")
    return whole if whole and text[-limit - 1] != " " else cut.lstrip()


def text_after(nearest_first: Iterable[str], context: int) -> str:
    """The sentences after one, likewise."""
    limit = context * CHARACTERS
    text = " ".join(_enough(nearest_first, context, limit))
    if len(text) <= limit:
        return text
    cut = text[:limit]
    whole, _, _ = cut.rpartition(" ")
    return whole if whole and text[limit] != " " else cut.rstrip()


def _enough(nearest_first: Iterable[str], context: int, limit: int) -> list[str]:
    """Sentences until ``limit`` characters are there; as many as there are sub-words of context suffice in any case."""
    kept: list[str] = []
    size = 0
    for text in islice(nearest_first, context):
        kept.append(text)
        size += len(text) + 1
        if size > limit:
            break
    return kept
