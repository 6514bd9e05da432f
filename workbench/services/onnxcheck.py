"""What the ONNX models of an export are worth: run without torch, compared with the original and with gold labels."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workbench.domain import Answer, Answers, ExampleText, Payload, Project
from workbench.errors import RunFailed
from workbench.services.isolated import json_lines, run_outside
from workbench.tasks import TaggingTask, get_task

FILES = {"fp32": "onnx/model.onnx", "int8": "onnx/model_int8.onnx"}


def check_onnx(
    project: Project, folder: Path, job: Path, gold: Mapping[int, Payload], torch_seconds: float
) -> dict[str, Any]:
    """Run an export's ONNX models in a process without torch.

    Args:
        project: The project.
        folder: The export.
        job: Has ``expected.jsonl`` and ``examples.jsonl``.
        gold: Labels of those examples that have some.
        torch_seconds: How long transformers took for the same examples.

    Returns:
        ``examples``, ``labeled``, ``metric`` (its name), ``versions`` and ``models``: for ``torch``, ``fp32`` and
        ``int8`` each ``bytes``, ``examples_per_second``, ``value`` (of the metric on the labeled examples, None without
        any) and ``agreement`` (share of the choices that are the original's).

    Raises:
        RunFailed: The fp32 model gives another label than the original where the original was clear.
    """
    found = job / "onnx.jsonl"
    said = json.loads(
        run_outside("verify_onnx", [str(folder), str(job / "expected.jsonl"), str(found)]).splitlines()[-1]
    )
    lines, rows = json_lines(job / "expected.jsonl"), json_lines(found)
    contents = _contents(job / "examples.jsonl")
    classes = _classes(folder)
    _refuse_other_labels(project, lines, rows)
    models: dict[str, dict[str, Any]] = {
        name: {
            "bytes": (folder / file).stat().st_size,
            "examples_per_second": len(lines) / seconds if seconds else None,
            "value": None,
            "agreement": _agreement(project, lines, [row[name] for row in rows] if name in FILES else None),
        }
        for name, file, seconds in (
            ("torch", "model.safetensors", torch_seconds),
            *((name, file, said["seconds"][name]) for name, file in FILES.items()),
        )
    }
    labeled = [line["id"] for line in lines if line["id"] in gold]
    for name, figures in models.items():
        if labeled:
            found_labels = _payloads(project, name, lines, rows, contents, classes)
            figures["value"] = _value(project, labeled, gold, found_labels, contents)
    return {
        "examples": len(lines),
        "labeled": len(labeled),
        "metric": get_task(project.task).primary_metric,
        "models": models,
        "versions": said["versions"],
    }


def _payloads(
    project: Project,
    name: str,
    lines: Sequence[Mapping[str, Any]],
    rows: Sequence[Mapping[str, Any]],
    contents: Mapping[int, ExampleText],
    classes: Sequence[str],
) -> dict[int, Payload]:
    """What one of the models said of each example, by the example's id."""
    task = get_task(project.task)
    return {
        line["id"]: task.load(line["payload"])
        if name == "torch"
        else _payload(project, row[name], contents[line["id"]], classes)
        for line, row in zip(lines, rows, strict=True)
    }


def _value(
    project: Project,
    labeled: Sequence[int],
    gold: Mapping[int, Payload],
    predicted: Mapping[int, Payload],
    contents: Mapping[int, ExampleText],
) -> Any:
    """The task's primary metric on the labeled examples."""
    task = get_task(project.task)
    metrics = task.evaluate(
        [gold[key] for key in labeled],
        [predicted[key] for key in labeled],
        [contents[key] for key in labeled],
        [label.name for label in project.labels],
    )
    return metrics[task.primary_metric]


def _contents(path: Path) -> dict[int, ExampleText]:
    return {
        row["id"]: ExampleText(
            row["text"], tuple((start, end) for start, end in row["tokens"]), row["question"]
        )
        for row in json_lines(path)
    }


def _classes(folder: Path) -> list[str]:
    return list(json.loads((folder / "workbench.json").read_text(encoding="utf-8"))["classes"])


def _choices(project: Project, line: Mapping[str, Any]) -> list[Any]:
    """What the original chose, None where the second choice was as good."""
    if project.task == "qa":
        return [line["answer"] if line["clear"] else None]
    return list(line["classes"])


def _pairs(
    project: Project, lines: Sequence[Mapping[str, Any]], said: Sequence[Any]
) -> list[tuple[int, Any, Any]]:
    """(example id, wanted, found) of every clear choice."""
    return [
        (line["id"], wanted, found)
        for line, given in zip(lines, said, strict=True)
        for wanted, found in zip(
            _choices(project, line), [given] if project.task == "qa" else given, strict=True
        )
        if wanted is not None and found is not None
    ]


def _agreement(
    project: Project, lines: Sequence[Mapping[str, Any]], said: Sequence[Any] | None
) -> float | None:
    if said is None:
        return None
    pairs = _pairs(project, lines, said)
    return sum(wanted == found for _, wanted, found in pairs) / len(pairs) if pairs else None


def _refuse_other_labels(
    project: Project, lines: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]
) -> None:
    pairs = _pairs(project, lines, [row["fp32"] for row in rows])
    wrong = [(key, wanted, found) for key, wanted, found in pairs if wanted != found]
    if wrong:
        key, wanted, found = wrong[0]
        raise RunFailed(
            f"the ONNX model predicts something else than the original in {len(wrong)} of {len(pairs)} cases, first "
            f"{found} for {wanted} in example {key}",
            remedy="nothing was exported; export without --onnx",
        )


def _payload(project: Project, said: Any, example: ExampleText, classes: Sequence[str]) -> Payload:
    """What was said, as labels of the example."""
    task = get_task(project.task)
    if not isinstance(task, TaggingTask):
        start, end = said
        return Answers((Answer(start, end),) if end > start else ())
    chosen = [classes.index(name) if name is not None else 0 for name in said]
    return task.decode(np.eye(len(classes), dtype=np.float32)[chosen], example, classes).payload
