"""States of runs: only the allowed steps, one run per device, no late result, events once."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from workbench.domain import RUN_TRANSITIONS, Run, RunKind, RunState
from workbench.errors import NotFound, WrongState
from workbench.services import Workbench
from workbench.storage.runs import NewEvent

PATHS: dict[RunState, list[RunState]] = {
    RunState.QUEUED: [],
    RunState.RUNNING: [RunState.RUNNING],
    RunState.SUCCEEDED: [RunState.RUNNING, RunState.SUCCEEDED],
    RunState.FAILED: [RunState.FAILED],
    RunState.CANCELLED: [RunState.CANCELLED],
}


def add_run(wb: Workbench, name: str = "p", device: str = "cpu") -> Run:
    with wb.store.write() as tx:
        known = {project.name: project for project in tx.projects.all()}
        project = known.get(name) or tx.projects.add(name, "ner", [])
        return tx.runs.add(project.id, RunKind.TRAIN, {"epochs": 1}, device=device)


def run_in(wb: Workbench, state: RunState) -> Run:
    run = add_run(wb)
    for step in PATHS[state]:
        with wb.store.write() as tx:
            run = tx.runs.transition(run.id, step)
    return run


def test_only_the_steps_of_the_table_are_taken(workbench: Workbench) -> None:
    for source, target in itertools.product(RunState, RunState):
        run = run_in(workbench, source)
        if target in RUN_TRANSITIONS[source]:
            with workbench.store.write() as tx:
                assert tx.runs.transition(run.id, target).state is target
        else:
            with pytest.raises(WrongState, match=f"run {run.id} is {source}"), workbench.store.write() as tx:
                tx.runs.transition(run.id, target)
            with workbench.store.read() as tx:
                assert tx.runs.get(run.id) == run


def test_a_result_of_an_abandoned_attempt_is_refused(workbench: Workbench) -> None:
    run = run_in(workbench, RunState.FAILED)
    with workbench.store.write() as tx:
        assert tx.runs.transition(run.id, RunState.QUEUED).attempt == 2
        tx.runs.transition(run.id, RunState.RUNNING)
    with pytest.raises(WrongState, match="attempt 1 was abandoned"), workbench.store.write() as tx:
        tx.runs.transition(run.id, RunState.SUCCEEDED, attempt=1)
    with workbench.store.write() as tx:
        assert tx.runs.beat(run.id, 1, {"done": 9}) is False
        assert tx.runs.get(run.id).progress == {}
        assert tx.runs.transition(run.id, RunState.SUCCEEDED, attempt=2, result={"ok": 1}).result == {"ok": 1}


def test_cancelling(workbench: Workbench) -> None:
    waiting, running = add_run(workbench), run_in(workbench, RunState.RUNNING)
    with workbench.store.write() as tx:
        assert tx.runs.request_cancel(waiting.id).state is RunState.CANCELLED
        told = tx.runs.request_cancel(running.id)
        assert (told.state, told.cancel_requested) == (RunState.RUNNING, True)
    with pytest.raises(WrongState, match="told to stop"), workbench.store.write() as tx:
        tx.runs.transition(running.id, RunState.SUCCEEDED)
    with pytest.raises(WrongState), workbench.store.write() as tx:
        tx.runs.request_cancel(waiting.id)
    with pytest.raises(NotFound, match="no run 999"), workbench.store.write() as tx:
        tx.runs.request_cancel(999)


def test_one_run_per_device_in_their_order(workbench: Workbench) -> None:
    first, second, other = add_run(workbench), add_run(workbench), add_run(workbench, device="cuda:0")
    with workbench.store.write() as tx:
        claimed = [tx.runs.claim(["local"]) for _ in range(3)]
        assert [run.id if run else None for run in claimed] == [first.id, other.id, None]
        assert [run.id for run in tx.runs.ahead_of(second)] == [first.id]
        tx.runs.transition(first.id, RunState.FAILED, error="x")
        again = tx.runs.claim(["local"])
        assert again is not None and again.id == second.id and again.started_at is not None
        assert tx.runs.claim(["ray"]) is None
        assert tx.runs.active() == 2


def test_many_claiming_at_once_take_each_device_once(workbench: Workbench) -> None:
    for device in ("cpu", "cpu", "cuda:0", "cuda:0", "cuda:1", "cuda:1"):
        add_run(workbench, device=device)

    def claim(_: int) -> Run | None:
        with workbench.store.write() as tx:
            return tx.runs.claim(["local"])

    with ThreadPoolExecutor(8) as pool:
        claimed = [run for run in pool.map(claim, range(24)) if run]
    assert sorted(run.device or "" for run in claimed) == ["cpu", "cuda:0", "cuda:1"]


def test_an_event_is_stored_once(workbench: Workbench) -> None:
    run = run_in(workbench, RunState.RUNNING)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    events = [NewEvent(n, "log", moment, {"message": f"line {n}"}) for n in (1, 2, 3)]
    with workbench.store.write() as tx:
        tx.runs.add_events(run.id, 1, events[:2])
    with workbench.store.write() as tx:
        tx.runs.add_events(run.id, 1, events)
        tx.runs.add_events(run.id, 2, events[:1])
        tx.runs.say(run.id, 2, "gone")
    with workbench.store.read() as tx:
        stored = tx.runs.events(run.id)
        assert [(event.attempt, event.sequence) for event in stored] == [
            (1, 1),
            (1, 2),
            (1, 3),
            (2, 1),
            (2, 2),
        ]
        assert stored[0].at == moment
        assert [event.data["message"] for event in tx.runs.events(run.id, after_id=stored[3].id)] == ["gone"]
        assert tx.runs.last_sequence(run.id, 3) == 0
