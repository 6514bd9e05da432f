"""The model card of an export: README.md with metadata that the Hugging Face Hub reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from workbench.basemodels import BASE_MODELS
from workbench.domain import Evaluation, Json, ModelVersion, Project
from workbench.services.alonecheck import context_section
from workbench.services.leaks import warning_of
from workbench.storage.models import Snapshot
from workbench.tasks import get_task

PIPELINE = {"ner": "token-classification", "pos": "token-classification", "qa": "question-answering"}

USE = {
    "ner": """```python
from transformers import pipeline

find = pipeline("word-classification", model=DIR, trust_remote_code=True)
find("…")  # [{{'entity_group': 'PER', 'score': …, 'word': …, 'start': …, 'end': …}}, …]
```

This gives what the workbench predicts, for texts of any length. {code}

Where no code may be trusted, the pipeline of transformers runs on the same folder:

```python
find = pipeline("token-classification", model=DIR, aggregation_strategy="simple", stride={stride})
```

It decides about each sub-word, not about each word, so an entity may begin or end inside a word;
`aggregation_strategy="first"` does so less often, at signs within words (`U.S.`, `all-rounder`).{plain} `stride` lets
it read texts that are longer than the model's window ({max_length} sub-words) in overlapping windows; without it
transformers drops what lies behind the first.{subwords}""",
    "pos": """```python
from transformers import pipeline

tag = pipeline("word-classification", model=DIR, trust_remote_code=True)
tag("…")  # [{{'entity_group': 'NN', 'score': …, 'word': …, 'start': …, 'end': …}}, …], one of each word
```

This gives what the workbench predicts, for texts of any length. {code}

Where no code may be trusted, the pipeline of transformers runs on the same folder:

```python
tag = pipeline("token-classification", model=DIR, aggregation_strategy="simple", stride={stride})
```

It decides about each sub-word, and joins neighbours of one tag into one group; with `aggregation_strategy="none"` it
lists every sub-word. `stride` lets it read texts that are longer than the model's window ({max_length} sub-words) in
overlapping windows; without it transformers drops what lies behind the first.{subwords}""",
    "qa": """```python
from transformers import pipeline

ask = pipeline("question-answering", model=DIR, trust_remote_code=True)
ask(question="…", context="…")  # {{'answer': …, 'score': …, 'start': …, 'end': …}}
```

transformers removed its question-answering pipeline in 5.3, so this folder brings its own, `question_answering.py` and
`answer_windows.py`, which `trust_remote_code=True` loads. They cut the context into windows of {max_length} sub-words
that share {stride}, run the model, and choose the best answer over all windows; they open no file and no connection.
Options: `top_k`, `handle_impossible_answer`, `max_seq_len`, `doc_stride`, `max_answer_len`, and lists of questions
and contexts.""",
}

WORD_CODE = """The pipeline is the folder's own: `trust_remote_code=True` loads
`word_classification.py`, `tag_windows.py` and `words.py`. They cut a text into words (or take yours, as
`word_classification.py` says), read it in windows of %d sub-words that share %d, run the model, and give
each word the class of its first sub-word; they open no file and no connection."""

FIRST_ONLY = """

This version learned from the first sub-word of each word alone: what it says of the others means nothing, so of the two
take `"first"`."""

ONNX_USE = """`onnx/` holds the model for ONNX Runtime, in fp32 and in int8; `onnx_pipeline.py` runs it where neither
torch nor transformers is installed (`pip install onnxruntime tokenizers numpy`):

```python
import sys

sys.path.insert(0, DIR)
from onnx_pipeline import load

model = load(DIR, weights="int8")  # or "fp32"
{call}
```"""

ONNX_CALL = {"qa": "model(\"question …\", \"context …\")  # {'answer': …, 'score': …, 'start': …, 'end': …}"}
ONNX_CALL_OTHERS = "model(\"…\")  # [{'entity_group': …, 'score': …, 'word': …, 'start': …, 'end': …}, …]"


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
        stride=facts.info["stride"],
        max_length=facts.info["max_length"],
        code=WORD_CODE % (facts.info["max_length"], facts.info["stride"]),
        plain=_plain_agreement(facts.verification),
        subwords="" if facts.info.get("label_all_subwords") else FIRST_ONLY,
    )
    parts = [
        _metadata(facts),
        f"# {title}",
        f"{get_task(task).title}, trained from {_code(_base_name(facts.version.base_model))} in the Annotation "
        f"Workbench on {facts.version.created_at:%d %B %Y}.",
        "## How to load it",
        use,
        *context_section(facts.version.context, facts.verification.get("alone")),
        *_onnx(facts),
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
    values["license"] = str(facts.info.get("base_license") or "other").lower()
    base = facts.version.base_model
    hub_name = BASE_MODELS[base].hub_name if base in BASE_MODELS else base
    if hub_name.count("/") == 1 and not _is_folder(hub_name):
        values["base_model"] = hub_name
    metrics = [_metric(facts.project, evaluation) for evaluation in facts.evaluations]
    values["metrics"] = ["f1"] if task != "pos" else ["accuracy"]
    if metrics:
        values["model-index"] = [{"name": values["model_name"], "results": metrics}]
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join(["---", *lines, "---"])


def _is_folder(base_model: str) -> bool:
    return base_model.startswith(("/", ".", "~"))


def _base_name(base_model: str) -> str:
    """A base model's name; of a local folder only the last part, which says enough to strangers."""
    return PurePath(base_model).name if _is_folder(base_model) else base_model


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
    warnings = [
        f"**On the {evaluation.split} split: {warning}**\n\n"
        for evaluation in facts.evaluations
        if (warning := warning_of(evaluation))
    ]
    return (
        "".join(warnings)
        + "\n".join(rows)
        + f"\n\nMetrics run from {scale}; intervals by bootstrap. All figures: `evaluation.json`."
        + "".join(
            f" The {each.split} split holds {each.partial:,} more with partial labels, on which nothing is measured."
            for each in facts.evaluations
            if each.partial
        )
    )


def _validation(facts: CardFacts) -> str:
    task = get_task(facts.project.task)
    value = facts.version.metrics.get("validation", {}).get(task.primary_metric)
    return f"{task.primary_metric.replace('_', ' ')} {value:.3f}." if value is not None else "not measured."


def _checked(verification: Json) -> str:
    said = (
        "Loaded by transformers in a fresh process without the workbench: the pipeline of this folder gave what the "
        f"workbench predicts on {verification['examples']:,} examples ({verification['choices']:,} words or answers)."
    )
    if verification.get("skipped"):
        said += (
            f" {verification['skipped']:,} examples were left out of this comparison, since for something in them the "
            "model's best two choices are as good as each other."
        )
    return said


def _plain_agreement(verification: Json) -> str:
    """How far the pipeline of transformers gives the same entities; nothing where it was not measured."""
    found = verification.get("plain")
    if not found:
        return ""
    parts = []
    for strategy, said in found.items():
        if said["same"] is not None:
            value = "" if said["f1"] is None else f" (F1 {said['f1']:.3f})"
            parts.append(f'`"{strategy}"` the same entities for {said["same"]:.1%} of them{value}')
    return f" Of the texts that this export was checked on, they give: {'; '.join(parts)}." if parts else ""


def _onnx(facts: CardFacts) -> list[str]:
    """How to use the ONNX models, and what they are worth; nothing where there are none."""
    found = facts.verification.get("onnx")
    if not found:
        return []
    call = ONNX_CALL.get(facts.project.task, ONNX_CALL_OTHERS)
    metric = found["metric"].replace("_", " ")
    original = found["models"]["torch"]["value"]
    rows = [f"| weights | MB | examples a second | same choices | {metric} |", "|---|---:|---:|---:|---:|"]
    for name, said in found["models"].items():
        value = "" if said["value"] is None else f"{said['value']:.4f}"
        if value and name != "torch":
            value += f" ({said['value'] - original:+.4f})"
        rate, same = said["examples_per_second"], said["agreement"]
        cells = [
            "transformers" if name == "torch" else f"ONNX {name}",
            f"{said['bytes'] / 1e6:.1f}",
            "" if rate is None else f"{rate:,.0f}",
            "" if same is None else f"{same:.2%}",
            value,
        ]
        rows.append(f"| {' | '.join(cells)} |")
    measured = (
        f"Measured when it was exported, on {found['examples']:,} examples ({found['labeled']:,} of them labeled), on "
        "the CPU of that machine; transformers in batches of eight."
    )
    return ["## Without torch", ONNX_USE.format(call=call), "\n".join(rows), measured]


def _environment(verification: Json) -> str:
    return "\n".join(f"- {name} {version}" for name, version in verification.get("versions", {}).items())


def _code(text: str) -> str:
    return f"`{_plain(text).replace('`', chr(39))}`"


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
