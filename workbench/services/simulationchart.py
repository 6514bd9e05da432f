"""The charts of a simulation's report, as SVG that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import Any

from workbench.evidence.curves import Spread
from workbench.evidence.replay import GOAL

COLOURS = ("#8a8f98", "#33899c", "#b3405a", "#b8862b", "#5b6abf", "#4c8f4f", "#8e5aa8", "#c0622f")
"""Of the strategies in their order; the first, ``random``, is grey."""

AXES = {"words": "words labeled", "seconds": "hours of an annotator, predicted"}
WIDTH, HEIGHT, LEFT, RIGHT, BOTTOM, TOP = 900, 400, 60, 120, 46, 14
STEPS = 6
MARGIN = 0.06
APART = 15.0
"""Between two names at the right end, in units of the drawing."""

Line = Sequence[tuple[float, Spread]]


@dataclass(frozen=True, slots=True)
class Frame:
    """What is drawn of a plane: costs 0 to ``right``, scores ``low`` to ``high``."""

    right: float
    low: float
    high: float

    def x(self, value: float) -> float:
        """Where a cost lies."""
        return LEFT + value / self.right * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Where a score lies; one beyond the frame, at its edge."""
        inside = min(max(value, self.low), self.high)
        return TOP + (1 - (inside - self.low) / (self.high - self.low)) * (HEIGHT - TOP - BOTTOM)


def colours(names: Sequence[str]) -> dict[str, str]:
    """A colour for each strategy."""
    return {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(names)}


def frame_of(
    arms: Mapping[str, Sequence[Sequence[Mapping[str, Any]]]],
    full: Mapping[str, Any],
    axis: str,
    scale: float,
) -> Frame:
    """Room for every point of every seed and for the full data's score.

    An interval over two or three seeds may be far wider than the points: it is cut off at the edge, so that the curves
    can be told apart.

    Args:
        arms: Points of each strategy and seed.
        full: The report's ``full_data``.
        axis: A key of ``AXES``.
        scale: The metric's maximum.
    """
    points = [point for arm in arms.values() for one in arm for point in one]
    heights = [float(point["metric"]) for point in points]
    if full:
        heights += [float(full["metric"]["mean"]), GOAL * float(full["metric"]["mean"])]
    low, high = min(heights), max(heights)
    room = MARGIN * ((high - low) or scale)
    unit = 3600.0 if axis == "seconds" else 1.0
    right = max(float(point[axis]) / unit for point in points) or 1.0
    return Frame(right, max(0.0, low - room), min(scale, high + room))


def draw(
    lines: Mapping[str, Line],
    arms: Mapping[str, Sequence[Sequence[Mapping[str, Any]]]],
    full: Mapping[str, Any],
    axis: str,
    metric: str,
    scale: float,
) -> str:
    """Mean curves with their bands, each seed faintly, the full data's score and 99 % of it."""
    if not any(lines.values()):
        return "<p>No curve yet.</p>"
    frame = frame_of(arms, full, axis, scale)
    chosen = colours(list(arms))
    unit = 3600.0 if axis == "seconds" else 1.0
    parts = _axes(frame, AXES[axis])
    if full:
        parts += _goals(frame, float(full["metric"]["mean"]))
    for name, line in lines.items():
        band = [(at, s.low, s.high) for at, s in line if s.low is not None and s.high is not None]
        if band:
            outline = [_pair(frame, at, top) for at, _, top in band]
            outline += [_pair(frame, at, bottom) for at, bottom, _ in reversed(band)]
            parts.append(f'<polygon points="{" ".join(outline)}" fill="{chosen[name]}" opacity=".13"/>')
    for name, arm in arms.items():
        for one in arm:
            path = " ".join(_pair(frame, point[axis] / unit, point["metric"]) for point in one)
            parts.append(
                f'<path d="M{path.replace(" ", "L")}" fill="none" stroke="{chosen[name]}" opacity=".35"/>'
            )
    for name, line in lines.items():
        path = " ".join(_pair(frame, at, s.mean) for at, s in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{chosen[name]}" stroke-width="2.5"/>')
    parts += _names(frame, {name: line for name, line in lines.items() if line}, chosen)
    said = escape(f"{metric} by {AXES[axis]}")
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{said}">{"".join(parts)}</svg>'


def _pair(frame: Frame, cost: float, value: float) -> str:
    return f"{frame.x(cost):.1f},{frame.y(value):.1f}"


def _goals(frame: Frame, full: float) -> list[str]:
    right = WIDTH - RIGHT
    parts = []
    for value, name, dash, down in ((full, "full data", "", -5), (GOAL * full, "99 % of it", "5 4", 14)):
        y = frame.y(value)
        parts.append(
            f'<line x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="currentColor" opacity=".7" '
            f'stroke-dasharray="{dash}"/>'
            f'<text x="{LEFT + 6}" y="{y + down:.1f}">{name}, {value:.3g}</text>'
        )
    return parts


def _names(frame: Frame, lines: Mapping[str, Line], chosen: Mapping[str, str]) -> list[str]:
    """Each strategy's name at the end of its curve, moved apart where they would lie on each other."""
    ends = sorted((frame.y(line[-1][1].mean), frame.x(line[-1][0]), name) for name, line in lines.items())
    parts = []
    last = -APART
    for y, x, name in ends:
        last = max(y, last + APART)
        style = f"fill:{chosen[name]};font-weight:600"
        parts.append(f'<text x="{x + 6:.1f}" y="{last + 4:.1f}" style="{style}">{escape(name)}</text>')
    return parts


def _axes(frame: Frame, title: str) -> list[str]:
    parts = [
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end">{escape(title)}</text>',
        f'<line x1="{LEFT}" x2="{LEFT}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="currentColor" opacity=".4"/>',
    ]
    for value in ticks(frame.low, frame.high):
        y = frame.y(value)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="currentColor" opacity=".12"/>'
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.4g}</text>'
        )
    below = HEIGHT - BOTTOM + 18
    return parts + [
        f'<text x="{frame.x(at):.1f}" y="{below}" text-anchor="middle">{_number(at)}</text>'
        for at in ticks(0.0, frame.right)
    ]


def ticks(low: float, high: float) -> list[float]:
    """Round numbers within a range, about six.

    >>> ticks(0.0, 1.0)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    wide = (high - low) / (STEPS - 1)
    power = 10.0 ** floor(log10(wide))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= wide * 0.999)
    first = ceil(low / step - 1e-9)
    last = floor(high / step + 1e-9)
    return [round(index * step, 10) for index in range(first, last + 1)]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 20 or value == 0 else f"{value:.3g}"
