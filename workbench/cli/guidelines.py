"""``workbench guidelines …``: what people are asked to label how, in versions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from workbench.cli.base import JsonOption, app, emit, out, workbench
from workbench.errors import InvalidInput
from workbench.services.linediff import LineKind

guidelines = typer.Typer(help="Guidelines of a project, in versions.", no_args_is_help=True)
app.add_typer(guidelines, name="guidelines")

NameArgument = Annotated[str, typer.Argument(help="The project's name.")]
SIGNS = {LineKind.ADDED: "+ ", LineKind.REMOVED: "- ", LineKind.SAME: "  ", LineKind.GAP: "… "}


@guidelines.command("show")
def show(
    name: NameArgument,
    version: Annotated[int | None, typer.Option(help="An older version's number.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Print the guidelines as they were written (Markdown)."""
    with workbench() as wb:
        found = wb.guidelines.version(wb.projects.get(name), version)
        emit(as_json, found, lambda: out.print(found.text, markup=False))


@guidelines.command("set")
def set_guidelines(
    name: NameArgument,
    file: Annotated[str, typer.Argument(help="A file of Markdown; - reads stdin.")],
    note: Annotated[str, typer.Option(help="What has changed, in a line.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Write a new version; every annotator is shown once what has changed."""
    with workbench() as wb:
        found = wb.guidelines.write(wb.projects.get(name), _read(file), note=note)
        said = "Nothing has changed." if found is None else f"Version {found.number} holds now."
        emit(as_json, {"version": found.number if found else None}, lambda: out.print(said))


@guidelines.command("history")
def history(name: NameArgument, as_json: JsonOption = False) -> None:
    """Every version, the newest first, and who has read which."""
    with workbench() as wb:
        project = wb.projects.get(name)
        versions, readers = wb.guidelines.versions(project), wb.guidelines.readers(project)
        rows = [
            {
                "number": one.number,
                "by": one.by,
                "created_at": one.created_at,
                "note": one.note,
                "characters": len(one.text),
                "read_by": sorted(name for name, number in readers.items() if number >= one.number),
            }
            for one in versions
        ]

        def human() -> None:
            table = Table("version", "when (UTC)", "by", "note", "read by")
            for row, one in zip(rows, versions, strict=True):
                when = f"{one.created_at:%Y-%m-%d %H:%M}"
                read = [name for name, number in readers.items() if number >= one.number]
                table.add_row(str(row["number"]), when, one.by or "command line", one.note, ", ".join(read))
            out.print(table if rows else "Nobody has written guidelines yet.")

        emit(as_json, rows, human)


@guidelines.command("diff")
def diff(
    name: NameArgument,
    old: Annotated[
        int | None, typer.Argument(help="A version's number; without it the last but one.")
    ] = None,
    new: Annotated[int | None, typer.Argument(help="Another's; without it the newest.")] = None,
    as_json: JsonOption = False,
) -> None:
    """What has changed from one version to another, line by line."""
    with workbench() as wb:
        project = wb.projects.get(name)
        last = new if new is not None else wb.guidelines.version(project).number
        lines = wb.guidelines.changes(project, old if old is not None else last - 1, last)

        def human() -> None:
            for line in lines:
                out.print(SIGNS[line.kind] + line.text, markup=False)

        emit(as_json, lines, human)


@guidelines.command("restore")
def restore(
    name: NameArgument,
    version: Annotated[int, typer.Argument(help="The version's number.")],
    as_json: JsonOption = False,
) -> None:
    """Let an older version hold again, as a new one."""
    with workbench() as wb:
        found = wb.guidelines.restore(wb.projects.get(name), version)
        said = "It holds already." if found is None else f"Version {found.number} holds now."
        emit(as_json, {"version": found.number if found else None}, lambda: out.print(said))


@guidelines.command("example")
def example(
    name: NameArgument,
    external_id: Annotated[str, typer.Argument(help="The example's id, as the Data page shows it.")],
    as_json: JsonOption = False,
) -> None:
    """Print the line that shows an example with its labels, to be put into the guidelines."""
    with workbench() as wb:
        line = wb.guidelines.example(wb.projects.get(name), external_id)
        emit(as_json, {"line": line}, lambda: out.print(line, markup=False))


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} can't be read as text ({error})", remedy="give a UTF-8 file") from error
