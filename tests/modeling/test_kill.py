"""A worker that is killed with -9 in the middle of its work, and the run that goes on from what it left."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.modeling.runs import Recorder, prepare, same, weights
from workbench.modeling.checkpoint import newest_checkpoint
from workbench.modeling.train import train
from workbench.reporting import SilentReporter

WORKER = """
import json, sys
from pathlib import Path
import torch
from workbench.modeling import loop
from workbench.modeling.train import train
from workbench.reporting import SilentReporter
torch.set_num_threads(1)
loop.CHECKPOINT_SECONDS = 0.0
train(Path(sys.argv[1]), json.loads(sys.argv[2]), SilentReporter())
"""


def test_killed_with_9_and_resumed_it_ends_with_the_same_weights(tmp_path: Path, tiny: Path):
    whole = tmp_path / "whole"
    expected = train(whole, prepare(whole, tiny, "ner", epochs=20), SilentReporter())
    _kill_and_resume(tmp_path, tiny, whole, expected, 0.2)


@pytest.mark.proof
def test_killed_at_twenty_random_moments(tmp_path: Path, tiny: Path):
    whole = tmp_path / "whole"
    expected = train(whole, prepare(whole, tiny, "ner", epochs=20), SilentReporter())
    rng = random.Random(20)
    for number in range(20):
        folder = tmp_path / str(number)
        _kill_and_resume(folder, tiny, whole, expected, rng.uniform(0.0, 1.0))


def _kill_and_resume(
    folder: Path, tiny: Path, whole: Path, expected: Mapping[str, Any], after: float
) -> None:
    """Kill a worker some seconds after its first checkpoint; resume; the result is that of the whole run."""
    killed, resumed = folder / "killed", folder / "resumed"
    manifest = prepare(killed, tiny, "ner", epochs=20)
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(killed), json.dumps(manifest)])
    try:
        while newest_checkpoint(killed / "checkpoint") is None:
            assert worker.poll() is None, "the worker ended before its first checkpoint"
            time.sleep(0.02)
        time.sleep(after)
    finally:
        worker.kill()
        worker.wait()
    reporter = Recorder()
    result = train(
        resumed,
        {**prepare(resumed, tiny, "ner", epochs=20), "resume_from": str(killed / "checkpoint")},
        reporter,
    )
    assert any(line.startswith("Resumed after step") for line in reporter.lines)
    assert same(weights(whole), weights(resumed))
    assert result["metrics"] == expected["metrics"]
