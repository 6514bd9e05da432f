"""Filling a batch from candidates that come best first. Nothing here touches the database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from workbench.acquisition import Strategy
from workbench.domain import Json
from workbench.evidence.cost import ASSUMED, Cost
from workbench.storage.candidates import Candidate, Filters

__all__ = [
    "Coverage",
    "Embedded",
    "Filled",
    "Filters",
    "Pick",
    "Ranked",
    "Selection",
    "chunk_sizes",
    "fill",
    "make_pick",
    "near_key",
    "spent",
]

DIGITS = re.compile(r"\d")
NOT_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its place in the order that chose it, counted from 1, and whether it is for the audit."""

    candidate: Candidate
    rank: int
    audit: bool = False


@dataclass(frozen=True, slots=True)
class Filled:
    """What came of filling: the picks in order, their words, and how many near-duplicates were left out."""

    picks: tuple[Ranked, ...]
    words: int
    duplicates: int


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
        unit: ``examples``, ``words`` or ``seconds``.
        seed: Of the random order.
        model_version: Number of the version whose scores decided, or None.
        filters: What it was narrowed to.
        keep_duplicates: Whether near-duplicates were let in.
        audit_share: Share of the examples that were drawn by lot from the whole pool, 0..1.
        noise: Strength of the noise on the scores; 0 for none.
        draw: Batches that the project had, which the noise depends on.
        picks: The examples, the one to ask first at the front.
        words: Of all picks together.
        seconds: That an annotator will take for them, predicted.
        cost: What the prediction goes by.
        duplicates: Near-duplicates that were left out.
    """

    strategy: str
    size: int
    unit: str
    seed: int
    model_version: int | None
    filters: Filters = field(default_factory=Filters)
    keep_duplicates: bool = False
    audit_share: float = 0.0
    noise: float = 0.0
    draw: int = 0
    picks: tuple[Pick, ...] = ()
    words: int = 0
    seconds: float = 0.0
    cost: Cost = ASSUMED
    duplicates: int = 0

    @property
    def short(self) -> bool:
        """Whether the pool ran out before the budget was reached."""
        return spent(self.unit, len(self.picks), self.words, self.cost) < self.size


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of what may be selected a model version has scored by a strategy."""

    scored: int
    unscored: int


@dataclass(frozen=True, slots=True)
class Embedded:
    """What a base model has read: its name (None before it has), and how many examples, labeled ones among them;
    ``unlabeled`` is how many there are in the pool without a label."""

    base_model: str | None
    examples: int
    unlabeled: int


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


def spent(unit: str, examples: int, words: int, cost: Cost) -> float:
    """So many examples with so many words in all, in a unit of budgets.

    >>> spent("seconds", 10, 200, Cost(2.0, 0.25, 0))
    70.0
    """
    if unit == "seconds":
        return cost.seconds(examples, words)
    return words if unit == "words" else examples


def fill(
    candidates: Iterable[tuple[Candidate, bool]],
    size: int,
    unit: str,
    *,
    keep_duplicates: bool = False,
    lots: Iterable[tuple[Candidate, bool]] = (),
    audit_share: float = 0.0,
    cost: Cost = ASSUMED,
) -> Filled:
    """Take candidates in their order until the budget is reached, and every so often the next one by lot.

    Args:
        candidates: Best first, each with whether a labeled example has the same content.
        size: The budget: in examples, words or predicted seconds; the example that reaches it is taken too.
        unit: ``examples``, ``words`` or ``seconds``.
        keep_duplicates: Take what has a labeled example's content, and near-duplicates of picks before, as well.
        lots: Candidates in random order, for the audit.
        audit_share: Share of the picks that come from ``lots``, 0..1. They are spread evenly, so that the share
            holds for whoever stops half-way too.
        cost: What seconds are predicted by.
    """
    picks: list[Ranked] = []
    chosen: set[int] = set()
    left_out: set[int] = set()
    seen: set[str] = set()
    words = 0
    ranked, drawn = enumerate(candidates, 1), enumerate(lots, 1)
    while spent(unit, len(picks), words, cost) < size:
        audit = audit_is_due(len(picks), audit_share)
        rank, (candidate, labeled_twin) = next(drawn if audit else ranked, (0, (None, False)))
        if candidate is None:
            break
        if candidate.id in chosen:
            continue
        key = near_key(candidate.text, candidate.question)
        if not keep_duplicates and (labeled_twin or key in seen):
            left_out.add(candidate.id)
            continue
        seen.add(key)
        chosen.add(candidate.id)
        picks.append(Ranked(candidate, rank, audit))
        words += candidate.words
    return Filled(tuple(picks), words, len(left_out))


def audit_is_due(before: int, share: float) -> bool:
    """Whether the pick after ``before`` others is one for the audit.

    >>> [audit_is_due(number, 0.25) for number in range(5)]
    [False, False, False, True, False]
    """
    slack = 1e-9  # a tenth, ten times added up, must come to one
    return int((before + 1) * share + slack) > int(before * share + slack)


def chunk_sizes(size: int, unit: str) -> Iterator[int]:
    """How many candidates to read at a time: about what is needed at first, then more and more."""
    wanted = size if unit == "examples" else max(1, size // 10)  # a sentence is some ten words, or seconds
    chunk = min(max(wanted + wanted // 4, 50), 2_000)
    while True:
        yield chunk
        chunk = min(chunk * 2, 5_000)


def make_pick(ranked: Ranked, strategy: Strategy, source: Json, seed: int, noise: float = 0.0) -> Pick:
    """The pick that a candidate becomes, with the reason that is kept with it; ``source`` is a part of that."""
    candidate = ranked.candidate
    score = candidate.score or 0.0
    reason: dict[str, Any] = {"strategy": strategy.name, "score": score, "rank": ranked.rank}
    if ranked.audit:
        reason.update({"strategy": "random", "audit": True, "seed": seed})
    else:
        if candidate.why:
            reason["why"] = candidate.why
        if noise or strategy.noise:
            reason.update({"noise": noise or strategy.noise, "seed": seed})
        if strategy.choose or not strategy.needs_model:
            reason["seed"] = seed
        if strategy.needs_model or strategy.reads:
            reason.update(source)
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
