"""``workbench progress``: is labeling paying?"""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli.base import JsonOption, app, emit, err, out, workbench
from workbench.cli.following import follow
from workbench.services.progress import LABELS, Progress, progress_json


@app.command()
def progress(
    name: Annotated[str, typer.Argument(help="The project.")],
    split: Annotated[
        str | None, typer.Option(help="What versions were measured on: test unless given, else validation.")
    ] = None,
    labels: Annotated[int, typer.Option(help="How many next labels to look at.")] = LABELS,
    measure: Annotated[
        bool, typer.Option("--measure", help="Measure versions that were not on the labels of now first.")
    ] = False,
    read: Annotated[
        bool,
        typer.Option(
            "--read", help="Let versions that have not read the stop set do so first: a run for each."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """What labels have bought so far, what the next ones would, and whether versions still change their minds."""
    with workbench() as wb:
        project = wb.projects.get(name)
        if read:
            for number in wb.stop_sets.agreement(project).unread:
                follow(wb, wb.stop_sets.read(project, number))
        found = wb.progress.report(project, split, labels)
        if measure and found.split is not None and found.unmeasured:
            for number in found.unmeasured:
                wb.evaluation.evaluate(project, number, found.split)
            found = wb.progress.report(project, split, labels)
        if found.unmeasured:
            numbers = ", ".join(map(str, found.unmeasured))
            err.print(
                f"Not measured on the labels of now, and so left out: version {numbers}. --measure measures them.",
                markup=False,
            )
        for warning in found.warnings:
            err.print(warning, markup=False)
        emit(as_json, progress_json(project, found), lambda: _show(found))


def _show(found: Progress) -> None:
    decimals = 3 if found.scale <= 1 else 1
    for point in found.points:
        interval = "" if point.low is None else f" ({point.low:.{decimals}f} to {point.high:.{decimals}f})"
        lots = "" if point.audit.score is None else f", by lot {point.audit.score:.{decimals}f}"
        out.print(
            f"  version {point.version:3}  {point.examples:7,} examples  {point.words:9,} words  "
            f"{point.hours:6.1f} h  {found.metric} {point.score:.{decimals}f}{interval}{lots}",
            markup=False,
        )
    for sentence in found.sentences:
        out.print(sentence, markup=False)
    if found.stop.unread:
        numbers = ", ".join(map(str, found.stop.unread))
        out.print(f"Version {numbers} has not read the stop set; --read lets it.", markup=False)
