"""A comparison to be handed on: everything that was decided on, as JSON and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from workbench.domain import Evaluation, ModelVersion, Project
from workbench.services.comparison import Analysis
from workbench.services.differences import Change, changed, error_kinds, kinds_of
from workbench.services.figures import plain_figures
from workbench.services.slices import Seen, slice_kinds, slices
from workbench.services.versions import VersionService
from workbench.services.workbench import Workbench
from workbench.storage.rows import now
from workbench.tasks import get_task

EXAMPLES = 50
"""Fixed and broken examples that a report holds, each."""

PARTS = 12
"""Rows of one division that a report holds."""


def make_report(workbench: Workbench, project: Project, analysis: Analysis, seen: Seen) -> dict[str, Any]:
    """Everything about a comparison, of JSON's own types.

    Keys: ``project``, ``task``, ``made_at``, ``verdict``, ``worse``, ``comparison`` (the fields of ``Comparison``),
    ``gold_set``, ``versions``, ``figures``, ``kinds_of_error``, ``parts`` and ``examples``.
    """
    comparison = analysis.comparison
    latest = {
        each.model_version: each
        for each in workbench.evaluation.evaluations(project, comparison.split)
        if each.gold_set == comparison.gold_set
    }
    return {
        "project": project.name,
        "task": project.task,
        "made_at": now().isoformat(timespec="seconds"),
        "verdict": comparison.sentence,
        "worse": comparison.worse_sentence,
        "comparison": {
            **asdict(comparison),
            "split": str(comparison.split),
            "confidence_interval": list(comparison.confidence_interval),
            "fixed_examples": list(comparison.fixed_examples),
            "broken_examples": list(comparison.broken_examples),
            "per_label": [asdict(row) for row in comparison.per_label],
        },
        "gold_set": {
            "number": analysis.gold_set.number,
            "split": str(analysis.gold_set.split),
            "examples": analysis.gold_set.examples,
            "documents": len(analysis.documents),
            "data_hash": analysis.gold_set.data_hash,
            "frozen_at": analysis.gold_set.created_at.isoformat(timespec="seconds"),
        },
        "versions": [
            _version(workbench.versions, analysis, version, latest) for version in analysis.versions
        ],
        "figures": {
            str(version.number): plain_figures(latest[version.number].metrics)
            for version in analysis.versions
            if version.number in latest
        },
        "kinds_of_error": _kinds(analysis),
        "parts": {
            title: [asdict(part) for part in slices(analysis, kind, seen)[:PARTS]]
            for kind, title in slice_kinds(analysis).items()
        },
        "examples": {
            str(change): [_example(analysis, place) for place in changed(analysis, change)[:EXAMPLES]]
            for change in (Change.BROKEN, Change.FIXED)
        },
    }


def _version(
    service: VersionService, analysis: Analysis, version: ModelVersion, latest: Mapping[int, Evaluation]
) -> dict[str, Any]:
    evaluation = latest.get(version.number)
    return {
        "version": version.number,
        "base_model": version.base_model,
        "continued_from": version.parent,
        "trained_at": version.created_at.isoformat(timespec="seconds"),
        "parameters": dict(version.parameters),
        "note": version.note,
        "promoted": version.promoted,
        "artifact_sha256": version.artifact_sha256,
        "model_hash": version.artifact_sha256[:12],
        "confidence_interval": evaluation.metrics.get("confidence_interval") if evaluation else None,
        "warning": service.leak(version, analysis.gold_set).sentence,
    }


def _kinds(analysis: Analysis) -> dict[str, list[int]]:
    counted = error_kinds(analysis)
    return {str(kind): [counted[0][kind], counted[1][kind]] for kind in kinds_of(analysis)}


def _example(analysis: Analysis, place: int) -> dict[str, Any]:
    judged, task = analysis.examples[place], get_task(analysis.task)
    return {
        "place": place,
        "example": judged.example.id,
        "external_id": judged.example.external_id,
        "document": analysis.documents.get(judged.example.document_id),
        "text": judged.content.text,
        "question": judged.content.question,
        "gold": task.dump(judged.gold),
        "a": task.dump(judged.predicted[0]),
        "b": task.dump(judged.predicted[1]),
    }


def markdown(report: Mapping[str, Any]) -> str:
    """The report as Markdown."""
    comparison, gold_set = report["comparison"], report["gold_set"]
    a, b = comparison["a"], comparison["b"]
    points = 100.0 / comparison["scale"]
    low, high = comparison["confidence_interval"]
    lines = [
        f"# {_cell(report['project'])}: version {b} against version {a}",
        "",
        f"**{report['verdict']}**",
        "",
        report["worse"],
        "",
        *(
            f"> Version {each['version']}: {each['warning']}\n"
            for each in report["versions"]
            if each["warning"]
        ),
        f"Measured on {gold_set['split']} set {gold_set['number']}: {gold_set['examples']:,} examples of "
        f"{gold_set['documents']:,} documents, frozen {gold_set['frozen_at']}, SHA-256 `{gold_set['data_hash']}`. "
        f"Intervals by paired bootstrap over {comparison['units']:,} {comparison['unit']}, p-values by approximate "
        "randomisation.",
        "",
        *_table(
            ("", f"version {a}", f"version {b}", "difference"),
            [
                (
                    comparison["metric"],
                    f"{comparison['score_a']:.4f}",
                    f"{comparison['score_b']:.4f}",
                    f"{comparison['difference'] * points:+.1f} points ({low * points:+.1f} to {high * points:+.1f}), "
                    f"p = {comparison['p_value']:.4f}",
                ),
                ("examples fixed, broken", "", "", f"{comparison['fixed']:,}, {comparison['broken']:,}"),
                *(
                    (key, str(one[key] or ""), str(two[key] or ""), "")
                    for one, two in [report["versions"]]
                    for key in ("base_model", "trained_at", "note")
                ),
            ],
        ),
        "",
        "## By label",
        "",
        *_table(
            ("label", "in gold", f"version {a}", f"version {b}", "points", "95 % interval", "p"),
            [
                (
                    row["label"],
                    f"{row['support']:,}",
                    f"{row['a']:.4f}",
                    f"{row['b']:.4f}",
                    f"{row['difference'] * points:+.1f}",
                    _interval(row, points),
                    f"{row['p_value']:.3f}",
                )
                for row in comparison["per_label"]
            ],
        ),
    ]
    for title, rows in report["parts"].items():
        lines += ["", f"## {_cell(title)}", ""]
        lines += _table(
            ("part", "examples", f"version {a}", f"version {b}", "points", "95 % interval"),
            [
                (
                    row["name"],
                    f"{row['examples']:,}",
                    f"{row['a']:.4f}",
                    f"{row['b']:.4f}",
                    f"{row['difference'] * points:+.1f}",
                    _interval(row, points),
                )
                for row in rows
            ],
        )
    lines += ["", "## Kinds of error", ""]
    lines += _table(
        ("kind", f"version {a}", f"version {b}"),
        [(kind, f"{one:,}", f"{two:,}") for kind, (one, two) in report["kinds_of_error"].items()],
    )
    for change, examples in report["examples"].items():
        lines += ["", f"## {change.capitalize()}: the first {len(examples):,} of {comparison[change]:,}", ""]
        lines += [f"- `{_cell(each['external_id'])}` {_cell(each['text'])[:300]}" for each in examples]
    return "\n".join(lines) + f"\n\nMade {report['made_at']}.\n"


def _interval(row: Mapping[str, Any], points: float) -> str:
    return "–" if row["low"] is None else f"{row['low'] * points:+.1f} to {row['high'] * points:+.1f}"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(map(_cell, row))} |" for row in (head, ("---",) * len(head), *rows)]


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;").replace("`", "'")
