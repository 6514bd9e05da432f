"""Everything that serves people is killed with -9 in the middle of the load: what was acknowledged is there."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.team.load import check, ended, let_go, prepare, read_outcome, start_beside, start_labelers
from workbench.services import Workbench

PEOPLE, PROCESSES = 8, 2
LONGEST = 1.5
"""Seconds after the first acknowledged answer until which all of them are killed."""


@pytest.fixture(autouse=True)
def quick_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The device is asked for in a process that imports torch; here it is not what is tried."""
    monkeypatch.setattr("workbench.services.maintenance.run_python", lambda arguments: "cpu (a test, fp32)\n")


def kill_at_moments(workbench: Workbench, folder: Path, *, moments: int, examples: int, imported: int) -> int:
    """Kill the labelers, the import and what tells a run's progress, again and again; answers acknowledged in all."""
    project, names = prepare(workbench, examples, PEOPLE)
    draw = random.Random(moments)
    for moment in range(moments):
        told = folder / str(moment)
        processes = start_labelers(
            workbench.settings, project, names, items=examples, processes=PROCESSES, folder=told
        )
        let_go(processes)
        processes.append(start_beside(workbench.settings, project, imported=imported, seed=moment))
        try:
            deadline = time.monotonic() + 60
            while not read_outcome(told).stored:
                assert time.monotonic() < deadline, "nobody has labeled anything"
                time.sleep(0.02)
            time.sleep(draw.uniform(0.0, LONGEST))
        finally:
            for process in draw.sample(processes, len(processes)):
                process.kill()
            ended(processes)
        outcome = read_outcome(told)
        assert outcome.errors == []
        check(workbench, project, outcome)
        unwell = [
            one for one in workbench.maintenance.doctor() if not one.ok and one.name not in ("runs", "disk")
        ]
        assert unwell == []
    everything = [read_outcome(folder / str(moment)) for moment in range(moments)]
    for outcome in everything:
        check(workbench, project, outcome)
    return sum(len(outcome.stored) for outcome in everything)


def test_killed_in_the_middle_of_the_load(workbench: Workbench, tmp_path: Path) -> None:
    assert kill_at_moments(workbench, tmp_path, moments=1, examples=400, imported=3_000) > 0


@pytest.mark.proof
def test_killed_at_fifty_moments_of_the_load(workbench: Workbench, tmp_path: Path) -> None:
    assert kill_at_moments(workbench, tmp_path, moments=50, examples=20_000, imported=20_000) > 500
