"""Start the supervisor where none runs."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import workbench
from workbench.config import Settings
from workbench.errors import Unavailable
from workbench.jobs.lock import FileLock

LOG_LIMIT = 2_000_000
_started: dict[Path, tuple[subprocess.Popen[bytes], float]] = {}
_children: list[subprocess.Popen[bytes]] = []
_one_thread = threading.Lock()
STARTING_SECONDS = 10.0
"""A supervisor that this process started takes its lock within so long."""


@atexit.register
def _let_go() -> None:
    """Supervisors outlive this process on purpose: Python need not warn of it."""
    for child in _children:
        child.returncode = child.poll() or 0


def supervisor_lock(settings: Settings) -> FileLock:
    """The lock that a home's supervisor holds."""
    return FileLock(settings.home.absolute() / "supervisor.lock")


def ensure_supervisor(settings: Settings, module: str = "workbench.jobs.supervisor") -> bool:
    """Start a supervisor for the home unless one runs; it outlives this process. True when one was started.

    None is started where the settings leave runs to a supervisor elsewhere.

    Raises:
        Unavailable: The home can't be written, or the machine starts no more processes.
    """
    if not settings.supervise:
        return False
    try:
        with _one_thread:
            return _ensure(settings, module)
    except OSError as error:
        raise Unavailable(
            f"the supervisor of runs can't be started ({error.strerror or error})",
            remedy=f"check that {settings.home.absolute()} can be written and the machine has memory left",
        ) from error


def _ensure(settings: Settings, module: str) -> bool:
    lock = supervisor_lock(settings)
    if not lock.acquire():
        return False
    holder = lock.holder()
    lock.release()
    home = settings.home.absolute()
    if home in _started:
        process, at = _started[home]
        # One that has signed the lock and let go of it is leaving, even where it still runs.
        starting = process.poll() is None and process.pid != holder
        if starting and time.monotonic() - at < STARTING_SECONDS:
            return False
    log = home / "supervisor.log"
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            cwd=code_folder(),
            env=environment(settings),
            start_new_session=True,
        )
    _started[home] = (process, time.monotonic())
    _children[:] = [child for child in _children if child.poll() is None] + [process]
    return True


def code_folder() -> Path:
    """The folder that ``workbench`` is imported from, so that a child finds the same code."""
    return Path(workbench.__file__).resolve().parent.parent


def environment(settings: Settings) -> dict[str, str]:
    """This process's environment with the settings in it, for a child that reads them from there."""
    result = dict(os.environ)
    for name in Settings.model_fields:
        value = getattr(settings, name)
        variable = f"WORKBENCH_{name.upper()}"
        if value is None:
            result.pop(variable, None)
        else:
            result[variable] = str(value.absolute() if isinstance(value, Path) else value)
    return result
