"""Runs that differ in nothing but the seed: how far chance alone moves the validation metric."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.domain import Run, RunState

GROUP = "group"
"""The parameter by which runs that were launched together know each other."""

MOST_SEEDS = 20


@dataclass(frozen=True, slots=True)
class SeedGroup:
    """Runs of one snapshot with the same parameters and a seed each, by seed.

    Attributes:
        name: What the runs have in common as ``group``.
        metric: The task's primary metric; higher is better.
        runs: In the order of their seeds.
        values: The metric on validation of those that succeeded and measured it, by run id.
    """

    name: str
    metric: str
    runs: tuple[Run, ...]
    values: dict[int, float]

    @classmethod
    def of(cls, name: str, metric: str, runs: Sequence[Run]) -> SeedGroup:
        """From the runs of a project, of which those of the group are taken."""
        own = sorted((run for run in runs if run.parameters.get(GROUP) == name), key=seed_of)
        values = {}
        for run in own:
            measured = run.result.get("metrics", {}).get("validation", {}).get(metric)
            if run.state is RunState.SUCCEEDED and isinstance(measured, (int, float)):
                values[run.id] = float(measured)
        return cls(name, metric, tuple(own), values)

    @property
    def mean(self) -> float | None:
        """Of the values; None without any."""
        return statistics.fmean(self.values.values()) if self.values else None

    @property
    def spread(self) -> float | None:
        """Their standard deviation (of a sample, n - 1); None with fewer than two."""
        return statistics.stdev(self.values.values()) if len(self.values) > 1 else None

    @property
    def best(self) -> Run | None:
        """The run with the highest value, the lower seed where two are equal; None without any value."""
        measured = [run for run in self.runs if run.id in self.values]
        return max(measured, key=lambda run: self.values[run.id], default=None)


def seed_of(run: Run) -> int:
    """The seed that a run was launched with."""
    return int(run.parameters.get("seed") or 0)
