"""The model card of an export: README.md with metadata that the Hugging Face Hub reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.basemodels import BASE_MODELS
from workbench.domain import Evaluation, Json, ModelVersion, Project
from workbench.storage.models import Snapshot
from workbench.tasks import get_task

PIPELINE = {"ner": "token-classification", "pos": "token-classification", "qa": "question-answering"}

USE = {
    "ner": """```python
from transformers import pipeline

find = pipeline("token-classification", model=DIR, aggregation_strategy="first", stride={stride})
find("…")  # [{{'entity_group': 'PER', 'score': …, 'word': …, 'start': …, 'end': …}}, …]
```

The first sub-word of a word decides its label, hence `aggregation_strategy="first"`. `stride` lets texts that are
longer than the model's window ({max_length} sub-words) be read in overlapping windows.""",
    "pos": """```python
from transformers import pipeline

tag = pipeline("token-classification", model=DIR, aggregation_strategy="first", stride={stride})
tag("…")  # [{{'entity_group': 'NN', 'score': …, 'word': …, 'start': …, 'end': …}}, …]
```

The first sub-word of a word decides its tag. The pipeline joins neighbouring words of one tag into one group; with
`aggregation_strategy="none"` it lists every sub-word.""",
    "qa": """```python
from transformers import pipeline

ask = pipeline("question-answering", model=DIR, trust_remote_code=True)
ask(question="…", context="…")  # {{'answer': …, 'score': …, 'start': …, 'end': …}}
```

transformers removed its question-answering pipeline in 5.3, so this folder brings its own, `question_answering.py`,
which `trust_remote_code=True` loads. Its 250 lines cut the context into windows of {max_length} sub-words that
share {stride}, run the model, and choose the best answer over all windows; they open no file and no connection.
Options: `top_k`, `handle_impossible_answer`, `max_seq_len`, `doc_stride`, `max_answer_len`, and lists of questions
and contexts.""",
}


@dataclass(frozen=True, slots=True)
class CardFacts:
    """All that a card says.

    Attributes:
        project: Whose model.
        version: Which.
        snapshot: The data that it was trained on.
        evaluations: The newest of each split.
        info: Content of ``workbench.json``.
        verification: What loading it in a fresh process has shown.
    """

    project: Project
    version: ModelVersion
    snapshot: Snapshot
    evaluations: Sequence[Evaluation]
    info: Json
    verification: Json


def model_card(facts: CardFacts) -> str:
    """The text of README.md."""
    task = facts.project.task
    title = f"{facts.project.name}, version {facts.version.number}"
    use = USE.get(task, "Load it with `transformers`.").format(
        stride=facts.info["stride"], max_length=facts.info["max_length"]
    )
    parts = [
        _metadata(facts),
        f"# {title}",
        f"{get_task(task).title}, trained from `{facts.version.base_model}` in the Annotation Workbench"
        f" on {facts.version.created_at:%d %B %Y}.",
        "## How to load it",
        use,
        "## What it was trained on",
        _data(facts),
        "## How good it is",
        _results(facts),
        "## Checked",
        _checked(facts.verification),
        "## What it is for, and what not",
        "It was made for texts like those that it was trained on. On others it will be worse, often without showing "
        "it: measure it on labeled examples of your own before you rely on it. It repeats the choices, and the "
        "mistakes, of the people who labeled its data, and what its base model learned before.",
        "## Made with",
        _environment(facts.verification),
    ]
    return "\n\n".join(parts) + "\n"


def _metadata(facts: CardFacts) -> str:
    """YAML front matter; its values are JSON, which YAML contains."""
    task = facts.project.task
    pipeline = PIPELINE.get(task, "other")
    values: dict[str, Any] = {
        "library_name": "transformers",
        "pipeline_tag": pipeline,
        "tags": ["annotation-workbench", task],
        "model_name": f"{facts.project.name} {facts.version.number}",
    }
    licence = facts.info.get("base_license")
    if licence:
        values["license"] = str(licence).lower()
    base = facts.version.base_model
    hub_name = BASE_MODELS[base].hub_name if base in BASE_MODELS else base
    if hub_name.count("/") == 1 and not hub_name.startswith(("/", ".", "~")):
        values["base_model"] = hub_name
    metrics = [_metric(facts.project, evaluation) for evaluation in facts.evaluations]
    values["metrics"] = ["f1"] if task != "pos" else ["accuracy"]
    if metrics:
        values["model-index"] = [{"name": values["model_name"], "results": metrics}]
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join(["---", *lines, "---"])


def _metric(project: Project, evaluation: Evaluation) -> dict[str, Any]:
    task = get_task(project.task)
    pipeline = PIPELINE.get(project.task, "other")
    return {
        "task": {"type": pipeline, "name": task.title},
        "dataset": {"type": "private", "name": project.name, "split": str(evaluation.split)},
        "metrics": [
            {
                "type": task.primary_metric,
                "name": task.primary_metric.replace("_", " "),
                "value": evaluation.metrics.get(task.primary_metric),
            }
        ],
    }


def _data(facts: CardFacts) -> str:
    counts = facts.snapshot.counts
    examples = ", ".join(
        f"{number:,} for {split}" for split, number in counts.items() if isinstance(number, int)
    )
    lines = [
        f"Labeled examples of the project {_code(facts.project.name)}: {examples}. "
        f"Snapshot {facts.snapshot.id}, hash `{facts.snapshot.content_hash}`.",
    ]
    if facts.version.labels:
        lines += ["Labels:", _labels(facts)]
    return "\n\n".join(lines)


def _labels(facts: CardFacts) -> str:
    described = {label.name: label.description for label in facts.project.labels}
    return "\n".join(
        f"- {_code(name)}" + (f": {_plain(described[name])}" if described.get(name) else "")
        for name in facts.version.labels
    )


def _results(facts: CardFacts) -> str:
    if not facts.evaluations:
        return "It has not been evaluated on a split of its own. On its validation data: " + _validation(
            facts
        )
    rows = ["| split | examples | metric | value | 95 % interval |", "|---|---:|---|---:|---|"]
    for evaluation in facts.evaluations:
        interval = evaluation.metrics.get("confidence_interval")
        for name, value in evaluation.metrics.items():
            if isinstance(value, float) or (name.endswith("accuracy") and value is not None):
                primary = name == get_task(facts.project.task).primary_metric
                shown = f"{interval[0]:.3f} to {interval[1]:.3f}" if primary and interval else ""
                cells = [
                    str(evaluation.split),
                    f"{evaluation.examples:,}",
                    name.replace("_", " "),
                    f"{value:.3f}",
                ]
                rows.append(f"| {' | '.join([*cells, shown])} |")
    scale = "0 to 100" if get_task(facts.project.task).metric_scale > 1 else "0 to 1"
    return (
        "\n".join(rows)
        + f"\n\nMetrics run from {scale}; intervals by bootstrap. All figures: `evaluation.json`."
    )


def _validation(facts: CardFacts) -> str:
    task = get_task(facts.project.task)
    value = facts.version.metrics.get("validation", {}).get(task.primary_metric)
    return f"{task.primary_metric.replace('_', ' ')} {value:.3f}." if value is not None else "not measured."


def _checked(verification: Json) -> str:
    said = (
        "Loaded by plain transformers in a fresh process without the workbench: on "
        f"{verification['examples']:,} examples ({verification['choices']:,} labels or answers) it predicted what "
        "the workbench predicts."
    )
    if verification.get("skipped"):
        said += (
            f" {verification['skipped']:,} examples longer than one window were left out of this comparison."
        )
    share = verification.get("pipeline")
    if share is not None:
        said += (
            f" The pipeline, which splits words by itself, gave the same result for {share:.1%} of the texts."
        )
    return said


def _environment(verification: Json) -> str:
    return "\n".join(f"- {name} {version}" for name, version in verification.get("versions", {}).items())


def _code(text: str) -> str:
    return f"`{_plain(text).replace('`', chr(39))}`"


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
