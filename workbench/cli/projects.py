"""``workbench init`` and ``workbench project …``."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Column, Table
from rich.text import Text

from workbench.cli.base import JsonOption, app, emit, out, plain, workbench
from workbench.domain import Sharing
from workbench.services.probes import share_of

projects = typer.Typer(help="Create and look at projects.", no_args_is_help=True)
app.add_typer(projects, name="project")


@app.command()
def init(as_json: JsonOption = False) -> None:
    """Create the database, or upgrade it; safe to repeat."""
    with workbench() as wb:
        url = wb.store.engine.url.render_as_string(hide_password=True)
        emit(
            as_json,
            {"home": wb.settings.home.absolute(), "database": url},
            lambda: out.print(f"The workbench is ready: {url}"),
        )


@projects.command("create")
def create(
    name: Annotated[str, typer.Argument(help="A name of your choice.")],
    task: Annotated[str, typer.Option(help="ner, pos or qa.")],
    labels: Annotated[str, typer.Option(help="Comma-separated label set; imports add what they find.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Make a project."""
    names = [part.strip() for part in labels.split(",") if part.strip()]
    with workbench() as wb:
        project = wb.projects.create(name, task, names)
        emit(as_json, project, lambda: out.print(f"Project {project.name} ({project.task}) is made."))


@projects.command("keys")
def keys(
    name: Annotated[str, typer.Argument(help="The project's name.")],
    assign: Annotated[
        list[str],
        typer.Argument(help="LABEL=KEY, one sign each; LABEL= takes its key away.", metavar="LABEL=KEY"),
    ],
    as_json: JsonOption = False,
) -> None:
    """Give labels the keys that set them on the Label page."""
    pairs = [part.rpartition("=") if not part.endswith("==") else (part[:-2], "=", "=") for part in assign]
    for part, (label, _, _) in zip(assign, pairs, strict=True):
        if not label:
            raise typer.BadParameter(f"{part!r} is not LABEL=KEY")
    with workbench() as wb:
        project = wb.projects.assign_keys(
            wb.projects.get(name), {label: key or None for label, _, key in pairs}
        )
        given = {label.name: label.key for label in project.labels if not label.retired}
        said = ", ".join(f"{label} {key}" for label, key in given.items() if key)
        emit(as_json, {"keys": given}, lambda: out.print(said or "No label has a key."))


@projects.command("share")
def share(
    name: Annotated[str, typer.Argument(help="The project's name.")],
    people: Annotated[int, typer.Option(help="How many people label each example of the share.")] = 1,
    share: Annotated[float, typer.Option(help="Share of the examples that so many label, 0 to 1.")] = 1.0,
    agree: Annotated[
        int | None,
        typer.Option(help="So many must give the very same labels before they are gold; 2 by default."),
    ] = None,
    blind: Annotated[float, typer.Option(help="Share labeled without a suggestion, 0 to 1.")] = 0.0,
    documents: Annotated[
        bool,
        typer.Option("--documents", help="Whoever has labeled in a document is given the rest of it first."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Share the work out: how many people label an example, when they agree, who labels without help."""
    with workbench() as wb:
        sharing = Sharing(
            people, share, agree if agree is not None else max(1, min(2, people)), blind, documents
        )
        project = wb.sharing.set(wb.projects.get(name), sharing)
        progress = wb.sharing.progress(project)

        def human() -> None:
            out.print(f"{project.name}: {sharing.people} people label {sharing.share:.0%} of the examples.")
            out.print(
                f"{progress.begun:,} begun, {progress.agreed:,} agreed, {progress.disputed:,} for a reviewer."
            )

        emit(as_json, {**project.sharing.stored(), "progress": plain(progress)}, human)


@projects.command("probes")
def probes(
    name: Annotated[str, typer.Argument(help="The project's name.")],
    share: Annotated[
        float | None,
        typer.Option(
            help="Share of the next batches that are adjudicated examples, 0 to 0.5; 0.05 is one in 20."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Adjudicated examples that are mixed in unseen: how many, and how close to gold each person's answers come."""
    with workbench() as wb:
        project = wb.projects.get(name)
        if share is not None:
            project = wb.probes.set(project, share)
        free, mixed_in = wb.probes.supply(project)
        scores = wb.probes.scores(project)

        def human() -> None:
            out.print(
                f"{share_of(project):.1%} of new batches; {mixed_in:,} in batches, {free:,} more could be."
            )
            for one in scores:
                known = "no labels" if one.score is None else f"{one.score:.3f}"
                out.print(
                    f"{one.person}\t{known}\t{one.same} of {one.answers} the same as gold", markup=False
                )

        told = {"share": share_of(project), "in_batches": mixed_in, "available": free}
        emit(as_json, {**told, "people": [plain(one) for one in scores]}, human)


@projects.command("list")
def list_projects(as_json: JsonOption = False) -> None:
    """Every project."""
    with workbench() as wb:
        found = wb.projects.list()

        def human() -> None:
            table = Table("name", "task", "labels", "made")
            for project in found:
                made = f"{project.created_at:%Y-%m-%d}"
                table.add_row(project.name, project.task, ", ".join(project.label_names), made)
            out.print(
                table if found else "There is no project yet; make one with `workbench project create`."
            )

        emit(as_json, found, human)


@projects.command("show")
def show(
    name: Annotated[str, typer.Argument(help="The project's name.")], as_json: JsonOption = False
) -> None:
    """What a project has: labels, examples by split, how many are labeled."""
    with workbench() as wb:
        project = wb.projects.get(name)
        counts = wb.datasets.counts(project)

        def human() -> None:
            labels = ", ".join(project.label_names) or "no labels"
            out.print(Text.assemble((project.name, "bold"), f", {project.task}: {labels}"))
            table = Table(
                "split", *(Column(name, justify="right") for name in ("examples", "labeled", "words"))
            )
            for split, of_split in counts.splits.items():
                table.add_row(split, f"{of_split.examples:,}", f"{of_split.gold:,}", f"{of_split.words:,}")
            out.print(table)

        emit(as_json, {**plain(project), "counts": plain(counts)}, human)
