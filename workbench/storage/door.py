"""Who waits to write to a SQLite database, seen by whoever writes for long.

SQLite lets one writer in at a time and has those that wait look again at times of their own, up to a tenth of a second
apart; a chain of transactions that begins anew at once keeps them out. So a writer that finds the database taken holds
a shared lock on a file beside it until it is in, and the chain looks at that lock between two of its transactions.
"""

from __future__ import annotations

import fcntl
import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOOK_SECONDS, PROMPT_LOOK_SECONDS = 0.004, 0.0007
"""Between two tries of a writer that waits, and of one that comes first; each somewhat more or less, by lot."""


class Door:
    """The file ``NAME.waiting`` beside a database; it is never read or written, only locked."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(f"{database.name}.waiting")

    def enter(self, begin: Callable[[], object], seconds: float, *, prompt: bool = False) -> None:
        """Call ``begin`` until it finds the database free; its last failure, after so many seconds, is raised.

        Whoever is to be let in promptly looks more often than the others.
        """
        step = PROMPT_LOOK_SECONDS if prompt else LOOK_SECONDS
        try:
            begin()
        except sqlite3.OperationalError as error:
            if not _taken(error):
                raise
        else:
            return
        end = time.monotonic() + seconds
        with self._knocking():
            while True:
                time.sleep(step * random.uniform(0.5, 1.5))
                try:
                    begin()
                except sqlite3.OperationalError as error:
                    if not _taken(error) or time.monotonic() > end:
                        raise
                else:
                    return

    def somebody_waits(self) -> bool:
        """Whether a writer of any process waits at the moment."""
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        else:
            return False
        finally:
            os.close(descriptor)

    @contextmanager
    def _knocking(self) -> Iterator[None]:
        descriptor = None
        with suppress(OSError):  # a file system without locks: the writer waits all the same, unseen
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        try:
            yield
        finally:
            if descriptor is not None:
                os.close(descriptor)


def _taken(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
