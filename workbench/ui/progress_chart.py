"""The learning curve of a project with where it is heading."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from workbench.services.progress import AXES, Progress
from workbench.ui.charts import cost_axis
from workbench.ui.theme import BLUE, GREY, RED, SAND, metric_title

FITTED, OTHER, TOO_HIGH = "fitted", "another base model", "too high"
KINDS = {FITTED: BLUE, OTHER: GREY, TOO_HIGH: RED}
"""Of points, with their colours: what the extrapolation goes through, and what it does not."""

STEPS = 60
MARGIN = 0.08
AHEAD = 0.5
"""How far beyond the last point the curve is drawn, as a share of what it cost."""


def progress_chart(found: Progress, axis: str) -> alt.LayerChart:
    """Points with intervals, scores by lot, and the extrapolation with its interval.

    Args:
        found: With at least one point.
        axis: A key of ``AXES``.
    """
    metric = metric_title(found.metric)
    places = ".3f" if found.scale <= 1 else ".1f"
    title = AXES[axis].capitalize()
    points, lots, ahead = _points(found, axis), _lots(found, axis), _ahead(found, axis)
    height = alt.Scale(domain=_room(points, lots, ahead, found.scale), zero=False)
    x = alt.X(
        "cost:Q",
        title=title,
        scale=alt.Scale(zero=False, nice=True),
        axis=cost_axis(in_hours=axis == "hours"),
    )
    name = f"{metric}, {found.split} split"  # the same for every layer, or all of them stand beside the axis
    y = alt.Y("value:Q", title=name, scale=height)
    low = alt.Y("low:Q", title=name, scale=height)
    layers: list[alt.Chart] = []
    if ahead is not None:
        line = alt.Chart(ahead)
        layers += [
            line.mark_area(color=BLUE, opacity=0.12, clip=True).encode(x=x, y=low, y2="high:Q"),
            line.mark_line(color=BLUE, strokeDash=[6, 4]).encode(x=x, y=y),
        ]
    tips = [
        alt.Tooltip("version:N", title="Version"),
        alt.Tooltip("value:Q", title=metric, format=places),
        alt.Tooltip("low:Q", title="95 % from", format=places),
        alt.Tooltip("high:Q", title="to", format=places),
        alt.Tooltip("cost:Q", title=title, format=",.1f"),
        alt.Tooltip("base:N", title="Base model"),
        alt.Tooltip("kind:N", title="Is"),
    ]
    colour = alt.Color("kind:N", scale=alt.Scale(domain=list(KINDS), range=list(KINDS.values())), legend=None)
    drawn = alt.Chart(points)
    layers += [
        drawn.mark_errorbar(ticks=True).encode(x=x, y=low, y2="high:Q", color=colour),
        drawn.mark_point(filled=True, size=90, opacity=1).encode(x=x, y=y, color=colour, tooltip=tips),
        drawn.mark_text(align="left", dx=9, dy=-9, color=GREY, fontWeight="bold").encode(
            x=x, y=y, text="version:N"
        ),
    ]
    if len(lots):
        diamonds = alt.Chart(lots)
        layers += [
            diamonds.mark_rule(color=SAND, opacity=0.6).encode(x=x, y=low, y2="high:Q"),
            diamonds.mark_point(shape="diamond", filled=True, size=80, color=SAND, opacity=1).encode(
                x=x, y=y, tooltip=tips
            ),
        ]
    return alt.layer(*layers).properties(height=340)


def _room(points: pd.DataFrame, lots: pd.DataFrame, ahead: pd.DataFrame | None, scale: float) -> list[float]:
    """Room for every point and interval of a version, and for where the curve is heading.

    The interval of that may be as wide as the scale where there are few points: it is cut off at the edge.
    """
    heights = [points[name].dropna() for name in ("value", "low", "high")]
    heights += [lots[name].dropna() for name in ("value", "low", "high")] if len(lots) else []
    heights += [ahead["value"]] if ahead is not None else []
    together = pd.concat(heights)
    low, high = float(together.min()), float(together.max())
    room = MARGIN * ((high - low) or scale)
    return [max(0.0, low - room), min(scale, high + room)]


def _points(found: Progress, axis: str) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "cost": point.cost(axis),
                "value": point.score,
                "low": point.low,
                "high": point.high,
                "version": str(point.version),
                "base": point.base_model,
                "kind": TOO_HIGH if point.warning else FITTED if point.fitted else OTHER,
            }
            for point in found.points
        ]
    ).astype({"low": "float64", "high": "float64"})


def _lots(found: Progress, axis: str) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "cost": point.cost(axis),
                "value": point.audit.score,
                "low": point.audit.low,
                "high": point.audit.high,
                "version": f"{point.version}, on {point.audit.examples} by lot",
                "base": point.base_model,
            }
            for point in found.points
            if point.audit.score is not None
        ]
    )


def _ahead(found: Progress, axis: str) -> pd.DataFrame | None:
    law, line = found.law(axis), found.line(axis)
    if law is None or line is None:
        return None
    first, last = float(line[0][0]), float(line[0][-1])
    costs = np.linspace(first, last * (1 + AHEAD), STEPS)
    found_at = [law.at(float(cost)) for cost in costs]
    return pd.DataFrame(
        {
            "cost": costs,
            "value": [each.value for each in found_at],
            "low": [each.low for each in found_at],
            "high": [each.high for each in found_at],
        }
    )
