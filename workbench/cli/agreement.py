"""``workbench agreement``: do people agree on what they label?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from workbench.cli.base import JsonOption, app, emit, out, plain, workbench
from workbench.services.agreement import Agreement


@app.command("agreement")
def agreement(
    name: Annotated[str, typer.Argument(help="The project's name.")],
    batch: Annotated[int | None, typer.Option(help="Only what was said in answer to this batch.")] = None,
    as_json: JsonOption = False,
) -> None:
    """How far people agree on the examples that two or more of them have labeled."""
    with workbench() as wb:
        project = wb.projects.get(name)
        batch_id = None if batch is None else wb.selection.batch(project, batch).id
        found = wb.agreement.measure(project, batch_id=batch_id)
        emit(as_json, _data(found), lambda: _show(found))


def _data(found: Agreement) -> Mapping[str, Any]:
    return {
        "overall": plain(found.overall),
        "pairs": [{"annotators": list(names), **plain(each)} for names, each in found.pairs.items()],
        "labels": {label: {**plain(each), "f1": each.f1} for label, each in found.labels.items()},
        "weeks": {week.isoformat(): plain(each) for week, each in found.weeks.items()},
        "differing": [case.example.id for case in found.cases if not case.same],
    }


def _show(found: Agreement) -> None:
    if not found.cases:
        out.print("No example has been labeled by two people. See `workbench project share`.")
        return
    whole = found.overall
    out.print(f"{whole.examples:,} examples labeled by two people or more.")
    table = Table("who", *(Column(name, justify="right") for name in ("examples", "F1", "kappa", "same")))
    for names, each in found.pairs.items():
        table.add_row(
            " and ".join(names),
            f"{each.examples:,}",
            _number(each.f1),
            _number(each.kappa),
            _number(each.exact),
        )
    table.add_row(
        "all", f"{whole.examples:,}", _number(whole.f1), _number(whole.fleiss), _number(whole.exact)
    )
    out.print(table)
    if whole.alpha is not None:
        out.print(f"Krippendorff's alpha {whole.alpha:.3f}")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
