"""What has changed between two texts, line by line, with a little of what stands around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

AROUND = 2
"""Unchanged lines shown on either side of a change."""


class LineKind(StrEnum):
    """What became of a line; a gap stands for unchanged lines that are left out."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line, and what became of it; of a gap the text says how many lines it stands for."""

    kind: LineKind
    text: str


def line_diff(old: str, new: str, around: int = AROUND) -> tuple[DiffLine, ...]:
    """The lines of both texts in order, removed ones before those that took their place.

    Args:
        old: The text before.
        new: The text after.
        around: Unchanged lines to show on either side of a change.
    """
    before, after = old.splitlines(), new.splitlines()
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    found: list[DiffLine] = []
    for place, (kind, old_start, old_end, start, end) in enumerate(blocks):
        if kind == "equal":
            first, last = place > 0, place < len(blocks) - 1
            found += _same(after[start:end], around if first else 0, around if last else 0)
        else:
            found += [DiffLine(LineKind.REMOVED, line) for line in before[old_start:old_end]]
            found += [DiffLine(LineKind.ADDED, line) for line in after[start:end]]
    return tuple(found)


def _same(lines: Sequence[str], head: int, tail: int) -> list[DiffLine]:
    left_out = len(lines) - head - tail
    if left_out <= 1:
        return [DiffLine(LineKind.SAME, line) for line in lines]
    gap = DiffLine(LineKind.GAP, f"{left_out} lines")
    shown = [DiffLine(LineKind.SAME, line) for line in lines]
    return [*shown[:head], gap, *shown[len(lines) - tail :]]
