"""A simulation's worker that is killed with -9, and the attempt that goes on behind its last point."""

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

from tests.evidence.test_simulate import NAMES, attempt, figures
from tests.modeling.tiny import make_tiny_model
from workbench.evidence.points import POINTS
from workbench.modeling.simulate import simulate
from workbench.reporting import SilentReporter

WORKER = """
import json, sys
from pathlib import Path
import torch
from workbench.modeling.simulate import simulate
from workbench.reporting import SilentReporter
torch.set_num_threads(1)
simulate(Path(sys.argv[1]), json.loads(sys.argv[2]), SilentReporter())
"""

PLAN = {"seeds": [1], "rounds": 3}
MODELS = 1 + 3 * 2 + 1


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("base"), ["we", "saw", "today", "rain", *NAMES])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Mapping[str, Any]:
    folder = tmp_path_factory.mktemp("whole") / "attempt"
    return simulate(folder, attempt(folder, base, **PLAN), SilentReporter())


def test_killed_with_9_it_goes_on_to_the_same_curves(tmp_path: Path, base: Path, whole: Mapping[str, Any]):
    _kill_and_go_on(tmp_path, base, whole, kills=1, seed=1)


@pytest.mark.proof
def test_killed_ten_times_in_a_row_it_goes_on_to_the_same_curves(
    tmp_path: Path, base: Path, whole: Mapping[str, Any]
):
    _kill_and_go_on(tmp_path, base, whole, kills=10, seed=10)


def _kill_and_go_on(folder: Path, base: Path, expected: Mapping[str, Any], *, kills: int, seed: int) -> None:
    """Kill an attempt at a random moment after it has added a point, give its points to the next, and so on."""
    rng = random.Random(seed)
    earlier: Path | None = None
    for number in range(kills):
        killed = folder / str(number)
        manifest = {**attempt(killed, base, **PLAN), "resume_from": str(earlier) if earlier else None}
        before = _points(earlier)
        worker = subprocess.Popen([sys.executable, "-c", WORKER, str(killed), json.dumps(manifest)])
        try:
            while _points(killed / POINTS) < min(before + 1, MODELS):
                assert worker.poll() is None, "the worker ended before it added a point"
                time.sleep(0.02)
            time.sleep(rng.uniform(0.0, 0.5))
        finally:
            worker.kill()
            worker.wait()
        earlier = killed / POINTS
        if _points(earlier) == MODELS:
            break
    last = folder / "last"
    manifest = {**attempt(last, base, **PLAN), "resume_from": str(earlier)}
    result = simulate(last, manifest, SilentReporter())
    assert figures(result) == figures(expected)
    assert result["full_data"]["seeds"] == expected["full_data"]["seeds"]
    assert result["words_to_99_percent"] == expected["words_to_99_percent"]


def _points(folder: Path | None) -> int:
    return len(list(folder.glob("*.json"))) if folder is not None else 0
