"""``workbench annotate``: annotations from a file, or from the labels kept aside."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.base import JsonOption, app, emit, err, out, workbench
from workbench.errors import InvalidInput
from workbench.services.annotation_items import FileReport

SHOWN = 20
"""Refused lines that are printed one by one."""


@app.command()
def annotate(
    name: Annotated[str, typer.Argument(help="The project.")],
    file: Annotated[Path | None, typer.Argument(help="JSONL, one annotation per line.")] = None,
    author: Annotated[str | None, typer.Option(help="Whose annotations the file holds.")] = None,
    batch: Annotated[int | None, typer.Option(help="Number of the batch to answer.")] = None,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Answer the batch with the labels kept aside at import.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Submit annotations from a file, or answer a batch as the simulated annotator."""
    if simulate:
        if batch is None or file is not None:
            raise typer.BadParameter("--simulate answers a batch: give --batch and no file")
    elif file is None or author is None:
        raise typer.BadParameter("give a file and --author, or --batch and --simulate")
    with workbench() as wb:
        project = wb.projects.get(name)
        if file is not None and author is not None:
            report = wb.annotation.annotate_file(project, file, author, batch)
        else:
            assert batch is not None
            report = FileReport(wb.annotation.simulate(project, batch))
    refused = [{"line": one.line, "message": one.message} for one in report.refused]
    emit(as_json, {"stored": report.stored, "refused": refused}, lambda: _print(report))
    if refused and not report.stored:
        raise InvalidInput(
            f"nothing of the file is stored; lines refused: {len(refused):,}",
            remedy="mend them and give it again",
        )


def _print(report: FileReport) -> None:
    noun = "annotation is" if report.stored == 1 else "annotations are"
    out.print(f"{report.stored:,} {noun} stored.")
    for refusal in report.refused[:SHOWN]:
        err.print(f"line {refusal.line}: {refusal.message}")
    if len(report.refused) > SHOWN:
        err.print(f"… and {len(report.refused) - SHOWN:,} more refused lines (--json lists them all)")
