"""Rows on their way into the database: the first ones in memory, the others in a temporary file."""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

IN_MEMORY = 20_000
TOGETHER = 500
"""Rows that are packed and unpacked at once."""


class Row(NamedTuple):
    """One example, checked; ``document`` is an index into the documents.

    ``tokens``, ``locator``, ``meta`` and ``payload`` are JSON text, as they will be stored: encoded once, quick to pack
    and to unpack, and nothing that the garbage collector has to look through while a million of them are read.
    """

    document: int
    external_id: str
    text: str
    question: str | None
    tokens: str
    words: int
    content_hash: str
    locator: str
    meta: str
    payload: str | None
    split: str | None = None


class Spool:
    """Rows kept in order: the first ones in memory, the others in a temporary file of this process.

    Rows go to the file some hundred at a time: reading them one by one takes ten times as long.
    """

    def __init__(self) -> None:
        self._rows: list[tuple[Any, ...]] = []
        self._file: IO[bytes] | None = None
        self._sizes: list[int] = []
        self._waiting: list[tuple[Any, ...]] = []
        self._more = 0

    def add(self, row: Row) -> None:
        """Keep one more."""
        if len(self._rows) < IN_MEMORY:
            # A plain tuple of texts and numbers is let alone by the garbage collector, a named one is not.
            self._rows.append(tuple(row))
            return
        self._waiting.append(tuple(row))
        self._more += 1
        if len(self._waiting) == TOGETHER:
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 (close() closes it)
            packed = marshal.dumps(self._waiting)
            self._file.write(packed)
            self._sizes.append(len(packed))
            self._waiting = []

    def __len__(self) -> int:
        return len(self._rows) + self._more

    def __iter__(self) -> Iterator[Row]:
        yield from map(Row._make, self._rows)
        if self._file is not None:
            self._file.seek(0)
            for size in self._sizes:
                yield from map(Row._make, marshal.loads(self._file.read(size)))
            self._file.seek(0, 2)
        yield from map(Row._make, self._waiting)

    def close(self) -> None:
        """Remove the temporary file."""
        if self._file is not None:
            self._file.close()
