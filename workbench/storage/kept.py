"""What was counted in the database, kept in this process for as long as it would be counted the same."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import TypeVar

T = TypeVar("T")

MOST = 1_000
"""Counts that are kept; those that nobody has asked for the longest go first."""


class Kept:
    """Counts with the stamp of the rows that they were made from; several threads may ask.

    Args:
        most: How many are kept.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._found: OrderedDict[Hashable, tuple[object, object]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, stamp: object, count: Callable[[], T]) -> T:
        """What was counted at this stamp, or what ``count`` gives now.

        Args:
            key: What is counted.
            stamp: Another one whenever the count may be another one; cheap to read, in the same transaction.
            count: Counts.
        """
        with self._lock:
            known = self._found.get(key)
            if known is not None and known[0] == stamp:
                self._found.move_to_end(key)
                return known[1]  # type: ignore[return-value]
        value = count()
        with self._lock:
            self._found[key] = (stamp, value)
            self._found.move_to_end(key)
            while len(self._found) > self._most:
                self._found.popitem(last=False)
        return value
