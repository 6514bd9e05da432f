"""``workbench serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.base import JsonOption, app, emit, err
from workbench.config import get_settings
from workbench.errors import Unavailable
from workbench.services.standing import StandingModel


@app.command()
def serve(
    model_dir: Annotated[Path, typer.Argument(help="A folder that export-model made.")],
    host: Annotated[
        str, typer.Option(help="0.0.0.0 lets other machines in; there is no sign-in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8080,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Serve an exported model over HTTP: /predict, /health, /docs."""
    try:
        import uvicorn

        from workbench.web.serving import make_app
    except ImportError as error:
        raise Unavailable(
            f"serving a model needs {error.name}, which is not installed",
            remedy="run pip install -e '.[serve]' in the workbench's folder",
        ) from None
    err.print(f"Loading {model_dir} …", style="dim", markup=False)
    model = StandingModel(model_dir, device or get_settings().device)
    address = f"http://{host}:{port}"
    told = {"address": address, "task": model.task, "labels": model.labels}
    emit(as_json, told, lambda: err.print(f"Serving on {address} (how to ask: /docs)", markup=False))
    uvicorn.run(make_app(model), host=host, port=port, log_level="warning")
