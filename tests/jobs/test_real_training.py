"""Launch to version with a real, tiny model, the real supervisor and the real worker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from typer.testing import CliRunner

from tests.jobs.conftest import end_processes, processes_of, until
from tests.jobs.rows import add_examples, add_gold, sentence
from tests.modeling.tiny import make_tiny_model
from workbench.cli import load
from workbench.cli.base import app
from workbench.config import get_settings
from workbench.domain import Project, RunState, TrainParameters
from workbench.errors import RunFailed
from workbench.jobs.artifacts import hash_folder
from workbench.jobs.ensure import supervisor_lock
from workbench.services import Workbench, open_workbench

load()


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    words = {word for index in range(40) for word in sentence(index)[0].split()}
    return make_tiny_model(tmp_path_factory.mktemp("base"), sorted(words))


@pytest.fixture
def wb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WORKBENCH_SUPERVISOR_IDLE_SECONDS", "20")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("WORKBENCH_DATABASE_URL", raising=False)
    get_settings.cache_clear()
    opened = open_workbench(get_settings())
    yield opened
    end_processes(opened.settings.home)
    opened.close()
    get_settings.cache_clear()


@pytest.fixture
def project(wb: Workbench) -> Project:
    made = wb.projects.create("news", "ner", ["PER", "LOC"])
    ids = add_examples(wb, made, 40)
    add_gold(wb, ids[:24])
    return made


def call(*arguments: str) -> Any:
    told = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
    assert told.exit_code == 0
    return json.loads(told.stdout)


def test_train_and_score_from_the_command_line(wb: Workbench, project: Project, tiny_base: Path) -> None:
    options = ("--base-model", str(tiny_base), "--learning-rate", "0.005", "--epochs", "4", "--device", "cpu")
    trained = call("train", "news", *options)
    assert {"run", "model_version", "examples", "seconds", "device", "metrics"} <= set(trained)
    assert trained["model_version"] == 1
    assert 0.5 < trained["metrics"]["validation"]["f1"] <= 1.0
    version = wb.models.get(project, 1)
    folder = wb.models.artifact_path(version)
    assert (folder / "model.safetensors").is_file()
    assert hash_folder(folder) == version.artifact_sha256
    scored = call("score", "news", "--model-version", "best", "--device", "cpu")
    assert {"run", "examples", "tokens", "seconds", "examples_per_second"} <= set(scored)
    assert scored["examples"] == 16
    with wb.store.read() as tx:
        top = tx.models.top_scores(version.id, "mnlp", 3)
        assert len(top) == 3
        predicted = tx.models.predictions(version.id, [top[0][0]])[top[0][0]]
    assert {span["label"] for span in predicted["payload"]["spans"]} <= {"PER", "LOC"}
    shown = call("runs", "show", str(trained["run"]))
    assert (shown["state"], shown["result"]["model_version"]) == ("succeeded", 1)
    lines = [line["message"] for line in call("runs", "logs", str(trained["run"]))]
    assert any("held out" in line for line in lines)
    assert [run["kind"] for run in call("runs", "list", "news")] == ["score", "train"]
    assert call("promote", "news", "1")["promoted"] is True
    [listed] = call("models", "news")
    assert (listed["snapshot"]["counts"]["train"], listed["promoted"]) == (trained["examples"], True)
    curves = wb.runs.events(trained["run"], kind="metric")
    assert {"loss", "learning_rate"} <= set(curves[0].data)


def test_a_killed_worker_ends_as_failed_and_resume_gives_a_version(
    wb: Workbench, project: Project, tiny_base: Path
) -> None:
    parameters = TrainParameters(base_model=str(tiny_base), epochs=2, min_steps=400, device="cpu")
    run = wb.training.launch(project, parameters)
    until(lambda: wb.runs.get(run.id).progress.get("done"), "the first steps", 120)
    [worker] = workers(wb)
    worker.kill()
    with pytest.raises(RunFailed, match="signal 9"):
        wb.runs.wait(run.id, timeout=wb.settings.stale_seconds)
    assert wb.models.list(project) == ()
    assert not [*wb.settings.models_dir.rglob("*.safetensors")]
    wb.runs.resume(run.id)
    done = wb.runs.wait(run.id, timeout=240)
    assert (done.attempt, done.result["model_version"]) == (2, 1)
    assert "torch" not in mapped_by_supervisor(wb)


def test_cancelling_a_real_run_leaves_nothing_behind(
    wb: Workbench, project: Project, tiny_base: Path
) -> None:
    run = wb.training.launch(
        project, TrainParameters(base_model=str(tiny_base), min_steps=50_000, device="cpu")
    )
    until(lambda: wb.runs.get(run.id).progress.get("done"), "the first steps", 120)
    wb.runs.cancel(run.id)
    until(lambda: wb.runs.get(run.id).state is RunState.CANCELLED, "the cancelling")
    assert workers(wb) == []
    assert "Stopped as told." in [event.data["message"] for event in wb.runs.logs(run.id)]
    assert wb.models.list(project) == ()
    assert not [*wb.settings.home.rglob("*.safetensors")]


def workers(wb: Workbench) -> list[psutil.Process]:
    return [process for process in processes_of(wb.settings.home) if "jobs.runner" in str(process.cmdline())]


def mapped_by_supervisor(wb: Workbench) -> str:
    """Files that the supervisor has mapped: torch would be among them if it were loaded."""
    holder = supervisor_lock(wb.settings).holder()
    assert holder is not None
    return " ".join(part.path for part in psutil.Process(holder).memory_maps())


def test_two_seeds_from_the_command_line(wb: Workbench, project: Project, tiny_base: Path) -> None:
    options = ("--base-model", str(tiny_base), "--min-steps", "4", "--epochs", "0.1", "--device", "cpu")
    told = call("train", "news", "--seeds", "2", *options)
    values = [run["result"]["metrics"]["validation"][told["metric"]] for run in told["runs"]]
    assert [(run["seed"], run["state"]) for run in told["runs"]] == [(13, "succeeded"), (14, "succeeded")]
    assert told["mean"] == pytest.approx(sum(values) / 2)
    assert told["best"] == 1 + (values[1] > values[0])
    assert wb.models.get(project, 2).parameters["group"] == told["group"]
