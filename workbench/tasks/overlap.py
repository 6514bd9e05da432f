"""Figures for entities that are found but not exactly: exact, partial and type matching.

The counting of MUC-5 (Chinchor and Sundheim 1993) and SemEval-2013 task 9 (Segura-Bedmar et al. 2013), in the rules and
the order of nervaluate 1.2: predictions are gone through from the left, each takes the gold entity that it equals,
else one that it overlaps (the first; for ``type`` the one of its label whose ends are nearest), and a gold entity is
taken once. Written here rather than taken from nervaluate because that library counts a whole corpus at once,
while the counts of single examples are what resampling and slices need.

========= ============================ ============================= =================
figure    correct                      partial (counts half)         incorrect
========= ============================ ============================= =================
exact     same ends, any label         –                             it overlaps only
partial   same ends, any label         it overlaps only              –
type      it overlaps, same label      –                             overlaps, other label
========= ============================ ============================= =================

>>> counts([TokenSpan(0, 3, "PER")], [TokenSpan(1, 3, "PER")])["partial"]
Counts(correct=0, incorrect=0, partial=1, missed=0, spurious=0)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from workbench.tasks.schemes import TokenSpan

Choose: TypeAlias = Callable[[TokenSpan, TokenSpan], float | None]
"""How far a prediction lies from a gold entity that it overlaps, where that is a correct match; None where not."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the entities of one example or of many. They add up."""

    correct: int = 0
    incorrect: int = 0
    partial: int = 0
    missed: int = 0
    spurious: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.correct + other.correct,
            self.incorrect + other.incorrect,
            self.partial + other.partial,
            self.missed + other.missed,
            self.spurious + other.spurious,
        )

    def figures(self) -> dict[str, Any]:
        """``precision``, ``recall``, ``f1`` (0..1; a partial match counts half), and the counts."""
        credit = self.correct + 0.5 * self.partial
        matched = self.correct + self.incorrect + self.partial
        precision = credit / (matched + self.spurious) if matched + self.spurious else 0.0
        recall = credit / (matched + self.missed) if matched + self.missed else 0.0
        total = precision + recall
        return {
            "precision": precision,
            "recall": recall,
            "f1": 2 * precision * recall / total if total else 0.0,
            **{name: getattr(self, name) for name in self.__slots__},
        }


def counts(gold: Sequence[TokenSpan], predicted: Sequence[TokenSpan]) -> dict[str, Counts]:
    """Counts of one example, by figure.

    Args:
        gold: Sorted, none overlapping another.
        predicted: The same.
    """
    if list(gold) == list(predicted):
        return dict.fromkeys(FIGURES, Counts(correct=len(gold)))
    return {name: _count(gold, predicted, choose, name == "partial") for name, choose in FIGURES.items()}


def total(rows: Iterable[dict[str, Counts]]) -> dict[str, dict[str, Any]]:
    """Figures over examples: ``{"exact": {"precision", "recall", "f1", "correct", …}, "partial": …, "type": …}``."""
    sums = dict.fromkeys(FIGURES, Counts())
    for row in rows:
        sums = {name: sums[name] + row[name] for name in FIGURES}
    return {name: sums[name].figures() for name in FIGURES}


def _same_ends(guess: TokenSpan, truth: TokenSpan) -> float | None:
    return 0.0 if (guess.start, guess.end) == (truth.start, truth.end) else None


def _same_label(guess: TokenSpan, truth: TokenSpan) -> float | None:
    return (
        float(abs(guess.start - truth.start) + abs(guess.end - truth.end))
        if guess.label == truth.label
        else None
    )


FIGURES: dict[str, Choose] = {"exact": _same_ends, "partial": _same_ends, "type": _same_label}


def _count(gold: Sequence[TokenSpan], predicted: Sequence[TokenSpan], choose: Choose, half: bool) -> Counts:
    taken: set[int] = set()
    correct = overlapping = 0
    for guess in predicted:
        free = [
            index
            for index, truth in enumerate(gold)
            if index not in taken and guess.start < truth.end and truth.start < guess.end
        ]
        right = [(distance, index) for index in free if (distance := choose(guess, gold[index])) is not None]
        if right:
            taken.add(min(right)[1])
            correct += 1
        elif free:
            taken.add(free[0])
            overlapping += 1
    missed, spurious = len(gold) - len(taken), len(predicted) - correct - overlapping
    if half:
        return Counts(correct, 0, overlapping, missed, spurious)
    return Counts(correct, overlapping, 0, missed, spurious)
