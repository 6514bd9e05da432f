"""What a version that was trained with context loses where it reads single texts, as its export does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.domain import ExampleText, Json, Payload, Project
from workbench.tasks import get_task


def check_alone(
    project: Project, lines: Sequence[Json], gold: Mapping[int, Payload]
) -> dict[str, Any] | None:
    """Compare the predictions of single texts with those of the same texts in their documents.

    Args:
        project: The project.
        lines: Of ``expected.jsonl``; see ``modeling.export.expected``.
        gold: Labels of those examples that have some.

    Returns:
        ``examples``, ``same`` (how many have the same labels either way), ``labeled``, ``metric`` (its name) and its
        value ``in_context`` and ``alone`` on the labeled ones, None without any. None for a version without context.
    """
    lines = [line for line in lines if "in_context" in line]
    if not lines:
        return None
    task = get_task(project.task)
    labeled = [line for line in lines if line["id"] in gold]
    texts = [
        ExampleText(line["text"], tuple((start, end) for start, end in line["tokens"])) for line in labeled
    ]

    def value(key: str) -> float | None:
        if not labeled:
            return None
        found = task.evaluate(
            [gold[line["id"]] for line in labeled],
            [task.load(line[key]) for line in labeled],
            texts,
            [label.name for label in project.labels],
        )
        return float(found[task.primary_metric])

    return {
        "examples": len(lines),
        "same": sum(line["payload"] == line["in_context"] for line in lines),
        "labeled": len(labeled),
        "metric": task.primary_metric,
        "in_context": value("in_context"),
        "alone": value("payload"),
    }


def context_section(size: int, found: Json | None) -> list[str]:
    """What a model card says of it; nothing of a version without context.

    Args:
        size: Sub-words of context on each side.
        found: What ``check_alone`` has measured.
    """
    if not size:
        return []
    said = (
        f"This version was trained with context: in the workbench it reads a sentence with up to {size} sub-words of "
        "what stands before and after it in its document. The pipelines of this folder read single texts without. That "
        "works, but a word whose label hangs on the sentences around it may get another one. A text that is a whole "
        "paragraph brings its context along."
    )
    return ["## Context", f"{said} {told(found)}".strip()]


def told(found: Json | None) -> str:
    """What was measured, in sentences; nothing where nothing was."""
    if not found:
        return ""
    said = (
        f"Of the {found['examples']:,} texts that this export was checked on, {found['same']:,} get the same labels "
        "alone as in their documents."
    )
    if found["labeled"]:
        said += (
            f" On the {found['labeled']:,} labeled ones {found['metric'].replace('_', ' ')} is "
            f"{found['in_context']:.3f} in their documents and {found['alone']:.3f} alone."
        )
    return said
