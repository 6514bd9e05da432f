"""A comparison to be handed on: everything that was decided on, as JSON and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from workbench.domain import Evaluation, ModelVersion, Project
from workbench.services.comparison import Analysis
from workbench.services.differences import Change, changed, error_kinds, kinds_of
from workbench.services.figures import left_out, plain_figures
from workbench.services.leaks import Leak
from workbench.services.slices import Seen, slice_kinds, slices
from workbench.services.workbench import Workbench
from workbench.storage.rows import now
from workbench.tasks import get_task

EXAMPLES = 50
"""Fixed and broken examples that a report holds, each."""

PARTS = 12
"""Rows of one division that a report holds."""


def make_report(workbench: Workbench, project: Project, analysis: Analysis, seen: Seen) -> dict[str, Any]:
    """Everything about a comparison, of JSON's own types.

    Keys: ``project``, ``task``, ``made_at``, ``verdict``, ``worse``, ``comparison`` (the fields of ``Comparison``; as
    ``doubted`` the versions whose scores are too high), ``gold_set``, ``versions``, ``figures``, ``kinds_of_error``,
    ``parts`` and ``examples``.
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
            "doubted": list(analysis.doubted),
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
            _version(version, leak, latest.get(version.number))
            for version, leak in zip(analysis.versions, analysis.leaks, strict=True)
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


def _version(version: ModelVersion, leak: Leak, evaluation: Evaluation | None) -> dict[str, Any]:
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
        "warning": leak.sentence,
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
    lines = [
        *_heading(report),
        "",
        *_whole(report),
        "",
        f"## {by_label(report)}",
        "",
        *_rows(
            report["comparison"],
            report["comparison"]["per_label"],
            ("questions" if report["task"] == "qa" else "label", "in gold"),
            ("label", "support"),
        ),
    ]
    for title, rows in report["parts"].items():
        lines += ["", f"## {_cell(title)}", ""]
        lines += _rows(report["comparison"], rows, ("part", "examples"), ("name", "examples"))
    lines += ["", "## Kinds of error", "", *_errors(report)]
    for change, examples in report["examples"].items():
        of = report["comparison"][change]
        lines += ["", f"## {change.capitalize()}: the first {len(examples):,} of {of:,}", ""]
        lines += [
            f"- `{_cell(each['external_id'])}` {_cell(each['question'] or each['text'])[:300]}"
            for each in examples
        ]
    return "\n".join(lines) + f"\n\nMade {report['made_at']}.\n"


def by_label(report: Mapping[str, Any]) -> str:
    """The heading above the differences label by label; questions have none."""
    return "By kind of question" if report["task"] == "qa" else "By label"


def _heading(report: Mapping[str, Any]) -> list[str]:
    comparison, gold_set = report["comparison"], report["gold_set"]
    return [
        f"# {_cell(report['project'])}: version {comparison['b']} against version {comparison['a']}",
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
        f"Measured on {gold_set['split']} set {gold_set['number']}: {gold_set['examples']:,} examples"
        f"{left_out(comparison['partial'])} of {gold_set['documents']:,} documents, frozen {gold_set['frozen_at']}, "
        f"SHA-256 `{gold_set['data_hash']}`. "
        f"Intervals by paired bootstrap over {comparison['units']:,} {comparison['unit']}, p-values by approximate "
        "randomisation.",
    ]


def _whole(report: Mapping[str, Any]) -> list[str]:
    """The table of both versions as wholes."""
    comparison = report["comparison"]
    points = _per_unit(comparison)
    low, high = comparison["confidence_interval"]
    one, two = report["versions"]
    return _table(
        ("", *_versions(comparison), "difference"),
        [
            (
                comparison["metric"],
                *(
                    f"{comparison[f'score_{side}']:.4f}"
                    + (", too high" if comparison[side] in comparison["doubted"] else "")
                    for side in "ab"
                ),
                f"{comparison['difference'] * points:+.1f} points ({low * points:+.1f} to {high * points:+.1f}), "
                f"p = {comparison['p_value']:.4f}",
            ),
            ("examples fixed, broken", "", "", f"{comparison['fixed']:,}, {comparison['broken']:,}"),
            *(
                (key, str(one[key] or ""), str(two[key] or ""), "")
                for key in ("base_model", "trained_at", "note")
            ),
        ],
    )


def _rows(
    comparison: Mapping[str, Any], rows: list[dict[str, Any]], head: tuple[str, str], keys: tuple[str, str]
) -> list[str]:
    """A table of labels, or of parts of the split; p-values where the rows have them."""
    points = _per_unit(comparison)
    tested = any("p_value" in row for row in rows)
    return _table(
        (*head, *_versions(comparison), "points", "95 % interval", *(("p",) if tested else ())),
        [
            (
                row[keys[0]],
                f"{row[keys[1]]:,}",
                f"{row['a']:.4f}",
                f"{row['b']:.4f}",
                f"{row['difference'] * points:+.1f}",
                _interval(row, points),
                *((f"{row['p_value']:.3f}",) if tested else ()),
            )
            for row in rows
        ],
    )


def _errors(report: Mapping[str, Any]) -> list[str]:
    return _table(
        ("kind", *_versions(report["comparison"])),
        [(kind, f"{one:,}", f"{two:,}") for kind, (one, two) in report["kinds_of_error"].items()],
    )


def _versions(comparison: Mapping[str, Any]) -> tuple[str, str]:
    return f"version {comparison['a']}", f"version {comparison['b']}"


def _per_unit(comparison: Mapping[str, Any]) -> float:
    """Points of a hundred in one unit of the metric."""
    return 100.0 / float(comparison["scale"])


def _interval(row: Mapping[str, Any], points: float) -> str:
    return "–" if row["low"] is None else f"{row['low'] * points:+.1f} to {row['high'] * points:+.1f}"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(map(_cell, row))} |" for row in (head, ("---",) * len(head), *rows)]


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;").replace("`", "'")
