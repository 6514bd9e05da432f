"""A worker that does what its run's parameters say instead of training: ``python -m tests.jobs.scripted FOLDER``.

Parameters: ``steps`` of ``pause`` seconds each with a checkpoint after every one; ``at`` names a step at which
``act`` happens: raise, exit, hang, kill, half-model (dies while it writes the model), late (dies before its result).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from workbench.acquisition import ARRAYS
from workbench.errors import InvalidInput
from workbench.featurefiles import FEATURES, write_features
from workbench.jobs import runner
from workbench.registry import Registry
from workbench.reporting import Reporter


def act(name: str, folder: Path) -> None:
    if name == "raise":
        raise ZeroDivisionError("by zero\nand more")
    if name == "refuse":
        raise InvalidInput("the labels are odd", remedy="mend them")
    if name == "exit":
        sys.stderr.write("the library gave up\n")
        sys.stderr.flush()
        os._exit(7)
    if name == "hang":
        time.sleep(600)
    if name == "half-model":
        (folder / "model.part").mkdir()
        (folder / "model.part" / "config.json").write_text("{")
    os.kill(os.getpid(), signal.SIGKILL)


def train(folder: Path, manifest: Mapping[str, Any], reporter: Reporter) -> dict[str, Any]:
    script = manifest["parameters"]
    steps, begin = int(script.get("steps", 3)), 0
    if manifest.get("resume_from"):
        begin = int((Path(manifest["resume_from"]) / "step").read_text())
        reporter.log(f"Going on from step {begin}.")
    for step in range(begin, steps):
        reporter.check()
        if script.get("at") == step and manifest["attempt"] == 1:
            act(script["act"], folder)
        time.sleep(script.get("pause", 0.0))
        part = folder / "checkpoint.part"
        part.mkdir()
        (part / "step").write_text(str(step + 1))
        shutil.rmtree(folder / "checkpoint", ignore_errors=True)
        part.rename(folder / "checkpoint")
        reporter.log(f"step {step + 1}")
        reporter.metric(step + 1, (step + 1) / steps, {"loss": 1 / (step + 1), "odd": float("nan")})
        reporter.progress(step + 1, steps, loss=float("inf"), device="test")
    model = folder / "model.part"
    shutil.rmtree(model, ignore_errors=True)
    model.mkdir()
    (model / "config.json").write_text(json.dumps({"steps": steps}))
    model.rename(folder / "model")
    if script.get("act") == "late" and manifest["attempt"] == 1:
        act("kill", folder)
    return {
        "device": "test",
        "metrics": {"validation": {"f1": 0.5}},
        "examples": 4,
        "tokens": 20,
        "seconds": 0.5,
    }


def score(folder: Path, manifest: Mapping[str, Any], reporter: Reporter) -> dict[str, Any]:
    rows = [json.loads(line) for line in (folder / "examples.jsonl").read_text().splitlines()]
    asked = [row["id"] for row in rows if row["split"] != "train"]
    with (folder / "predictions.part").open("w") as file:
        for count, example_id in enumerate(asked, 1):
            prediction = {"payload": {"spans": []}, "confidence": 0.5, "confidences": [], "uncertainty": []}
            scores = {name: float(count) for name in manifest["parameters"]["strategies"]}
            row = {"id": example_id, **prediction, "alternatives": [], "scores": scores}
            file.write(json.dumps(row) + "\n")
    (folder / "predictions.part").rename(folder / "predictions.jsonl")
    ids = np.array([row["id"] for row in rows], dtype=np.int64)
    np.savez(folder / "chunk.npz", ids=ids, **{name: np.ones((len(ids), 2), np.float16) for name in ARRAYS})
    write_features(folder / FEATURES, [folder / "chunk.npz"])
    return {"device": "test", "examples": len(asked), "tokens": 10 * len(asked), "seconds": 0.5}


runner.ENTRY_POINTS = Registry("kind of run")
runner.ENTRY_POINTS.add("train", "tests.jobs.scripted:train")
runner.ENTRY_POINTS.add("score", "tests.jobs.scripted:score")

if __name__ == "__main__":
    sys.exit(runner.main())
