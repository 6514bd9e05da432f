"""``workbench suspects``: labels that are probably wrong."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from workbench.cli.base import JsonOption, app, emit, out, workbench
from workbench.cli.following import follow
from workbench.cli.train import training_parameters
from workbench.domain import Project, Split
from workbench.services import Workbench
from workbench.services.suspects import FOLDS, SuspectExample, Suspects

SHOWN = 100
"""Characters of a text that one line shows."""


@app.command()
def suspects(
    name: Annotated[str, typer.Argument(help="The project.")],
    find: Annotated[
        bool, typer.Option("--find", help="Look for them anew; without it the newest search is read.")
    ] = False,
    folds: Annotated[
        int, typer.Option(help="Models to train for a search, each judging what it did not learn from.")
    ] = FOLDS,
    model_version: Annotated[
        int | None,
        typer.Option(help="Let this version judge instead: no training; right for the test split."),
    ] = None,
    splits: Annotated[
        str, typer.Option("--splits", help="Comma-separated: whose labels to judge.")
    ] = ",".join(Split),
    preset: Annotated[str | None, typer.Option(help="Of the trainings: quick, balanced, thorough.")] = None,
    base_model: Annotated[str | None, typer.Option(help="Of the trainings.")] = None,
    epochs: Annotated[float | None, typer.Option(help="Passes of each training.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Its peak, in each training.")] = None,
    context: Annotated[
        int | None,
        typer.Option(help="Sub-words of its document on either side of a sentence, in each training."),
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = None,
    label: Annotated[
        str | None, typer.Option(help="Only those where this label is given or proposed.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="The most doubtful so many.")] = 50,
    batch: Annotated[
        bool, typer.Option("--batch", help="Put the listed ones into a correction batch.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Labeled examples whose label is probably wrong, the most doubtful first."""
    given = {
        "base_model": base_model,
        "epochs": epochs,
        "learning_rate": learning_rate,
        "context": context,
        "device": device,
    }
    with workbench() as wb:
        project = wb.projects.get(name)
        if find:
            run = wb.suspects.launch(
                project,
                folds=folds,
                model_version=model_version,
                splits=[part.strip() for part in splits.split(",") if part.strip()],
                parameters=training_parameters(preset, given),
            )
            follow(wb, run)
        list_suspects(wb, project, label=label, limit=limit, batch=batch, as_json=as_json)


def list_suspects(
    wb: Workbench, project: Project, *, label: str | None, limit: int, batch: bool, as_json: bool
) -> None:
    """Print what the newest search found, and make it a correction batch where that is asked for."""
    found = wb.suspects.newest(project).with_label(label)
    rows = found.rows[:limit]
    shown = wb.suspects.shown(project, rows)
    made = wb.suspects.correct(project, rows) if batch else None
    number = made.batch.number if made else None
    data = {
        "run": found.run.id,
        "how": found.how,
        "warning": found.warning,
        "folds": found.run.parameters.get("folds"),
        "model_version": found.run.parameters.get("model_version"),
        "examined": found.examined,
        "suspected": found.found,
        "left": len(found.rows),
        "items": [_described(each) for each in shown],
        "batch": number,
    }
    emit(as_json, data, lambda: _show(found, shown, number))


def _described(each: SuspectExample) -> dict[str, Any]:
    text = each.example.content.text
    return {
        "example": each.example.id,
        "external_id": each.example.external_id,
        "split": each.example.split,
        "quality": each.quality,
        "seen": each.seen,
        "text": text,
        "question": each.example.content.question,
        "doubts": [
            {
                "start": doubt.start,
                "end": doubt.end,
                "text": text[doubt.start : doubt.end],
                "given": doubt.given,
                "proposed": doubt.proposed,
                "given_probability": doubt.given_probability,
                "probability": doubt.probability,
            }
            for doubt in each.doubts
        ],
    }


def _show(found: Suspects, shown: tuple[SuspectExample, ...], batch: int | None) -> None:
    out.print(found.how, markup=False)
    out.print(
        f"{found.found:,} of {found.examined:,} labeled examples are suspected; {len(found.rows):,} are left.",
        markup=False,
    )
    if found.warning is not None:
        out.print(found.warning, markup=False)
    for each in shown:
        content = each.example.content
        line = " ".join((content.question or content.text).split())
        seen = " (learned from)" if each.seen else ""
        out.print(
            f"  {each.quality:.4f}  {line[:SHOWN]}{'…' if len(line) > SHOWN else ''}{seen}", markup=False
        )
        out.print(f"          {each.sentence}", markup=False)
    if batch is not None:
        out.print(f"Batch {batch} has them; they wait on the Label page.", markup=False)
