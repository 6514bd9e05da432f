"""``workbench export-data``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.base import JsonOption, app, emit, out, show_notices, workbench
from workbench.domain import Split
from workbench.services.exportkinds import EXPORTS, ExportReport


@app.command("export-data")
def export_data(
    name: Annotated[str, typer.Argument(help="The project.")],
    format_name: Annotated[
        str,
        typer.Option("--format", help=f"One of {', '.join(EXPORTS)}."),
    ],
    out_path: Annotated[
        Path, typer.Option("--out", help="The file to write; a folder where several are written.")
    ],
    split: Annotated[Split | None, typer.Option(help="Only this one.")] = None,
    scheme: Annotated[str, typer.Option(help="NER tags: IOB1, IOB2, BIOES, BILOU or IO.")] = "IOB2",
    annotator: Annotated[
        str | None, typer.Option(help="This annotator's own newest labels, in place of the accepted ones.")
    ] = None,
    per_annotator: Annotated[
        bool, typer.Option("--per-annotator", help="Every annotator's own newest labels, a row for each.")
    ] = False,
    provenance: Annotated[
        bool, typer.Option("--provenance", help="Also who labeled it, when, from which suggestion.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse if the format can't hold everything, and write nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a project's labels into a file: the accepted ones, or annotators' own."""
    with workbench() as wb:
        report = wb.datasets.export_data(
            wb.projects.get(name),
            format_name,
            out_path,
            split,
            scheme=scheme,
            annotator=annotator,
            per_annotator=per_annotator,
            provenance=provenance,
            strict=strict,
        )
    emit(as_json, report, lambda: _show_export(report))


def _show_export(report: ExportReport) -> None:
    changed = f", {report.changed:,} with labels that have changed" if report.format == "source" else ""
    out.print(f"Wrote {report.examples:,} examples to {report.path}{changed}.", markup=False)
    if report.skipped:
        out.print(f"  left out: {report.skipped:,}", markup=False)
    if report.partial:
        kept = "written as the file had them" if report.format == "source" else "among those left out"
        out.print(f"  with partial labels, {kept}: {report.partial:,}", markup=False)
    if report.lost:
        out.print(f"  can't be held by the format: {report.lost:,}", markup=False)
    show_notices(report.warnings)
