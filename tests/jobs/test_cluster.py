"""Runs on a Ray cluster of two nodes on loopback, and what becomes of them when it misbehaves."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from math import sqrt
from pathlib import Path
from statistics import mean, variance

import pytest
from sqlalchemy import select

from tests.conftest import free_port
from tests.jobs.conftest import Bench, until
from tests.jobs.rows import add_examples, sentence
from tests.modeling.tiny import make_tiny_model
from workbench.domain import Run, RunState, TrainParameters
from workbench.jobs.attempt import AttemptFolder
from workbench.jobs.launchers import Launcher
from workbench.jobs.local import LocalLauncher
from workbench.jobs.ray import RayLauncher
from workbench.jobs.rayclient import Cluster, JobState
from workbench.jobs.supervisor import Supervisor
from workbench.registry import Registry
from workbench.services.samples import load_sample
from workbench.storage.tables import acquisition_scores as scores
from workbench.storage.tables import predictions

ROOT = Path(__file__).parents[2]


class TestCluster:
    """The process that holds the cluster."""

    __test__ = False

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        environment = {
            **os.environ,
            "RAY_TMPDIR": str(folder),
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
            "RAY_USAGE_STATS_ENABLED": "0",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",  # sums of more threads come in another order
        }
        self._log = (folder / "log").open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.jobs.raycluster", str(self.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=ROOT,
            env=environment,
        )

    def do(self, command: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line == f"{command} done\n":
                return
        pytest.fail(f"the cluster did not {command}: {Path(self._log.name).read_text()[-2000:]}")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()
        self._log.close()


@pytest.fixture
def cluster() -> Iterator[TestCluster]:
    folder = Path(tempfile.mkdtemp(prefix="ray"))  # paths of sockets must be short
    made = TestCluster(folder)
    try:
        made.do("start")
        yield made
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)


def to_cluster(bench: Bench, address: str) -> RayLauncher:
    settings = bench.wb.settings.model_copy(update={"ray_address": address})
    bench.wb.runs._settings = settings
    launcher = RayLauncher(settings, "tests.jobs.scripted_remote", poll=0.2)
    registry: Registry[Launcher] = Registry("launcher")
    registry.add("ray", launcher)
    bench.supervisor = Supervisor(bench.wb.settings, bench.wb.store, registry)
    return launcher


def said_of_pool(bench: Bench) -> list[tuple[object, ...]]:
    with bench.wb.store.read() as tx:
        said = tx.connection.execute(
            select(predictions.c.example_id, predictions.c.payload).order_by(predictions.c.example_id)
        ).all()
        scored = tx.connection.execute(
            select(scores.c.example_id, scores.c.strategy, scores.c.score).order_by(
                scores.c.example_id, scores.c.strategy
            )
        ).all()
    return [tuple(row) for row in (*said, *scored)]


def waits_for(bench: Bench, run: Run) -> str:
    return str(bench.wb.runs.get(run.id).progress.get("waits_for") or "")


def test_runs_on_a_cluster_and_its_faults(sqlite_bench: Bench, cluster: TestCluster) -> None:
    bench = sqlite_bench
    launcher = to_cluster(bench, cluster.address)
    client = Cluster(cluster.address)
    capacity = client.capacity()
    assert (len(capacity.nodes), capacity.cpus, capacity.gpus, capacity.cpus_taken) == (2, 2.0, 0.0, 0.0)
    assert sum(node.head for node in capacity.nodes) == 1

    # A run from the launch to the registered model, its log and figures with it.
    run = bench.launch(steps=3, device="cluster")
    done = bench.ended(run)
    assert done.state is RunState.SUCCEEDED, (done.error, bench.said(run))
    assert (done.state, done.launcher, done.device) == (RunState.SUCCEEDED, "ray", "cluster")
    assert bench.said(run)[-3:] == ["step 1", "step 2", "step 3"]
    assert len(bench.wb.models.list(bench.project)) == 1
    assert list((bench.wb.settings.home / "depots").rglob("*.json")) == []

    # The same attempt sent twice is one job.
    handle = launcher.submit(f"{run.id}-1", bench.folder(run))
    name = f"{handle['name']}-1"
    client.submit(name, ["tests.jobs.scripted_remote", "nowhere"], code=ROOT / "workbench", cpus=1, gpus=0)
    # The result is there before Ray has seen its process end.
    until(lambda: client.job(name).state is JobState.SUCCEEDED, "the end of the job")

    # A worker that fails says why; one that dies without a word leaves what it printed.
    failed = bench.ended(bench.launch(steps=2, at=1, act="refuse"))
    assert (failed.state, failed.error) == (RunState.FAILED, "the labels are odd. Mend them")
    exited = bench.launch(steps=3, at=2, act="exit", pause=1.5)
    assert bench.ended(exited).state is RunState.FAILED
    assert "the library gave up" in bench.said(exited)
    again = bench.ended(bench.wb.runs.resume(exited.id))
    assert (again.state, again.attempt) == (RunState.SUCCEEDED, 2)
    assert "Going on from step 1." in bench.said(exited)

    # What asks for more than there is waits, says for what, and can be cancelled at once.
    greedy = bench.launch(device="cluster:1")
    bench.tick_until(lambda: "resources" in waits_for(bench, greedy), "what the run waits for")
    bench.wb.runs.cancel(greedy.id)
    assert bench.ended(greedy).state is RunState.CANCELLED

    # A running one stops within a step.
    long = bench.launch(steps=1000, pause=0.05)
    bench.tick_until(lambda: "step 2" in bench.said(long), "a step")
    bench.wb.runs.cancel(long.id)
    assert bench.ended(long).state is RunState.CANCELLED
    assert len(bench.said(long)) < 200

    # A node dies: the attempt goes on elsewhere, from its last checkpoint, and counts as one.
    cluster.do("add")
    mortal = bench.launch(steps=30, pause=0.2, device="cluster:1")
    bench.tick_until(lambda: "step 5" in bench.said(mortal), "five steps")
    cluster.do("kill")
    bench.tick_until(lambda: waits_for(bench, mortal), "the news")
    cluster.do("add")
    survived = bench.ended(mortal)
    assert (survived.state, survived.attempt) == (RunState.SUCCEEDED, 1)
    assert any(message.startswith("Going on from step") for message in bench.said(mortal))

    # A wrong token is refused, and the doctor says so. (Ray reads the token once in a process.)
    environment = {**os.environ, "WORKBENCH_RAY_ADDRESS": cluster.address}
    for token, healthy in (("another-token-of-the-tests-01234", False), (os.environ["RAY_AUTH_TOKEN"], True)):
        environment.update(WORKBENCH_HOME=str(bench.wb.settings.home), RAY_AUTH_TOKEN=token)
        asked = [sys.executable, "-c", "from workbench.cli import main; main()", "doctor", "--json"]
        told = subprocess.run(asked, capture_output=True, text=True, env=environment, check=False)
        assert told.stdout, told.stderr
        check = next(each for each in json.loads(told.stdout)["checks"] if each["name"] == "cluster")
        assert check["ok"] is healthy, check
        assert ("3 nodes" if healthy else "refuses the token") in check["detail"]

    # The head dies: nobody knows, which is no failure. It comes back and knows the run no more, which is one.
    lost = bench.launch(steps=1000, pause=0.1)
    bench.tick_until(lambda: "step 3" in bench.said(lost), "three steps")
    cluster.do("stop")
    bench.tick_until(lambda: "does not answer" in waits_for(bench, lost), "that nobody answers")
    assert bench.wb.runs.get(lost.id).state is RunState.RUNNING
    cluster.do("start")
    gone = bench.ended(lost)
    assert gone.state is RunState.FAILED
    assert "does not know the run any more" in (gone.error or "")
    assert AttemptFolder(bench.folder(lost)).checkpoint.is_dir()
    assert len(bench.wb.models.list(bench.project)) == 3


@pytest.mark.timeout(900)
def test_a_training_gives_the_same_model_here_and_there(
    sqlite_bench: Bench, cluster: TestCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = sqlite_bench
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    to_cluster(bench, cluster.address)
    settings = bench.wb.runs._settings
    registry: Registry[Launcher] = Registry("launcher")
    registry.add("local", LocalLauncher())
    registry.add("ray", RayLauncher(bench.wb.runs._settings, poll=0.2))
    bench.supervisor = Supervisor(bench.wb.settings, bench.wb.store, registry)
    words = {word for index in range(12) for word in sentence(index)[0].split()}
    base = make_tiny_model(tmp_path / "base", sorted(words))
    choices = {"base_model": str(base), "epochs": 2, "learning_rate": 5e-3, "batch_size": 2, "min_steps": 12}

    here, there, shared = (
        bench.launch(**choices, **more)
        for more in ({"device": "cpu"}, {"device": "cluster"}, {"device": "cluster", "workers": 2})
    )
    for run in (here, there, shared):
        done = bench.ended(run, 240)
        assert done.state is RunState.SUCCEEDED, (done.error, bench.said(run))
    versions = {version.run_id: version for version in bench.wb.models.list(bench.project)}
    folders = [bench.wb.models.artifact_path(versions[run.id]) for run in (here, there, shared)]
    weights = [(folder / "model.safetensors").read_bytes() for folder in folders]
    assert weights[0] == weights[1]
    assert weights[2] not in weights[:2]  # each of two draws its own dropout
    assert "2 workers share each batch." in bench.said(shared)
    curves = [bench.wb.runs.events(run.id, kind="metric") for run in (here, shared)]
    steps = [[event.data["step"] for event in curve if "loss" in event.data] for curve in curves]
    assert steps[0] == steps[1] != []

    # A pass over a pool gives the same here, there, and read by two side by side, a chunk at a time.
    add_examples(bench.wb, bench.project, 9_000)
    number = versions[here.id].number
    read = []
    for device, large in (("cpu", False), ("cluster", False), ("cluster", True)):
        bench.wb.runs._settings = settings.model_copy(update={"ray_pool_examples": 100 if large else 10_000})
        run = bench.wb.scoring.launch(bench.project, number, device=device, precision="fp32", again=True)
        done = bench.ended(run, 240)
        assert done.state is RunState.SUCCEEDED, (done.error, bench.said(run))
        assert done.result is not None
        read.append((done.result["examples"], said_of_pool(bench)))
    assert read[0] == read[1] == read[2]
    assert read[0][0] == 9_006
    kept = json.loads((bench.folder(run) / "manifest.json").read_text())
    assert kept["resources"]["readers"] == 4

    stopped = bench.wb.scoring.launch(bench.project, number, precision="fp32", again=True)
    bench.tick_until(lambda: "Reading" in "".join(bench.said(stopped)), "the beginning", 240)
    bench.wb.runs.cancel(stopped.id)
    assert bench.ended(stopped, 240).state is RunState.CANCELLED

    # Stopped in the middle, both workers end, and it goes on from what the first has kept.
    long = bench.launch(**{**choices, "min_steps": 100_000}, device="cluster", workers=2)
    bench.tick_until(lambda: bench.wb.runs.get(long.id).progress.get("done"), "a step", 240)
    bench.wb.runs.cancel(long.id)
    assert bench.ended(long, 240).state is RunState.CANCELLED
    until(lambda: Cluster(cluster.address).capacity().cpus_taken == 0, "the end of both", 120)


@pytest.mark.proof
def test_two_workers_learn_as_well_as_one(
    sqlite_bench: Bench, cluster: TestCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = sqlite_bench
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    to_cluster(bench, cluster.address)
    registry: Registry[Launcher] = Registry("launcher")
    registry.add("ray", RayLauncher(bench.wb.runs._settings, poll=0.2))
    bench.supervisor = Supervisor(bench.wb.settings, bench.wb.store, registry)
    project = load_sample(bench.wb, "ner")
    selection = bench.wb.selection.preview(project, "random", 120)
    batch, _ = bench.wb.selection.create(project, selection)
    bench.wb.annotation.simulate(project, batch.number)
    found: dict[int, list[float]] = {}
    for workers in (1, 2):
        for seed in range(1, 5):
            parameters = TrainParameters(device="cluster", workers=workers, seed=seed)
            done = bench.ended(bench.wb.training.launch(project, parameters), 900)
            assert done.state is RunState.SUCCEEDED, (done.error, bench.said(done))
            assert done.result is not None
            version = bench.wb.models.get(project, done.result["model_version"])
            found.setdefault(workers, []).append(version.metrics["validation"]["f1"])
    assert min(min(values) for values in found.values()) > 0.4, found
    apart = abs(mean(found[1]) - mean(found[2]))
    spread = sqrt((variance(found[1]) + variance(found[2])) / 2)
    assert apart <= 2 * spread, found
