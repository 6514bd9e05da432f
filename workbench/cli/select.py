"""``workbench select``: choose what to label next."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli.base import JsonOption, app, emit, err, out, workbench
from workbench.cli.suspects import list_suspects
from workbench.services.picking import Filters, Pick, Selection
from workbench.services.selection import SEED

SHOWN = 80
"""Characters of a text that one line shows."""


@app.command()
def select(
    name: Annotated[str, typer.Argument(help="The project.")],
    size: Annotated[int, typer.Option(help="How many examples; or words, or seconds, with --unit.")],
    strategy: Annotated[
        str | None,
        typer.Option(
            help="random, mnlp, badge, typiclust, … (docs/reference/strategies.md has all); needed unless --suspected."
        ),
    ] = None,
    unit: Annotated[
        str,
        typer.Option(
            help="examples, words, or seconds that an annotator will take, predicted from those logged."
        ),
    ] = "examples",
    seed: Annotated[int, typer.Option(help="Of the random order.")] = SEED,
    model_version: Annotated[
        int | None, typer.Option(help="Whose scores to use; the newest that scored the pool unless given.")
    ] = None,
    document: Annotated[str | None, typer.Option(help="Only from this document.")] = None,
    text: Annotated[str | None, typer.Option(help="Only examples that hold this text.")] = None,
    label: Annotated[str | None, typer.Option(help="Only examples with this predicted label.")] = None,
    keep_duplicates: Annotated[
        bool,
        typer.Option(
            "--keep-duplicates", help="Take duplicates of labeled examples and near-duplicates of picks too."
        ),
    ] = False,
    audit_share: Annotated[
        float, typer.Option(help="Share of examples drawn by lot from the whole pool, 0 to 1.")
    ] = 0.0,
    noise: Annotated[
        float,
        typer.Option(help="Noise on the scores, for a more varied batch: 0 none, 1 chances as the scores."),
    ] = 0.0,
    suspected: Annotated[
        bool,
        typer.Option(
            "--suspected",
            help="In place of unlabeled examples, labeled ones whose label is probably wrong (`workbench suspects`), "
            "the most doubtful first; of the other options only --size and --label count then.",
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the choice, make no batch.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Choose pool examples by a query strategy and make them a batch."""
    with workbench() as wb:
        project = wb.projects.get(name)
        if suspected:
            list_suspects(wb, project, label=label, limit=size, batch=not dry_run, as_json=as_json)
            return
        if strategy is None:
            raise typer.BadParameter("give a strategy, such as mnlp or random", param_hint="--strategy")
        selection = wb.selection.preview(
            project,
            strategy,
            size,
            unit,
            seed=seed,
            model_version=model_version,
            filters=Filters(document=document, text=text, label=label),
            keep_duplicates=keep_duplicates,
            audit_share=audit_share,
            noise=noise,
        )
        number: int | None = None
        picks = selection.picks
        if not dry_run:
            batch, picks = wb.selection.create(project, selection)
            number = batch.number
        words = sum(pick.words for pick in picks)
        if selection.short:
            err.print(f"The pool had fewer than {size} {unit} to give.", style="yellow", markup=False)
        data = {
            "batch": number,
            "strategy": strategy,
            "model_version": selection.model_version,
            "words": words,
            "seconds": selection.seconds,
            "duplicates": selection.duplicates,
            "items": [
                {
                    "example": pick.example_id,
                    "external_id": pick.external_id,
                    "score": pick.score,
                    "text": pick.text,
                    "question": pick.question,
                    "words": pick.words,
                    "reason": pick.reason,
                }
                for pick in picks
            ],
        }
        emit(as_json, data, lambda: _show(number, selection, picks))


def _show(number: int | None, selection: Selection, picks: tuple[Pick, ...]) -> None:
    words = sum(pick.words for pick in picks)
    what = f"Batch {number}" if number is not None else "This would be a batch"
    out.print(f"{what}: {len(picks)} examples, {words} words, by {selection.strategy}.", markup=False)
    out.print(f"About {selection.seconds:,.0f} s of labeling. {selection.cost.sentence}", markup=False)
    if selection.duplicates:
        out.print(f"{selection.duplicates} near-duplicates were left out.", markup=False)
    for pick in picks[:10]:
        line = " ".join((pick.question or pick.text).split())
        shown = line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"
        out.print(f"  {pick.score:8.4f}  {shown}", markup=False)
        if pick.reason.get("why"):
            out.print(f"            {pick.reason['why']}", markup=False)
    if len(picks) > 10:
        out.print(f"  … and {len(picks) - 10} more", markup=False)
