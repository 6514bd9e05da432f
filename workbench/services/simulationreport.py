"""A simulation to be handed on: one HTML file that needs nothing else, and its points as CSV."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from workbench.evidence.curves import Spread, curve, mean_curve
from workbench.evidence.replay import FULL, GOAL
from workbench.services.simulationchart import AXES, draw

BANDS = "Bands are 95 % intervals over seeds (Student's t), cut off at the chart's edge; faint lines are single seeds."
COLUMNS = ("strategy", "seed", "round", "examples", "words", "seconds", "metric", "computed")
STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; margin: .8rem 0; font-size: .92rem }
th, td { text-align: right; padding: .3rem .6rem; font-variant-numeric: tabular-nums;
  border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent) }
th:first-child, td:first-child { text-align: left }
.verdict { border-left: .4rem solid #33899c; padding: .4rem 1rem; margin: 1rem 0 }
svg { width: 100%; height: auto }
svg text { fill: currentColor; font: 13px system-ui, sans-serif }
"""


def points_csv(report: Mapping[str, Any]) -> str:
    """One line a point; those of the whole pool last, as the strategy ``full``."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in report["curves"]:
        for point in each["points"]:
            writer.writerow([each["strategy"], each["seed"], *(point[name] for name in COLUMNS[2:])])
    for seed, value in report["full_data"].get("seeds", {}).items():
        costs = (report["full_data"][name] for name in COLUMNS[3:6])
        writer.writerow([FULL, seed, 0, *costs, value, ""])
    return out.getvalue()


def verdict(report: Mapping[str, Any]) -> str:
    """What the simulation says in a sentence: of the strategy that needs the fewest words, and of random."""
    goals = report["words_to_99_percent"]
    if not goals:
        if not report["parameters"].get("full", True):
            return "No model was trained on the whole pool: there is nothing to hold the curves against but each other."
        return "The model of the whole pool is not trained yet: there is nothing to hold the curves against."
    reached = {name: found for name, found in goals.items() if found["words"] is not None}
    if not reached:
        return f"No strategy reached {GOAL:.0%} of the full data's score with every seed in these rounds."
    best = min(reached, key=lambda name: reached[name]["words"])
    said = (
        f"{best} reached {GOAL:.0%} of the full data's score with {reached[best]['words']:,.0f} words, "
        f"{reached[best]['share']:.0%} of the pool"
    )
    if best == "random":
        return f"{said}: no strategy needed fewer words than random."
    if "random" in reached:
        return f"{said}; random needed {reached['random']['words']:,.0f}, {reached['random']['share']:.0%}."
    return f"{said}; random did not reach it with every seed in these rounds."


def report_html(report: Mapping[str, Any]) -> str:
    """The file's text."""
    title = f"{report['project']}: a simulation of {len(arms_of(report))} strategies"
    asked = report["parameters"]
    full = report["full_data"]
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<div class="verdict"><strong>{escape(verdict(report))}</strong></div>',
        f"<p>Pool: {escape(asked['pool'])}; measured on {escape(asked['measured_on'])} by {escape(report['metric'])}. "
        f"{len(asked['seeds'])} seeds, {asked['rounds']} rounds of {asked['batch_words']:,} words after a first batch "
        f"by lot; base model {escape(str(asked['base_model']))}, {asked['epochs']:g} epochs, at least "
        f"{asked['min_steps']} steps. {escape(report['seconds_from'])} {BANDS}</p>",
        f"<p>Whole pool: {full['words']:,} words, {_score(full['metric'])}.</p>" if full else "",
        *(f"<h2>By {escape(what)}</h2>{_chart(report, axis)}" for axis, what in AXES.items()),
        "<h2>In figures</h2>",
        _table(report),
    ]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body>{''.join(body)}</body></html>"
    )


def mean_curves(report: Mapping[str, Any], axis: str) -> dict[str, list[tuple[float, Spread]]]:
    """Of each strategy its curve over seeds: (cost, spread). ``axis`` is a key of ``AXES``; seconds become hours."""
    scale = 3600.0 if axis == "seconds" else 1.0
    return {
        name: mean_curve(
            [curve([point[axis] / scale for point in one], [point["metric"] for point in one]) for one in arm]
        )
        for name, arm in arms_of(report).items()
    }


def arms_of(report: Mapping[str, Any]) -> dict[str, list[Sequence[Mapping[str, Any]]]]:
    """The points of each strategy, seed by seed."""
    arms: dict[str, list[Sequence[Mapping[str, Any]]]] = defaultdict(list)
    for each in report["curves"]:
        arms[each["strategy"]].append(each["points"])
    return arms


def _chart(report: Mapping[str, Any], axis: str) -> str:
    full, scale = report["full_data"], float(report["scale"])
    return draw(mean_curves(report, axis), arms_of(report), full, axis, report["metric"], scale)


def _table(report: Mapping[str, Any]) -> str:
    head = (
        "Strategy",
        "Last score",
        "Area under the curve",
        "Words to 99 %",
        "Share of the pool",
        "Each seed",
    )
    rows = []
    for name, arm in arms_of(report).items():
        goal = report["words_to_99_percent"].get(name)
        area = report["area_under_curve"].get(name)
        last = [points[-1]["metric"] for points in arm]
        seeds = goal["seeds"].values() if goal else ()
        rows.append(
            (
                name,
                f"{sum(last) / len(last):.4f}",
                _score(area) if area else "–",
                f"{goal['words']:,.0f}" if goal and goal["words"] is not None else "–",
                f"{goal['share']:.1%}" if goal and goal["share"] is not None else "–",
                ", ".join("not reached" if one is None else f"{one:,.0f}" for one in seeds),
            )
        )
    cells = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{''.join(f'<th>{each}</th>' for each in head)}</tr>{cells}</table>"


def _score(found: Mapping[str, Any]) -> str:
    if found["low"] is None:
        return f"{found['mean']:.4f}"
    return f"{found['mean']:.4f} ({found['low']:.4f} to {found['high']:.4f})"
