"""Every figure that was measured, of both versions side by side."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from workbench.services.comparison import Analysis
from workbench.services.figures import plain_figures
from workbench.ui.page import Page


def draw_figures(page: Page, analysis: Analysis) -> None:
    """A table."""
    comparison = analysis.comparison
    evaluations = {
        each.model_version: each.metrics
        for each in page.workbench.evaluation.evaluations(page.project, comparison.split)
        if each.gold_set == comparison.gold_set
    }
    if not {comparison.a, comparison.b} <= set(evaluations):
        st.info("Measure both versions on these labels first.", icon=":material/straighten:")
        return
    a, b = (plain_figures(evaluations[number]) for number in (comparison.a, comparison.b))
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
    decimals = "%.4f" if comparison.scale <= 1 else "%.2f"
    number = st.column_config.NumberColumn
    st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        column_config={
            "figure": st.column_config.TextColumn("Figure", width="large"),
            "a": number(f"Version {comparison.a}", format=decimals),
            "b": number(f"Version {comparison.b}", format=decimals),
            "difference": number("Difference", format="%+.4f" if comparison.scale <= 1 else "%+.2f"),
        },
        height="content",
    )
    st.caption("What each figure means stands in docs/metrics.md.")
