"""Two versions that were measured on the same frozen set: which there are, and which are looked at first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workbench.domain import Evaluation, GoldSet, Split
from workbench.services.versions import VersionRow, VersionTable

MEASURED_ON = (Split.TEST, Split.VALIDATION)
"""Splits that versions are compared on: those that no version learns from. The usual one first."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two versions, the frozen set of labels that both were measured on, and what was measured."""

    a: int
    b: int
    gold_set: GoldSet
    evaluations: tuple[Evaluation, Evaluation]


def fair_splits(labeled: Iterable[Split]) -> list[Split]:
    """Those of the labeled splits that versions are compared on, the usual one first."""
    there = set(labeled)
    return [split for split in MEASURED_ON if split in there]


def measured(rows: Sequence[VersionRow]) -> list[VersionRow]:
    """Versions that were measured on a frozen set."""
    return [row for row in rows if row.evaluation is not None and row.evaluation.gold_set]


def usual_versions(rows: Sequence[VersionRow]) -> tuple[VersionRow, VersionRow]:
    """The promoted version, else the last but one, and the newest; archived ones only where there are no others.

    Args:
        rows: Two or more, by number.
    """
    promoted = next((row for row in rows if row.version.promoted), None)
    active = [row for row in rows if not row.version.archived_at]
    *_, before, newest = active if len(active) > 1 else rows
    return before if promoted is None or promoted is newest else promoted, newest


def on_both(
    first: VersionRow, second: VersionRow, sets: Iterable[int]
) -> dict[int, tuple[Evaluation, Evaluation]]:
    """What was measured on those frozen sets that both were measured on, by the sets' numbers, oldest first."""
    found = {number: (first.evaluation_on(number), second.evaluation_on(number)) for number in sorted(sets)}
    return {number: (a, b) for number, (a, b) in found.items() if a and b}


def usual_pair(table: VersionTable) -> Pair | None:
    """What is looked at first: the usual versions on the newest set of both; None where there is no such pair."""
    rows = measured(table.rows)
    if len(rows) < 2:
        return None
    first, second = usual_versions(rows)
    both = on_both(first, second, table.gold_sets)
    if not both:
        return None
    number = max(both)
    return Pair(first.version.number, second.version.number, table.gold_sets[number], both[number])
