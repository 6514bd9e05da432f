"""The run queue, as people use it: launch, watch, cancel, resume."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from workbench.config import Settings
from workbench.domain import PASSES, Json, Project, Run, RunEvent, RunKind, RunState, versions_read
from workbench.errors import Cancelled, RunFailed, Unavailable, WrongState
from workbench.jobs.attempt import INPUTS, AttemptFolder, remove, write_json
from workbench.jobs.devices import Place, place_of
from workbench.jobs.ensure import ensure_supervisor
from workbench.services.models import refuse_pruned
from workbench.storage.rows import now
from workbench.storage.store import Store, Transaction

if TYPE_CHECKING:
    from workbench.jobs.rayclient import Cluster

Prepare: TypeAlias = Callable[[Path], Mapping[str, Any]]
"""Writes what the worker reads (``examples.jsonl``) into an empty folder and gives what the manifest says beside
``run``, ``attempt``, ``kind``, ``task``, ``labels`` and ``parameters``; it may replace any but the first two."""

POLL_SECONDS = 0.2
QUIET_SECONDS = 10.0
"""A queued or running run without a sign of life for so long makes us look whether the supervisor lives."""

RECHECK_SECONDS = 5.0

ANEW = "Nothing is left of the earlier attempt to go on from: this one begins anew."


class RunService:
    """Every launch ends in a row of the database and a folder; the supervisor does the rest."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._looked = 0.0

    def launch(
        self,
        project: Project,
        kind: RunKind | str,
        parameters: Json,
        prepare: Prepare,
        *,
        user_id: int | None = None,
    ) -> Run:
        """Queue a run and see to it that a supervisor is there to start it.

        Args:
            project: What it belongs to.
            kind: What it computes.
            parameters: Kept with the run and given to the worker; ``device`` chooses where it is computed.
            prepare: Writes the worker's data; called outside any transaction, before the run exists.
            user_id: Who asked for it.

        Raises:
            InvalidInput: The device is not known here.
            Unavailable: The disk is full, or the supervisor can't be started.
            ModelUnavailable: It reads a version whose files were pruned.
            Anything that ``prepare`` raises: then nothing was queued.
        """
        kind = RunKind(kind)
        place = place_of(str(parameters.get("device") or self._settings.device), self._settings)
        with self._staging() as staging:
            extra = dict(prepare(staging))
            with self._store.write() as tx:
                _hold_versions(tx, project.id, parameters)
                run = tx.runs.add(
                    project.id,
                    kind,
                    parameters,
                    launcher=place.launcher,
                    device=place.device,
                    user_id=user_id,
                )
                manifest = {
                    "kind": str(kind),
                    "task": project.task,
                    "labels": list(project.label_names),
                    "parameters": dict(parameters),
                    "resources": self._resources(place, kind, staging),
                    **extra,
                }
                if "device" in manifest["parameters"]:
                    manifest["parameters"] = {**manifest["parameters"], "device": place.worker_device}
                self._place(staging, run, manifest)
        ensure_supervisor(self._settings)
        return run

    def _resources(self, place: Place, kind: RunKind, staging: Path) -> dict[str, float]:
        """What the run asks a cluster for; a pass over a large pool for several readers of it."""
        asked = dict(place.resources)
        if place.launcher == "ray" and kind in PASSES:
            with AttemptFolder(staging).examples.open("rb") as lines:
                if sum(1 for _ in lines) > self._settings.ray_pool_examples:
                    asked["readers"] = self._settings.ray_pool_workers
        return asked

    def get(self, run_id: int) -> Run:
        """The run of that id. Raises NotFound."""
        with self._store.read() as tx:
            run = tx.runs.get(run_id)
        self._look_after([run])
        return run

    def list(self, project: Project, limit: int | None = None) -> tuple[Run, ...]:
        """The project's runs, newest first."""
        with self._store.read() as tx:
            runs = tx.runs.all(project.id, limit=limit)
        self._look_after(runs)
        return runs

    def events(self, run_id: int, after_id: int = 0, kind: str | None = None) -> tuple[RunEvent, ...]:
        """What the run said, of every attempt, after an event: lines of its log and metrics."""
        with self._store.read() as tx:
            return tx.runs.events(run_id, after_id=after_id, kind=kind)

    def logs(self, run_id: int) -> tuple[RunEvent, ...]:
        """The lines of its log (``data["message"]``). Raises NotFound."""
        with self._store.read() as tx:
            tx.runs.get(run_id)
            return tx.runs.events(run_id, kind="log")

    def waits_for(self, run: Run) -> tuple[Run, ...]:
        """The runs that a queued one waits for, the running one first; empty for any other."""
        if run.state is not RunState.QUEUED:
            return ()
        with self._store.read() as tx:
            return tx.runs.ahead_of(run)

    def cluster(self) -> Cluster:
        """The cluster that runs are sent to. Raises Unavailable where none is set, or Ray is not installed."""
        from workbench.jobs.rayclient import Cluster

        if not self._settings.ray_address:
            raise Unavailable("no cluster is set", remedy="set WORKBENCH_RAY_ADDRESS")
        return Cluster(self._settings.ray_address)

    def quiet(self, run: Run) -> bool:
        """Whether a running run has given no sign of life for longer than ``stale_seconds``."""
        limit = timedelta(seconds=self._settings.stale_seconds)
        return (
            run.state is RunState.RUNNING
            and run.heartbeat_at is not None
            and now() - run.heartbeat_at > limit
        )

    def cancel(self, run_id: int) -> Run:
        """Tell a run to stop. A queued one is cancelled at once, a running one within a step or the grace period.

        Raises:
            WrongState: It has ended already.
            NotFound: There is no such run.
        """
        with self._store.write() as tx:
            run = tx.runs.request_cancel(run_id)
        if run.state is RunState.CANCELLED:
            self._folder(run).clean(resumable=True)
        else:
            ensure_supervisor(self._settings)
        return run

    def resume(self, run_id: int) -> Run:
        """Queue a failed or cancelled run again, from its last checkpoint where there is one.

        The next attempt reads the same frozen data. Where nothing is left to go on from, its log says that it begins
        anew.

        Raises:
            WrongState: It is queued, running or succeeded, or its data is no longer there.
            ModelUnavailable: It reads a version whose files were pruned.
            NotFound: There is no such run.
        """
        with self._store.read() as tx:
            before = tx.runs.get(run_id)
        old = self._folder(before)
        if before.state in (RunState.FAILED, RunState.CANCELLED) and not old.examples.is_file():
            raise WrongState(f"the data of run {run_id} is no longer there", remedy="launch a new run")
        with self._staging() as staging:
            for name in INPUTS:
                if (old.path / name).is_file():
                    (staging / name).hardlink_to(old.path / name)
            with self._store.write() as tx:
                run = tx.runs.transition(run_id, RunState.QUEUED, attempt=before.attempt)
                _hold_versions(tx, run.project_id, run.parameters)
                manifest, checkpoint = old.read_manifest(), self._checkpoint(before)
                notes = [note for note in manifest.get("notes", ()) if note != ANEW]
                if checkpoint is None and (before.started_at is not None or before.attempt > 1):
                    notes.append(ANEW)
                self._place(staging, run, {**manifest, "notes": notes, "resume_from": checkpoint})
        ensure_supervisor(self._settings)
        return run

    def wait(
        self,
        run_id: int,
        on_event: Callable[[RunEvent], None] | None = None,
        timeout: float | None = None,
    ) -> Run:
        """Follow a run to its end.

        Args:
            run_id: The run.
            on_event: Called with each log line and metric, and with progress (``kind`` "progress") when it changed.
            timeout: Seconds; None waits for as long as it takes.

        Returns:
            The run, succeeded.

        Raises:
            RunFailed: It failed; the message is its error.
            Cancelled: It was cancelled.
            Unavailable: The time is over; the run goes on.
        """
        end = None if timeout is None else time.monotonic() + timeout
        after = 0
        progress: Json = {}
        while True:
            run = self.get(run_id)
            if on_event is not None:
                for event in self.events(run_id, after):
                    after = event.id
                    on_event(event)
                if run.progress != progress:
                    progress = run.progress
                    moment = run.heartbeat_at or run.created_at
                    on_event(RunEvent(after, run.id, run.attempt, 0, "progress", moment, progress))
            if not run.state.active:
                return _ended(run)
            if end is not None and time.monotonic() > end:
                raise Unavailable(
                    f"run {run_id} is still {run.state} after {timeout:.0f} seconds",
                    remedy=f"look at it with `workbench runs show {run_id}`",
                )
            time.sleep(POLL_SECONDS)

    # --- folders ------------------------------------------------------------------------------------

    def _folder(self, run: Run) -> AttemptFolder:
        return AttemptFolder.of(self._settings.runs_dir, run.id, run.attempt)

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        staging = self._settings.runs_dir / f".staging-{uuid.uuid4().hex}"
        try:
            staging.mkdir(parents=True)
            yield staging
        except OSError as error:
            raise Unavailable(
                f"the run's data can't be written ({error.strerror or error})",
                remedy=f"check the space left and the permissions of {self._settings.runs_dir}",
            ) from error
        finally:
            remove(staging)

    def _place(self, staging: Path, run: Run, manifest: Mapping[str, Any]) -> None:
        """Name the folder after its run, as the last thing before the commit that makes both visible."""
        write_json(staging / "manifest.json", {**manifest, "run": run.id, "attempt": run.attempt})
        target = self._folder(run).path
        if target.exists():  # left by a launch whose commit failed: no run owns it
            target.rename(staging.with_name(f"{staging.name}-orphan"))
            remove(staging.with_name(f"{staging.name}-orphan"))
        target.parent.mkdir(exist_ok=True)
        staging.rename(target)

    def _checkpoint(self, run: Run) -> str | None:
        """The newest whole checkpoint of the run's attempts."""
        for attempt in range(run.attempt, 0, -1):
            found = AttemptFolder.of(self._settings.runs_dir, run.id, attempt).checkpoint
            if found.is_dir() and any(entry.suffix != ".part" for entry in found.iterdir()):
                return str(found)
        return None

    def _look_after(self, runs: Iterable[Run]) -> None:
        """Start the supervisor again where runs wait for one that is gone."""
        limit = timedelta(seconds=QUIET_SECONDS)
        waiting = [
            run for run in runs if run.state.active and now() - (run.heartbeat_at or run.created_at) > limit
        ]
        if waiting and time.monotonic() - self._looked > RECHECK_SECONDS:
            self._looked = time.monotonic()
            ensure_supervisor(self._settings)


def _hold_versions(tx: Transaction, project_id: int, parameters: Json) -> None:
    """See to it that the versions which a run reads have their files, and keep them until the run can be seen."""
    for version in tx.models.hold(project_id, versions_read(parameters)):
        refuse_pruned(version)


def _ended(run: Run) -> Run:
    if run.state is RunState.FAILED:
        raise RunFailed(run.error or f"run {run.id} failed")
    if run.state is RunState.CANCELLED:
        raise Cancelled(f"run {run.id} was cancelled", remedy=f"go on with `workbench runs resume {run.id}`")
    return run
