"""``workbench models``, ``promote``, ``archive`` and ``note``."""

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
    reason: Annotated[str, typer.Option(help="Why this one; kept with who and when.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Make a version the project's chosen one: `best` names it from now on."""
    with workbench() as wb:
        project = wb.projects.get(name)
        version = wb.models.promote(project, number, reason=reason)
        emit(
            as_json,
            _data(wb, version),
            lambda: out.print(f"Version {number} is the chosen one of {name}.", markup=False),
        )


@app.command()
def archive(
    name: Annotated[str, typer.Argument(help="The project.")],
    number: Annotated[int, typer.Argument(metavar="N", help="Number of the version.")],
    undo: Annotated[bool, typer.Option("--undo", help="Bring it back.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Put a version away: it suggests, selects and ranks nothing any more. Its files stay."""
    with workbench() as wb:
        version = wb.models.archive(wb.projects.get(name), number, not undo)
        said = f"Version {number} of {name} is {'back' if undo else 'archived'}."
        emit(as_json, _data(wb, version), lambda: out.print(said, markup=False))


@app.command()
def note(
    name: Annotated[str, typer.Argument(help="The project.")],
    number: Annotated[int, typer.Argument(metavar="N", help="Number of the version.")],
    text: Annotated[str, typer.Argument(help="The note; an empty one takes it away.")],
    as_json: JsonOption = False,
) -> None:
    """Replace a version's note."""
    with workbench() as wb:
        version = wb.models.set_note(wb.projects.get(name), number, text)
        emit(as_json, _data(wb, version), lambda: out.print(f"Noted: {version.note}", markup=False))


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
        "note": version.note,
        "promoted": version.promoted,
        "promoted_at": version.promoted_at,
        "promoted_by": version.promoted_by,
        "promoted_reason": version.promoted_reason,
        "archived": version.archived_at is not None,
        "pruned_at": version.pruned_at,
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
            ", ".join(version.states),
        )
    out.print(table)
