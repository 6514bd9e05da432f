"""Numbers of the lines that values of a large JSON text stand in, worked out when the first one is asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from workbench.formats.places import Path, find_values


class PathLines:
    """Lines of the values at the paths that fit one pattern, in one JSON text that has been parsed before."""

    def __init__(self, text: str, pattern: Sequence[str]) -> None:
        self._text = text
        self._pattern = pattern
        self._starts: dict[Path, int] | None = None
        self._ends: list[int] = []

    def line(self, path: Path) -> int | None:
        """The line, counted from 1, that the value begins in; None where there is no such value."""
        if self._starts is None:
            self._starts = {found: start for found, start, _ in find_values(self._text, self._pattern)}
            lines = self._text.splitlines(keepends=True)
            place = 0
            for line in lines:
                place += len(line)
                if line.endswith(("\n", "\r")):
                    self._ends.append(place)
        start = self._starts.get(path)
        return None if start is None else bisect_right(self._ends, start) + 1
