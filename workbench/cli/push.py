"""``workbench push-model``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.base import JsonOption, app, emit, err, out
from workbench.services.hubpush import push_export


@app.command("push-model")
def push_model(
    model_dir: Annotated[Path, typer.Argument(help="A folder that export-model made.")],
    repository: Annotated[str, typer.Argument(help="OWNER/NAME on the Hugging Face hub.")],
    public: Annotated[bool, typer.Option("--public", help="A new repository can be seen by all.")] = False,
    message: Annotated[str | None, typer.Option(help="Of the commit.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Push an export to the Hugging Face hub, with the token in HF_TOKEN."""
    err.print(f"Pushing {model_dir} to {repository} …", style="dim", markup=False)
    done = push_export(model_dir, repository, public=public, message=message)
    emit(as_json, done, lambda: out.print(f"{done.files} files are at {done.address}.", markup=False))
