"""A simulation to be handed on: one HTML file that needs nothing else, and its points as CSV."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from workbench.evidence.curves import Spread, curve, mean_curve
from workbench.evidence.replay import GOAL

COLOURS = ("#8a8f98", "#33899c", "#b3405a", "#b8862b", "#5b6abf", "#4c8f4f", "#8e5aa8", "#c0622f")
"""Of the strategies in their order; the first, ``random``, is grey."""

COLUMNS = ("strategy", "seed", "round", "examples", "words", "seconds", "metric", "computed")
AXES = {"words": "words labeled", "seconds": "hours of an annotator, predicted"}
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 900, 380, 60, 46, 14

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
.key i { display: inline-block; width: 1.2rem; height: .3rem; vertical-align: middle; margin: 0 .3rem 0 1rem }
"""


def points_csv(report: Mapping[str, Any]) -> str:
    """One line a point."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in report["curves"]:
        for point in each["points"]:
            writer.writerow([each["strategy"], each["seed"], *(point[name] for name in COLUMNS[2:])])
    return out.getvalue()


def verdict(report: Mapping[str, Any]) -> str:
    """What the simulation says in a sentence: of the strategy that needs the fewest words, and of random."""
    goals = report["words_to_99_percent"]
    if not goals:
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
    title = f"{report['project']}: a simulation of {len(_arms(report))} strategies"
    asked = report["parameters"]
    full = report["full_data"]
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<div class="verdict"><strong>{escape(verdict(report))}</strong></div>',
        f"<p>Pool: {escape(asked['pool'])}; measured on {escape(asked['measured_on'])} by {escape(report['metric'])}. "
        f"{len(asked['seeds'])} seeds, {asked['rounds']} rounds of {asked['batch_words']:,} words after a first batch "
        f"by lot; base model {escape(str(asked['base_model']))}, {asked['epochs']:g} epochs, at least "
        f"{asked['min_steps']} steps. {escape(report['seconds_from'])} Bands are 95 % intervals over seeds.</p>",
        f"<p>Whole pool: {full['words']:,} words, {_score(full['metric'])}.</p>" if full else "",
        _key(report),
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
        for name, arm in _arms(report).items()
    }


def _arms(report: Mapping[str, Any]) -> dict[str, list[Sequence[Mapping[str, Any]]]]:
    arms: dict[str, list[Sequence[Mapping[str, Any]]]] = defaultdict(list)
    for each in report["curves"]:
        arms[each["strategy"]].append(each["points"])
    return arms


def _colours(report: Mapping[str, Any]) -> dict[str, str]:
    return {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(_arms(report))}


def _key(report: Mapping[str, Any]) -> str:
    items = (
        f'<i style="background:{colour}"></i>{escape(name)}' for name, colour in _colours(report).items()
    )
    return f'<p class="key">{"".join(items)}</p>'


def _chart(report: Mapping[str, Any], axis: str) -> str:
    """Mean curves with their bands, and a dashed line at 99 % of the full data's score."""
    found = {name: line for name, line in mean_curves(report, axis).items() if line}
    if not found:
        return "<p>No curve yet.</p>"
    goal = GOAL * report["full_data"]["metric"]["mean"] if report["full_data"] else None
    heights = [
        end for line in found.values() for _, s in line for end in (s.low, s.high, s.mean) if end is not None
    ]
    low, high = min(heights), min(float(report["scale"]), max([*heights, goal or 0.0]))
    low, span = max(0.0, low), max(high - max(0.0, low), 1e-9)
    right: float = max(at for line in found.values() for at, _ in line) or 1.0

    def x(value: float) -> float:
        return LEFT + value / right * (WIDTH - LEFT - 10)

    def y(value: float) -> float:
        return TOP + (1 - (min(max(value, low), high) - low) / span) * (HEIGHT - TOP - BOTTOM)

    parts = _axes(x, y, (low, high), right, AXES[axis])
    if goal is not None:
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH}" y1="{y(goal):.1f}" y2="{y(goal):.1f}" stroke="currentColor" '
            f'stroke-dasharray="5 4"/>'
            f'<text x="{WIDTH}" y="{y(goal) - 5:.1f}" text-anchor="end">99 % of full data</text>'
        )
    colours = _colours(report)
    for name, line in found.items():
        band = [(at, s.low, s.high) for at, s in line if s.low is not None and s.high is not None]
        if band:
            outline = [f"{x(at):.1f},{y(top):.1f}" for at, _, top in band]
            outline += [f"{x(at):.1f},{y(bottom):.1f}" for at, bottom, _ in reversed(band)]
            parts.append(f'<polygon points="{" ".join(outline)}" fill="{colours[name]}" opacity=".15"/>')
        path = " ".join(f"{x(at):.1f},{y(s.mean):.1f}" for at, s in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colours[name]}" stroke-width="2.5"/>')
    said = escape(f"{report['metric']} by {AXES[axis]}")
    return f'<svg viewBox="0 0 {WIDTH + 10} {HEIGHT}" role="img" aria-label="{said}">{"".join(parts)}</svg>'


def _axes(x: Any, y: Any, heights: tuple[float, float], right: float, title: str) -> list[str]:
    low, high = heights
    parts = [
        f'<text x="{x(right):.1f}" y="{HEIGHT - 6}" text-anchor="end">{escape(title)}</text>',
        f'<line x1="{LEFT}" x2="{LEFT}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="currentColor" opacity=".4"/>',
    ]
    for step in range(6):
        value, at = low + (high - low) * step / 5, right * step / 5
        form = f"{at:,.0f}" if right >= 20 else f"{at:.2g}"
        parts.append(
            f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.3g}</text>'
            f'<text x="{x(at):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{form}</text>'
        )
    return parts


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
    for name, arm in _arms(report).items():
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
