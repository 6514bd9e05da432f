"""``workbench simulate``: what strategies would have been worth on data that is labeled already."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli.base import JsonOption, app, emit, err, out, workbench, writing
from workbench.cli.following import follow
from workbench.cli.train import DetachOption, training_parameters
from workbench.services.simulationreport import points_csv, report_html, verdict


@app.command()
def simulate(
    name: Annotated[str, typer.Argument(help="The project.")],
    strategies: Annotated[
        str, typer.Option(help="Comma-separated; random is always among them.")
    ] = "random,mnlp",
    seeds: Annotated[int, typer.Option(help="Repetitions, each with a first batch of its own.")] = 3,
    batch_words: Annotated[int, typer.Option(help="Words of each batch.")] = 2_000,
    rounds: Annotated[int, typer.Option(help="Batches after the first.")] = 10,
    pool: Annotated[str, typer.Option(help="The labeled split to replay as a pool.")] = "pool",
    split: Annotated[str, typer.Option(help="The split to measure on.")] = "test",
    limit: Annotated[
        int | None, typer.Option(help="Replay so many examples of the pool only, drawn by lot.")
    ] = None,
    measure_limit: Annotated[
        int | None, typer.Option(help="Measure on so many examples only, drawn by lot.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full/--no-full", help="Train on the whole pool too, to compare with.")
    ] = True,
    keep_duplicates: Annotated[
        bool, typer.Option("--keep-duplicates", help="Ask for near-duplicates of what is labeled too.")
    ] = False,
    precision: Annotated[
        str,
        typer.Option(help="In what the pool is scored: auto, fp32, int8; scores reported are never int8."),
    ] = "auto",
    preset: Annotated[str | None, typer.Option(help="Of every training: quick, balanced, thorough.")] = None,
    base_model: Annotated[
        str | None, typer.Option(help="minilm, a name on the Hugging Face hub, or a folder.")
    ] = None,
    epochs: Annotated[float | None, typer.Option(help="Passes over the labeled examples.")] = None,
    min_steps: Annotated[int | None, typer.Option(help="Train at least so many steps.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Examples per optimizer step.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Its peak.")] = None,
    max_length: Annotated[int | None, typer.Option(help="Sub-words per window.")] = None,
    context: Annotated[
        int | None, typer.Option(help="Sub-words of its document on either side of a sentence.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = None,
    out_dir: Annotated[
        Path | None, typer.Option("--out", help="Write report.html, points.csv and result.json there.")
    ] = None,
    detach: DetachOption = False,
    as_json: JsonOption = False,
) -> None:
    """Replay labeled data as a pool, its labels as the annotator, by several strategies and seeds."""
    given = {
        "base_model": base_model,
        "epochs": epochs,
        "min_steps": min_steps,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "max_length": max_length,
        "context": context,
        "device": device,
    }
    with workbench() as wb:
        project = wb.projects.get(name)
        if out_dir is not None and not detach:
            _make(out_dir)
        run = wb.simulation.launch(
            project,
            [part.strip() for part in strategies.split(",") if part.strip()],
            seeds=seeds,
            batch_words=batch_words,
            rounds=rounds,
            pool=pool,
            measured_on=split,
            limit=limit,
            measure_limit=measure_limit,
            full=full,
            keep_duplicates=keep_duplicates,
            precision=precision,
            parameters=training_parameters(preset, given),
        )
        if detach:
            data = {"run": run.id, "state": str(run.state)}
            emit(as_json, data, lambda: out.print(f"Run {run.id} is queued."))
            return
        if not as_json:
            err.print(f"Run {run.id} is queued on {run.device}; Ctrl-C stops following, not the run.")
        report = wb.simulation.report(project, follow(wb, run))
        _write(report, out_dir)
        emit(as_json, report, lambda: _show(report))


@app.command("simulation-report")
def simulation_report(
    name: Annotated[str, typer.Argument(help="The project.")],
    run_id: Annotated[int, typer.Argument(metavar="RUN", help="Number of the simulation's run.")],
    out_dir: Annotated[
        Path | None, typer.Option("--out", help="Write report.html, points.csv and result.json there.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """What a simulation has found, or as far as it is."""
    with workbench() as wb:
        report = wb.simulation.report(wb.projects.get(name), wb.runs.get(run_id))
        _write(report, out_dir)
        emit(as_json, report, lambda: _show(report))


def _make(folder: Path) -> None:
    """Make the folder and try it: hours of computing should not end in that nothing can be written there."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass


def _write(report: dict[str, Any], folder: Path | None) -> None:
    if folder is None:
        return
    texts = {
        "report.html": report_html(report),
        "points.csv": points_csv(report),
        "result.json": json.dumps(report, ensure_ascii=False, indent=1),
    }
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    err.print(f"Wrote {folder / 'report.html'}.", markup=False)


def _show(report: dict[str, Any]) -> None:
    out.print(verdict(report), markup=False)
    for name, area in report["area_under_curve"].items():
        goal = report["words_to_99_percent"].get(name)
        reached = f"{goal['words']:,.0f} words" if goal and goal["words"] is not None else "not reached"
        out.print(f"  {name:20} area {area['mean']:.4f}, 99 %: {reached}", markup=False)
    out.print(report["seconds_from"], markup=False)
