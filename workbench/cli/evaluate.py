"""``workbench evaluate`` and ``workbench compare``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from workbench.cli.base import JsonOption, app, emit, err, out, workbench
from workbench.domain import Project, RunEvent
from workbench.services import Workbench
from workbench.services.comparison import Comparison

DeviceOption = Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")]


@app.command()
def evaluate(
    name: Annotated[str, typer.Argument(help="The project.")],
    model_version: Annotated[int, typer.Option(help="Number of the model version.")],
    split: Annotated[str, typer.Option(help="test, validation, train or pool.")] = "test",
    device: DeviceOption = None,
    again: Annotated[
        bool, typer.Option("--again", help="Ask the model even where its predictions are there.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure a model version on the gold labels of a split."""
    with workbench() as wb:
        project = wb.projects.get(name)
        evaluation = wb.evaluation.evaluate(
            project, model_version, split, device=device, on_event=_say, again=again
        )
        data = {
            "model_version": evaluation.model_version,
            "split": evaluation.split,
            "examples": evaluation.examples,
            "metrics": dict(evaluation.metrics),
            "run": evaluation.run_id,
            "data_hash": evaluation.data_hash,
        }
        emit(as_json, data, lambda: _show_metrics(data))


@app.command()
def compare(
    name: Annotated[str, typer.Argument(help="The project.")],
    a: Annotated[int, typer.Argument(metavar="A", help="Number of the one version.")],
    b: Annotated[int, typer.Argument(metavar="B", help="Number of the other.")],
    split: Annotated[str, typer.Option(help="test, validation, train or pool.")] = "test",
    device: DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether version B is better than version A, by how much, and how sure that is."""
    with workbench() as wb:
        project = wb.projects.get(name)
        _measure_missing(wb, project, (a, b), split, device)
        comparison = wb.comparison.compare(project, a, b, split)
        data = {
            **dataclasses.asdict(comparison),
            "confidence_interval": list(comparison.confidence_interval),
            "sentence": comparison.sentence,
        }
        emit(as_json, data, lambda: _show_comparison(comparison))


def _measure_missing(
    wb: Workbench, project: Project, numbers: tuple[int, ...], split: str, device: str | None
) -> None:
    """Evaluate the versions that have not predicted every labeled example yet."""
    for number in numbers:
        if wb.evaluation.missing(project, number, split):
            err.print(f"Version {number} is measured on the {split} split first.", markup=False)
            wb.evaluation.evaluate(project, number, split, device=device, on_event=_say)


def _say(event: RunEvent) -> None:
    if event.kind == "log":
        err.print(str(event.data.get("message", "")), markup=False)


def _show_metrics(data: Mapping[str, Any]) -> None:
    out.print(
        f"Version {data['model_version']} on {data['examples']} examples of the {data['split']} split:",
        markup=False,
    )
    for key, value in data["metrics"].items():
        if isinstance(value, float):
            out.print(f"  {key:24} {value:.4f}", markup=False)
    interval = data["metrics"].get("confidence_interval")
    if interval:
        out.print(f"  {'95 % interval':24} {interval[0]:.4f} to {interval[1]:.4f}", markup=False)


def _show_comparison(comparison: Comparison) -> None:
    out.print(comparison.sentence, markup=False)
    low, high = comparison.confidence_interval
    for label, value in (
        (f"{comparison.metric} of {comparison.a}", f"{comparison.score_a:.4f}"),
        (f"{comparison.metric} of {comparison.b}", f"{comparison.score_b:.4f}"),
        ("difference", f"{comparison.difference:+.4f} ({low:+.4f} to {high:+.4f})"),
        ("p-value", f"{comparison.p_value:.4f}"),
        ("fixed, broken", f"{comparison.fixed}, {comparison.broken} of {comparison.examples} examples"),
    ):
        out.print(f"  {label:16} {value}", markup=False)
    for row in comparison.per_label[:20]:
        out.print(
            f"  {row.label:16} {row.a:.4f} → {row.b:.4f}  ({row.difference:+.4f}, {row.support} in gold)",
            markup=False,
        )
