"""A run from launch to its end, and every way in which a worker may leave."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest

from tests.jobs.conftest import Bench, kill, processes_of, until
from workbench.domain import Run, RunState
from workbench.errors import RunFailed, WrongState
from workbench.jobs import completion
from workbench.jobs.artifacts import hash_folder
from workbench.jobs.attempt import RECORDS, AttemptFolder, read_json, write_json
from workbench.jobs.housekeeping import sweep
from workbench.services.scoring import version_features
from workbench.storage.store import Store, Transaction


def tidied(bench: Bench, run: Run, attempt: int = 1) -> None:
    """Success is committed first, then the attempt's data is removed."""
    folder = bench.folder(run, attempt)
    bench.tick_until(lambda: {path.name for path in folder.iterdir()} <= RECORDS, "the tidying")


def test_a_run_that_succeeds_gives_a_version(bench: Bench) -> None:
    run = bench.ended(bench.launch(steps=4))
    assert (run.state, run.error) == (RunState.SUCCEEDED, None)
    assert run.result["model_version"] == 1
    assert {"run", "examples", "seconds", "device"} <= set(run.result)
    assert run.result["metrics"] == {"validation": {"f1": 0.5}}
    assert run.result["environment"]["workbench"]
    version = bench.wb.models.get(bench.project, 1)
    assert (version.run_id, version.labels, version.base_model) == (run.id, ("PER", "LOC"), "minilm")
    folder = bench.wb.models.artifact_path(version)
    assert folder == bench.wb.settings.models_dir / str(bench.project.id) / "1"
    assert hash_folder(folder) == version.artifact_sha256
    tidied(bench, run)
    assert bench.said(run)[1:] == ["step 1", "step 2", "step 3", "step 4"]
    assert "held out" in bench.said(run)[0]
    metrics = bench.wb.runs.events(run.id, kind="metric")
    assert [event.data["step"] for event in metrics] == [1, 2, 3, 4]
    assert metrics[0].data["odd"] is None
    assert run.progress["done"] == 4
    assert bench.wb.runs.wait(run.id) == run
    with pytest.raises(WrongState):
        bench.wb.runs.resume(run.id)


def test_a_failure_is_one_line_and_the_log_has_the_rest(bench: Bench) -> None:
    run = bench.ended(bench.launch(at=1, act="raise"))
    assert (run.state, run.error) == (RunState.FAILED, "ZeroDivisionError: by zero. The log has the details")
    assert any("Traceback" in line for line in bench.said(run))
    assert bench.nothing_registered()
    with pytest.raises(RunFailed, match="by zero"):
        bench.wb.runs.wait(run.id)


def test_an_error_on_purpose_keeps_its_remedy(sqlite_bench: Bench) -> None:
    run = sqlite_bench.ended(sqlite_bench.launch(at=0, act="refuse"))
    assert run.error == "the labels are odd. Mend them"


def test_a_worker_that_leaves_without_a_result_is_failed_with_its_last_words(sqlite_bench: Bench) -> None:
    run = sqlite_bench.ended(sqlite_bench.launch(at=1, act="exit"))
    assert run.error == "the worker ended with code 7 and without a result"
    assert "the library gave up" in sqlite_bench.said(run)
    assert sqlite_bench.said(run)[-1] == f"Failed: {run.error}"


@pytest.mark.parametrize(("act", "at"), [("kill", 0), ("kill", 2), ("half-model", 1), ("late", None)])
def test_a_killed_worker_registers_nothing_and_the_run_can_be_resumed(
    bench: Bench, act: str, at: int | None
) -> None:
    run = bench.ended(bench.launch(steps=4, act=act, at=at))
    assert run.state is RunState.FAILED
    assert run.error is not None and "signal 9" in run.error
    assert bench.nothing_registered()
    left = {path.name for path in bench.folder(run).iterdir()}
    assert left <= RECORDS | {"examples.jsonl", "checkpoint"}
    again = bench.wb.runs.resume(run.id)
    assert (again.state, again.attempt, again.error) == (RunState.QUEUED, 2, None)
    done = bench.ended(again)
    assert (done.state, done.attempt, done.result["model_version"]) == (RunState.SUCCEEDED, 2, 1)
    reached = {"kill": at, "half-model": at, "late": 4}[act]
    assert (f"Going on from step {reached}." in bench.said(run)) is bool(reached)
    for attempt in (1, 2):
        tidied(bench, run, attempt)


def test_a_worker_killed_from_outside(bench: Bench) -> None:
    run = bench.launch(steps=600, pause=0.05)
    pid = bench.worker(run)
    bench.tick_until(lambda: bench.wb.runs.get(run.id).progress, "progress")
    kill(pid)
    begin = time.monotonic()
    assert bench.ended(run).state is RunState.FAILED
    assert time.monotonic() - begin < bench.wb.settings.stale_seconds
    assert bench.nothing_registered()


def test_cancelling_leaves_nothing_behind(bench: Bench) -> None:
    run = bench.launch(steps=600, pause=0.05)
    pid = bench.worker(run)
    bench.tick_until(lambda: bench.wb.runs.get(run.id).progress, "progress")
    assert bench.wb.runs.cancel(run.id).cancel_requested
    done = bench.ended(run)
    assert (done.state, done.error) == (RunState.CANCELLED, None)
    assert bench.nothing_registered()
    assert {path.name for path in bench.folder(run).iterdir()} <= RECORDS | {"examples.jsonl"}
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert bench.said(run)[-1] == "Stopped as told."
    with pytest.raises(WrongState):
        bench.wb.runs.cancel(run.id)


def test_a_worker_that_does_not_listen_is_killed_after_the_grace_period(sqlite_bench: Bench) -> None:
    settings = sqlite_bench.wb.settings.model_copy(update={"cancel_grace_seconds": 0.3})
    sqlite_bench.wb.settings = settings
    sqlite_bench.supervisor = sqlite_bench.new_supervisor()
    run = sqlite_bench.launch(at=1, act="hang")
    sqlite_bench.tick_until(lambda: sqlite_bench.wb.runs.get(run.id).progress, "progress")
    sqlite_bench.wb.runs.cancel(run.id)
    assert sqlite_bench.ended(run).state is RunState.CANCELLED
    assert processes_of(settings.home) == []


def test_a_result_that_comes_with_the_cancel_is_not_registered(sqlite_bench: Bench) -> None:
    run = sqlite_bench.launch(steps=1)
    sqlite_bench.supervisor.tick()
    until((sqlite_bench.folder(run) / "result.json").exists, "the result")
    sqlite_bench.wb.runs.cancel(run.id)
    assert sqlite_bench.ended(run).state is RunState.CANCELLED
    assert sqlite_bench.nothing_registered()


def test_a_queued_run_is_cancelled_at_once_and_may_be_queued_again(sqlite_bench: Bench) -> None:
    run = sqlite_bench.launch()
    assert sqlite_bench.wb.runs.cancel(run.id).state is RunState.CANCELLED
    again = sqlite_bench.wb.runs.resume(run.id)
    assert sqlite_bench.ended(again).result["model_version"] == 1


def test_a_second_launch_waits_and_says_for_what(bench: Bench) -> None:
    first, second, third = (bench.launch(steps=20, pause=0.05) for _ in range(3))
    bench.worker(first)
    waiting = bench.wb.runs.get(third.id)
    assert waiting.state is RunState.QUEUED
    assert [run.id for run in bench.wb.runs.waits_for(waiting)] == [first.id, second.id]
    assert bench.wb.runs.waits_for(bench.wb.runs.get(first.id)) == ()
    numbers = [bench.ended(run).result["model_version"] for run in (first, second, third)]
    assert numbers == [1, 2, 3]


def test_a_new_supervisor_adopts_what_runs(bench: Bench) -> None:
    run = bench.launch(steps=30, pause=0.05)
    pid = bench.worker(run)
    bench.tick_until(lambda: len(bench.said(run)) > 3, "some lines")
    bench.supervisor = bench.new_supervisor()
    assert bench.ended(run).result["model_version"] == 1
    assert bench.worker(run) == pid
    assert bench.said(run)[1:] == [f"step {step}" for step in range(1, 31)]


def test_a_claim_whose_launch_never_came_is_launched(sqlite_bench: Bench) -> None:
    run = sqlite_bench.launch()
    with sqlite_bench.wb.store.write() as tx:
        assert tx.runs.claim(["local"]) is not None
    assert sqlite_bench.ended(run).state is RunState.SUCCEEDED


def test_a_run_whose_folder_is_gone_fails_with_a_word(sqlite_bench: Bench) -> None:
    run = sqlite_bench.launch()
    AttemptFolder(sqlite_bench.folder(run)).manifest.unlink()
    done = sqlite_bench.ended(run)
    assert done.error is not None and "manifest is missing" in done.error


def test_a_damaged_result_is_a_failure(sqlite_bench: Bench) -> None:
    run = sqlite_bench.launch(steps=2, pause=0.3)
    sqlite_bench.worker(run)
    until((sqlite_bench.folder(run) / "result.json").exists, "the result")
    (sqlite_bench.folder(run) / "result.json").write_text('{"state": "succ')
    assert sqlite_bench.ended(run).state is RunState.FAILED
    assert sqlite_bench.nothing_registered()


# --- between the move and the commit ----------------------------------------------------------------


class DyingStore(Store):
    """Its next write is rolled back at the very end, as if the commit had failed."""

    armed = True

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        with super().write() as tx:
            yield tx
            if self.armed:
                self.armed = False
                raise OSError(28, "No space left on device")


def finished_attempt(bench: Bench) -> tuple[Any, AttemptFolder, dict[str, Any]]:
    """A running run whose worker has written its result, not yet stored."""
    run = bench.launch(steps=1)
    bench.supervisor.tick()
    folder = AttemptFolder(bench.folder(run))
    result = until(folder.read_result, "the result")
    return bench.wb.runs.get(run.id), folder, result


def test_a_commit_that_fails_puts_the_model_back(bench: Bench) -> None:
    run, folder, result = finished_attempt(bench)
    store = DyingStore(bench.wb.store.url)
    with pytest.raises(OSError, match="No space"):
        completion.complete(store, bench.wb.settings, run, folder, result)
    store.close()
    assert bench.nothing_registered()
    assert (folder.model / "config.json").is_file()
    bench.supervisor = bench.new_supervisor()
    assert bench.ended(run).result["model_version"] == 1


def test_a_crash_between_move_and_commit_is_mended_at_the_next_start(bench: Bench) -> None:
    run, folder, _ = finished_attempt(bench)
    target = bench.wb.settings.models_dir / str(run.project_id) / "1"
    target.parent.mkdir(parents=True)
    write_json(folder.path / completion.MOVED, {"artifact": f"{run.project_id}/1"})
    folder.model.rename(target)
    bench.supervisor = bench.new_supervisor()
    assert bench.ended(run).state is RunState.SUCCEEDED
    version = bench.wb.models.get(bench.project, 1)
    assert hash_folder(target) == version.artifact_sha256
    assert [path.name for path in target.parent.iterdir()] == ["1"]


def test_a_folder_that_no_version_owns_makes_way(sqlite_bench: Bench) -> None:
    orphan = sqlite_bench.wb.settings.models_dir / str(sqlite_bench.project.id) / "1"
    orphan.mkdir(parents=True)
    (orphan / "old").touch()
    sqlite_bench.ended(sqlite_bench.launch())
    assert [path.name for path in orphan.iterdir()] == ["config.json"]


def test_a_supervisor_that_died_before_it_tidied_up(sqlite_bench: Bench) -> None:
    run, folder, result = finished_attempt(sqlite_bench)
    completion.complete(sqlite_bench.wb.store, sqlite_bench.wb.settings, run, folder, result)
    failed = sqlite_bench.wb.runs.cancel(sqlite_bench.launch().id)
    settings = sqlite_bench.wb.settings
    staging, fresh = settings.runs_dir / ".staging-old", settings.runs_dir / ".staging-new"
    for path in (staging, fresh):
        path.mkdir()
    os.utime(staging, (0, 0))
    assert folder.examples.exists()
    assert sweep(sqlite_bench.wb.store, settings) == 2
    assert {path.name for path in folder.path.iterdir()} <= RECORDS
    assert AttemptFolder(sqlite_bench.folder(failed)).examples.exists()
    assert (staging.exists(), fresh.exists()) == (False, True)


def test_a_version_remembers_what_it_was_continued_from(sqlite_bench: Bench) -> None:
    for number in (None, 1, None, 2):
        sqlite_bench.ended(sqlite_bench.launch(steps=1, from_version=number))
    versions = sqlite_bench.wb.models.list(sqlite_bench.project)
    assert [(version.number, version.parent) for version in versions] == [
        (1, None),
        (2, 1),
        (3, None),
        (4, 2),
    ]


def test_finishing_twice_registers_once(bench: Bench) -> None:
    run, folder, result = finished_attempt(bench)
    completion.complete(bench.wb.store, bench.wb.settings, run, folder, result)
    with pytest.raises((WrongState, RunFailed)):
        completion.complete(bench.wb.store, bench.wb.settings, run, folder, result)
    assert len(bench.wb.models.list(bench.project)) == 1
    assert bench.wb.models.artifact_path(bench.wb.models.get(bench.project, 1)).is_dir()


# --- scoring ----------------------------------------------------------------------------------------


def test_scores_are_stored_once_however_often(bench: Bench) -> None:
    bench.ended(bench.launch())
    names = ["margin", "entropy"]
    version = bench.wb.models.get(bench.project, 1)
    for again, expected, before in ((False, 6, 0), (True, 6, 0), (False, 0, 6)):
        run = bench.ended(bench.wb.scoring.launch(bench.project, 1, names, again=again))
        assert run.error is None
        assert {"run", "examples", "tokens", "seconds", "examples_per_second"} <= set(run.result)
        assert (run.result["examples"], run.result["scored_before"]) == (expected, before)
        store = version_features(bench.wb.settings, version)
        assert (len(store.ids()), store.columns("embeddings")) == (12, 2), "labeled ones are read too"
    with bench.wb.store.read() as tx:
        assert tx.models.scored(version.id) == {"margin": 6, "entropy": 6}
        assert set(tx.models.predictions(version.id, bench.ids)) == set(bench.ids[6:])
    more = bench.ended(bench.wb.scoring.launch(bench.project, 1, ["margin", "mnlp"]))
    assert more.result["examples"] == 6, "a strategy that has not scored them yet"


def test_damaged_predictions_are_a_failure(sqlite_bench: Bench) -> None:
    sqlite_bench.ended(sqlite_bench.launch())
    run = sqlite_bench.wb.scoring.launch(sqlite_bench.project, 1)
    sqlite_bench.supervisor.tick()
    folder = AttemptFolder(sqlite_bench.folder(run))
    until(folder.result.exists, "the result")
    folder.predictions.write_text('{"id": 1')
    done = sqlite_bench.ended(run)
    assert done.error is not None and "predictions are damaged" in done.error


def test_the_worker_says_who_it_is(sqlite_bench: Bench) -> None:
    run = sqlite_bench.launch(steps=200, pause=0.05)
    pid = sqlite_bench.worker(run)
    with sqlite_bench.wb.store.read() as tx:
        handle = tx.runs.handle(run.id)
    known = read_json(sqlite_bench.folder(run) / "worker.json")
    assert known is not None and handle["pid"] == pid == known["pid"] != os.getpid()
    assert os.getsid(pid) == pid
    assert json.dumps(handle)
