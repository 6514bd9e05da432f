"""Projects with labels, supervisors of a test's own, and nothing left running behind them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.jobs.rows import add_examples, add_gold
from tests.jobs.supervise import scripted_launchers
from workbench.config import Settings
from workbench.domain import Project, Run, RunState
from workbench.jobs.ensure import supervisor_lock
from workbench.jobs.supervisor import Supervisor
from workbench.services import Workbench
from workbench.services.snapshots import freeze_training, snapshot_pages, write_examples


def processes_of(home: Path) -> list[psutil.Process]:
    """The supervisor of a home and its workers."""
    found = []
    holder = supervisor_lock(Settings(home=home)).holder()
    for process in psutil.process_iter():
        try:
            command = " ".join(process.cmdline())
        except psutil.Error:
            continue
        ours = str(home) in command or (process.pid == holder and "supervis" in command)
        if ours and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def end_processes(home: Path) -> None:
    for process in processes_of(home):
        try:
            process.kill()
            process.wait(10)
        except psutil.Error:
            continue


def until(condition: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    """Wait for something that happens in another process."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.02)
    return found


class Bench:
    """A workbench with a labeled project and a supervisor that is driven pass by pass, in this process."""

    def __init__(self, wb: Workbench) -> None:
        self.wb = wb
        self.project: Project = wb.projects.create("news", "ner", ["PER", "LOC"])
        self.ids = add_examples(wb, self.project, 12)
        add_gold(wb, self.ids[:6])
        self._lock = supervisor_lock(wb.settings)
        assert self._lock.acquire()  # or a launch would start a supervisor of its own
        self.supervisor = self.new_supervisor()

    def new_supervisor(self) -> Supervisor:
        return Supervisor(self.wb.settings, self.wb.store, scripted_launchers())

    def launch(self, **script: Any) -> Run:
        data = freeze_training(self.wb.store, self.project, seed=1)

        def prepare(folder: Path) -> Mapping[str, Any]:
            write_examples(folder / "examples.jsonl", snapshot_pages(self.wb.store, data.snapshot.id))
            return {"notes": list(data.notes)}

        parameters = {"snapshot": data.snapshot.id, "base_model": "minilm", **script}
        return self.wb.runs.launch(self.project, "train", parameters, prepare)

    def tick_until(self, condition: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
        def passed() -> Any:
            self.supervisor.tick()
            return condition()

        return until(passed, what, seconds)

    def ended(self, run: Run, seconds: float = 60.0) -> Run:
        """The run after its end."""

        def look() -> Run | None:
            now = self.wb.runs.get(run.id)
            return None if now.state.active else now

        found: Run = self.tick_until(look, f"the end of run {run.id}", seconds)
        return found

    def folder(self, run: Run, attempt: int = 1) -> Path:
        return self.wb.settings.runs_dir / str(run.id) / str(attempt)

    def worker(self, run: Run, attempt: int = 1) -> int:
        """The process id of an attempt's worker, once it has taken the attempt on."""
        from workbench.jobs.attempt import read_json

        path = self.folder(run, attempt) / "worker.json"
        return int(self.tick_until(lambda: read_json(path), "the worker")["pid"])

    def said(self, run: Run) -> list[str]:
        return [event.data["message"] for event in self.wb.runs.logs(run.id)]

    def nothing_registered(self) -> bool:
        folder = self.wb.settings.models_dir
        return self.wb.models.list(self.project) == () and not [*folder.rglob("config.json")]

    def close(self) -> None:
        self.supervisor.close()
        self._lock.release()


@pytest.fixture
def bench(workbench: Workbench) -> Iterator[Bench]:
    made = Bench(workbench)
    yield made
    made.close()
    end_processes(workbench.settings.home)


@pytest.fixture
def sqlite_bench(sqlite_workbench: Workbench) -> Iterator[Bench]:
    made = Bench(sqlite_workbench)
    yield made
    made.close()
    end_processes(sqlite_workbench.settings.home)


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


__all__ = ["Bench", "RunState", "end_processes", "kill", "processes_of", "until"]
