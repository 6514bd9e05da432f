"""A run followed in the terminal: a progress bar and its log, on stderr. Ctrl-C leaves the run alone."""

from __future__ import annotations

from typing import Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from workbench.cli.base import err
from workbench.domain import Run, RunEvent
from workbench.services import Workbench

SHOWN = (
    ("epoch", "epoch {:.2f}"),
    ("loss", "loss {:.4f}"),
    ("learning_rate", "lr {:.2e}"),
    ("examples_per_second", "{:.0f} examples/s"),
    ("memory_mb", "{:.0f} MB"),
)
"""What the line beside the bar says of the progress, where it is told."""


def follow(wb: Workbench, run: Run) -> Run:
    """Show a run until it ends.

    Returns:
        The run, succeeded.

    Raises:
        RunFailed: It failed.
        Cancelled: It was cancelled.
        typer.Exit: Ctrl-C ended the following, with code 130; the run goes on.
    """
    ahead = wb.runs.waits_for(run)
    if ahead:
        err.print(
            f"Run {run.id} waits for run {ahead[0].id} ({ahead[0].kind}) on {run.device}.", markup=False
        )
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[numbers]}"),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(f"run {run.id}", total=None, numbers="")
        try:
            return wb.runs.wait(run.id, lambda event: _show(bar, task, run, event))
        except KeyboardInterrupt:
            pass  # said below, when the bar is gone
    err.print(
        f"No longer following; run {run.id} goes on. `workbench runs show {run.id} --follow` follows it, "
        f"`workbench runs cancel {run.id}` stops it.",
        markup=False,
    )
    raise typer.Exit(130)


def _show(bar: Progress, task: TaskID, run: Run, event: RunEvent) -> None:
    if event.kind == "log":
        bar.console.print(str(event.data.get("message", "")), markup=False)
    elif event.kind == "progress":
        told = event.data
        phase = str(told.get("phase") or run.kind)
        bar.update(
            task,
            description=f"run {run.id} {phase}",
            completed=float(told.get("done") or 0),
            total=float(told["total"]) if told.get("total") else None,
            numbers=numbers(told),
        )
    else:
        found = {name: value for name, value in event.data.items() if name.startswith("validation")}
        if found:
            said = ", ".join(
                f"{name.removeprefix('validation_')} {value:.4f}" for name, value in found.items()
            )
            bar.console.print(f"epoch {event.data.get('epoch', 0):.2f}: validation {said}", markup=False)


def numbers(progress: Any) -> str:
    """The numbers of a progress report in one line."""
    parts = [
        form.format(progress[name])
        for name, form in SHOWN
        if isinstance(progress.get(name), (int, float)) and not isinstance(progress.get(name), bool)
    ]
    left = progress.get("seconds_left")
    if isinstance(left, (int, float)):
        parts.append(f"{left:.0f} s left")
    return ", ".join(parts)
