"""The ``ray`` launcher: attempts as jobs of a Ray cluster, submitted through its Jobs API.

The attempt travels through a depot (``workbench.jobs.depot``); the job computes it with the same runner as the local
launcher. Asking a cluster takes time and may hang, so that each attempt is looked after on a thread, and ``status``
gives what was last seen. What is needed after a restart lies in the attempt's folder (``remote.json``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.config import Settings, get_settings
from workbench.errors import RunFailed, Unavailable, WorkbenchError
from workbench.jobs.attempt import AttemptFolder, read_json, write_json
from workbench.jobs.depot import Depot, attempt_name
from workbench.jobs.ensure import code_folder
from workbench.jobs.launchers import LAUNCHERS, LaunchState, LaunchStatus
from workbench.jobs.local import RESULTS
from workbench.jobs.parcel import fetch_checkpoint, fetch_outputs, send_inputs
from workbench.jobs.rayclient import Cluster, Job, JobState, Refused
from workbench.jobs.raytrain import Crew

POLL_SECONDS = 1.0
RETRIES = 1
"""How often an attempt whose node died is submitted again, from its last checkpoint."""

REMOTE = "remote.json"

STATES = {
    JobState.PENDING: LaunchState.PENDING,
    JobState.RUNNING: LaunchState.RUNNING,
    JobState.UNKNOWN: LaunchState.LOST,
}

NOT_YET = LaunchStatus(LaunchState.PENDING, "being sent to the cluster")


@dataclass(slots=True)
class _Watch:
    """An attempt in this process's eyes."""

    seen: LaunchStatus
    looking: Future[LaunchStatus] | None = None
    looked: float = 0.0


class RayLauncher:
    """Runs each attempt as a job.

    Args:
        settings: Address and storage; None reads them from the environment when they are needed.
        module: What the job runs; it is given the depot's URL.
        poll: Seconds between looks at a job.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        module: str = "workbench.jobs.remote",
        poll: float = POLL_SECONDS,
    ) -> None:
        self._settings = settings
        self._module = module
        self._poll = poll
        self._watches: dict[str, _Watch] = {}
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="cluster")

    def submit(self, attempt_id: str, folder: Path) -> dict[str, Any]:
        """Note where it goes; the sending begins with the first ``status``, and is tried until it succeeds."""
        settings = self._settings or get_settings()
        if not settings.ray_address:
            raise Unavailable("no cluster is set", remedy="set WORKBENCH_RAY_ADDRESS, or launch it here")
        name = attempt_name(settings.home_key, attempt_id)
        return {
            "name": name,
            "address": settings.ray_address,
            "depot": f"{settings.ray_depots}/{name}",
            "folder": str(folder),
        }

    def status(self, handle: Mapping[str, Any]) -> LaunchStatus:
        """What was last seen of it; a new look is begun when the last is old enough."""
        watch = self._watches.setdefault(str(handle["name"]), _Watch(NOT_YET))
        if watch.looking is not None and watch.looking.done():
            error = watch.looking.exception()
            if isinstance(error, Refused):
                watch.seen = LaunchStatus(LaunchState.FAILED, str(error))
            elif isinstance(error, (WorkbenchError, OSError)):
                watch.seen = LaunchStatus(LaunchState.UNREACHABLE, str(error))
            elif error is not None:
                raise error
            else:
                watch.seen = watch.looking.result()
            watch.looking, watch.looked = None, time.monotonic()
        due = time.monotonic() - watch.looked >= self._poll
        if watch.looking is None and due and not watch.seen.state.ended:
            watch.looking = self._pool.submit(_Attempt(handle, self._module).look)
        return watch.seen

    def stop(self, handle: Mapping[str, Any], *, force: bool = False) -> None:
        """Leave word in the depot, which the worker reads every second; with ``force`` stop the job as well."""
        self._pool.submit(_Attempt(handle, self._module).stop, force=force)

    def logs(self, handle: Mapping[str, Any], offset: int = 0) -> tuple[str, int]:
        """From the cluster, as far as it can be asked."""
        content = _quietly(_Attempt(handle, self._module).printed, "").encode()
        return content[offset:].decode("utf-8", errors="replace"), len(content)


class _Attempt:
    """One look at an attempt: sends what is not sent, brings what is new, says how it stands."""

    def __init__(self, handle: Mapping[str, Any], module: str) -> None:
        self._handle = handle
        self._module = module
        self._folder = AttemptFolder(Path(handle["folder"]))
        self._note = read_json(self._folder.path / REMOTE) or {"try": 1, "submitted": False, "before": 0}

    @property
    def _name(self) -> str:
        return f"{self._handle['name']}-{self._note['try']}"

    @property
    def _depot(self) -> Depot:
        return Depot(f"{self._handle['depot']}/{self._note['try']}")

    @property
    def _cluster(self) -> Cluster:
        return Cluster(str(self._handle["address"]))

    def look(self) -> LaunchStatus:
        """Raises Refused when the cluster will not have it, Unavailable or OSError when it can't be asked now."""
        if self._folder.cancel.exists():
            self._depot.write("cancel", b"")
        if not self._note["submitted"]:
            if self._folder.cancel.exists():
                return LaunchStatus(LaunchState.STOPPED)
            self._send()
        job = self._cluster.job(self._name)
        # Asked in this order: of a job that has just ended, the result is there by now.
        self._bring_events()
        found = self._depot.read_json("result.json")
        if found is not None:
            return self._take(found)
        if not job.ended:
            if self._folder.cancel.exists() and job.state is JobState.PENDING:
                # Ray keeps a pending job for minutes; should it start yet, it finds the word to stop.
                _quietly(lambda: self._cluster.stop(self._name), None)
                return LaunchStatus(LaunchState.STOPPED)
            return LaunchStatus(STATES[job.state], job.message)
        return self._ended_without(job)

    def stop(self, *, force: bool) -> None:
        """Never raises."""
        _quietly(lambda: self._depot.write("cancel", b""), None)
        if force:
            _quietly(lambda: self._cluster.stop(self._name), None)

    def printed(self) -> str:
        """What the job's processes printed."""
        return self._cluster.logs(self._name)

    def _send(self) -> None:
        manifest = self._folder.read_manifest()
        checkpoint = self._folder.checkpoint if self._folder.checkpoint.is_dir() else None
        if self._depot.read("inputs.json") is None:
            send_inputs(self._depot, self._folder, checkpoint)
        crew = Crew.of(manifest)
        alone = crew.workers == 1  # of several, each asks for itself
        self._cluster.submit(
            self._name,
            [self._module, self._depot.url, str(self._note["before"])],
            code=code_folder() / "workbench",
            cpus=crew.cpus if alone else 0.0,
            gpus=crew.gpus if alone else 0.0,
        )
        self._remember(submitted=True)

    def _remember(self, **changes: Any) -> None:
        self._note = {**self._note, **changes}
        write_json(self._folder.path / REMOTE, self._note)

    def _bring_events(self) -> None:
        """The depot's events are a worker's, whole; behind those of the worker before, where there was one."""
        content = self._depot.read("events.jsonl")
        if content is None:
            return
        before = int(self._note.get("bytes", 0))
        with self._folder.events.open("ab") as file:
            new = content[file.tell() - before :]
            file.write(new[: new.rfind(b"\n") + 1])

    def _take(self, found: Mapping[str, Any]) -> LaunchStatus:
        result = found.get("result")
        if not isinstance(result, dict):
            return LaunchStatus(LaunchState.FAILED, "the result that the cluster sent is damaged")
        try:
            if result.get("state") != "succeeded":
                fetch_checkpoint(self._depot, self._folder)
            fetch_outputs(self._depot, self._folder, found)
        except RunFailed as error:
            return LaunchStatus(LaunchState.FAILED, str(error))
        _quietly(lambda: self._depot.clear(keep=("cancel",)), None)
        state = RESULTS.get(str(result.get("state")), LaunchState.FAILED)
        return LaunchStatus(state, str(result.get("error") or ""))

    def _ended_without(self, job: Job) -> LaunchStatus:
        """No result is there: a node or the head died, somebody stopped the job, or the worker could not begin."""
        _quietly(lambda: self._depot.write("cancel", b""), None)  # a worker that lives on computes for nobody
        try:
            kept = fetch_checkpoint(self._depot, self._folder)
        except RunFailed:
            kept = False
        if self._folder.cancel.exists():
            return LaunchStatus(LaunchState.STOPPED)
        if job.state is JobState.STOPPED:
            return LaunchStatus(LaunchState.FAILED, "the job was stopped in the cluster. Resume the run")
        if job.node_died and self._note["try"] <= RETRIES:
            events = self._folder.events
            content = events.read_bytes() if events.exists() else b""
            self._remember(
                **{"try": self._note["try"] + 1},
                submitted=False,
                before=content.count(b"\n"),
                bytes=len(content),
            )
            told = "from its last checkpoint" if kept else "from its beginning"
            return LaunchStatus(LaunchState.PENDING, f"its node died; it is sent again, {told}")
        if job.state is JobState.UNKNOWN:
            return LaunchStatus(LaunchState.LOST, "the cluster does not know the run any more. Resume it")
        return LaunchStatus(LaunchState.FAILED, job.message or "the job ended without a result")


def _quietly(work: Callable[[], Any], otherwise: Any) -> Any:
    try:
        return work()
    except (WorkbenchError, OSError):
        return otherwise


LAUNCHERS.add("ray", RayLauncher())
