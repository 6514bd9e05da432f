"""Small helpers that every repository uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar, overload

T = TypeVar("T")
CHUNK = 5_000
"""Rows of one bulk insert."""

MAX_PARAMETERS = 900
"""Ids of one ``IN`` list (SQLite's oldest limit on parameters is 999)."""


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)


@overload
def aware(moment: datetime) -> datetime: ...
@overload
def aware(moment: None) -> None: ...
def aware(moment: datetime | None) -> datetime | None:
    """The moment with its zone: SQLite gives them back naive, PostgreSQL aware."""
    if moment is not None and moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    return moment


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """Lists of at most ``size`` items, in order."""
    chunk: list[T] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def id_chunks(ids: Sequence[T]) -> Iterator[Sequence[T]]:
    """Slices that fit an ``IN`` list."""
    for start in range(0, len(ids), MAX_PARAMETERS):
        yield ids[start : start + MAX_PARAMETERS]


def escape_like(text: str) -> str:
    r"""The text with LIKE's wildcards escaped by ``\``."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
