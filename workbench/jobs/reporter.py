"""The worker's side of ``events.jsonl``."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from workbench.errors import Cancelled
from workbench.jobs.attempt import AttemptFolder, plain

PROGRESS_SECONDS = 0.5
"""Progress is written no more often than this; the first and the last of a phase always are."""


class FileReporter:
    """Appends what a computation reports to the attempt's folder, a whole line at a time.

    Args:
        attempt: Its folder.
        after: Events of the same attempt that another worker has reported before.
    """

    def __init__(self, attempt: AttemptFolder, after: int = 0) -> None:
        self._attempt = attempt
        self._file = attempt.events.open("a", encoding="utf-8")
        self._sequence = after
        self._last_progress = 0.0
        self._phase: object = None
        self.stopped = False
        """Set by a signal: the next check ends the computation."""

    def log(self, message: str) -> None:
        """One line for the run's log."""
        self._write("log", {"message": message})

    def progress(self, done: int, total: int, **numbers: float | str | None) -> None:
        """How far it is; see ``reporting.Reporter``."""
        moment = time.monotonic()
        due = moment - self._last_progress >= PROGRESS_SECONDS
        if due or done >= total or numbers.get("phase") != self._phase:
            self._last_progress, self._phase = moment, numbers.get("phase")
            self._write("progress", {"done": done, "total": total, **numbers})

    def metric(self, step: int, epoch: float, values: Mapping[str, float]) -> None:
        """Numbers of one moment that are kept."""
        self._write("metric", {"step": step, "epoch": epoch, **values})

    def check(self) -> None:
        """Raises Cancelled when the marker is there or a signal came."""
        if self.stopped or self._attempt.cancel.exists():
            raise Cancelled("the run was told to stop")

    def close(self) -> None:
        """Nothing more is reported."""
        self._file.close()

    def _write(self, kind: str, data: Mapping[str, Any]) -> None:
        self._sequence += 1
        event = {
            "sequence": self._sequence,
            "at": datetime.now(UTC).isoformat(),
            "kind": kind,
            "data": plain(data),
        }
        self._file.write(json.dumps(event, ensure_ascii=False, allow_nan=False) + "\n")
        self._file.flush()
