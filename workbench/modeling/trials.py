"""Models that a run trains on the way and throws away: silent, but stoppable."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from workbench.domain import Split, TrainParameters
from workbench.modeling.artifact import load_model
from workbench.modeling.device import choose_device
from workbench.modeling.predict import Predictor
from workbench.modeling.train import train
from workbench.reporting import Reporter


class StopOnly:
    """Lets a run that is told to stop be stopped within a training, and keeps that training's own words to itself."""

    def __init__(self, outer: Reporter) -> None:
        self._outer = outer

    def log(self, message: str) -> None:
        """Drop it: a run of this kind trains many models."""

    def progress(self, done: int, total: int, **numbers: float | str | None) -> None:
        """Drop it."""

    def metric(self, step: int, epoch: float, values: Mapping[str, float]) -> None:
        """Drop it."""

    def check(self) -> None:
        """Raises Cancelled when the run was told to stop."""
        self._outer.check()


def taught(
    work: Path,
    lines: Iterable[Mapping[str, Any]],
    manifest: Mapping[str, Any],
    parameters: TrainParameters,
    reporter: Reporter,
) -> Predictor:
    """A model that has learned from some examples.

    Args:
        work: A folder of the model's own; what is there goes. It has to stay for as long as the model is used.
        lines: Of ``examples.jsonl``; all of them are learned from.
        manifest: The run's: ``task`` and ``labels`` are read.
        parameters: Of the training.
        reporter: Asked whether to stop.
    """
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    with (work / "examples.jsonl").open("w", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps({**line, "split": str(Split.TRAIN)}, ensure_ascii=False) + "\n")
    own = {
        "task": manifest["task"],
        "labels": manifest["labels"],
        "base_model": parameters.base_model,
        "parameters": asdict(replace(parameters, workers=1)),
    }
    train(work, own, StopOnly(reporter))
    return Predictor(load_model(work / "model"), choose_device(parameters.device))


def fingerprint(attempt: Path, manifest: Mapping[str, Any], more: Sequence[str]) -> str:
    """Of a run's examples, task, labels, parameters and ``more`` of its manifest: what was computed for another is not
    taken over."""
    keys = [manifest.get(key) for key in ("task", "labels", "parameters", *more)]
    digest = hashlib.sha256(json.dumps(keys, sort_keys=True).encode())
    with (attempt / "examples.jsonl").open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
