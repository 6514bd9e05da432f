"""``workbench split`` and ``workbench duplicates``: that nothing is measured on what was learned from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from workbench.cli.base import JsonOption, YesOption, app, confirm, emit, out, workbench
from workbench.services.duplicates import Leak
from workbench.services.splits import GROUPS, SEED, SplitPlan, parse_ratios

SHORT = 90
"""Characters of a text that a list shows."""


@app.command("split")
def split(
    name: Annotated[str, typer.Argument(help="The project.")],
    ratio: Annotated[str, typer.Option(help="Shares, as in train=0.8,validation=0.1,test=0.1.")],
    seed: Annotated[int, typer.Option(help="Of the lot: the same seed makes the same splits.")] = SEED,
    group: Annotated[str, typer.Option(help=f"What stays together: {', '.join(GROUPS)}.")] = "auto",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would move, move nothing.")] = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Split a project's examples again, as long as nothing was learned, measured or labeled on its splits."""
    plan = SplitPlan(parse_ratios(ratio), seed, group)
    confirm(f"Split {name} anew? Where its examples are now is not kept.", yes or dry_run)
    with workbench() as wb:
        done = wb.splits.resplit(wb.projects.get(name), plan, dry_run=dry_run)
    shown = ", ".join(f"{split} {number:,}" for split, number in done.counts.items())
    verb = "would move" if dry_run else "moved"
    emit(
        as_json,
        done,
        lambda: out.print(
            f"{name}: {shown}; {done.moved:,} examples {verb}, each {done.grouped} as a whole."
        ),
    )


@app.command("duplicates")
def duplicates(
    name: Annotated[str, typer.Argument(help="The project.")],
    show: Annotated[int, typer.Option(min=0, help="How many to list.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Examples of the test and validation splits that also stand in another split, exactly or nearly."""
    with workbench() as wb:
        found = wb.datasets.overlap(wb.projects.get(name), show)

    def human() -> None:
        if not found.exact and not found.near:
            out.print(f"No held-out example of {name} stands in another split.", markup=False)
            return
        out.print(
            f"{found.exact:,} texts of held-out splits of {name} also stand in another split, "
            f"{found.near:,} more nearly word for word: scores on them flatter.",
            markup=False,
        )
        show_leaks(found.leaks)

    emit(as_json, found, human)


def show_leaks(leaks: Sequence[Leak]) -> None:
    """Print examples that stand on both sides."""
    for leak in leaks:
        like = "=" if leak.similarity == 1 else f"{leak.similarity:.0%} like"
        out.print(
            f"  {leak.split} {leak.external_id} {like} {leak.other_split} {leak.other_id}: {_short(leak.text)}",
            markup=False,
        )


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= SHORT else words[:SHORT] + "…"
