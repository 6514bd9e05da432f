"""Where the work of a run is done: launchers behind one protocol, registered by name."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from workbench.registry import Registry


class LaunchState(StrEnum):
    """What a launcher knows of an attempt."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    LOST = "lost"
    """Nobody there knows it: it died without a trace."""
    UNREACHABLE = "unreachable"
    """The place can't be asked at the moment, which says nothing about the attempt."""

    @property
    def ended(self) -> bool:
        """Whether no worker computes any more."""
        return self in (LaunchState.SUCCEEDED, LaunchState.FAILED, LaunchState.STOPPED, LaunchState.LOST)


@dataclass(frozen=True, slots=True)
class LaunchStatus:
    """The state, and in a person's words what led to it."""

    state: LaunchState
    detail: str = ""


class Launcher(Protocol):
    """Starts ``python -m workbench.jobs.runner FOLDER`` somewhere and tells what became of it."""

    def submit(self, attempt_id: str, folder: Path) -> dict[str, Any]:
        """Start the attempt, once: a second call with the same id starts nothing.

        Returns:
            What ``status``, ``stop`` and ``logs`` need to find it again, after a restart as well; plain JSON.
        """

    def status(self, handle: Mapping[str, Any]) -> LaunchStatus:
        """What is known of it now."""

    def stop(self, handle: Mapping[str, Any], *, force: bool = False) -> None:
        """Ask its processes to end, or with ``force`` end them; harmless when they have ended."""

    def logs(self, handle: Mapping[str, Any], offset: int = 0) -> tuple[str, int]:
        """What its processes printed from a byte on, and the offset to go on from."""


LAUNCHERS: Registry[Launcher] = Registry("launcher")


def load_launchers() -> Registry[Launcher]:
    """The registry with this package's own launchers in it."""
    for module in ("workbench.jobs.local", "workbench.jobs.ray"):
        importlib.import_module(module)
    return LAUNCHERS
