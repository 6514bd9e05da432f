"""``workbench init`` and ``workbench project …``."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli.base import JsonOption, app, emit, out, workbench

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
