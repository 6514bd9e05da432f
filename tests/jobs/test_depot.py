"""What travels to a cluster and back is whole, checked, and nobody else's."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import free_port
from tests.jobs.conftest import until
from workbench.config import Settings
from workbench.errors import RunFailed, Unavailable
from workbench.jobs import ray, remote, runner
from workbench.jobs.attempt import AttemptFolder, read_json, write_json
from workbench.jobs.depot import Depot
from workbench.jobs.launchers import LaunchState
from workbench.jobs.parcel import (
    Mirror,
    fetch_checkpoint,
    fetch_inputs,
    fetch_outputs,
    send_inputs,
    send_outputs,
)
from workbench.jobs.rayclient import Job, JobState, Refused
from workbench.registry import Registry


@pytest.fixture(params=["folder", "memory"])
def depot(request: pytest.FixtureRequest, tmp_path: Path) -> Depot:
    return Depot(str(tmp_path / "depot") if request.param == "folder" else f"memory://{tmp_path.name}")


@pytest.fixture
def attempt(tmp_path: Path) -> AttemptFolder:
    made = AttemptFolder(tmp_path / "runs" / "1" / "1")
    made.path.mkdir(parents=True)
    (tmp_path / "base" / "sub").mkdir(parents=True)
    (tmp_path / "base" / "config.json").write_text("{}")
    (tmp_path / "base" / "sub" / "weights").write_bytes(bytes(range(256)))
    made.examples.write_text('{"id": 1}\n')
    base = str(tmp_path / "base")
    write_json(
        made.manifest, {"kind": "train", "base_model": base, "parameters": {"base_model": base}, "attempt": 1}
    )
    return made


def elsewhere(tmp_path: Path) -> AttemptFolder:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return AttemptFolder(folder)


def test_inputs_arrive_with_the_folders_that_they_name(
    depot: Depot, attempt: AttemptFolder, tmp_path: Path
) -> None:
    send_inputs(depot, attempt)
    there = elsewhere(tmp_path)
    fetch_inputs(depot, there)
    manifest = there.read_manifest()
    assert (manifest["base_model"], manifest["parameters"]) == ("base_model", {"base_model": "base_model"})
    assert (there.path / "base_model" / "sub" / "weights").read_bytes() == bytes(range(256))
    assert there.examples.read_text() == '{"id": 1}\n'


def test_a_damaged_input_is_refused(depot: Depot, attempt: AttemptFolder, tmp_path: Path) -> None:
    send_inputs(depot, attempt)
    depot.write("inputs/examples.jsonl", b'{"id": 2}\n')
    with pytest.raises(RunFailed, match=r"inputs/examples.jsonl in .* is damaged"):
        fetch_inputs(depot, elsewhere(tmp_path))


def test_outputs_are_in_place_all_or_none(depot: Depot, attempt: AttemptFolder, tmp_path: Path) -> None:
    worker = elsewhere(tmp_path)
    (worker.path / "model").mkdir()
    (worker.path / "model" / "config.json").write_text('{"steps": 3}')
    worker.predictions.write_text("x\n")
    worker.events.write_text("{}\n")
    send_outputs(depot, worker, {"state": "succeeded"})
    found = depot.read_json("result.json")
    assert found is not None and sorted(found["outputs"]) == ["model/config.json", "predictions.jsonl"]
    depot.write("outputs/predictions.jsonl", b"y\n")
    with pytest.raises(RunFailed, match="damaged"):
        fetch_outputs(depot, attempt, found)
    assert not attempt.model.exists() and not attempt.result.exists()
    depot.remove("outputs/predictions.jsonl")
    with pytest.raises(RunFailed, match="missing"):
        fetch_outputs(depot, attempt, found)
    depot.write("outputs/predictions.jsonl", b"x\n")
    fetch_outputs(depot, attempt, found)
    assert (attempt.model / "config.json").read_text() == '{"steps": 3}'
    assert attempt.read_result() == {"state": "succeeded"}


@pytest.mark.parametrize("name", ["../../stolen", "/etc/stolen", ""])
def test_a_file_that_would_leave_its_folder_is_refused(
    name: str, attempt: AttemptFolder, tmp_path: Path
) -> None:
    depot = Depot(str(tmp_path / "depot"))
    said = depot.send(attempt.examples, "outputs/x")
    with pytest.raises(RunFailed, match="the cluster sent a file named"):
        fetch_outputs(depot, attempt, {"outputs": {name: said}, "result": {"state": "succeeded"}})


def test_the_last_whole_checkpoint_is_kept(depot: Depot, attempt: AttemptFolder, tmp_path: Path) -> None:
    worker = elsewhere(tmp_path)
    mirror = Mirror(depot, worker)
    mirror.refresh()
    assert fetch_checkpoint(depot, attempt) is False
    for step in (1, 2):
        folder = worker.checkpoint / f"{step:08}"
        folder.mkdir(parents=True)
        (folder / "weights").write_text(f"weights {step}")
        (folder / "same").write_text("same")
    (worker.checkpoint / "00000003.part").mkdir()
    (worker.checkpoint / "00000003.part" / "weights").write_text("half")
    mirror.refresh()
    assert len(depot.names("blobs")) == 3
    assert fetch_checkpoint(depot, attempt) is True
    found = sorted(path.relative_to(attempt.checkpoint).as_posix() for path in attempt.checkpoint.rglob("w*"))
    assert found == ["00000001/weights", "00000002/weights"]
    depot.write(depot.names("blobs")[0], b"damaged")
    with pytest.raises(RunFailed):
        fetch_checkpoint(depot, attempt)
    assert (attempt.checkpoint / "00000002" / "weights").read_text() == "weights 2"


class Told:
    """Stands where the cluster is asked: these tests are about what is made of its answers."""

    def __init__(self) -> None:
        self.job_is: Job | Exception = Job(JobState.RUNNING)
        self.submitted: list[str] = []
        self.again: Job | None = None

    def job(self, name: str) -> Job:
        if isinstance(self.job_is, Exception):
            raise self.job_is
        return self.job_is

    def submit(self, name: str, module: list[str], **wants: Any) -> None:
        self.submitted.append(name)
        if self.again is not None and len(self.submitted) == 2:
            self.job_is = self.again

    def stop(self, name: str) -> None:
        self.job_is = Job(JobState.STOPPED)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    made = Told()
    monkeypatch.setattr(ray, "Cluster", lambda _address: made)
    return made


def launched(tmp_path: Path, attempt: AttemptFolder) -> tuple[ray.RayLauncher, dict[str, Any]]:
    settings = Settings(home=tmp_path / "home", ray_address="http://head:8265")
    launcher = ray.RayLauncher(settings, poll=0.0)
    return launcher, launcher.submit("1-1", attempt.path)


def ended(launcher: ray.RayLauncher, handle: dict[str, Any], *states: LaunchState) -> Any:
    wanted = states or (LaunchState.SUCCEEDED, LaunchState.FAILED, LaunchState.STOPPED, LaunchState.LOST)

    def look() -> Any:
        status = launcher.status(handle)
        return status if status.state in wanted else None

    return until(look, "the state")


def test_a_result_that_came_is_believed_and_one_that_is_damaged_is_not(
    tmp_path: Path, attempt: AttemptFolder, told: Told
) -> None:
    launcher, handle = launched(tmp_path, attempt)
    ended(launcher, handle, LaunchState.RUNNING)
    depot = Depot(f"{handle['depot']}/1")
    depot.write(
        "result.json",
        b'{"outputs": {"model/x": {"size": 1, "sha256": "0"}}, "result": {"state": "succeeded"}}',
    )
    status = ended(launcher, handle)
    assert status.state is LaunchState.FAILED
    assert "model/x is missing" in status.detail
    assert not attempt.result.exists()


@pytest.mark.parametrize(
    ("answer", "state", "detail"),
    [
        (Job(JobState.FAILED, "exit code 7"), LaunchState.FAILED, "exit code 7"),
        (Job(JobState.SUCCEEDED), LaunchState.FAILED, "without a result"),
        (Job(JobState.STOPPED), LaunchState.FAILED, "stopped in the cluster"),
        (Job(JobState.UNKNOWN), LaunchState.LOST, "does not know the run"),
        (Refused("a wrong token"), LaunchState.FAILED, "a wrong token"),
        (Unavailable("nobody there"), LaunchState.UNREACHABLE, "nobody there"),
        (ConnectionResetError("reset"), LaunchState.UNREACHABLE, "reset"),
    ],
)
def test_every_answer_is_told_as_it_is(
    tmp_path: Path,
    attempt: AttemptFolder,
    told: Told,
    answer: Job | Exception,
    state: LaunchState,
    detail: str,
) -> None:
    told.job_is = answer
    launcher, handle = launched(tmp_path, attempt)
    status = ended(launcher, handle, state)
    assert detail in status.detail
    assert told.submitted == [f"{handle['name']}-1"]


def test_a_node_that_dies_twice_fails_the_run(tmp_path: Path, attempt: AttemptFolder, told: Told) -> None:
    told.job_is = Job(JobState.FAILED, "the node died", node_died=True)
    launcher, handle = launched(tmp_path, attempt)
    assert ended(launcher, handle).state is LaunchState.FAILED
    assert told.submitted == [f"{handle['name']}-1", f"{handle['name']}-2"]
    assert Depot(f"{handle['depot']}/1").exists("cancel")
    assert read_json(attempt.path / "remote.json") == {"try": 2, "submitted": True, "before": 0, "bytes": 0}


def test_a_late_result_of_a_worker_that_was_given_up_is_nobodys(
    tmp_path: Path, attempt: AttemptFolder, told: Told
) -> None:
    told.job_is = Job(JobState.FAILED, "the node died", node_died=True)
    told.again = Job(JobState.RUNNING)
    launcher, handle = launched(tmp_path, attempt)
    until(lambda: launcher.status(handle) and len(told.submitted) == 2, "the second try")
    Depot(f"{handle['depot']}/1").write("result.json", b'{"outputs": {}, "result": {"state": "succeeded"}}')
    for _ in range(20):
        assert not launcher.status(handle).state.ended
        time.sleep(0.01)
    assert not attempt.result.exists()


def test_a_cluster_that_is_not_there_is_no_failure(tmp_path: Path, attempt: AttemptFolder) -> None:
    settings = Settings(home=tmp_path / "home", ray_address=f"http://127.0.0.1:{free_port()}")
    launcher = ray.RayLauncher(settings, poll=0.0)
    status = ended(launcher, launcher.submit("1-1", attempt.path), LaunchState.UNREACHABLE)
    assert "does not answer" in status.detail


def test_the_worker_hands_over_what_it_made(
    tmp_path: Path, attempt: AttemptFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compute(folder: Path, manifest: dict[str, Any], reporter: Any) -> dict[str, Any]:
        assert Path(manifest["base_model"], "config.json").is_file()  # from where the worker stands
        reporter.log("at work")
        (folder / "predictions.jsonl").write_text("made\n")
        return {"device": "test"}

    kinds: Registry[str] = Registry("kind of run")
    kinds.add("train", "x:y")
    monkeypatch.setattr(runner, "_compute", lambda _kind: compute)
    depot = Depot(str(tmp_path / "depot"))
    send_inputs(depot, attempt)
    monkeypatch.chdir(tmp_path)
    assert remote.main([depot.url, "5"]) == 0
    found = depot.read_json("result.json")
    assert found is not None and found["result"]["state"] == "succeeded"
    fetch_outputs(depot, attempt, found)
    assert attempt.predictions.read_text() == "made\n"
    events = [json.loads(line) for line in (depot.read("events.jsonl") or b"").splitlines()]
    assert [(event["sequence"], event["data"]) for event in events] == [(6, {"message": "at work"})]


def test_a_worker_that_starts_after_the_word_to_stop_computes_nothing(
    tmp_path: Path, attempt: AttemptFolder
) -> None:
    depot = Depot(str(tmp_path / "depot"))
    send_inputs(depot, attempt)
    depot.write("cancel", b"")
    assert remote.main([depot.url]) == 0
    found = depot.read_json("result.json")
    assert found is not None and found["result"]["state"] == "cancelled"


def test_storage_that_no_package_reads_is_said() -> None:
    with pytest.raises(Unavailable, match=r"nowhere://bucket can't be reached .*WORKBENCH_RAY_STORAGE"):
        Depot("nowhere://bucket")
