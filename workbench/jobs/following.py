"""The supervisor's side of ``events.jsonl``: what was appended since the last look."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.jobs.attempt import plain
from workbench.storage.runs import NewEvent

READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class News:
    """Events to keep, and the newest progress, if any was told."""

    events: tuple[NewEvent, ...] = ()
    progress: dict[str, Any] | None = None
    more: bool = False
    """Whether there is more to read at once."""


@dataclass(slots=True)
class EventFollower:
    """Reads whole lines from a remembered position on.

    Attributes:
        path: ``events.jsonl``.
        sequence: The highest sequence that is stored already; lines up to it are passed over.
    """

    path: Path
    sequence: int = 0
    _position: int = field(default=0, init=False)

    def read(self) -> News:
        """What is new, at most a mebibyte of it. A half-written last line waits for its end."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._position)
                block = file.read(READ_BYTES)
        except FileNotFoundError:
            return News()
        whole = block[: block.rfind(b"\n") + 1]
        self._position += len(whole)
        events: list[NewEvent] = []
        progress: dict[str, Any] | None = None
        for line in whole.splitlines():
            event = _parse(line)
            if event is None or event.sequence <= self.sequence:
                continue
            self.sequence = event.sequence
            if event.kind == "progress":
                progress = dict(event.data)
            else:
                events.append(event)
        return News(tuple(events), progress, more=len(block) == READ_BYTES and bool(whole))


def _parse(line: bytes) -> NewEvent | None:
    """The event in a line; None where it holds none (a disk that was full cuts lines)."""
    try:
        found = json.loads(line, parse_constant=lambda _: None)
        moment = datetime.fromisoformat(found["at"])
        if found["kind"] not in ("log", "progress", "metric"):
            return None
        event = NewEvent(int(found["sequence"]), found["kind"], moment, plain(dict(found["data"])))
    except (ValueError, KeyError, TypeError):
        return None
    return (
        event
        if moment.tzinfo
        else NewEvent(event.sequence, event.kind, moment.replace(tzinfo=UTC), event.data)
    )
