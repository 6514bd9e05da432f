"""Rows on their way into the database: the first ones in memory, the others in a temporary file."""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

IN_MEMORY = 20_000


class Row(NamedTuple):
    """One example, checked, in plain values that ``marshal`` takes; ``document`` is an index into the documents."""

    document: int
    external_id: str
    text: str
    question: str | None
    tokens: list[int]
    words: int
    content_hash: str
    locator: dict[str, Any]
    meta: dict[str, Any]
    payload: dict[str, Any] | None
    split: str | None = None


class Spool:
    """Rows kept in order: the first ones in memory, the others in a temporary file of this process."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._file: IO[bytes] | None = None
        self._more = 0

    def add(self, row: Row) -> None:
        """Keep one more."""
        if len(self._rows) < IN_MEMORY:
            self._rows.append(row)
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 (close() closes it)
        marshal.dump(tuple(row), self._file)
        self._more += 1

    def __len__(self) -> int:
        return len(self._rows) + self._more

    def __iter__(self) -> Iterator[Row]:
        yield from self._rows
        if self._file is not None:
            self._file.seek(0)
            for _ in range(self._more):
                yield Row(*marshal.load(self._file))
            self._file.seek(0, 2)

    def close(self) -> None:
        """Remove the temporary file."""
        if self._file is not None:
            self._file.close()
