"""The folder of one attempt of a run: the only thing that a worker and the workbench share.

manifest.json    what to compute; written before the run is queued
examples.jsonl   the data, frozen
texts.jsonl      texts that an encoder is adapted to first, where a run asks for it
worker.json      which process took the attempt on
worker.log       what that process printed
events.jsonl     what it reports, one event a line
result.json      how it ended; renamed into place when everything else is written
cancel           a marker: stop at the next step
reserve          nothing: room on the disk for how it ended
model/  predictions.jsonl  features/  checkpoint/      what it makes
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import RunFailed
from workbench.featurefiles import FEATURES

RECORDS = frozenset({"manifest.json", "worker.json", "worker.log", "events.jsonl", "result.json", "cancel"})
"""What is kept of an attempt that has ended."""

INPUTS = frozenset({"examples.jsonl", "texts.jsonl"})
"""What another attempt needs as well."""


@dataclass(frozen=True, slots=True)
class AttemptFolder:
    """Names and safe reading and writing of an attempt's files."""

    path: Path

    @classmethod
    def of(cls, runs_dir: Path, run_id: int, attempt: int) -> AttemptFolder:
        """The folder of a run's attempt (counted from 1)."""
        return cls(runs_dir / str(run_id) / str(attempt))

    @property
    def manifest(self) -> Path:
        """What to compute."""
        return self.path / "manifest.json"

    @property
    def examples(self) -> Path:
        """The data."""
        return self.path / "examples.jsonl"

    @property
    def worker(self) -> Path:
        """Which process took it on."""
        return self.path / "worker.json"

    @property
    def lock(self) -> Path:
        """Held by that process for as long as it lives."""
        return self.path / "worker.lock"

    @property
    def log(self) -> Path:
        """What that process printed."""
        return self.path / "worker.log"

    @property
    def events(self) -> Path:
        """What it reports."""
        return self.path / "events.jsonl"

    @property
    def result(self) -> Path:
        """How it ended."""
        return self.path / "result.json"

    @property
    def cancel(self) -> Path:
        """The marker that tells it to stop."""
        return self.path / "cancel"

    @property
    def reserve(self) -> Path:
        """Room on the disk for how it ended."""
        return self.path / "reserve"

    @property
    def model(self) -> Path:
        """The trained model."""
        return self.path / "model"

    @property
    def predictions(self) -> Path:
        """What a model says of the examples."""
        return self.path / "predictions.jsonl"

    @property
    def features(self) -> Path:
        """What a pass left of each example, as a part of ``featurefiles``."""
        return self.path / FEATURES

    @property
    def checkpoint(self) -> Path:
        """Where another attempt can go on."""
        return self.path / "checkpoint"

    def read_manifest(self) -> dict[str, Any]:
        """What to compute. Raises RunFailed when it is missing or damaged."""
        found = read_json(self.manifest)
        if found is None:
            raise RunFailed(
                f"the run's manifest is missing or damaged ({self.manifest})", remedy="launch it again"
            )
        return found

    def read_result(self) -> dict[str, Any] | None:
        """How the attempt ended; None while it has not, or when the file is damaged."""
        found = read_json(self.result)
        return found if found is not None and isinstance(found.get("state"), str) else None

    def request_cancel(self) -> None:
        """Tell the worker to stop at its next step."""
        self.cancel.touch()

    def clean(self, *, resumable: bool) -> None:
        """Remove what the attempt made, half or whole.

        Args:
            resumable: Keep the data and the last whole checkpoint, so that another attempt can go on from there.
        """
        if not self.path.is_dir():
            return
        keep = RECORDS | INPUTS | {self.checkpoint.name} if resumable else RECORDS
        for entry in self.path.iterdir():
            if entry.name not in keep:
                remove(entry)


def remove(path: Path) -> None:
    """Remove a file or a folder with what is in it; nothing there is fine."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None when there is no such file, or something else in it."""
    try:
        found = json.loads(path.read_bytes(), parse_constant=lambda _: None)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write a JSON object so that a reader sees all of it or nothing, over a crash of the machine too."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(plain(data), file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def plain(value: Any) -> Any:
    """The value in what both databases take as JSON: no NaN, no infinity, no NUL; anything unknown as its text."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {plain(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    number = getattr(value, "item", None)
    return plain(number()) if callable(number) else str(value)
