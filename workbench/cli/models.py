"""``workbench models`` and ``workbench promote``."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from workbench.cli.base import JsonOption, app, emit, out, workbench
from workbench.domain import ModelVersion, Project
from workbench.services import Workbench
from workbench.services.models import primary_score


@app.command()
def models(
    name: Annotated[str, typer.Argument(help="The project.")],
    as_json: JsonOption = False,
) -> None:
    """The project's model versions."""
    with workbench() as wb:
        project = wb.projects.get(name)
        versions = wb.models.list(project)
        emit(as_json, [_data(wb, version) for version in versions], lambda: _show(project, versions))


@app.command()
def promote(
    name: Annotated[str, typer.Argument(help="The project.")],
    number: Annotated[int, typer.Argument(metavar="N", help="Number of the version.")],
    as_json: JsonOption = False,
) -> None:
    """Make a version the project's chosen one: `best` names it from now on."""
    with workbench() as wb:
        project = wb.projects.get(name)
        version = wb.models.promote(project, number)
        emit(
            as_json,
            _data(wb, version),
            lambda: out.print(f"Version {number} is the chosen one of {name}.", markup=False),
        )


def _data(wb: Workbench, version: ModelVersion) -> dict[str, Any]:
    snapshot = wb.models.snapshot(version)
    return {
        "model_version": version.number,
        "base_model": version.base_model,
        "parent": version.parent,
        "run": version.run_id,
        "labels": list(version.labels),
        "metrics": dict(version.metrics),
        "parameters": dict(version.parameters),
        "snapshot": {"content_hash": snapshot.content_hash, "counts": dict(snapshot.counts)},
        "artifact": str(wb.settings.models_dir / version.artifact),
        "artifact_sha256": version.artifact_sha256,
        "promoted": version.promoted,
        "created_at": version.created_at,
    }


def _show(project: Project, versions: tuple[ModelVersion, ...]) -> None:
    if not versions:
        out.print(
            f"{project.name} has no model version yet. `workbench train {project.name}` makes one.",
            markup=False,
        )
        return
    table = Table("version", "base model", "validation", "run", "made", "")
    for version in versions:
        score = primary_score(project, version)
        table.add_row(
            str(version.number),
            f"version {version.parent}" if version.parent else version.base_model,
            "–" if score is None else f"{score:.4f}",
            str(version.run_id),
            f"{version.created_at:%Y-%m-%d %H:%M}",
            "promoted" if version.promoted else "",
        )
    out.print(table)
