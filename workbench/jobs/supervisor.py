"""The supervisor: ``python -m workbench.jobs.supervisor``, one per home, started when there is something to do.

It claims queued runs, has launchers start workers, follows what they report into the database, and stores
what they made. It may be killed at any moment: workers go on, and the next supervisor adopts them. It never
imports torch.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from workbench.config import Settings, get_settings
from workbench.domain import Run, RunKind, RunState
from workbench.errors import DatabaseUnavailable, WorkbenchError, WrongState
from workbench.jobs.attempt import AttemptFolder, remove
from workbench.jobs.codestamp import code_stamp
from workbench.jobs.completion import bring_back, complete, prune_older
from workbench.jobs.ensure import ensure_supervisor, supervisor_lock
from workbench.jobs.following import EventFollower
from workbench.jobs.housekeeping import sweep, sweep_depots
from workbench.jobs.launchers import Launcher, LaunchState, LaunchStatus, load_launchers
from workbench.registry import Registry
from workbench.storage.runs import CLUSTER
from workbench.storage.store import Store

BUSY_SECONDS = 0.25
IDLE_SECONDS = 0.5
BEAT_SECONDS = 2.0
RETRY_SECONDS = 2.0
CODE_SECONDS = 5.0
"""Between looks at whether the code has been upgraded."""
TAIL_CHARACTERS = 4_000
KEEPERS = frozenset({RunKind.SIMULATE, RunKind.SUSPECTS, RunKind.SCORE, RunKind.EMBED})
"""Runs of many models, or of many chunks of examples: when one is cancelled, what is whole is worth keeping."""

_log = logging.getLogger("workbench.supervisor")


@dataclass(slots=True)
class Watched:
    """An attempt that runs, as this supervisor knows it."""

    run: Run
    folder: AttemptFolder
    launcher: Launcher
    handle: Mapping[str, Any]
    follower: EventFollower
    beat_at: float = 0.0
    note: str = ""
    cancel_at: float | None = None
    ending: Future[None] | None = field(default=None)


class Supervisor:
    """The loop. ``tick`` is one pass of it; every pass begins with what the database says."""

    def __init__(self, settings: Settings, store: Store, launchers: Registry[Launcher]) -> None:
        self._settings = settings
        self._store = store
        self._launchers = launchers
        self._watched: dict[int, Watched] = {}
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="ending")
        self._recovered = False

    def tick(self) -> bool:
        """Claim, follow, end what has ended. True when any run is queued or running."""
        with self._store.read() as tx:
            running = [run for run in tx.runs.in_state(RunState.RUNNING) if run.launcher in self._launchers]
            queued = [run for run in tx.runs.in_state(RunState.QUEUED) if run.launcher in self._launchers]
        if not self._recovered:
            for run in running:
                bring_back(self._store, self._settings, self._folder(run))
            sweep(self._store, self._settings)
            if self._settings.ray_address:  # on a thread: storage may take its time to answer
                self._pool.submit(sweep_depots, self._store, self._settings)
            self._recovered = True
        busy = {(run.launcher, run.device) for run in running if run.device != CLUSTER}
        for run in queued:
            if (run.launcher, run.device) not in busy:
                claimed = self._claim()
                if claimed is not None:
                    running.append(claimed)
                    if claimed.device != CLUSTER:
                        busy.add((claimed.launcher, claimed.device))
        for run in running:
            self._look_at(run)
        current = {run.id for run in running}
        for run_id in [run_id for run_id in self._watched if run_id not in current]:
            del self._watched[run_id]
        return bool(running or queued)

    def close(self) -> None:
        """Let what is being stored come to its end."""
        self._pool.shutdown()

    def _folder(self, run: Run, attempt: int | None = None) -> AttemptFolder:
        return AttemptFolder.of(self._settings.runs_dir, run.id, attempt or run.attempt)

    def _claim(self) -> Run | None:
        with self._store.write() as tx:
            return tx.runs.claim(list(self._launchers))

    def _look_at(self, run: Run) -> None:
        watched = self._watched.get(run.id)
        if watched is None or watched.run.attempt != run.attempt:
            watched = self._adopt(run)
            if watched is None:
                return
        watched.run = run
        if watched.ending is not None:
            self._mind_ending(watched)
            return
        if run.cancel_requested:
            self._cancel(watched)
        status = watched.launcher.status(watched.handle)
        self._follow(watched, alive=status.state is not LaunchState.UNREACHABLE)
        self._note(watched, status)
        if status.state.ended:
            self._follow(watched, alive=False)  # what it wrote between the two looks
            watched.ending = self._pool.submit(self._end, watched, status)

    def _adopt(self, run: Run) -> Watched | None:
        """Start the attempt, or find it again; a launcher starts the same attempt once only."""
        launcher = self._launchers[run.launcher]
        folder = self._folder(run)
        try:
            with self._store.read() as tx:
                handle = tx.runs.handle(run.id)
                sequence = tx.runs.last_sequence(run.id, run.attempt)
            if not handle:
                folder.read_manifest()
                handle = launcher.submit(f"{run.id}-{run.attempt}", folder.path)
                with self._store.write() as tx:
                    tx.runs.set_handle(run.id, run.attempt, handle)
        except DatabaseUnavailable:
            raise
        except (WorkbenchError, OSError) as error:
            _log.exception("run %s can't be started", run.id)
            self._fail(run, folder, f"the worker can't be started: {error}")
            return None
        watched = Watched(run, folder, launcher, handle, EventFollower(folder.events, sequence))
        self._watched[run.id] = watched
        return watched

    def _follow(self, watched: Watched, *, alive: bool) -> None:
        run = watched.run
        while True:
            news = watched.follower.read()
            due = alive and time.monotonic() - watched.beat_at >= BEAT_SECONDS
            if news.events or news.progress is not None or due:
                with self._store.write() as tx:
                    if tx.runs.beat(run.id, run.attempt, news.progress):
                        tx.runs.add_events(run.id, run.attempt, news.events)
                watched.beat_at = time.monotonic()
            if not news.more:
                return

    def _note(self, watched: Watched, status: LaunchStatus) -> None:
        """Have the run say why it does not go on: the cluster is full, or does not answer."""
        waiting = status.state in (LaunchState.PENDING, LaunchState.UNREACHABLE)
        detail = status.detail if waiting else ""
        if detail != watched.note:
            with self._store.write() as tx:
                tx.runs.note(watched.run.id, watched.run.attempt, detail)
            watched.note = detail

    def _cancel(self, watched: Watched) -> None:
        if watched.cancel_at is None:
            watched.folder.request_cancel()
            watched.cancel_at = time.monotonic()
        elif time.monotonic() - watched.cancel_at > self._settings.cancel_grace_seconds:
            watched.launcher.stop(watched.handle, force=True)

    # --- the end of an attempt, on a thread of its own ----------------------------------------------

    def _mind_ending(self, watched: Watched) -> None:
        assert watched.ending is not None
        if not watched.ending.done():
            self._follow(watched, alive=True)
            return
        error = watched.ending.exception()
        watched.ending = None
        if isinstance(error, DatabaseUnavailable):
            raise error  # it is tried again on the next pass
        if error is not None:
            _log.error("the end of run %s", watched.run.id, exc_info=error)
            self._fail(watched.run, watched.folder, f"its result could not be stored: {error}")

    def _end(self, watched: Watched, status: LaunchStatus) -> None:
        with self._store.read() as tx:
            run = tx.runs.get(watched.run.id)
        folder = watched.folder
        if run.attempt != watched.run.attempt or run.state is not RunState.RUNNING:
            return
        result = folder.read_result()
        if status.state is LaunchState.SUCCEEDED and result is not None and not run.cancel_requested:
            try:
                complete(self._store, self._settings, run, folder, result)
            except DatabaseUnavailable:
                raise
            except WrongState:
                with self._store.read() as tx:
                    if not tx.runs.get(run.id).cancel_requested:
                        raise
            else:
                self._tidy(run)
                prune_older(self._store, self._settings, run)
                return
        elif status.state is not LaunchState.STOPPED and not run.cancel_requested:
            self._say_tail(watched, status)
            self._fail(run, folder, status.detail or "the worker left no result")
            return
        folder.clean(resumable=True)
        if run.kind not in KEEPERS:
            self._drop_checkpoints(run)
        with self._store.write() as tx:
            tx.runs.transition(run.id, RunState.CANCELLED, attempt=run.attempt)

    def _fail(self, run: Run, folder: AttemptFolder, error: str) -> None:
        folder.clean(resumable=True)
        try:
            with self._store.write() as tx:
                tx.runs.transition(run.id, RunState.FAILED, attempt=run.attempt, error=error)
        except WrongState as late:
            _log.info("run %s has ended otherwise: %s", run.id, late)

    def _say_tail(self, watched: Watched, status: LaunchStatus) -> None:
        """Where the worker died without a word, the last that it printed belongs to the run's log."""
        if watched.folder.read_result() is not None:
            return
        printed, _ = watched.launcher.logs(watched.handle)
        lines = [line for line in printed[-TAIL_CHARACTERS:].splitlines() if line.strip()]
        with self._store.write() as tx:
            for line in [*lines[-20:], f"Failed: {status.detail}"]:
                tx.runs.say(watched.run.id, watched.run.attempt, line.replace("\0", "\ufffd"))

    def _drop_checkpoints(self, run: Run) -> None:
        for attempt in range(1, run.attempt + 1):
            remove(self._folder(run, attempt).checkpoint)

    def _tidy(self, run: Run) -> None:
        """A run that succeeded keeps its records; its data is in the database, its model in the models folder."""
        for attempt in range(1, run.attempt + 1):
            self._folder(run, attempt).clean(resumable=False)


def serve(
    settings: Settings, launchers: Registry[Launcher], module: str = "workbench.jobs.supervisor"
) -> int:
    """Run until there has been nothing to do for ``supervisor_idle_seconds``; at once when another one runs.

    When the code is upgraded underneath it, it leaves its place to a new process of ``module``; workers go on.
    """
    lock = supervisor_lock(settings)
    if not _take(lock.acquire):
        return 0
    lock.sign()
    store = Store(settings.url)
    supervisor = Supervisor(settings, store, launchers)
    idle_since = looked = time.monotonic()
    stamp = code_stamp()
    upgraded = False
    try:
        while lock.still_there():
            if time.monotonic() - looked > CODE_SECONDS:
                looked = time.monotonic()
                upgraded = code_stamp() != stamp
                if upgraded:
                    return 0
            try:
                active = supervisor.tick()
                wait = BUSY_SECONDS if active else IDLE_SECONDS
                if active:
                    idle_since = time.monotonic()
            except Exception:
                _log.exception("a pass failed; it is tried again")
                wait = RETRY_SECONDS
            if time.monotonic() - idle_since > settings.supervisor_idle_seconds:
                lock.release()
                # A run that was queued before the release found the lock taken and relies on this look.
                with store.read() as tx:
                    needed = tx.runs.active() > 0
                if not needed or not lock.acquire():
                    return 0
                lock.sign()
                idle_since = time.monotonic()
            time.sleep(wait)
        return 0
    finally:
        supervisor.close()
        store.close()
        lock.release()
        if upgraded:
            _log.info("the code has changed: a supervisor of the new code takes over")
            ensure_supervisor(settings, module)


def _take(acquire: Any, patience: float = 1.0) -> bool:
    """Take the lock; somebody who only looks whether it is free holds it for a moment."""
    end = time.monotonic() + patience
    while not acquire():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def main() -> int:
    """Entry point; settings come from the environment."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(message)s"
    )
    return serve(get_settings(), load_launchers())


if __name__ == "__main__":
    sys.exit(main())
