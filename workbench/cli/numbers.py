"""``workbench numbers``: pace, hours, agreement with gold, acceptance of suggestions, per person, label and day."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from workbench.cli.base import JsonOption, app, emit, out, workbench, writing
from workbench.services.worknumbers import TeamNumbers, numbers_json, write_table


@app.command("numbers")
def numbers(
    name: Annotated[str, typer.Argument(help="The project's name.")],
    days: Annotated[int | None, typer.Option(help="Of so many days up to today (UTC); else of all.")] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Write a table of each person's every day to this file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """What each person did: pace, hours, agreement with gold, acceptance of suggestions."""
    with workbench() as wb:
        found = wb.work_numbers.team(wb.projects.get(name), days)
        if csv_file is not None:
            with writing(csv_file):
                write_table(csv_file, found)
        emit(as_json, numbers_json(found), lambda: _show(found))


def _show(found: TeamNumbers) -> None:
    table = Table("who", "examples", "hours", "examples/h", "words/h", "accepted", "agreement")
    for name, one in [*found.people.items(), ("everybody", found.everybody)]:
        table.add_row(
            name,
            f"{one.examples:,}",
            f"{one.hours:.1f}",
            _number(one.examples_per_hour),
            _number(one.words_per_hour),
            _share(one.acceptance),
            _share(one.f1),
        )
    out.print(table if found.days else "Nobody has labeled anything in this time.")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"
