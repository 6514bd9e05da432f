"""What everything that learns in one run shares."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workbench.domain import TrainParameters
from workbench.modeling.device import Device
from workbench.modeling.workers import Workers
from workbench.reporting import Reporter


@dataclass(frozen=True, slots=True)
class TrainContext:
    """A run that trains, as its parts see it.

    Attributes:
        attempt: Its folder.
        parameters: Its parameters.
        device: Where its networks are.
        reporter: Hears of progress and curves, and may stop the run at any step.
        workers: That share each batch, all with the same data and parameters; the first evaluates, reports and keeps
            checkpoints.
        fingerprint: Of its data and parameters.
        kept: Folder for what another attempt can go on from, with what an earlier one has left.
    """

    attempt: Path
    parameters: TrainParameters
    device: Device
    reporter: Reporter
    workers: Workers
    fingerprint: str
    kept: Path
