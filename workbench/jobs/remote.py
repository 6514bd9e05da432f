"""The worker of a cluster: ``python -m workbench.jobs.remote DEPOT`` computes the attempt that lies in a depot.

It brings the inputs to a folder of its own, has ``workbench.jobs.runner`` compute them there, sends what is reported
and each checkpoint while that goes on, and what was made at the end. It opens no database and needs no shared disk.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from workbench.domain import PASSES
from workbench.errors import WorkbenchError
from workbench.jobs import runner
from workbench.jobs.attempt import AttemptFolder
from workbench.jobs.depot import Depot
from workbench.jobs.parcel import Mirror, fetch_inputs, send_outputs
from workbench.jobs.raydata import RayReaders
from workbench.jobs.raytrain import Crew, train_together
from workbench.jobs.reporter import FileReporter

SYNC_SECONDS = 1.0


class Sync:
    """Sends events and checkpoints, and brings the word to stop, every second in a thread of its own."""

    def __init__(self, depot: Depot, attempt: AttemptFolder) -> None:
        self._depot = depot
        self._attempt = attempt
        self._mirror = Mirror(depot, attempt)
        self._sent = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sync", daemon=True)

    def __enter__(self) -> Sync:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._once(self._events)

    def _run(self) -> None:
        while not self._over.wait(SYNC_SECONDS):
            for part in (self._stop, self._events, self._mirror.refresh):
                self._once(part)

    def _once(self, part: Callable[[], None]) -> None:
        try:
            part()
        except (
            Exception
        ) as error:  # storage that does not answer now may answer in a second; the work goes on
            sys.stderr.write(f"{type(error).__name__}: {error}\n")

    def _stop(self) -> None:
        if self._depot.exists("cancel"):
            self._attempt.request_cancel()

    def _events(self) -> None:
        content = self._attempt.events.read_bytes() if self._attempt.events.exists() else b""
        if len(content) > self._sent:
            self._depot.write("events.jsonl", content)
            self._sent = len(content)


def main(arguments: list[str] | None = None) -> int:
    """Compute the attempt in the depot given; 0 when a result was handed over, whatever it says."""
    given = sys.argv[1:] if arguments is None else arguments
    if len(given) not in (1, 2):
        sys.stderr.write("usage: python -m workbench.jobs.remote DEPOT [EVENTS_BEFORE]\n")
        return 2
    depot, before = Depot(given[0]), int(given[1]) if len(given) > 1 else 0
    manifest = (depot.read_json("inputs.json") or {}).get("manifest") or {}
    crew = Crew.of(manifest)
    try:
        if crew.workers > 1 and manifest["kind"] in PASSES:
            compute(depot, before, readers=RayReaders(depot.url, crew, manifest["parameters"]))
        elif crew.workers > 1 and not depot.exists("cancel"):
            train_together(depot.url, before, crew)
        else:
            compute(depot, before)
    except WorkbenchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def compute(depot: Depot, before: int, **more: Any) -> dict[str, Any]:
    """Compute an attempt and hand over what was made.

    Args:
        depot: Where it lies.
        before: Events of the attempt that were reported earlier.
        more: Given to what computes it.

    Returns:
        How it ended, as ``runner.run`` says it.

    Raises:
        RunFailed: An input is missing or damaged.
    """
    origin = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
        attempt = AttemptFolder(Path(folder))
        if depot.exists("cancel"):
            outcome = {"state": "cancelled", "error": None, "environment": runner.environment()}
        else:
            fetch_inputs(depot, attempt)
            os.chdir(folder)  # the manifest names its folders from here
            reporter = FileReporter(attempt, after=before)
            try:
                with Sync(depot, attempt):
                    outcome = runner.run(attempt, reporter, **more)
            finally:
                os.chdir(origin)
        send_outputs(depot, attempt, outcome)
    return outcome


if __name__ == "__main__":
    sys.exit(main())
