"""How a long chain of writing transactions lets others in between: on SQLite one writer keeps all the others out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from workbench.storage.store import Store

PATIENCE_SECONDS = 0.5
"""A chain lets others go first for so long between two of its transactions."""

LOOK_SECONDS = 0.005
"""Between two looks at whether somebody waits."""


class Breath:
    """Lets the other writers of a SQLite database in, between two holds of it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.last = 0.0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Around a writing block."""
        begin = time.monotonic()
        try:
            yield
        finally:
            self.last = time.monotonic() - begin

    def pause(self) -> None:
        """Wait until nobody waits any more, but not for ever."""
        end = time.monotonic() + PATIENCE_SECONDS
        while self._store.somebody_waits() and time.monotonic() < end:
            time.sleep(LOOK_SECONDS)
