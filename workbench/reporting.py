"""What a long computation tells whoever started it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Reporter(Protocol):
    """The one channel from a computation to the run that it belongs to."""

    def log(self, message: str) -> None:
        """One line for the run's log."""

    def progress(self, done: int, total: int, **numbers: float | str | None) -> None:
        """How far it is, in the unit of the run (steps, examples), with what is worth watching now:
        ``phase``, ``epoch``, ``loss``, ``learning_rate``, ``examples_per_second``, ``seconds_left``,
        ``memory_mb``, ``device``.
        """

    def metric(self, step: int, epoch: float, values: Mapping[str, float]) -> None:
        """Numbers of one moment that are kept and drawn as curves (``loss``, ``learning_rate``, ``validation_f1``)."""

    def check(self) -> None:
        """Called at every step. Raises Cancelled when the run was told to stop."""


class SilentReporter:
    """Reports to nobody; for tests and for library use."""

    def log(self, message: str) -> None:
        """Drop it."""

    def progress(self, done: int, total: int, **numbers: float | str | None) -> None:
        """Drop it."""

    def metric(self, step: int, epoch: float, values: Mapping[str, float]) -> None:
        """Drop it."""

    def check(self) -> None:
        """Never cancelled."""
