"""Parts of the test set with scores of their own."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from workbench.services.comparison import Analysis
from workbench.services.slices import Seen, Slice, slice_kinds, slices
from workbench.ui import charts
from workbench.ui.address import kept_choice
from workbench.ui.page import Page

NOT_SEEN: Seen = (frozenset(), frozenset())
DRAWN = 15


def draw_parts(page: Page, analysis: Analysis, seen: Callable[[], Seen]) -> None:
    """A choice of what to divide by, then each part under both versions."""
    kinds = slice_kinds(analysis)
    kind = kept_choice(
        st.container(),
        "Divide by",
        list(kinds),
        name="by",
        scope=f"compare-{page.project.id}",
        default="length",
        format_func=lambda name: kinds.get(name, name),
    )
    comparison = analysis.comparison
    if kind == "seen":
        st.caption(
            "By the very text: whether the training data of a version holds it. A version that is better only on "
            "what it has seen has learned by heart."
        )
    found = slices(analysis, kind, seen() if kind == "seen" else NOT_SEEN)
    if not found:
        st.info("There is nothing to divide.", icon=":material/search_off:")
        return
    points = 100.0 / comparison.scale
    rows = [
        charts.DifferenceRow(
            part.name, part.difference * points, part.low * points, part.high * points, part.examples
        )
        for part in found
        if part.low is not None and part.high is not None
    ][:DRAWN]
    names = f"version {comparison.b} better", f"version {comparison.a} better"
    if rows:
        st.altair_chart(charts.differences(rows, *names), width="stretch")
    decimals = "%.3f" if comparison.scale <= 1 else "%.1f"
    number = st.column_config.NumberColumn
    frame = pd.DataFrame(
        [
            {
                "part": part.name,
                "examples": part.examples,
                "a": part.a,
                "b": part.b,
                "points": part.difference * points,
                "interval": _interval(part, points),
            }
            for part in found
        ]
    )
    st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        column_config={
            "part": kinds[kind],
            "examples": number("Examples", format="localized"),
            "a": number(f"Version {comparison.a}", format=decimals),
            "b": number(f"Version {comparison.b}", format=decimals),
            "points": number("Points", format="%+.1f"),
            "interval": "95 % interval",
        },
    )


def _interval(part: Slice, points: float) -> str:
    if part.low is None or part.high is None:
        return "–"
    return f"{part.low * points:+.1f} to {part.high * points:+.1f}"
