"""Every figure that was measured, of both versions side by side."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from workbench.domain import Evaluation
from workbench.services.comparison import Comparison
from workbench.services.figures import plain_figures
from workbench.ui.glossary import explain
from workbench.ui.tables import draw_table


def draw_figures(comparison: Comparison, evaluations: tuple[Evaluation, Evaluation]) -> None:
    """A table."""
    a, b = (plain_figures(each.metrics) for each in evaluations)
    frame = pd.DataFrame(
        [
            {
                "figure": name,
                "a": a.get(name),
                "b": b.get(name),
                "difference": b[name] - a[name] if name in a and name in b else None,
            }
            for name in dict.fromkeys([*a, *b])
        ]
    )
    decimals = "%.3f" if comparison.scale <= 1 else "%.1f"
    number = st.column_config.NumberColumn
    draw_table(
        frame,
        column_config={
            "figure": st.column_config.TextColumn("Figure", width="large"),
            "a": number(f"Version {comparison.a}", format=decimals),
            "b": number(f"Version {comparison.b}", format=decimals),
            "difference": number("Difference", format="%+.3f" if comparison.scale <= 1 else "%+.1f"),
        },
        height="content",
    )
    st.caption(
        "Higher is better, but for ECE, the calibration error. [What each figure means](Help?read=metrics.md).",
        help=explain("ece", "calibration", "seqeval"),
    )
