"""The supervisor as a process: one per home, killed and replaced, gone when there is nothing to do."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from pathlib import Path

import psutil
import pytest

from tests.jobs.conftest import Bench, end_processes, kill, processes_of, until
from tests.jobs.supervise import scripted_launchers
from workbench.config import Settings
from workbench.domain import Run, RunState
from workbench.jobs import supervisor
from workbench.jobs.codestamp import code_hash, code_stamp
from workbench.jobs.ensure import ensure_supervisor, environment, supervisor_lock
from workbench.services import Workbench, open_workbench

SCRIPTED = "tests.jobs.supervise"


@pytest.fixture
def served(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A bench whose supervisor is a process of its own, and whose services start that one, too."""
    yield from serve(sqlite_settings, monkeypatch)


@pytest.fixture
def served_by_any(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """The same, once for each database."""
    yield from serve(settings, monkeypatch)


def serve(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    scripted = partial(ensure_supervisor, module=SCRIPTED)
    monkeypatch.setattr("workbench.services.runs.ensure_supervisor", scripted)
    settings = settings.model_copy(update={"supervisor_idle_seconds": 1.5})
    wb = open_workbench(settings)
    bench = Bench(wb)
    bench.close()
    yield bench
    end_processes(settings.home)
    wb.close()


def start(wb: Workbench) -> int:
    """A scripted supervisor; its process id once it has the lock."""
    lock = supervisor_lock(wb.settings)
    before = lock.holder()

    def holds() -> bool:
        # Asked again, as the services do: a process that was killed may keep its lock for a moment while it dies.
        ensure_supervisor(wb.settings, SCRIPTED)
        return lock.holder() not in (None, before)

    until(holds, "the supervisor's start")
    holder = lock.holder()
    assert holder is not None
    return holder


def test_when_the_code_is_upgraded_a_new_process_takes_over(
    served: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "CODE_SECONDS", 0.0)
    monkeypatch.setattr(supervisor, "code_stamp", count().__next__)
    assert supervisor.serve(served.wb.settings, scripted_launchers(), SCRIPTED) == 0
    lock = supervisor_lock(served.wb.settings)
    until(lambda: lock.holder() not in (None, os.getpid()), "the new one's start")
    assert wait(served, served.launch(steps=2)).state is RunState.SUCCEEDED


def test_the_stamp_of_unchanged_code_stays() -> None:
    assert code_stamp() == code_stamp()


def test_the_stamp_changes_with_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.jobs.codestamp.code_folder", lambda: tmp_path)
    (tmp_path / "workbench").mkdir()
    stamps, hashes = [code_stamp()], [code_hash()]
    for text in ("a = 1", "a = 1\nb = 2"):
        (tmp_path / "workbench" / "new.py").write_text(text)
        stamps.append(code_stamp())
        hashes.append(code_hash())
    assert len(set(stamps)) == len(set(hashes)) == 3
    assert code_hash() == hashes[-1]


def wait(bench: Bench, run: Run) -> Run:
    return bench.wb.runs.wait(run.id, timeout=120)


def test_kill_it_and_the_next_one_goes_on(served_by_any: Bench) -> None:
    served = served_by_any
    first = start(served.wb)
    run = served.launch(steps=60, pause=0.05)
    until(lambda: len(served.said(run)) > 3, "some lines")
    worker = next(process.pid for process in processes_of(served.wb.settings.home) if process.pid != first)
    kill(first)
    until(lambda: not _alive(first), "its death")
    assert _alive(worker)
    second = start(served.wb)
    assert second != first
    done = wait(served, run)
    assert (done.attempt, done.result["model_version"]) == (1, 1)
    assert served.said(run)[1:] == [f"step {step}" for step in range(1, 61)]


def test_both_killed_the_run_is_failed_by_the_next_one(served: Bench) -> None:
    first = start(served.wb)
    run = served.launch(steps=30, pause=0.1)
    until(lambda: served.wb.runs.get(run.id).progress, "progress")
    kill(first)
    for process in processes_of(served.wb.settings.home):
        process.kill()
    until(lambda: processes_of(served.wb.settings.home) == [], "their death")
    assert served.wb.runs.get(run.id).state is RunState.RUNNING
    start(served.wb)
    until(lambda: served.wb.runs.get(run.id).state is RunState.FAILED, "the failure")
    assert served.nothing_registered()
    served.wb.runs.resume(run.id)
    assert wait(served, run).attempt == 2


def test_one_supervisor_however_many_are_started(served: Bench) -> None:
    command = [sys.executable, "-m", SCRIPTED]
    processes = [
        subprocess.Popen(command, env=environment(served.wb.settings), stderr=subprocess.DEVNULL)
        for _ in range(3)
    ]
    runs = [served.launch() for _ in range(3)]
    for run in runs:
        assert wait(served, run).state is RunState.SUCCEEDED
    until(lambda: sum(process.poll() is None for process in processes) <= 1, "the others to leave")
    assert [process.wait(30) for process in processes] == [0, 0, 0], "they leave when there is nothing to do"


def test_a_run_that_is_queued_while_it_leaves_is_not_left(served: Bench) -> None:
    """Launches at moments around the end of the idle time; whoever is there or is started must take each."""
    begin = time.monotonic()
    start(served.wb)
    for delay in (1.45, 1.55, 1.65):
        until(lambda: processes_of(served.wb.settings.home), "a supervisor")
        idle = time.monotonic() - begin
        time.sleep(max(0.0, delay - idle))
        with served.wb.store.read() as tx:
            project = tx.projects.by_name("news")
        run = served.launch()
        ensure_supervisor(served.wb.settings, SCRIPTED)
        assert wait(served, run).state is RunState.SUCCEEDED
        assert project.id == served.project.id
        begin = time.monotonic()


def test_many_ask_for_it_at_once(served: Bench) -> None:
    with ThreadPoolExecutor(8) as pool:
        started = list(pool.map(lambda _: ensure_supervisor(served.wb.settings, SCRIPTED), range(16)))
    assert sum(started) >= 1
    run = served.launch(steps=20, pause=0.1)
    until(lambda: served.wb.runs.get(run.id).progress, "progress")
    supervisors = [
        process for process in processes_of(served.wb.settings.home) if SCRIPTED in process.cmdline()
    ]
    assert len(supervisors) == 1
    assert wait(served, run).state is RunState.SUCCEEDED


def test_it_leaves_when_its_home_is_removed(served: Bench) -> None:
    pid = start(served.wb)
    supervisor_lock(served.wb.settings).path.unlink()
    until(lambda: not _alive(pid), "its end")


def test_neither_it_nor_a_service_loads_torch() -> None:
    heavy = "[m for m in ('torch', 'transformers', 'streamlit', 'sklearn') if m in sys.modules]"
    modules = "workbench.jobs.supervisor, workbench.services.training, workbench.services.scoring, workbench.jobs.local"
    code = f"import sys, {modules}; print({heavy})"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
    code = (
        "import sys, workbench.jobs.runner; print('workbench.storage' in sys.modules, 'torch' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "False False\n"


def test_children_get_the_settings(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_DATABASE_URL", "postgresql://elsewhere/other")
    given = environment(sqlite_settings)
    assert "WORKBENCH_DATABASE_URL" not in given
    assert given["WORKBENCH_HOME"] == str(sqlite_settings.home)
    assert given["WORKBENCH_STALE_SECONDS"] == "30.0"
    assert given["PATH"] == os.environ["PATH"]


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
