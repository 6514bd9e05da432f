"""What is kept for some days only goes after them, and the supervisor prunes after a training where it is told to."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from tests.jobs.conftest import Bench
from tests.jobs.rows import add_gold
from tests.jobs.supervise import scripted_launchers
from workbench.domain import Run, RunKind, RunState
from workbench.jobs.attempt import AttemptFolder
from workbench.jobs.depot import Depot, attempt_name
from workbench.jobs.housekeeping import sweep, sweep_depots
from workbench.jobs.supervisor import Supervisor
from workbench.services import Workbench
from workbench.services.runs import ANEW
from workbench.storage.rows import now
from workbench.storage.tables import runs


def age(workbench: Workbench, run: Run, days: float) -> None:
    """Have a run ended so many days ago."""
    with workbench.store.write() as tx:
        then = now() - timedelta(days=days)
        tx.connection.execute(update(runs).where(runs.c.id == run.id).values(finished_at=then))


def failed(bench: Bench, **script: Any) -> tuple[Run, AttemptFolder]:
    run = bench.ended(bench.launch(at=2, act="raise", **script))
    folder = AttemptFolder(bench.folder(run))
    assert run.state is RunState.FAILED and folder.checkpoint.is_dir()
    return run, folder


def test_what_a_run_could_be_resumed_from_goes_after_some_days(bench: Bench) -> None:
    store, settings = bench.wb.store, bench.wb.settings
    (old, old_folder), (young, young_folder) = failed(bench), failed(bench)
    age(bench.wb, old, 15)
    age(bench.wb, young, 13)
    assert sweep(store, settings) == 1
    assert (old_folder.checkpoint.exists(), young_folder.checkpoint.exists()) == (False, True)
    assert old_folder.examples.exists()
    assert bench.said(old)[-1].startswith("What this run could go on from was removed 14 days after its end")
    assert sweep(store, settings) == 0
    for run in (old, young):
        bench.wb.runs.resume(run.id)
        assert bench.ended(run).state is RunState.SUCCEEDED
    assert ANEW in bench.said(old) and "Going on from step 2." not in bench.said(old)
    assert ANEW not in bench.said(young) and "Going on from step 2." in bench.said(young)


def test_that_it_begins_anew_is_said_once(sqlite_bench: Bench) -> None:
    run, folder = failed(sqlite_bench)
    age(sqlite_bench.wb, run, 15)
    sweep(sqlite_bench.wb.store, sqlite_bench.wb.settings)
    sqlite_bench.wb.runs.resume(run.id)
    sqlite_bench.wb.runs.cancel(run.id)  # before it has begun: the next one begins anew as well
    sqlite_bench.wb.runs.resume(run.id)
    notes = AttemptFolder(sqlite_bench.folder(run, 3)).read_manifest()["notes"]
    assert notes == [*folder.read_manifest()["notes"], ANEW]


def test_what_a_kill_left_of_a_checkpoint_is_swept(sqlite_bench: Bench) -> None:
    _, folder = failed(sqlite_bench)
    folder.checkpoint.rename(folder.path / ".swept-checkpoint")
    assert sweep(sqlite_bench.wb.store, sqlite_bench.wb.settings) == 1
    assert not (folder.path / ".swept-checkpoint").exists()


@pytest.mark.parametrize("kind", ["folder", "memory"])
def test_depots_of_ended_runs_go_and_nobody_elses(
    sqlite_workbench: Workbench, kind: str, tmp_path: Path
) -> None:
    wb = sqlite_workbench
    url = str(tmp_path / "depots") if kind == "folder" else f"memory://{tmp_path.name}-depots"
    settings = wb.settings.model_copy(update={"ray_storage": url, "ray_address": "http://nowhere:8265"})
    project = wb.projects.create("news", "ner")
    assert sweep_depots(wb.store, settings) == 0, "there is no storage yet"
    with wb.store.write() as tx:
        old, young, running, resumed = (
            tx.runs.add(project.id, RunKind.TRAIN, {}, launcher="ray") for _ in range(4)
        )
        for run in (old, young, running, resumed):
            tx.runs.transition(run.id, RunState.RUNNING)
        for run in (old, young, resumed):
            tx.runs.transition(run.id, RunState.FAILED, error="lost")
    age(wb, old, 15)
    age(wb, young, 13)
    age(wb, resumed, 15)
    with wb.store.write() as tx:
        tx.runs.transition(resumed.id, RunState.QUEUED)
    mine = [attempt_name(settings.home_key, f"{run.id}-1") for run in (old, young, running, resumed)]
    others = [
        attempt_name("0" * 8, f"{old.id}-1"),
        attempt_name(settings.home_key, "999-1"),
        f"doctor-{settings.home_key}",
    ]
    for name in (*mine, *others):
        Depot(f"{url}/{name}").write("1/blobs/a", b"weights")
    supervisor = Supervisor(settings, wb.store, scripted_launchers())
    supervisor.tick()
    supervisor.close()
    assert set(Depot(url).entries()) == {*mine[1:], *others}
    unknown = wb.settings.model_copy(update={"ray_storage": "nothing-reads://this"})
    assert sweep_depots(wb.store, unknown) == 0


def test_the_supervisor_prunes_after_each_training(sqlite_bench: Bench) -> None:
    wb = sqlite_bench.wb
    settings = wb.settings.model_copy(update={"keep_models": 1})
    sqlite_bench.supervisor = Supervisor(settings, wb.store, scripted_launchers())
    last = [sqlite_bench.ended(sqlite_bench.launch(steps=1)) for _ in range(2)][-1]
    assert last.state is RunState.SUCCEEDED
    sqlite_bench.supervisor.close()  # the pruning comes after the run's end
    assert [version.states for version in wb.models.list(sqlite_bench.project)] == [("pruned",), ()]
    assert [path.name for path in (wb.settings.models_dir / str(sqlite_bench.project.id)).iterdir()] == ["2"]
    assert sqlite_bench.said(last)[-1].startswith("Pruned the files of version 1 (")


def test_a_version_is_trained_again_from_what_it_was_trained_from(sqlite_bench: Bench) -> None:
    wb, project = sqlite_bench.wb, sqlite_bench.project
    first = wb.training.launch_seeds(project, None, 2)
    runs_made = [sqlite_bench.ended(run) for run in first]
    assert [run.state for run in runs_made] == [RunState.SUCCEEDED] * 2
    add_gold(wb, sqlite_bench.ids[6:])  # labels of later are none of its business
    run = wb.training.again(project, 2)
    assert run.parameters == {k: v for k, v in runs_made[1].parameters.items() if k != "group"}
    manifest = AttemptFolder(sqlite_bench.folder(run)).read_manifest()
    before = AttemptFolder(sqlite_bench.folder(runs_made[1])).read_manifest()
    for key in ("labels", "base_model", "model_dir", "origins", "task", "kind", "encoded"):
        assert manifest[key] == before[key], key
    assert manifest["parameters"] == {k: v for k, v in before["parameters"].items() if k != "group"}
    assert len(AttemptFolder(sqlite_bench.folder(run)).examples.read_text().splitlines()) == 6
    done = sqlite_bench.ended(run)
    again = wb.models.get(project, done.result["model_version"])
    assert (again.number, again.snapshot_id) == (3, wb.models.get(project, 2).snapshot_id)
