"""``workbench evaluate`` and ``workbench compare``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli.base import JsonOption, app, emit, err, out, workbench, writing
from workbench.domain import PARTIAL_LEFT_OUT, Project, RunEvent
from workbench.errors import InvalidInput
from workbench.services import Workbench
from workbench.services.comparison import Analysis, Comparison
from workbench.services.figures import left_out, plain_figures
from workbench.services.leaks import warning_of
from workbench.services.report import make_report, markdown

REPORTS = (".html", ".md", ".json")

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
            "gold_set": evaluation.gold_set,
            "warning": warning_of(evaluation),
        }
        if data["warning"]:
            err.print(f"Version {model_version}: {data['warning']}", markup=False)
        emit(as_json, data, lambda: _show_metrics(data))


@app.command()
def compare(
    name: Annotated[str, typer.Argument(help="The project.")],
    a: Annotated[int, typer.Argument(metavar="A", help="Number of the one version.")],
    b: Annotated[int, typer.Argument(metavar="B", help="Number of the other.")],
    split: Annotated[str, typer.Option(help="test, validation, train or pool.")] = "test",
    gold_set: Annotated[
        int | None, typer.Option(help="Number of a frozen set of labels; without it, the labels of now.")
    ] = None,
    report: Annotated[
        list[Path] | None,
        typer.Option(help="Write a report too: a .html, .md or .json file. May be repeated."),
    ] = None,
    device: DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether version B is better than version A, by how much, and how sure that is."""
    with workbench() as wb:
        project = wb.projects.get(name)
        for path in report or ():
            if path.suffix not in REPORTS:
                raise InvalidInput(f"{path} has no ending of a report", remedy="use .html, .md or .json")
            if not path.parent.is_dir():  # said now, not after versions have been measured
                raise InvalidInput(f"there is no folder {path.parent}", remedy="make it, or choose another")
        if gold_set is None:
            _measure_missing(wb, project, (a, b), split, device)
        analysis = wb.comparison.analyse(project, a, b, split, gold_set)
        comparison = analysis.comparison
        leaks = [leak.sentence for leak in analysis.leaks]
        data = {
            **dataclasses.asdict(comparison),
            "confidence_interval": list(comparison.confidence_interval),
            "sentence": comparison.sentence,
            "worse": comparison.worse_sentence,
            "warnings": {str(n): leak for n, leak in zip((a, b), leaks, strict=True) if leak},
        }
        for number, leak in data["warnings"].items():
            err.print(f"Version {number}: {leak}", markup=False)
        _write_reports(wb, project, analysis, report or ())
        emit(as_json, data, lambda: _show_comparison(comparison))


def _write_reports(wb: Workbench, project: Project, analysis: Analysis, paths: Sequence[Path]) -> None:
    if not paths:
        return
    from workbench.ui.report_html import report_html  # imports Streamlit: too slow for every command

    seen = wb.comparison.seen(project, analysis.comparison.a, analysis.comparison.b)
    report = make_report(wb, project, analysis, seen)
    texts = {
        ".html": lambda: report_html(report, analysis, project),
        ".md": lambda: markdown(report),
        ".json": lambda: json.dumps(report, ensure_ascii=False, indent=1) + "\n",
    }
    for path in paths:
        text = texts[path.suffix]()
        with writing(path):
            path.write_text(text, encoding="utf-8")
        err.print(f"Wrote {path}.", markup=False)


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
        f"Version {data['model_version']} on {data['examples']} examples of the {data['split']} split"
        f"{left_out(data['metrics'].get(PARTIAL_LEFT_OUT, 0))}:",
        markup=False,
    )
    for name, value in plain_figures(data["metrics"]).items():
        out.print(f"  {name:24} {value:.4f}", markup=False)
    interval = data["metrics"].get("confidence_interval")
    if interval:
        out.print(f"  {'95 % interval':24} {interval[0]:.4f} to {interval[1]:.4f}", markup=False)


def _show_comparison(comparison: Comparison) -> None:
    out.print(comparison.sentence, markup=False)
    out.print(comparison.worse_sentence, markup=False)
    low, high = comparison.confidence_interval
    for label, value in (
        (f"{comparison.metric} of {comparison.a}", f"{comparison.score_a:.4f}"),
        (f"{comparison.metric} of {comparison.b}", f"{comparison.score_b:.4f}"),
        ("difference", f"{comparison.difference:+.4f} ({low:+.4f} to {high:+.4f})"),
        ("p-value", f"{comparison.p_value:.4f}"),
        (
            "fixed, broken",
            f"{comparison.fixed}, {comparison.broken} of {comparison.examples} examples"
            f"{left_out(comparison.partial)}",
        ),
    ):
        out.print(f"  {label:16} {value}", markup=False)
    for row in comparison.per_label[:20]:
        out.print(
            f"  {row.label:16} {row.a:.4f} → {row.b:.4f}  ({row.difference:+.4f}, p {row.p_value:.3f}, "
            f"{row.support} in gold)",
            markup=False,
        )
