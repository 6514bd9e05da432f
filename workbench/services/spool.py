"""Rows on their way into the database: the first ones in memory, the others in a temporary file."""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

IN_MEMORY = 20_000


@dataclass(frozen=True, slots=True)
class Row:
    """One example, checked, in plain values; ``document`` is an index into the file's documents."""

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

    def flat(self) -> tuple[Any, ...]:
        """The values in order, as ``marshal`` takes them."""
        return tuple(getattr(self, name) for name in self.__slots__)


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
        marshal.dump(row.flat(), self._file)
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
