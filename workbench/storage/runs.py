"""The run queue and what runs said.

A run's state changes only by ``claim`` and ``transition``, whose UPDATE names the states that it may come from
(``RUN_TRANSITIONS``): whoever comes too late changes nothing and is told so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, false, func, insert, select, text, true, update
from sqlalchemy.sql.dml import ReturningInsert

from workbench.domain import RUN_TRANSITIONS, Json, Run, RunEvent, RunKind, RunState
from workbench.errors import NotFound, WrongState
from workbench.storage.rows import aware, now
from workbench.storage.tables import run_events, runs
from workbench.storage.upsert import insert_new

CLAIM_LOCK = 7_240_916
"""Advisory lock under which PostgreSQL claims: two claims that don't see each other would take one device twice."""

CLUSTER = "cluster"
"""The device of a run for which a cluster finds one."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event as the runner wrote it: ``sequence`` counts from 1 in its attempt."""

    sequence: int
    kind: str
    at: datetime
    data: Json


class Runs:
    """Repository of runs; see ``Store``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self,
        project_id: int,
        kind: RunKind,
        parameters: Json,
        *,
        launcher: str = "local",
        device: str = "cpu",
        user_id: int | None = None,
    ) -> Run:
        """A new run, queued for a device of a launcher, in its first attempt."""
        statement: ReturningInsert[Any] = (
            insert(runs)
            .values(
                project_id=project_id,
                kind=kind,
                state=RunState.QUEUED,
                parameters=dict(parameters),
                progress={},
                result={},
                attempt=1,
                launcher=launcher,
                handle={},
                device=device,
                cancel_requested=False,
                user_id=user_id,
                created_at=now(),
            )
            .returning(runs)
        )
        return _run(self._connection.execute(statement).one())

    def get(self, run_id: int) -> Run:
        """The run of that id. Raises NotFound."""
        row = self._connection.execute(select(runs).where(runs.c.id == run_id)).one_or_none()
        if row is None:
            raise NotFound(f"there is no run {run_id}", remedy="`workbench runs list NAME` shows the runs")
        return _run(row)

    def hold(self, run_id: int) -> Run:
        """The same, in the state in which it stays to the end of the writing block. Raises NotFound."""
        self._connection.execute(select(runs.c.id).where(runs.c.id == run_id).with_for_update()).all()
        return self.get(run_id)

    def all(self, project_id: int, *, limit: int | None = None) -> tuple[Run, ...]:
        """The project's runs, newest first."""
        found = select(runs).where(runs.c.project_id == project_id).order_by(runs.c.id.desc()).limit(limit)
        return self._many(found)

    def last_finished(self, project_id: int) -> datetime | None:
        """When a run of the project last came to an end, however; None where none has."""
        found = select(func.max(runs.c.finished_at)).where(runs.c.project_id == project_id)
        last: datetime | None = self._connection.execute(found).scalar_one()
        return aware(last)

    def in_state(self, state: RunState) -> tuple[Run, ...]:
        """Every run in a state, oldest first."""
        return self._many(select(runs).where(runs.c.state == state).order_by(runs.c.id))

    def active(self) -> int:
        """How many runs are queued or running."""
        states = [state for state in RunState if state.active]
        return self._connection.execute(
            select(func.count()).select_from(runs).where(runs.c.state.in_(states))
        ).scalar_one()

    def ahead_of(self, run: Run) -> tuple[Run, ...]:
        """What a queued run waits for: the running and earlier queued runs of its device, in their order."""
        if run.device == CLUSTER:
            return ()
        same = (runs.c.launcher == run.launcher) & (runs.c.device == run.device) & (runs.c.id != run.id)
        earlier = (runs.c.state == RunState.QUEUED) & (runs.c.id < run.id)
        found = select(runs).where(same & ((runs.c.state == RunState.RUNNING) | earlier)).order_by(runs.c.id)
        return self._many(found)

    def handle(self, run_id: int) -> dict[str, Any]:
        """What the launcher needs to find the current attempt again; empty before it was submitted."""
        return dict(self._connection.execute(select(runs.c.handle).where(runs.c.id == run_id)).scalar_one())

    # --- changes of state ---------------------------------------------------------------------------

    def claim(self, launchers: Sequence[str]) -> Run | None:
        """The oldest queued run whose device is free, set running; None when there is none.

        A device runs one run at a time, whoever claims, in whatever process; a cluster has a queue of its own. Call
        it in a writing block.
        """
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CLAIM_LOCK})
        waiting, busy = runs.alias("waiting"), runs.alias("busy")
        taken = (
            select(busy.c.id)
            .where(
                busy.c.state == RunState.RUNNING,
                busy.c.launcher == waiting.c.launcher,
                busy.c.device == waiting.c.device,
                busy.c.device != CLUSTER,
            )
            .exists()
        )
        chosen = (
            select(waiting.c.id)
            .where(waiting.c.state == RunState.QUEUED, waiting.c.launcher.in_(launchers), ~taken)
            .order_by(waiting.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        moment = now()
        claimed = (
            update(runs)
            .where(runs.c.id == chosen, runs.c.state == RunState.QUEUED)
            .values(state=RunState.RUNNING, started_at=moment, heartbeat_at=moment)
            .returning(runs)
        )
        row = self._connection.execute(claimed).one_or_none()
        return _run(row) if row is not None else None

    def transition(
        self,
        run_id: int,
        to: RunState,
        *,
        attempt: int | None = None,
        result: Json | None = None,
        error: str | None = None,
    ) -> Run:
        """Take a run to another state.

        Args:
            run_id: The run.
            to: A state that ``RUN_TRANSITIONS`` allows from the one that it is in. Going back to queued begins the
                next attempt. A run that was told to stop can't succeed any more.
            attempt: Only if this is still its attempt: a late result of an abandoned one is refused.
            result: What it computed.
            error: Why it failed, one line.

        Raises:
            WrongState: It is in no such state, or in another attempt.
            NotFound: There is no such run.
        """
        sources = [state for state, targets in RUN_TRANSITIONS.items() if to in targets]
        changes: dict[str, Any] = {"state": to, "error": error}
        if result is not None:
            changes["result"] = dict(result)
        if to is RunState.QUEUED:
            changes |= {"attempt": runs.c.attempt + 1, "progress": {}, "handle": {}}
            changes |= {"cancel_requested": False, "started_at": None, "finished_at": None}
            changes |= {"heartbeat_at": None}
        elif not to.active:
            changes["finished_at"] = now()
        statement = update(runs).where(runs.c.id == run_id, runs.c.state.in_(sources))
        if attempt is not None:
            statement = statement.where(runs.c.attempt == attempt)
        if to is RunState.SUCCEEDED:
            statement = statement.where(runs.c.cancel_requested == false())
        row = self._connection.execute(statement.values(changes).returning(runs)).one_or_none()
        if row is None:
            raise self._refusal(run_id, to, attempt)
        return _run(row)

    def _refusal(self, run_id: int, to: RunState, attempt: int | None) -> WrongState:
        run = self.get(run_id)
        if attempt is not None and run.attempt != attempt:
            return WrongState(f"run {run_id} is in attempt {run.attempt}; attempt {attempt} was abandoned")
        if to is RunState.SUCCEEDED and run.cancel_requested:
            return WrongState(f"run {run_id} was told to stop")
        return WrongState(
            f"run {run_id} is {run.state}; it can't become {to}",
            remedy="look at it with `workbench runs show`",
        )

    def request_cancel(self, run_id: int) -> Run:
        """Tell a run to stop: a queued one is cancelled at once, a running one by its supervisor.

        Raises:
            WrongState: It has ended already.
            NotFound: There is no such run.
        """
        running = update(runs).where(runs.c.id == run_id, runs.c.state == RunState.RUNNING)
        row = self._connection.execute(running.values(cancel_requested=true()).returning(runs)).one_or_none()
        return _run(row) if row is not None else self.transition(run_id, RunState.CANCELLED)

    # --- what a running attempt says ----------------------------------------------------------------

    def set_handle(self, run_id: int, attempt: int, handle: Json) -> None:
        """Remember where the attempt runs."""
        self._connection.execute(_current(run_id, attempt).values(handle=dict(handle), heartbeat_at=now()))

    def beat(self, run_id: int, attempt: int, progress: Json | None = None) -> bool:
        """Note that the attempt lives, and how far it is. False when it is not the running one any more."""
        changes: dict[str, Any] = {"heartbeat_at": now()}
        if progress is not None:
            changes["progress"] = dict(progress)
        return self._connection.execute(_current(run_id, attempt).values(changes)).rowcount == 1

    def note(self, run_id: int, attempt: int, waits_for: str) -> None:
        """Note what a running attempt waits for, beside how far it is; the next progress replaces it."""
        found = select(runs.c.progress).where(runs.c.id == run_id)
        progress = {**self._connection.execute(found).scalar_one(), "waits_for": waits_for}
        self._connection.execute(_current(run_id, attempt).values(progress=progress))

    def add_events(self, run_id: int, attempt: int, events: Iterable[NewEvent]) -> None:
        """Store events; those that are stored already (by run, attempt, sequence) are left as they are."""
        rows = [
            {
                "run_id": run_id,
                "attempt": attempt,
                "sequence": event.sequence,
                "kind": event.kind,
                "at": event.at,
                "data": dict(event.data),
            }
            for event in events
        ]
        insert_new(self._connection, run_events, rows, key=("run_id", "attempt", "sequence"))

    def say(self, run_id: int, attempt: int, message: str) -> None:
        """Add a line of the workbench's own to the log of an attempt whose worker says nothing any more."""
        event = NewEvent(self.last_sequence(run_id, attempt) + 1, "log", now(), {"message": message})
        self.add_events(run_id, attempt, [event])

    def last_sequence(self, run_id: int, attempt: int) -> int:
        """The highest stored sequence of an attempt, 0 where there is none."""
        highest: int | None = self._connection.execute(
            select(func.max(run_events.c.sequence)).where(
                run_events.c.run_id == run_id, run_events.c.attempt == attempt
            )
        ).scalar_one()
        return highest or 0

    def events(
        self, run_id: int, *, after_id: int = 0, kind: str | None = None, limit: int | None = None
    ) -> tuple[RunEvent, ...]:
        """Events of every attempt with a higher id, in the order in which they were stored."""
        found = select(run_events).where(run_events.c.run_id == run_id, run_events.c.id > after_id)
        if kind is not None:
            found = found.where(run_events.c.kind == kind)
        rows = self._connection.execute(found.order_by(run_events.c.id).limit(limit))
        return tuple(
            RunEvent(
                id=row.id,
                run_id=row.run_id,
                attempt=row.attempt,
                sequence=row.sequence,
                kind=row.kind,
                at=aware(row.at),
                data=row.data,
            )
            for row in rows
        )

    def _many(self, statement: Select[Any]) -> tuple[Run, ...]:
        return tuple(_run(row) for row in self._connection.execute(statement))


def _current(run_id: int, attempt: int) -> Any:
    return update(runs).where(
        runs.c.id == run_id, runs.c.attempt == attempt, runs.c.state == RunState.RUNNING
    )


def _run(row: Row[Any]) -> Run:
    values = row._mapping
    return Run(
        id=values["id"],
        project_id=values["project_id"],
        kind=RunKind(values["kind"]),
        state=RunState(values["state"]),
        parameters=values["parameters"],
        progress=values["progress"],
        result=values["result"],
        error=values["error"],
        attempt=values["attempt"],
        launcher=values["launcher"],
        device=values["device"],
        cancel_requested=values["cancel_requested"],
        heartbeat_at=aware(values["heartbeat_at"]),
        created_at=aware(values["created_at"]),
        started_at=aware(values["started_at"]),
        finished_at=aware(values["finished_at"]),
    )
