"""Curves of a run: loss, learning rate, speed, memory, and what it scores on the validation data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from workbench.ui.theme import BLUE, SAND, metric_title

POINTS = 800
"""A curve is drawn with at most so many points: more can't be seen, and a browser draws them slowly."""


FORMATS = {"learning_rate": ".2e", "examples_per_second": ",.1f", "memory_mb": ",.0f"}
"""How a curve's values are written; others with four decimals."""


def thinned(rows: Sequence[Mapping[str, Any]], key: str) -> list[dict[str, float]]:
    """The points of one curve, in order, evenly thinned to ``POINTS``; the last one is always there."""
    found = [
        {"step": float(row["step"]), "epoch": float(row.get("epoch") or 0.0), "value": float(row[key])}
        for row in rows
        if isinstance(row.get(key), (int, float)) and isinstance(row.get("step"), (int, float))
    ]
    stride = -(-len(found) // POINTS) or 1
    kept = found[::stride]
    return kept if not found or kept[-1] is found[-1] else [*kept, found[-1]]


def line_chart(rows: Sequence[Mapping[str, Any]], key: str, title: str, *, zero: bool) -> alt.Chart | None:
    """One curve over the optimizer steps; None while there are fewer than two points of it."""
    points = thinned(rows, key)
    if len(points) < 2:
        return None
    form = FORMATS.get(key, ".4f")
    colour = BLUE if key == "loss" else SAND
    return (
        alt.Chart(pd.DataFrame(points))
        .mark_line(color=colour, strokeWidth=2)
        .encode(
            x=alt.X("step:Q", title="Optimizer step", axis=alt.Axis(format=",d", tickMinStep=1)),
            y=alt.Y("value:Q", title=title, scale=alt.Scale(zero=zero), axis=alt.Axis(format="~g")),
            tooltip=[
                alt.Tooltip("step:Q", title="Step", format=",d"),
                alt.Tooltip("epoch:Q", title="Epoch", format=".2f"),
                alt.Tooltip("value:Q", title=title, format=form),
            ],
        )
        .properties(height=190)
    )


def validation_chart(
    rows: Sequence[Mapping[str, Any]], metrics: Sequence[str], scale: float
) -> alt.Chart | None:
    """Validation metrics over the epochs, one line and one shape each; None while there are none.

    Args:
        rows: Metric events' data.
        metrics: Keys without ``validation_``, the primary one first.
        scale: Their maximum, which decides the number format.
    """
    parts = [
        {"epoch": point["epoch"], "value": point["value"], "metric": metric_title(metric)}
        for metric in metrics
        for point in thinned(rows, f"validation_{metric}")
    ]
    if not parts:
        return None
    names = [metric_title(metric) for metric in metrics]
    form = ".3f" if scale <= 1 else ".1f"
    return (
        alt.Chart(pd.DataFrame(parts))
        .mark_line(point=alt.OverlayMarkDef(size=70, filled=True), strokeWidth=2)
        .encode(
            x=alt.X("epoch:Q", title="Epoch", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("value:Q", title="Validation score", scale=alt.Scale(zero=False)),
            color=alt.Color("metric:N", sort=names, legend=alt.Legend(title=None, orient="top")),
            shape=alt.Shape("metric:N", sort=names, legend=None),
            tooltip=[
                alt.Tooltip("metric:N", title="Metric"),
                alt.Tooltip("epoch:Q", title="Epoch", format=".2f"),
                alt.Tooltip("value:Q", title="Value", format=form),
            ],
        )
        .properties(height=270)
    )
