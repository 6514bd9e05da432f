"""``workbench review …``: what waits for a reviewer, and the reviewer's word."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli.base import JsonOption, app, emit, out, workbench
from workbench.services.review import Dossier, Waiting
from workbench.tasks import get_task

reviews = typer.Typer(help="Decide which of people's labels count.", no_args_is_help=True)
app.add_typer(reviews, name="review")

NameArgument = Annotated[str, typer.Argument(help="The project's name.")]
ByOption = Annotated[str, typer.Option("--by", help="The reviewer, in whose name it is decided.")]


@reviews.command("list")
def list_waiting(
    name: NameArgument,
    which: Annotated[
        Waiting, typer.Option(help="Which: people differ, somebody has flagged it, or it is decided.")
    ] = Waiting.DISPUTED,
    limit: Annotated[int, typer.Option(help="The most to show.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Examples that wait for a reviewer, with what each person says of them."""
    with workbench() as wb:
        project = wb.projects.get(name)
        ids = wb.review.waiting(project, which)
        dossiers = [wb.review.dossier(project, example_id) for example_id in ids[:limit]]
        task = get_task(project.task)
        rows = [
            {
                "example": one.case.example.id,
                "external_id": one.case.example.external_id,
                "text": one.case.example.content.text,
                "question": one.case.example.content.question,
                "versions": [
                    {
                        "annotation": each.id,
                        "annotator": name,
                        **(task.dump(each.payload) if each.payload is not None else {}),
                    }
                    for name, each in one.case.said.items()
                ],
                "gold": one.gold.id if one.gold else None,
                "decided_by": one.decided_by,
            }
            for one in dossiers
        ]
        emit(as_json, {"waiting": len(ids), "examples": rows}, lambda: _show(len(ids), dossiers))


@reviews.command("accept")
def accept(
    name: NameArgument,
    annotation: Annotated[int, typer.Argument(help="Id of the revision, as `review list` gives it.")],
    by: ByOption,
    as_json: JsonOption = False,
) -> None:
    """One person's version counts, and stays so whatever anybody says later."""
    with workbench() as wb:
        project = wb.projects.get(name)
        wb.review.accept(project, wb.members.person(by), annotation)
        emit(as_json, {"gold": annotation}, lambda: out.print(f"Revision {annotation} counts."))


@reviews.command("reopen")
def reopen(
    name: NameArgument,
    example: Annotated[int, typer.Argument(help="Id of the example.")],
    by: ByOption,
    as_json: JsonOption = False,
) -> None:
    """Take a reviewer's word back: what people agree on counts again."""
    with workbench() as wb:
        wb.review.reopen(wb.projects.get(name), wb.members.person(by), example)
        emit(as_json, {"example": example}, lambda: out.print(f"Example {example} is open again."))


def _show(waiting: int, dossiers: list[Dossier]) -> None:
    out.print(f"{waiting:,} examples.")
    for one in dossiers:
        content = one.case.example.content
        out.print(f"\n{one.case.example.id}  {content.text}", markup=False)
        if content.question is not None:
            out.print(f"  {content.question}", markup=False)
        for name, each in one.case.said.items():
            mark = " (counts)" if one.gold is not None and one.gold.id == each.id else ""
            out.print(f"  {each.id}  {name}{mark}: {each.payload}", markup=False)
