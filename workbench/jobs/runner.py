"""The worker: ``python -m workbench.jobs.runner FOLDER`` computes one attempt of a run.

It reads the folder's ``manifest.json`` and ``examples.jsonl``, reports into ``events.jsonl`` and writes
``result.json`` last. It never opens the database, so that the same worker runs here and on a cluster.
"""

from __future__ import annotations

import errno
import gc
import importlib
import importlib.metadata
import os
import platform
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import psutil

import workbench
from workbench.errors import Cancelled, RunFailed, WorkbenchError
from workbench.jobs.attempt import AttemptFolder, write_json
from workbench.jobs.codestamp import code_hash
from workbench.jobs.lock import FileLock
from workbench.jobs.reporter import FileReporter
from workbench.registry import Registry

Compute = Callable[..., Mapping[str, Any]]
"""Of an attempt's folder (Path), its manifest and a Reporter."""

ENTRY_POINTS: Registry[str] = Registry("kind of run")
"""What computes a kind of run, as module:function, imported when it is asked for: torch takes seconds."""
ENTRY_POINTS.add("train", "workbench.modeling.train:train")
ENTRY_POINTS.add("score", "workbench.modeling.infer:infer")
ENTRY_POINTS.add("embed", "workbench.modeling.infer:infer")
ENTRY_POINTS.add("evaluate", "workbench.modeling.infer:infer")
ENTRY_POINTS.add("simulate", "workbench.modeling.simulate:simulate")
ENTRY_POINTS.add("suspects", "workbench.modeling.suspects:find_suspects")

TAKEN = 3
"""Exit code of a worker whose attempt another one has taken on."""

RESERVED = 262_144
"""Bytes kept on the disk while a worker computes, so that there is room to say that the disk is full."""

PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "numpy", "datasets", "seqeval")


def main(arguments: list[str] | None = None) -> int:
    """Compute the attempt in the folder given; exit code 0 when there is a result, whatever it says."""
    given = sys.argv[1:] if arguments is None else arguments
    if len(given) != 1:
        sys.stderr.write("usage: python -m workbench.jobs.runner FOLDER\n")
        return 2
    attempt = AttemptFolder(Path(given[0]))
    lock = FileLock(attempt.lock)
    if not lock.acquire() or attempt.worker.exists():
        sys.stderr.write("another worker has taken this attempt on\n")
        return TAKEN
    write_json(attempt.worker, {"pid": os.getpid(), "created": psutil.Process().create_time()})
    with suppress(OSError):
        attempt.reserve.write_bytes(bytes(RESERVED))
    reporter = FileReporter(attempt)

    def _stop(_signal: int, _frame: FrameType | None) -> None:
        reporter.stopped = True

    signal.signal(signal.SIGTERM, _stop)
    write_json(attempt.result, run(attempt, reporter))
    return 0


def run(attempt: AttemptFolder, reporter: FileReporter, **more: Any) -> dict[str, Any]:
    """Compute and say how it ended: the content of ``result.json``. Raises nothing.

    Args:
        attempt: What to compute.
        reporter: Hears of it.
        more: Given to the entry point as well.
    """
    begin = time.monotonic()
    lines: list[str] = []
    try:
        reporter.check()
        manifest = attempt.read_manifest()
        for note in manifest.get("notes", ()):
            reporter.log(note)
        values = dict(_compute(str(manifest["kind"]))(attempt.path, manifest, reporter, **more))
        reporter.check()
        outcome: dict[str, Any] = {"state": "succeeded", "error": None, **values}
    except (Cancelled, KeyboardInterrupt):
        lines = ["Stopped as told."]
        outcome = {"state": "cancelled", "error": None}
    except WorkbenchError as error:
        lines = [f"Failed: {error}"]
        outcome = {"state": "failed", "error": str(error)}
    except BaseException as error:
        line = one_line(error)
        lines = [f"Failed: {line}", *([] if understood(error) else [traceback.format_exc().rstrip()])]
        outcome = {"state": "failed", "error": line}
    attempt.reserve.unlink(missing_ok=True)
    with suppress(OSError):  # what a full disk leaves no room for is in the result
        for line in lines:
            reporter.log(line)
        reporter.close()
    return {"seconds": time.monotonic() - begin, **outcome, "environment": environment()}


def _compute(kind: str) -> Compute:
    module, _, function = ENTRY_POINTS[kind].partition(":")
    try:
        found: Compute = getattr(importlib.import_module(module), function)
    except ImportError as error:
        raise RunFailed(
            f"{module} can't be loaded ({error})", remedy="install the workbench again: make install"
        ) from error
    gc.freeze()  # what was imported stays: no collection looks through its half a million objects again
    return found


def one_line(error: BaseException) -> str:
    """What went wrong in one line for a person; the traceback goes to the log."""
    first = _first_line(error)
    told = f"{type(error).__name__}: {first}. The log has the details" if first else type(error).__name__
    return understood(error) or told


def understood(error: BaseException) -> str | None:
    """What to do about a cause that needs no look at the code; None for any other."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full. Free some space and resume the run"
    if type(error).__name__ == "OutOfMemoryError" or isinstance(error, MemoryError):
        said = _first_line(error) or type(error).__name__
        return f"the memory did not suffice ({said}). Choose a smaller batch size"
    return None


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else ""


def environment() -> dict[str, Any]:
    """Versions of what computed, and a hash of the code, kept with the result."""
    found = {
        "workbench": workbench.__version__,
        "code": code_hash(),
        "python": platform.python_version(),
    }
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {**found, "platform": platform.platform()}


if __name__ == "__main__":
    sys.exit(main())
