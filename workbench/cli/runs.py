"""``workbench runs …``."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer
from rich.table import Table

from workbench.cli.base import JsonOption, YesOption, app, confirm, emit, out, workbench
from workbench.cli.following import follow, numbers
from workbench.domain import Run, RunState
from workbench.services import Workbench

runs = typer.Typer(help="Watch, cancel and resume runs.", no_args_is_help=True)
app.add_typer(runs, name="runs")

RunArgument = Annotated[int, typer.Argument(metavar="RUN", help="Number of the run.")]


@runs.command("list")
def list_(
    name: Annotated[str, typer.Argument(help="The project.")],
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """The project's runs, newest first."""
    with workbench() as wb:
        found = wb.runs.list(wb.projects.get(name), limit)
        emit(as_json, [_data(run) for run in found], lambda: _show_list(found, name))


@runs.command()
def show(
    run_id: RunArgument,
    follow_it: Annotated[bool, typer.Option("--follow", help="Stay until it has ended.")] = False,
    as_json: JsonOption = False,
) -> None:
    """How far a run is, or how it ended."""
    with workbench() as wb:
        run = wb.runs.get(run_id)
        if follow_it and run.state.active:
            run = follow(wb, run)
        emit(as_json, _data(run), lambda: _show(wb, run))


@runs.command()
def logs(run_id: RunArgument, as_json: JsonOption = False) -> None:
    """What a run said."""
    with workbench() as wb:
        lines = [
            {"at": event.at, "attempt": event.attempt, "message": event.data.get("message", "")}
            for event in wb.runs.logs(run_id)
        ]

        def human() -> None:
            for line in lines:
                out.print(f"{line['at']:%Y-%m-%d %H:%M:%S} {line['message']}", markup=False)

        emit(as_json, lines, human)


@runs.command()
def cancel(run_id: RunArgument, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """Stop a run and remove what it made."""
    confirm(f"Stop run {run_id}? What it has computed so far is removed.", yes)
    with workbench() as wb:
        run = wb.runs.cancel(run_id)
        end = time.monotonic() + wb.settings.cancel_grace_seconds + 10
        while run.state is RunState.RUNNING and time.monotonic() < end:
            time.sleep(0.2)
            run = wb.runs.get(run_id)
        word = "is told to stop" if run.state.active else f"is {run.state}"
        emit(as_json, _data(run), lambda: out.print(f"Run {run.id} {word}."))


@runs.command()
def resume(
    run_id: RunArgument,
    detach: Annotated[bool, typer.Option("--detach", help="Queue it and return.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Queue a failed or cancelled run again, from its last checkpoint where there is one."""
    with workbench() as wb:
        run = wb.runs.resume(run_id)
        if not detach:
            run = follow(wb, run)
        emit(as_json, _data(run), lambda: _show(wb, run))


def _data(run: Run) -> dict[str, Any]:
    return {
        "run": run.id,
        "kind": run.kind,
        "state": run.state,
        "attempt": run.attempt,
        "device": run.device,
        "parameters": dict(run.parameters),
        "progress": dict(run.progress),
        "result": dict(run.result),
        "error": run.error,
        "cancel_requested": run.cancel_requested,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "heartbeat_at": run.heartbeat_at,
        "finished_at": run.finished_at,
    }


def _show_list(found: tuple[Run, ...], name: str) -> None:
    if not found:
        out.print(f"{name} has no run yet. `workbench train {name}` starts one.", markup=False)
        return
    table = Table("run", "kind", "state", "device", "made", "says")
    for run in found:
        table.add_row(
            str(run.id),
            str(run.kind),
            str(run.state),
            run.device or "",
            f"{run.created_at:%Y-%m-%d %H:%M}",
            run.error or _made(run) or numbers(run.progress),
        )
    out.print(table)


def _show(wb: Workbench, run: Run) -> None:
    out.print(f"Run {run.id}: {run.kind}, {run.state}, attempt {run.attempt}, on {run.device}.", markup=False)
    for ahead in wb.runs.waits_for(run):
        out.print(f"  waits for run {ahead.id} ({ahead.kind}, {ahead.state})", markup=False)
    if run.progress.get("total"):
        done, total = run.progress.get("done", 0), run.progress["total"]
        out.print(f"  {done:,} of {total:,}  {numbers(run.progress)}", markup=False)
    if wb.runs.quiet(run):
        out.print(f"  no sign of life since {run.heartbeat_at:%H:%M:%S}", markup=False)
    if run.error:
        out.print(f"  {run.error}", markup=False)
    if _made(run):
        out.print(f"  {_made(run)}", markup=False)


def _made(run: Run) -> str:
    if run.result.get("model_version") is not None and run.kind == "train":
        return f"model version {run.result['model_version']}"
    return f"{run.result['examples']:,} examples" if "examples" in run.result else ""
