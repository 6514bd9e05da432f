"""Following a run in the terminal: everything on stderr, Ctrl-C leaves the run alone."""

from __future__ import annotations

import io
import os
import re
import signal
import threading
import time
from collections.abc import Iterator

import pytest
import typer
from rich.console import Console

from tests.jobs.conftest import Bench
from workbench.cli import following
from workbench.cli.following import follow, numbers
from workbench.domain import RunState
from workbench.errors import RunFailed


@pytest.fixture
def ctrl_c_works() -> Iterator[None]:
    """Test workers that run side by side ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    text = io.StringIO()
    monkeypatch.setattr(following, "err", Console(file=text, soft_wrap=True, highlight=False, width=200))
    return text


@pytest.fixture
def driven(sqlite_bench: Bench) -> Iterator[Bench]:
    """A bench whose supervisor runs on a thread."""
    stop = threading.Event()

    def drive() -> None:
        while not stop.wait(0.05):
            sqlite_bench.supervisor.tick()

    thread = threading.Thread(target=drive)
    thread.start()
    yield sqlite_bench
    stop.set()
    thread.join()


def test_the_log_and_the_scores_are_printed(driven: Bench, told: io.StringIO) -> None:
    done = follow(driven.wb, driven.launch(steps=3, pause=0.1))
    assert done.state is RunState.SUCCEEDED
    assert re.findall(r"step \d", told.getvalue()) == ["step 1", "step 2", "step 3"]


def test_a_second_run_says_what_it_waits_for(driven: Bench, told: io.StringIO) -> None:
    first = driven.launch(steps=20, pause=0.05)
    second = driven.launch(steps=1)
    follow(driven.wb, second)
    assert f"Run {second.id} waits for run {first.id} (train) on cpu." in told.getvalue()


def test_a_failure_is_raised(driven: Bench, told: io.StringIO) -> None:
    with pytest.raises(RunFailed, match="by zero"):
        follow(driven.wb, driven.launch(at=0, act="raise"))


@pytest.mark.usefixtures("ctrl_c_works")
def test_ctrl_c_leaves_the_run_alone(driven: Bench, told: io.StringIO) -> None:
    run = driven.launch(steps=40, pause=0.05)

    def press() -> None:
        while not driven.wb.runs.get(run.id).progress:
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press).start()
    with pytest.raises(typer.Exit) as left:
        follow(driven.wb, run)
    assert left.value.exit_code == 130
    assert f"`workbench runs cancel {run.id}` stops it" in told.getvalue()
    assert driven.wb.runs.wait(run.id, timeout=60).state is RunState.SUCCEEDED


def test_numbers_in_one_line() -> None:
    progress = {
        "epoch": 1.5,
        "loss": 0.25,
        "learning_rate": 1e-4,
        "examples_per_second": 80.4,
        "seconds_left": 9.6,
    }
    assert numbers(progress) == "epoch 1.50, loss 0.2500, lr 1.00e-04, 80 examples/s, 10 s left"
    assert numbers({"loss": None, "epoch": True}) == ""
