"""Charts that more than one page draws. Every axis is named, every interval drawn, no colour stands alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from workbench.ui.theme import BLUE, GREY, RED, ROSE

BINS = 40
FAIR, TOO_HIGH = "fair", "too high"


@st.cache_data(show_spinner=False, max_entries=100, ttl=3600)  # type: ignore[untyped-decorator]
def draw_once(drawn: str, _make: Callable[[], alt.TopLevelMixin | None]) -> None:
    """Draw the chart that ``_make`` gives, if any; where the same was drawn before, what was sent then is sent again:
    Altair takes a tenth of a second for a chart of several layers.

    Args:
        drawn: Everything that the chart shows, as text.
        _make: Makes it.
    """
    chart = _make()
    if chart is not None:
        st.altair_chart(chart, width="stretch")


def cost_axis(*, in_hours: bool) -> alt.Axis:
    """Of what labels cost: 1,200 words, 0.25 hours. With prefixes those are 250 m, and read as minutes."""
    return alt.Axis(format=".2~f" if in_hours else ",d", tickCount=6)


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One model version on a learning curve.

    ``low`` and ``high`` are the 95 % interval of ``value``, if known; ``too_high`` says that it was
    trained on what it is measured on.
    """

    version: str
    examples: int
    value: float
    low: float | None
    high: float | None
    note: str = ""
    too_high: bool = False


def score_histogram(scores: Sequence[float], chosen: Sequence[float], title: str) -> alt.Chart:
    """How the acquisition scores of the pool are spread, and where the lowest chosen one lies.

    Args:
        scores: Of the pool.
        chosen: Of the picks.
        title: Names the score's axis.
    """
    values = np.asarray(scores, dtype=np.float64)
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    counts, edges = np.histogram(values, bins=BINS, range=(low, high if high > low else low + 1.0))
    frame = pd.DataFrame({"from": edges[:-1], "to": edges[1:], "examples": counts})
    bars = (
        alt.Chart(frame)
        .mark_bar(color=BLUE, binSpacing=1)
        .encode(
            x=alt.X("from:Q", bin="binned", title=f"{title} (higher = asked first)"),
            x2="to:Q",
            y=alt.Y("examples:Q", title="Examples of the pool"),
            tooltip=[
                alt.Tooltip("from:Q", format=".3f"),
                alt.Tooltip("to:Q", format=".3f"),
                alt.Tooltip("examples:Q", format=","),
            ],
        )
    )
    layers = [bars]
    if chosen:
        least = pd.DataFrame({"least": [min(chosen)], "text": ["chosen from here on →"]})
        base = alt.Chart(least)
        layers.append(base.mark_rule(color=ROSE, strokeWidth=2, strokeDash=[6, 3]).encode(x="least:Q"))
        layers.append(
            base.mark_text(color=ROSE, align="right", dx=-6, dy=8, y=0, baseline="top").encode(
                x="least:Q", text="text:N"
            )
        )
    return alt.layer(*layers).properties(height=260)


def learning_curve(points: Sequence[CurvePoint], metric: str, scale: float) -> alt.Chart:
    """The metric of each version over the examples that it was trained on, with intervals.

    Args:
        points: One per version.
        metric: Names the axis.
        scale: The metric's maximum.
    """
    frame = pd.DataFrame(
        {
            "version": [point.version for point in points],
            "examples": [point.examples for point in points],
            "value": [point.value for point in points],
            "low": [point.low for point in points],
            "high": [point.high for point in points],
            "note": [point.note for point in points],
            "kind": [TOO_HIGH if point.too_high else FAIR for point in points],
        }
    ).astype({"low": "float64", "high": "float64"})
    places = ".3f" if scale <= 1 else ".1f"
    x = alt.X(
        "examples:Q",
        title="Labeled examples that it was trained on",
        scale=alt.Scale(zero=False, nice=True, padding=24),
        axis=alt.Axis(format=",d", tickMinStep=1),
    )
    y = alt.Y("value:Q", title=metric, scale=alt.Scale(zero=False, padding=12))
    base = alt.Chart(frame)
    colour = alt.Color("kind:N", scale=alt.Scale(domain=[FAIR, TOO_HIGH], range=[BLUE, RED]), legend=None)
    line = (
        base.mark_line(color=BLUE, opacity=0.5).transform_filter(f"datum.kind === '{FAIR}'").encode(x=x, y=y)
    )
    bands = base.mark_errorbar(ticks=True).encode(
        x=x, y=alt.Y("low:Q", title=metric, scale=alt.Scale(zero=False)), y2="high:Q", color=colour
    )
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(
        x=x,
        y=y,
        color=colour,
        shape=alt.Shape(
            "kind:N", scale=alt.Scale(domain=[FAIR, TOO_HIGH], range=["circle", "triangle-up"]), legend=None
        ),
        tooltip=[
            alt.Tooltip("version:N", title="Version"),
            alt.Tooltip("value:Q", title=metric, format=places),
            alt.Tooltip("low:Q", title="95 % from", format=places),
            alt.Tooltip("high:Q", title="to", format=places),
            alt.Tooltip("examples:Q", title="Examples", format=","),
            alt.Tooltip("note:N", title="Base model"),
            alt.Tooltip("kind:N", title="The score is"),
        ],
    )
    names = base.mark_text(align="left", dx=9, dy=-9, color=GREY, fontWeight="bold").encode(
        x=x, y=y, text="version:N"
    )
    return alt.layer(line, bands, dots, names).properties(height=320)
