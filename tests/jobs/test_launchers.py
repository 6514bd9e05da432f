"""Launchers: an attempt is started once, a recycled process id is nobody's, being out of reach is not a failure."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.jobs.conftest import Bench, until
from workbench.config import Settings
from workbench.domain import RunState
from workbench.errors import InvalidInput, Unavailable, UnknownName
from workbench.jobs import devices
from workbench.jobs.attempt import AttemptFolder, plain, read_json, write_json
from workbench.jobs.devices import Place
from workbench.jobs.ensure import ensure_supervisor
from workbench.jobs.following import EventFollower
from workbench.jobs.launchers import Launcher, LaunchState, LaunchStatus, load_launchers
from workbench.jobs.local import LocalLauncher
from workbench.jobs.lock import FileLock
from workbench.jobs.supervisor import Supervisor
from workbench.registry import Registry


class Distant(LocalLauncher):
    """A local launcher that can be told what to say of an attempt."""

    def __init__(self) -> None:
        super().__init__("tests.jobs.scripted")
        self.says: LaunchState | None = None

    def status(self, handle: Mapping[str, Any]) -> LaunchStatus:
        return LaunchStatus(self.says, "so I am told") if self.says else super().status(handle)


@pytest.fixture
def distant(sqlite_bench: Bench) -> Distant:
    launcher = Distant()
    registry: Registry[Launcher] = Registry("launcher")
    registry.add("local", launcher)
    sqlite_bench.supervisor = Supervisor(sqlite_bench.wb.settings, sqlite_bench.wb.store, registry)
    return launcher


def test_out_of_reach_is_neither_failed_nor_alive(sqlite_bench: Bench, distant: Distant) -> None:
    run = sqlite_bench.launch(steps=2)
    sqlite_bench.worker(run)
    distant.says = LaunchState.UNREACHABLE
    before = sqlite_bench.wb.runs.get(run.id).heartbeat_at
    until(AttemptFolder(sqlite_bench.folder(run)).result.exists, "the result")
    for _ in range(5):
        sqlite_bench.supervisor.tick()
    now = sqlite_bench.wb.runs.get(run.id)
    assert now.state is RunState.RUNNING
    assert before is not None and now.heartbeat_at is not None
    distant.says = None
    assert sqlite_bench.ended(run).state is RunState.SUCCEEDED


def test_a_late_result_of_an_abandoned_attempt_is_refused(sqlite_bench: Bench, distant: Distant) -> None:
    run = sqlite_bench.launch(steps=10, pause=0.05)
    sqlite_bench.worker(run)
    distant.says = LaunchState.LOST
    lost = sqlite_bench.ended(run)
    assert (lost.state, lost.error) == (RunState.FAILED, "so I am told")
    distant.says = None
    again = sqlite_bench.wb.runs.resume(run.id)
    first = AttemptFolder(sqlite_bench.folder(run, 1))
    until(first.result.exists, "the abandoned worker's result")
    done = sqlite_bench.ended(again)
    assert (done.attempt, done.result["model_version"]) == (2, 1)
    assert len(sqlite_bench.wb.models.list(sqlite_bench.project)) == 1


def test_an_attempt_is_computed_once(sqlite_bench: Bench) -> None:
    run = sqlite_bench.launch(steps=20, pause=0.05)
    pid = sqlite_bench.worker(run)
    folder = sqlite_bench.folder(run)
    assert LocalLauncher("tests.jobs.scripted").submit(f"{run.id}-1", folder)["pid"] == pid
    command = [sys.executable, "-m", "tests.jobs.scripted", str(folder)]
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (second.returncode, second.stderr) == (3, "another worker has taken this attempt on\n")
    assert sqlite_bench.ended(run).state is RunState.SUCCEEDED
    assert len(sqlite_bench.said(run)) == 21


def test_a_process_that_got_the_same_id_later_is_not_ours(tmp_path: Path) -> None:
    stranger = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        created = psutil.Process(stranger.pid).create_time()
        handle = {"pid": stranger.pid, "created": created - 3600, "folder": str(tmp_path)}
        launcher = LocalLauncher()
        assert launcher.status(handle).state is LaunchState.LOST
        launcher.stop(handle, force=True)
        assert stranger.poll() is None
        ours = {**handle, "created": created}
        assert launcher.status(ours).state is LaunchState.PENDING
        launcher.stop(ours, force=True)
        assert stranger.wait(20) == -9
    finally:
        stranger.kill()
        stranger.communicate()


def test_a_worker_in_another_container_is_known_by_its_lock(tmp_path: Path) -> None:
    """Its process id is somebody else's here, or nobody's, and it shares the home's disk."""
    attempt = AttemptFolder(tmp_path)
    elsewhere = {"pid": 2**22 + 1, "created": 1.0}
    handle = {**elsewhere, "folder": str(tmp_path)}
    launcher, lock = LocalLauncher(), FileLock(attempt.lock)
    assert lock.acquire()
    assert launcher.status(handle).state is LaunchState.LOST, "it has not taken the attempt on"
    write_json(attempt.worker, elsewhere)
    assert launcher.status(handle).state is LaunchState.RUNNING
    lock.release()
    assert launcher.status(handle).state is LaunchState.LOST


def test_pages_start_no_supervisor_where_it_is_elsewhere(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, supervise=False)
    assert not ensure_supervisor(settings)
    assert list(tmp_path.iterdir()) == []


def test_what_a_worker_prints_is_read_from_an_offset(tmp_path: Path) -> None:
    handle = {"pid": 1, "created": 0.0, "folder": str(tmp_path)}
    launcher = LocalLauncher()
    assert launcher.logs(handle) == ("", 0)
    (tmp_path / "worker.log").write_bytes("one\nzwölf".encode())
    assert launcher.logs(handle) == ("one\nzwölf", 10)
    assert launcher.logs(handle, 4) == ("zwölf", 10)


def test_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    follower = EventFollower(path, sequence=1)
    assert follower.read().events == ()
    line = '{"sequence": %d, "at": "2026-01-01T00:00:00+00:00", "kind": "%s", "data": {"message": "%s"}}\n'
    path.write_text(line % (1, "log", "known") + line % (2, "log", "new") + "damaged\n" + "[1]\n" + '{"sequ')
    assert [event.data["message"] for event in follower.read().events] == ["new"]
    with path.open("a") as file:
        file.write((line % (3, "progress", "x"))[6:] + line % (4, "log", "a\\u0000b") + line % (5, "odd", ""))
    news = follower.read()
    assert news.progress == {"message": "x"}
    assert [event.data["message"] for event in news.events] == ["a\ufffdb"]
    assert follower.read().events == ()


def test_json_that_both_databases_take() -> None:
    odd = {"a": float("nan"), "b": [float("inf"), 1.5], "c": "x\0y", 4: (True, None), "d": Path("p")}
    assert plain(odd) == {"a": None, "b": [None, 1.5], "c": "x\ufffdy", "4": [True, None], "d": "p"}


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_json(path, {"a": 1})
    write_json(path, {"a": 2})
    assert read_json(path) == {"a": 2}
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.json"]


def test_devices_are_named_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "has_mps", lambda: False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert [devices.queue_device(name) for name in ("auto", "cpu", "cuda", "cuda:1")] == [
        "cuda:0",
        "cpu",
        "cuda:0",
        "cuda:1",
    ]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert devices.queue_device("auto") == "cpu"
    for name, said in (
        ("cuda:0", "no GPU cuda:0 here"),
        ("mps", "no Apple GPU"),
        ("tpu", "'tpu' is no device"),
    ):
        with pytest.raises(InvalidInput, match=said):
            devices.queue_device(name)


def test_a_full_disk_is_one_line_and_nothing_is_queued(sqlite_bench: Bench) -> None:
    def full(_: Path) -> dict[str, Any]:
        raise OSError(28, "No space left on device")

    with pytest.raises(Unavailable, match="the run's data can't be written .No space left on device.. Check"):
        sqlite_bench.wb.runs.launch(sqlite_bench.project, "train", {}, full)
    assert sqlite_bench.wb.runs.list(sqlite_bench.project) == ()
    assert [*sqlite_bench.wb.settings.runs_dir.iterdir()] == []


def test_a_run_goes_to_the_cluster_where_one_is_set(tmp_path: Path) -> None:
    here = Settings(home=tmp_path)
    there = Settings(home=tmp_path, ray_address="http://head:8265", ray_gpus=2, ray_cpus=4)
    assert devices.place_of("cpu", here) == devices.place_of("cpu", there) == Place("local", "cpu", "cpu")
    asked = Place("ray", "cluster", "auto", {"cpus": 4.0, "gpus": 2.0})
    assert devices.place_of("auto", there) == devices.place_of("cluster", there) == asked
    assert devices.place_of("cluster:0", there).resources == {"cpus": 4.0, "gpus": 0.0}
    with pytest.raises(InvalidInput, match="no cluster is set.*WORKBENCH_RAY_ADDRESS"):
        devices.place_of("cluster", here)


def test_a_home_that_can_not_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="the supervisor of runs can't be started"):
        ensure_supervisor(Settings(home=tmp_path / "file" / "home"))


def test_a_launcher_or_kind_that_nobody_knows(sqlite_bench: Bench) -> None:
    with pytest.raises(UnknownName, match="no launcher named 'moon'"):
        load_launchers()["moon"]
    assert list(load_launchers()) == ["local", "ray"]
