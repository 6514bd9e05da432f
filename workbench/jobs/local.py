"""The ``local`` launcher: a process of its own on this machine, which outlives whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from workbench.jobs.attempt import AttemptFolder, read_json
from workbench.jobs.ensure import code_folder
from workbench.jobs.launchers import LAUNCHERS, LaunchState, LaunchStatus
from workbench.jobs.lock import FileLock

SAME_START_SECONDS = 2.0
"""Two readings of a process's start may differ by this much when the clock is set."""

EXIT_SECONDS = 10.0
"""How long a worker may take to leave after it has written its result."""

REAP_SECONDS = 1.0
"""How long the exit code of a worker that is gone is waited for."""

_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}
"""What this process has started: the system keeps their exit codes for it alone."""

RESULTS = {
    "succeeded": LaunchState.SUCCEEDED,
    "failed": LaunchState.FAILED,
    "cancelled": LaunchState.STOPPED,
}


class LocalLauncher:
    """Runs each attempt in a detached process group.

    A process is known by its id *and* the moment at which it was created, so that another one which got the same
    id later is neither taken for it nor killed.
    """

    def __init__(self, module: str = "workbench.jobs.runner") -> None:
        self._module = module

    def submit(self, attempt_id: str, folder: Path) -> dict[str, Any]:
        """Start the worker, unless one has taken the attempt on already."""
        attempt = AttemptFolder(folder)
        known = read_json(attempt.worker)
        if known is not None:
            return {**known, "folder": str(folder)}
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "TOKENIZERS_PARALLELISM": "false"}
        with attempt.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", self._module, str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=code_folder(),
                env=environment,
                start_new_session=True,
            )
        _CHILDREN[process.pid] = process
        created = psutil.Process(process.pid).create_time()
        return {"pid": process.pid, "created": created, "folder": str(folder)}

    def status(self, handle: Mapping[str, Any]) -> LaunchStatus:
        """Whether its process lives; when not, what its result says, or that there is none."""
        attempt = AttemptFolder(Path(handle["folder"]))
        worker = read_json(attempt.worker)
        pid, created = _identity(worker or handle)
        lives = _reap(pid) is None and _lives(pid, created)
        if worker and not lives:
            # Its number means nothing in another container, or on another machine with the same disk.
            lives = FileLock(attempt.lock).held()
        # Asked in this order: of a worker that has just ended, its result and its exit code are there by now.
        result = attempt.read_result()
        code = None if lives else _exit_code(pid)
        if lives:
            if result is None:
                return LaunchStatus(LaunchState.RUNNING if worker else LaunchState.PENDING)
            if time.time() - attempt.result.stat().st_mtime < EXIT_SECONDS:
                return LaunchStatus(LaunchState.RUNNING)
        self.stop(handle, force=True)  # what the worker itself started, or a worker that does not leave
        if result is not None:
            state = RESULTS.get(result["state"], LaunchState.FAILED)
            return LaunchStatus(state, str(result.get("error") or ""))
        return LaunchStatus(LaunchState.LOST if code is None else LaunchState.FAILED, _cause(code))

    def stop(self, handle: Mapping[str, Any], *, force: bool = False) -> None:
        """Signal its process group."""
        worker = read_json(AttemptFolder(Path(handle["folder"])).worker)
        for pid, created in {_identity(handle), _identity(worker or handle)}:
            # With its leader gone the group's number is not given to anybody while members of it live.
            if psutil.pid_exists(pid) and not _started_then(pid, created):
                continue
            try:
                os.killpg(pid, signal.SIGKILL if force else signal.SIGTERM)
            except (ProcessLookupError, PermissionError):
                continue

    def logs(self, handle: Mapping[str, Any], offset: int = 0) -> tuple[str, int]:
        """From the file that its output goes to."""
        try:
            with AttemptFolder(Path(handle["folder"])).log.open("rb") as file:
                file.seek(offset)
                content = file.read()
        except FileNotFoundError:
            return "", offset
        return content.decode("utf-8", errors="replace"), offset + len(content)


def _reap(pid: int) -> int | None:
    """The exit code of a child of ours that has ended; None when it lives, or is not our child."""
    child = _CHILDREN.get(pid)
    return child.poll() if child is not None else None


def _exit_code(pid: int) -> int | None:
    """The exit code of a child of ours that no longer lives; None where it is not our child.

    The system gives it once the last of the process's threads is gone, which may be a moment after the first.
    """
    child = _CHILDREN.get(pid)
    if child is not None:
        with suppress(subprocess.TimeoutExpired):
            return child.wait(REAP_SECONDS)
    return None


def _identity(handle: Mapping[str, Any]) -> tuple[int, float]:
    return int(handle["pid"]), float(handle["created"])


def _started_then(pid: int, created: float) -> bool:
    try:
        return abs(psutil.Process(pid).create_time() - created) <= SAME_START_SECONDS
    except psutil.Error:
        return False


def _lives(pid: int, created: float) -> bool:
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - created) <= SAME_START_SECONDS
        return same and process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.Error:
        return False


def _cause(code: int | None) -> str:
    """Why a worker left without a result, as far as its exit code tells."""
    if code is None:
        return "the worker is gone without a result (it was killed, or the machine restarted)"
    if code == -signal.SIGKILL:
        return "the worker was killed (signal 9); often the machine ran out of memory"
    if code < 0:
        return f"the worker died of signal {-code} ({signal.Signals(-code).name})"
    return f"the worker ended with code {code} and without a result"


LAUNCHERS.add("local", LocalLauncher())
