"""Training runs of several seeds, followed one after another and summed up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.cli.base import emit, err, out
from workbench.cli.following import follow
from workbench.domain import Project, Run
from workbench.errors import Cancelled, RunFailed
from workbench.services import Workbench
from workbench.services.seeds import SeedGroup, seed_of


def finish_seeds(wb: Workbench, project: Project, runs: Sequence[Run], detach: bool, as_json: bool) -> None:
    """Follow the runs and show how they compare, or say that they are queued.

    Raises:
        RunFailed, Cancelled: The first run that ended so; the others are followed to their end before.
    """
    if detach:
        data = {"runs": [run.id for run in runs], "state": "queued"}
        numbers = ", ".join(str(run.id) for run in runs)
        emit(as_json, data, lambda: out.print(f"Runs {numbers} are queued, one after another."))
        return
    failure: RunFailed | Cancelled | None = None
    for run in runs:
        try:
            follow(wb, run)
        except (RunFailed, Cancelled) as error:
            err.print(f"Run {run.id} (seed {seed_of(run)}): {error}", markup=False)
            failure = failure or error
    group = wb.training.seeds(project, runs[0])
    assert group is not None  # they were launched together
    best = group.best
    told: dict[str, Any] = {
        "group": group.name,
        "metric": group.metric,
        "mean": group.mean,
        "spread": group.spread,
        "best": best.result["model_version"] if best else None,
        "runs": [
            {"run": run.id, "seed": seed_of(run), "state": str(run.state), "result": dict(run.result)}
            for run in group.runs
        ],
    }
    emit(as_json, told, lambda: _show(group))
    if failure is not None:
        raise failure


def _show(group: SeedGroup) -> None:
    best = group.best
    for run in group.runs:
        value = group.values.get(run.id)
        said = f"version {run.result['model_version']}" if "model_version" in run.result else str(run.state)
        measured = f"validation {group.metric} {value:.4f}" if value is not None else "not measured"
        mark = "  best" if best is not None and run.id == best.id else ""
        out.print(f"seed {seed_of(run)}: {said}, {measured}{mark}", markup=False)
    if group.mean is not None:
        spread = f" ± {group.spread:.4f}" if group.spread is not None else ""
        out.print(f"mean {group.mean:.4f}{spread} (standard deviation)", markup=False)
