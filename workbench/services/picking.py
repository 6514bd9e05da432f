"""Filling a batch from candidates that come best first. Nothing here touches the database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from workbench.acquisition import Strategy
from workbench.domain import Json
from workbench.storage.candidates import Candidate, Filters

__all__ = [
    "Coverage",
    "Filled",
    "Filters",
    "Pick",
    "Ranked",
    "Selection",
    "chunk_sizes",
    "fill",
    "make_pick",
    "near_key",
]

DIGITS = re.compile(r"\d")
NOT_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its place in the strategy's order, counted from 1."""

    candidate: Candidate
    rank: int


@dataclass(frozen=True, slots=True)
class Filled:
    """What came of filling: the picks in order, their words, and how many near-duplicates were left out."""

    picks: tuple[Ranked, ...]
    words: int
    duplicates: int
    examined: int


@dataclass(frozen=True, slots=True)
class Pick:
    """One example of a selection, and why it is in it."""

    example_id: int
    external_id: str
    document: str
    text: str
    question: str | None
    words: int
    score: float
    reason: Json


@dataclass(frozen=True, slots=True)
class Selection:
    """What would be in a batch made now.

    Attributes:
        strategy: The strategy's name.
        size: The budget, in ``unit``.
        unit: ``examples`` or ``words``.
        seed: Of the random order.
        model_version: Number of the version whose scores decided, or None.
        filters: What it was narrowed to.
        keep_duplicates: Whether near-duplicates were let in.
        picks: The examples, the one to ask first at the front.
        words: Of all picks together.
        duplicates: Near-duplicates that were left out.
    """

    strategy: str
    size: int
    unit: str
    seed: int
    model_version: int | None
    filters: Filters = field(default_factory=Filters)
    keep_duplicates: bool = False
    picks: tuple[Pick, ...] = ()
    words: int = 0
    duplicates: int = 0

    @property
    def short(self) -> bool:
        """Whether the pool ran out before the budget was reached."""
        return (self.words if self.unit == "words" else len(self.picks)) < self.size


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of what may be selected a model version has scored by a strategy."""

    scored: int
    unscored: int


def near_key(text: str, question: str | None = None) -> str:
    """What texts that differ in case, digits, punctuation or spacing alone have in common.

    >>> near_key("Won 3-1, again!") == near_key("won 2-0 again")
    True

    Text without a letter or digit (a row of dashes) is its own key.
    """
    parts = []
    for part in (text, question or ""):
        folded = DIGITS.sub("0", part.casefold())
        parts.append(NOT_WORD.sub(" ", folded).strip() or folded.strip())
    return "\n".join(parts)


def fill(
    candidates: Iterable[tuple[Candidate, bool]], size: int, unit: str, *, keep_duplicates: bool = False
) -> Filled:
    """Take candidates in their order until the budget is reached.

    Args:
        candidates: Best first, each with whether a labeled example has the same content.
        size: The budget: in examples, or in words; the example that reaches it is taken too.
        unit: ``examples`` or ``words``.
        keep_duplicates: Take near-duplicates of labeled examples and of picks before them as well.
    """
    picks: list[Ranked] = []
    seen: set[str] = set()
    words = duplicates = examined = 0
    for candidate, labeled_twin in candidates:
        examined += 1
        key = near_key(candidate.text, candidate.question)
        if not keep_duplicates and (labeled_twin or key in seen):
            duplicates += 1
            continue
        seen.add(key)
        picks.append(Ranked(candidate, examined))
        words += candidate.words
        if (words if unit == "words" else len(picks)) >= size:
            break
    return Filled(tuple(picks), words, duplicates, examined)


def chunk_sizes(size: int, unit: str) -> Iterator[int]:
    """How many candidates to read at a time: about what is needed at first, then more and more."""
    wanted = size if unit == "examples" else max(1, size // 10)
    chunk = min(max(wanted + wanted // 4, 50), 2_000)
    while True:
        yield chunk
        chunk = min(chunk * 2, 5_000)


def make_pick(ranked: Ranked, strategy: Strategy, version: int | None, seed: int) -> Pick:
    """The pick that a candidate becomes, with the reason that is kept with it."""
    candidate = ranked.candidate
    score = candidate.score or 0.0
    reason: dict[str, Any] = {"strategy": strategy.name, "score": score, "rank": ranked.rank}
    reason.update({"model_version": version} if strategy.needs_model else {"seed": seed})
    return Pick(
        example_id=candidate.id,
        external_id=candidate.external_id,
        document=candidate.document,
        text=candidate.text,
        question=candidate.question,
        words=candidate.words,
        score=score,
        reason=reason,
    )
