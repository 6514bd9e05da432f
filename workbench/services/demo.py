"""The whole loop on the shipped sample, step by step: what ``workbench demo`` prints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.domain import Json, ModelVersion, Project, RunEvent, Split, TrainParameters
from workbench.services.samples import load_sample
from workbench.services.workbench import Workbench

SEED_SIZE = 60
"""Examples of the first, random batch."""

ROUND_SIZE = 60
"""Examples of the second batch, which the model asks for."""

STRATEGIES = {"qa": "least-confidence"}
"""What the second batch is chosen by, where it is not MNLP."""

QUESTION = "Where does the river rise?"
TEXTS = {
    "ner": "Maria Lindqvist of Harbour Glass flew from Oslo to Lisbon on Friday.",
    "pos": "The old ferry leaves the harbour at noon.",
    "qa": "The Tarn rises in a small lake below the pass and runs south for sixty kilometres.",
}
"""What the exported model is tried on; none of it stands in the samples."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the demo, done.

    Attributes:
        name: import, seed, train, score, select, annotate, evaluate, compare, export or use.
        sentence: What happened, for a person.
        data: The same, for a program.
    """

    name: str
    sentence: str
    data: Json = field(default_factory=dict)


def run_demo(
    workbench: Workbench,
    task: str,
    out: Path | None = None,
    on_event: Callable[[RunEvent], None] | None = None,
) -> Iterator[Step]:
    """Run the loop on a new project made from the sample; yields each step when it is done.

    Args:
        workbench: Where the project is made; it stays there to be looked at.
        task: ner, pos or qa.
        out: Folder of the exported model; None puts it into the home folder under ``exports``.
        on_event: Told what the runs say.

    Raises:
        UnknownName: There is no such task.
        RunFailed: A run did not come to its end.
    """
    project = load_sample(workbench, task, _free_name(workbench, f"demo-{task}"))
    counts = workbench.datasets.counts(project)
    yield Step(
        "import",
        f"Imported the sample as project {project.name}: {counts.examples[Split.POOL]} examples in the pool with "
        f"their labels kept aside, {counts.examples[Split.TEST]} labeled for the test.",
        {"project": project.name, "examples": {str(split): n for split, n in counts.examples.items()}},
    )
    yield from _round(workbench, project, "random", SEED_SIZE, on_event)
    yield _score(workbench, project, on_event)
    yield from _round(workbench, project, STRATEGIES.get(task, "mnlp"), ROUND_SIZE, on_event)
    for version in workbench.models.list(project):
        yield _evaluate(workbench, project, version, on_event)
    comparison = workbench.comparison.compare(project, 1, 2, Split.TEST)
    yield Step(
        "compare",
        comparison.sentence,
        {
            "difference": comparison.difference,
            "confidence_interval": comparison.confidence_interval,
            "fixed": comparison.fixed,
            "broken": comparison.broken,
        },
    )
    better = 2 if comparison.difference >= 0 else 1
    workbench.models.promote(project, better)
    yield from _export(workbench, project, better, out)


def _round(
    workbench: Workbench,
    project: Project,
    strategy: str,
    size: int,
    on_event: Callable[[RunEvent], None] | None,
) -> Iterator[Step]:
    """Select, answer with the labels kept aside, train."""
    selection = workbench.selection.preview(project, strategy, size)
    batch, picks = workbench.selection.create(project, selection)
    yield Step(
        "select",
        f"Batch {batch.number}: {len(picks)} examples by {strategy}.",
        {"batch": batch.number, "strategy": strategy, "items": len(picks)},
    )
    stored = workbench.annotation.simulate(project, batch.number)
    yield Step(
        "annotate",
        f"The simulated annotator answered {stored} of them with the labels kept aside.",
        {"batch": batch.number, "stored": stored},
    )
    run = workbench.training.launch(project, TrainParameters())
    done = workbench.runs.wait(run.id, on_event)
    number = done.result["model_version"]
    version = workbench.models.get(project, number)
    yield Step(
        "train",
        f"Version {number}: {done.result['examples']} examples in {done.result['seconds']:.0f} s "
        f"on {done.result['device']}; {_metric(project, version.metrics.get('validation', {}))} on validation.",
        dict(done.result),
    )


def _score(workbench: Workbench, project: Project, on_event: Callable[[RunEvent], None] | None) -> Step:
    run = workbench.scoring.launch(project, 1)
    result = workbench.runs.wait(run.id, on_event).result
    return Step(
        "score",
        f"Version 1 scored the other {result['examples']} examples of the pool, "
        f"{result['examples_per_second']:.0f} a second.",
        dict(result),
    )


def _evaluate(
    workbench: Workbench,
    project: Project,
    version: ModelVersion,
    on_event: Callable[[RunEvent], None] | None,
) -> Step:
    found = workbench.evaluation.evaluate(project, version.number, Split.TEST, on_event=on_event)
    return Step(
        "evaluate",
        f"Version {version.number} on {found.examples} test examples: {_metric(project, found.metrics)}.",
        {"model_version": version.number, "metrics": dict(found.metrics)},
    )


def _export(workbench: Workbench, project: Project, number: int, out: Path | None) -> Iterator[Step]:
    folder = out or workbench.settings.exports_dir / project.name
    exported = workbench.exporting.export_model(project, number, folder)
    yield Step(
        "export",
        f"Exported version {number} to {exported.folder}, loaded it in a fresh process and found the same predictions.",
        {"model_version": number, "folder": str(exported.folder)},
    )
    question = QUESTION if project.task == "qa" else None
    answer = workbench.exporting.predict(folder, TEXTS[project.task], question)
    yield Step(
        "use", _said(project.task, answer), {"text": TEXTS[project.task], "question": question, **answer}
    )


def _said(task: str, answer: dict[str, Any]) -> str:
    return f"In a fresh process, the exported {task.upper()} model says of {TEXTS[task]!r}: {answer}"


def _metric(project: Project, metrics: Json) -> str:
    from workbench.tasks import get_task

    task = get_task(project.task)
    value = metrics.get(task.primary_metric)
    return "no score" if value is None else f"{task.primary_metric} {float(value):.3g}"


def _free_name(workbench: Workbench, wanted: str) -> str:
    """The name, or the name with the first free number behind it."""
    names = {project.name for project in workbench.projects.list()}
    free = (
        name for name in (wanted, *(f"{wanted}-{n}" for n in range(2, len(names) + 3))) if name not in names
    )
    return next(free)
