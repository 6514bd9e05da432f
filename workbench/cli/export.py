"""``workbench export-model``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.base import JsonOption, app, emit, err, out, workbench


@app.command("export-model")
def export_model(
    name: Annotated[str, typer.Argument(help="The project.")],
    to: Annotated[Path, typer.Option("--out", help="The folder to make.")],
    model_version: Annotated[str, typer.Option(help="A number, best or latest.")] = "best",
    force: Annotated[
        bool, typer.Option("--force", help="Replace the folder where it holds a model.")
    ] = False,
    onnx: Annotated[
        bool, typer.Option("--onnx", help="ONNX too, in fp32 and int8, which runs without torch.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Export a model version as a folder that transformers loads, checked in a fresh process."""
    with workbench() as wb:
        project = wb.projects.get(name)
        done = wb.exporting.export_model(
            project,
            model_version,
            to,
            force=force,
            onnx=onnx,
            on_step=lambda step: err.print(f"{step} …", style="dim"),
        )
        data = {
            "folder": done.folder,
            "model_version": done.version,
            "files": dict(done.files),
            "verification": dict(done.verification),
            "seconds": done.seconds,
        }

        def show() -> None:
            checked = done.verification
            out.print(f"Version {done.version} of {project.name} is in {done.folder}.", markup=False)
            out.print(
                f"A fresh process without the workbench loaded it and predicted the same on "
                f"{checked['examples']} examples. README.md in the folder shows how to use it."
            )

        emit(as_json, data, show)
