"""What tests of training share: a reporter that remembers, a run's folder, the weights that come out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from tests.modeling.conftest import LABELED, LABELS
from tests.modeling.tiny import write_attempt
from workbench.errors import Cancelled
from workbench.reporting import SilentReporter


class Recorder(SilentReporter):
    """Keeps what it hears, and may stop the run at a step."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.lines: list[str] = []
        self.points: list[tuple[int, float, dict[str, float]]] = []
        self.last: dict[str, Any] = {}
        self.checks = 0
        self._stop_at = stop_at

    def log(self, message: str) -> None:
        self.lines.append(message)

    def metric(self, step: int, epoch: float, values: Mapping[str, float]) -> None:
        self.points.append((step, epoch, dict(values)))

    def progress(self, done: int, total: int, **numbers: float | str | None) -> None:
        self.last = {"done": done, "total": total, **numbers}

    def check(self) -> None:
        self.checks += 1
        if self._stop_at is not None and self.checks > self._stop_at:
            raise Cancelled("stopped")


def prepare(folder: Path, base: Path, task: str, count: int = 48, **parameters: Any) -> Mapping[str, Any]:
    rows = LABELED[task](count + 12)
    split = [("train", *row) for row in rows[:count]] + [("validation", *row) for row in rows[count:]]
    chosen = {"epochs": 2, "learning_rate": 5e-3, "batch_size": 8, "min_steps": 0, **parameters}
    return write_attempt(
        folder, task, split, labels=LABELS[task], base_model=str(base), kind="train", parameters=chosen
    )


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model" / "model.safetensors")


def same(a: Mapping[str, torch.Tensor], b: Mapping[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
