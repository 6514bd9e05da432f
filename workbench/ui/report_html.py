"""A comparison as one HTML file that needs nothing else: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from workbench.domain import Project
from workbench.services.comparison import Analysis
from workbench.services.figures import left_out
from workbench.services.report import by_label
from workbench.ui.forest import STYLE as FOREST_STYLE
from workbench.ui.forest import Row, forest
from workbench.ui.text_view import labeled_text
from workbench.ui.theme import metric_title, score

WIDEST = 120
"""Characters of a note, or of another fact of a version, in the table."""

STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; margin: .8rem 0; font-size: .92rem }
th, td { text-align: left; padding: .3rem .6rem; overflow-wrap: anywhere;
  border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent) }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
.verdict { border-left: .4rem solid #33899c; padding: .4rem 1rem; font-size: 1.1rem; margin: 1rem 0 }
.warning { border-left: .4rem solid #b3261e; color: #b3261e; padding: .4rem 1rem; margin: 1rem 0 }
@media (prefers-color-scheme: dark) { .warning { color: #f2b8b5 } }
.example { border: 1px solid color-mix(in srgb, currentColor 22%, transparent); border-radius: .5rem;
  padding: .6rem 1rem; margin: .6rem 0 }
.who { font-weight: 600; font-size: .85rem; opacity: .8; margin-top: .3rem }
small { opacity: .75 }
"""


def report_html(report: Mapping[str, Any], analysis: Analysis, project: Project) -> str:
    """The file's text.

    Args:
        report: Of ``services.report.make_report``.
        analysis: That it was made from: its examples are drawn as annotators see them.
        project: For the labels' colours.
    """
    comparison = report["comparison"]
    title = f"{report['project']}: version {comparison['b']} against version {comparison['a']}"
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<div class="verdict"><strong>{escape(report["verdict"])}</strong><br>{escape(report["worse"])}</div>',
        *(
            f'<div class="warning">Version {each["version"]}: {escape(each["warning"])}</div>'
            for each in report["versions"]
            if each["warning"]
        ),
        _whole(report),
        _measured(report),
        f"<h2>{by_label(report)}</h2>",
        _labels(comparison),
    ]
    for name, rows in report["parts"].items():
        body += [
            f"<h2>{escape(name)}</h2>",
            _forest(comparison, [_row(each, "name", "examples") for each in rows], "Examples"),
        ]
    body += ["<h2>Kinds of error</h2>", _errors(report), *_figures(report)]
    for change, examples in report["examples"].items():
        body.append(f"<h2>{change.capitalize()} ({comparison[change]:,})</h2>")
        if len(examples) < comparison[change]:
            body.append(f"<p><small>The first {len(examples)} of them.</small></p>")
        body += [_example(analysis, project, each["place"]) for each in examples]
    body.append(f"<p><small>Made {escape(report['made_at'])}.</small></p>")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}{FOREST_STYLE}</style></head>'
        f"<body>{''.join(body)}</body></html>"
    )


def _whole(report: Mapping[str, Any]) -> str:
    """The table of both versions as wholes."""
    comparison = report["comparison"]
    scale = comparison["scale"]
    return _table(
        ("", *_versions(comparison), "Difference"),
        [
            (
                metric_title(comparison["metric"]),
                *(
                    score(comparison[f"score_{side}"], scale)
                    + (", too high" if comparison[side] in comparison["doubted"] else "")
                    for side in "ab"
                ),
                f"{_points(comparison, comparison['difference'])} points, 95 % "
                f"{_interval(comparison, comparison['confidence_interval'])}, p = {comparison['p_value']:.4f}",
            ),
            ("Examples fixed", "", "", f"{comparison['fixed']:,}"),
            ("Examples broken", "", "", f"{comparison['broken']:,}"),
            *(
                (
                    name.replace("_", " ").capitalize(),
                    *(str(each[name] or "–")[:WIDEST] for each in report["versions"]),
                    "",
                )
                for name in ("base_model", "trained_at", "note", "model_hash")
            ),
        ],
    )


def _measured(report: Mapping[str, Any]) -> str:
    comparison, gold_set = report["comparison"], report["gold_set"]
    return (
        f"<p><small>Measured on {escape(gold_set['split'])} set {gold_set['number']}: {gold_set['examples']:,} labeled "
        f"examples{left_out(comparison['partial'])} of {gold_set['documents']:,} documents, frozen "
        f"{escape(gold_set['frozen_at'])}, SHA-256 {gold_set['data_hash']}. Intervals by paired bootstrap "
        f"over {comparison['units']:,} {comparison['unit']}, p-values by approximate randomisation.</small></p>"
    )


def _errors(report: Mapping[str, Any]) -> str:
    return _table(
        ("Kind", *_versions(report["comparison"])),
        [(kind.capitalize(), f"{x:,}", f"{y:,}") for kind, (x, y) in report["kinds_of_error"].items()],
    )


def _versions(comparison: Mapping[str, Any]) -> tuple[str, str]:
    return f"Version {comparison['a']}", f"Version {comparison['b']}"


def _points(comparison: Mapping[str, Any], value: float) -> str:
    return f"{100 * value / comparison['scale']:+.1f}"


def _interval(comparison: Mapping[str, Any], ends: Sequence[float | None]) -> str:
    return " to ".join("–" if end is None else _points(comparison, end) for end in dict.fromkeys(ends))


def _labels(comparison: Mapping[str, Any]) -> str:
    low, high = comparison["confidence_interval"]
    whole = Row(
        metric_title(comparison["metric"]),
        None,
        comparison["score_a"],
        comparison["score_b"],
        comparison["difference"],
        low,
        high,
        comparison["p_value"],
        whole=True,
    )
    return _forest(
        comparison, [whole, *(_row(each, "label", "support") for each in comparison["per_label"])], "In gold"
    )


def _row(each: Mapping[str, Any], name: str, number: str) -> Row:
    return Row(
        each[name],
        each[number],
        each["a"],
        each["b"],
        each["difference"],
        each["low"],
        each["high"],
        each.get("p_value"),
    )


def _forest(comparison: Mapping[str, Any], rows: Sequence[Row], counted: str) -> str:
    versions = comparison["a"], comparison["b"]
    return forest(
        rows, versions=versions, counted=counted, scale=comparison["scale"], doubted=comparison["doubted"]
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        inner = "".join(
            f"<{tag}{' class=n' if index else ''}>{escape(str(cell))}</{tag}>"
            for index, cell in enumerate(cells)
        )
        return f"<tr>{inner}</tr>"

    return f"<table>{line(head, 'th')}{''.join(line(row, 'td') for row in rows)}</table>"


def _figures(report: Mapping[str, Any]) -> list[str]:
    figures: Mapping[str, Mapping[str, float]] = report["figures"]
    if len(figures) < 2:
        return []
    first, second = figures.values()
    names = dict.fromkeys([*first, *second])
    rows = [
        (name, *(f"{part[name]:.4f}" if name in part else "–" for part in (first, second))) for name in names
    ]
    return ["<h2>All figures</h2>", _table(("", *(f"Version {number}" for number in figures)), rows)]


def _example(analysis: Analysis, project: Project, place: int) -> str:
    judged = analysis.examples[place]
    document = analysis.documents.get(judged.example.document_id, "")
    lines = [("Gold", judged.gold)]
    lines += [
        (f"Version {version.number}", payload)
        for version, payload in zip(analysis.versions, judged.predicted, strict=True)
    ]
    drawn = "".join(
        f'<div class="who">{name}</div>{labeled_text(judged.content, payload, project.labels, limit=800)}'
        for name, payload in lines
    )
    where = escape(f"{judged.example.external_id} · {document}")
    return f'<div class="example"><small>{where}</small>{drawn}</div>'
