"""``workbench prune``."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from workbench.cli.base import JsonOption, YesOption, app, confirm, emit, err, out, workbench
from workbench.errors import InvalidInput
from workbench.services.pruning import PrunePlan, megabytes, named, plan_json, pruned_sentence


@app.command()
def prune(
    name: Annotated[str, typer.Argument(metavar="PROJECT", help="The project.")],
    keep: Annotated[
        int | None,
        typer.Option(help="So many of the newest versions keep their files. Default: WORKBENCH_KEEP_MODELS."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Free disk space: remove the files of older model versions.

    What they have reached and predicted stays, and each can be trained again. Versions that are promoted, exported,
    pushed or compared, the best by validation, the newest that suggests labels and what a run reads keep their files.
    """
    with workbench() as wb:
        project = wb.projects.get(name)
        number = keep if keep is not None else wb.settings.keep_models
        if number is None:
            raise InvalidInput(
                "nothing says how many of the newest versions keep their files",
                remedy="give --keep N, or set WORKBENCH_KEEP_MODELS",
            )
        plan = wb.pruning.plan(project, number)
        done = bool(plan.going) and not dry_run
        if done:
            if not as_json:
                _show(plan, to_error=True)
            confirm(
                f"Remove the files of {named(plan.going)}? {megabytes(plan.freed)} are freed; "
                "to use one again it has to be trained again.",
                yes,
            )
            plan = wb.pruning.prune(project, number)

        def show() -> None:
            if done:
                out.print(f"{pruned_sentence(plan)}.", markup=False)
            else:
                _show(plan)

        emit(as_json, plan_json(project, plan, done=done), show)


def _show(plan: PrunePlan, *, to_error: bool = False) -> None:
    """Every version: what it takes, and whether it goes or why it stays."""
    console = err if to_error else out
    table = Table("version", "disk", "")
    for version in plan.versions:
        if version.pruned_at is not None:
            told = f"pruned on {version.pruned_at:%Y-%m-%d}"
        else:
            told = f"stays: {'; '.join(version.reasons)}" if version.reasons else "goes"
        table.add_row(str(version.number), megabytes(version.size) if version.size else "–", told)
    console.print(table)
    said = f"{megabytes(plan.size)} in all"
    if plan.going:
        said += f"; the files of {named(plan.going)} may go: {megabytes(plan.freed)}"
    console.print(f"{said}.", markup=False)
