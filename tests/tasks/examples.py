"""Examples that the tests of tasks and models share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from workbench.domain import ExampleText


def sentence(words: Sequence[str], *, space: str = " ", question: str | None = None) -> ExampleText:
    """The words with ``space`` between them; tokens are the words."""
    if not words:
        return ExampleText("", (), question)
    text = space.join(words)
    starts = [0]
    for word in words[:-1]:
        starts.append(starts[-1] + len(word) + len(space))
    tokens = tuple((start, start + len(word)) for start, word in zip(starts, words, strict=True))
    assert all(a[1] <= b[0] for a, b in pairwise(tokens))
    return ExampleText(text, tokens, question)
