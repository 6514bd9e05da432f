"""Pruning removes files that nothing needs, and nothing else, whatever happens meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.disk.versions import FEATURES, WEIGHTS, folders, make_versions, queue, with_files
from tests.selection.pool import add_evaluation, add_examples, add_predictions, add_scores, annotate
from workbench.domain import Project, RunKind, RunState, Split, TrainParameters
from workbench.errors import InvalidInput, ModelUnavailable
from workbench.jobs.ensure import supervisor_lock
from workbench.jobs.housekeeping import sweep
from workbench.services import Workbench
from workbench.services.annotation_queue import suggestions_for


@pytest.fixture
def no_supervisor(workbench: Workbench) -> Any:
    """A launch finds one, so to speak."""
    lock = supervisor_lock(workbench.settings)
    assert lock.acquire()
    yield
    lock.release()


def reasons(workbench: Workbench, project: Project, keep: int = 1) -> dict[int, tuple[str, ...]]:
    return {each.number: each.reasons for each in workbench.pruning.plan(project, keep).versions}


def test_what_is_needed_stays_and_the_rest_goes(workbench: Workbench) -> None:
    project = make_versions(workbench, 12)
    other = make_versions(workbench, 3, "other")
    models = workbench.models
    models.promote(project, 2)
    with workbench.store.write() as tx:
        tx.users.audit(None, "export", "model version 3", {}, project.id)
        tx.users.audit(None, "push", "model version 4", {}, project.id)
        tx.users.audit(None, "export", "model version 6", {}, other.id)
        tx.users.audit(None, "promote", "model version 6", {}, project.id)
        for _ in range(110):
            tx.users.audit(None, "export", "labels", {}, project.id)
        evaluated = tx.models.by_number(project.id, 7).id
    for folder, name, number in (("a", "news", 5), ("b", "elsewhere", 6)):
        out = workbench.settings.exports_dir / folder
        out.mkdir(parents=True)
        (out / "evaluation.json").write_text(json.dumps({"project": name, "model_version": number}))
    add_evaluation(workbench, evaluated, {"f1": 0.5}, data_hash="a", split="validation")
    queue(workbench, project, RunKind.SCORE, {"model_version": 8})
    continued = queue(workbench, project, RunKind.TRAIN, {"from_version": 9})
    with workbench.store.write() as tx:
        tx.runs.transition(continued, RunState.RUNNING)
    ended = queue(workbench, project, RunKind.SCORE, {"model_version": 6})
    workbench.runs.cancel(ended)
    models.archive(project, 12)
    found = reasons(workbench, project)
    assert [number for number, why in found.items() if not why] == [6, 10]
    assert found[1] == ("the best by validation",)
    assert found[2] == ("promoted",)
    assert found[3] == found[5] == ("exported",)
    assert found[4] == ("pushed to the hub",)
    assert found[7] == ("compared: measured on validation",)
    assert "which is queued" in found[8][0] and f"run {continued}, which is running" in found[9][0]
    assert found[11] == ("the newest that suggests labels",)
    assert found[12] == ("the newest",)
    assert all(reasons(workbench, project, 8)[number] for number in range(1, 13))
    with pytest.raises(InvalidInput, match="1 or more"):
        workbench.pruning.plan(project, 0)
    before = [models.get(project, number).metrics for number in range(1, 13)]
    done = workbench.pruning.prune(project, 1)
    assert [each.number for each in done.going] == [6, 10]
    assert (done.freed, done.size) == (2 * (WEIGHTS + FEATURES), 12 * (WEIGHTS + FEATURES))
    assert with_files(workbench, project) == [1, 2, 3, 4, 5, 7, 8, 9, 11, 12]
    assert with_files(workbench, other) == [1, 2, 3]
    assert [models.get(project, number).metrics for number in range(1, 13)] == before
    assert models.get(project, 6).states == ("pruned",)
    events = workbench.audit_log.of_project(project, action="prune")
    assert [(each.subject, each.data["bytes"]) for each in events] == [
        ("model version 10", 1200),
        ("model version 6", 1200),
    ]
    assert workbench.pruning.prune(project, 1).going == ()
    assert sorted(workbench.pruning.sizes(project)) == with_files(workbench, project)


def test_the_error_is_right_wherever_a_version_is_used(
    workbench: Workbench, no_supervisor: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_versions(workbench, 3, best=3)
    ids = add_examples(workbench, project, [f"Ada wrote from Paris {n}" for n in range(4)])
    test = add_examples(workbench, project, ["Ada wrote", "Ada slept"], split="test")
    for example in (ids[0], *test):
        annotate(workbench, example, is_gold=True)
    first = workbench.models.get(project, 1)
    add_predictions(workbench, first.id, {ids[1]: {"spans": []}})
    add_scores(workbench, first.id, {ids[1]: 0.5})
    assert [each.number for each in workbench.pruning.prune(project, 1).going] == [1, 2]
    pruned = workbench.models.get(project, 1)
    said = f"pruned on {pruned.pruned_at:%Y-%m-%d} to save space.*examples, parameters and seed.*--again 1"
    uses: list[Callable[[], object]] = [
        lambda: workbench.models.artifact_path(pruned),
        lambda: workbench.models.promote(project, 1),
        lambda: workbench.exporting.export_model(project, 1, tmp_path / "out"),
        lambda: workbench.exporting.export_model(project, 1, tmp_path / "out", onnx=True),
        lambda: workbench.evaluation.launch(project, 1),
        lambda: workbench.evaluation.evaluate(project, 1),
        lambda: workbench.scoring.launch(project, 1),
        lambda: workbench.stop_sets.read(project, 1),
        lambda: workbench.training.launch(project, TrainParameters(from_version=1)),
        lambda: workbench.suspects.launch(project, model_version=1),
        lambda: workbench.selection.preview(project, "badge", 1, model_version=1),
    ]
    for use in uses:
        with pytest.raises(ModelUnavailable, match=said):
            use()
    assert not any(run.state.active for run in workbench.runs.list(project)), "none was queued"
    assert workbench.models.best(project).number == 3
    # What needs no files goes on: choosing by stored scores, and suggestions.
    assert workbench.selection.preview(project, "mnlp", 1, model_version=1).picks[0].example_id == ids[1]
    with workbench.store.read() as tx:
        suggested = suggestions_for(tx, project, tx.examples.by_ids([ids[1]]))
    assert suggested[ids[1]].model_version == 1
    monkeypatch.setattr("workbench.services.maintenance.run_python", lambda arguments: "cpu (a test)")
    (check,) = [each for each in workbench.maintenance.doctor() if each.name == "models"]
    assert check.ok and check.detail == "1 versions, each as it was trained; the files of 2 more are pruned"


def test_a_row_that_can_be_computed_without_files_is_not_lost(workbench: Workbench) -> None:
    project = make_versions(workbench, 4)
    ids = add_examples(workbench, project, ["Ada wrote", "Ada slept"], split="test")
    for example in ids:
        annotate(workbench, example, is_gold=True)
    for number, known in ((2, ids), (3, ids[:1])):
        version = workbench.models.get(project, number)
        add_predictions(workbench, version.id, {key: {"spans": []} for key in known})
    assert [each.number for each in workbench.pruning.prune(project, 1).going] == [2, 3]
    rows = workbench.versions.table(project, Split.TEST).rows
    assert [row.measurable for row in rows] == [True, True, False, True]
    assert workbench.progress.report(project, Split.TEST).unmeasured == (1, 2, 4)
    assert workbench.evaluation.evaluate(project, 2).examples == 2, "without its files"


@pytest.mark.parametrize("at", [1, 2], ids=["before its folder is renamed", "before it is removed"])
def test_a_kill_leaves_nothing_half_done(sqlite_workbench: Workbench, at: int) -> None:
    project = make_versions(sqlite_workbench, 3)
    code = f"""
import os, signal, sys
from pathlib import Path
from workbench.config import Settings
from workbench.jobs import artifacts
from workbench.services import open_workbench

calls = []
def dying(path, remove=artifacts.remove):
    calls.append(path)
    if len(calls) == {at}:
        os.kill(os.getpid(), signal.SIGKILL)
    remove(path)
artifacts.remove = dying
opened = open_workbench(Settings(home=Path(sys.argv[1]), database_url=None))
opened.pruning.prune(opened.projects.get("news"), 1)
"""
    home = str(sqlite_workbench.settings.home)
    done = subprocess.run([sys.executable, "-c", code, home], capture_output=True, check=False)
    assert done.returncode == -9, done.stderr.decode()
    version = sqlite_workbench.models.get(project, 2)
    model, features = folders(sqlite_workbench, version.artifact)
    assert version.pruned and features.is_dir()
    assert model.is_dir() == (at == 1)
    with pytest.raises(ModelUnavailable, match="pruned on"):
        sqlite_workbench.models.artifact_path(version)
    assert sqlite_workbench.pruning.prune(project, 1).going == ()
    assert sweep(sqlite_workbench.store, sqlite_workbench.settings) > 0
    assert with_files(sqlite_workbench, project) == [1, 3]
    assert sweep(sqlite_workbench.store, sqlite_workbench.settings) == 0


def test_a_run_that_is_launched_meanwhile_finds_a_whole_model_or_is_refused(
    workbench: Workbench, no_supervisor: None
) -> None:
    project = make_versions(workbench, 4)

    def prepare(_: Path) -> dict[str, Any]:
        assert [each.number for each in workbench.pruning.prune(project, 2).going] == [2]
        return {}

    with pytest.raises(ModelUnavailable, match="version 2 were pruned"):
        workbench.runs.launch(project, RunKind.SCORE, {"model_version": 2}, prepare)
    assert all(run.kind is RunKind.TRAIN for run in workbench.runs.list(project))
    assert list(workbench.settings.runs_dir.iterdir()) == []
    # The other way round: a launch that holds version 3 is waited for.
    plans: list[Any] = []
    pruning = threading.Thread(target=lambda: plans.append(workbench.pruning.prune(project, 1)))
    with workbench.store.write() as tx:
        assert [each.number for each in tx.models.hold(project.id, [3])] == [3]
        pruning.start()
        pruning.join(0.3)
        assert not plans
        run = tx.runs.add(project.id, RunKind.SCORE, {"model_version": 3})
    pruning.join()
    assert plans[0].going == () and f"read by run {run.id}" in plans[0].versions[2].reasons[0]
    assert with_files(workbench, project) == [1, 3, 4]


def test_an_export_that_pruning_overtakes_says_so(
    sqlite_workbench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_versions(sqlite_workbench, 3)
    add_examples(sqlite_workbench, project, ["Ada wrote"])

    def overtaken(*_: object) -> None:
        sqlite_workbench.pruning.prune(project, 1)
        raise ModelUnavailable("there is no config.json")

    monkeypatch.setattr("workbench.services.exporting.run_module", overtaken)
    with pytest.raises(ModelUnavailable, match="version 2 were pruned"):
        sqlite_workbench.exporting.export_model(project, 2, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_that_read_a_pruned_version_is_not_resumed(workbench: Workbench, no_supervisor: None) -> None:
    project = make_versions(workbench, 3)
    run = workbench.runs.launch(project, RunKind.SCORE, {"model_version": 2}, lambda _: {})
    folder = workbench.settings.runs_dir / str(run.id) / "1"
    (folder / "examples.jsonl").touch()
    workbench.runs.cancel(run.id)
    workbench.pruning.prune(project, 1)
    with pytest.raises(ModelUnavailable, match="version 2 were pruned"):
        workbench.runs.resume(run.id)
    now = workbench.runs.get(run.id)
    assert (now.state, now.attempt) == (RunState.CANCELLED, 1)
    assert [path.name for path in folder.parent.iterdir()] == ["1"]
