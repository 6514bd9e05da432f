"""``workbench demo``: the whole loop on the shipped sample."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.status import Status
from rich.text import Text

from workbench.cli.base import JsonOption, app, emit, err, out, plain, workbench
from workbench.domain import RunEvent
from workbench.services.demo import run_demo


@app.command()
def demo(
    task: Annotated[str, typer.Option(help="ner, pos or qa.")] = "ner",
    folder: Annotated[Path | None, typer.Option("--out", help="Where the exported model goes.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the whole loop on the shipped sample, printed step by step."""
    steps: list[dict[str, Any]] = []
    with workbench() as wb, Status("reading the sample", console=err) as status:
        for number, step in enumerate(run_demo(wb, task, folder, _progress(status)), 1):
            steps.append(plain(step))
            if not as_json:
                out.print(Text.assemble((f"{number:2}. {step.name:<9}", "bold"), f" {step.sentence}"))
            status.update("working")
    emit(as_json, {"task": task, "steps": steps}, lambda: _closing(steps))


def _progress(status: Status) -> Any:
    def say(event: RunEvent) -> None:
        if event.kind == "progress":
            done, total = event.data.get("done"), event.data.get("total")
            status.update(f"{event.data.get('phase', 'working')} {done}/{total}")

    return say


def _closing(steps: list[dict[str, Any]]) -> None:
    project = steps[0]["data"]["project"]
    out.print(f"\nLook at it in the browser: streamlit run Home.py, project {project}.")
