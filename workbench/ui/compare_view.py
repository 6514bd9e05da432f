"""A comparison of two versions, drawn: the verdict in words, differences with intervals, examples fixed and broken."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from workbench.domain import Payload
from workbench.services.comparison import Change, Comparison
from workbench.ui import charts
from workbench.ui.page import Page
from workbench.ui.run_charts import metric_name
from workbench.ui.text_view import labeled_text
from workbench.ui.theme import count, score

SHOWN = 5
"""Changed examples that are drawn at first, and added by each further click."""

LABELS_DRAWN = 25


def draw_comparison(page: Page, comparison: Comparison) -> None:
    """Draw all of it."""
    verdict = st.success if comparison.decided else st.info
    icon = ":material/trending_up:" if comparison.decided else ":material/help:"
    if comparison.decided and comparison.difference < 0:
        verdict, icon = st.warning, ":material/trending_down:"
    verdict(comparison.sentence, icon=icon)
    _draw_figures(comparison)
    overall = _difference_row(
        f"all ({metric_name(comparison.metric)})",
        comparison.difference,
        comparison.confidence_interval,
        comparison,
    )
    fixed, broken, labels = st.tabs(
        [f"Fixed ({comparison.fixed:,})", f"Broken ({comparison.broken:,})", "By label"], key="compare_tabs"
    )
    with fixed:
        st.caption(f"Version {comparison.a} had these wrong, version {comparison.b} has them right.")
        _draw_changes(page, comparison, comparison.fixed_examples, "fixed")
    with broken:
        st.caption(
            f"Version {comparison.a} had these right, version {comparison.b} has them wrong. "
            "Look twice: some may be wrong in gold."
        )
        _draw_changes(page, comparison, comparison.broken_examples, "broken")
    with labels:
        _draw_labels(comparison, overall)


def _draw_figures(comparison: Comparison) -> None:
    scale = comparison.scale
    a, b, fixed, broken, p = st.columns(5)
    a.metric(
        f"Version {comparison.a}",
        score(comparison.score_a, scale),
        help=f"{metric_name(comparison.metric)}, version A",
    )
    points = 100 * comparison.difference / scale
    b.metric(
        f"Version {comparison.b}",
        score(comparison.score_b, scale),
        delta=f"{points:+.1f} points",
        help=f"{metric_name(comparison.metric)}, version B",
    )
    fixed.metric("Fixed", f"{comparison.fixed:,}", help="Examples that A has wrong and B entirely right.")
    broken.metric("Broken", f"{comparison.broken:,}", help="Examples that A has entirely right and B wrong.")
    p.metric(
        "p-value",
        f"{comparison.p_value:.3f}" if comparison.p_value >= 0.001 else "< 0.001",
        help="How often versions that are equally good would differ by as much, by swapping their outputs at random.",
    )
    st.caption(
        f"{count(comparison.examples, 'labeled example')} of the {comparison.split} split; intervals by paired "
        f"bootstrap over {count(comparison.units, comparison.unit.removesuffix('s'))}."
    )


def _difference_row(
    name: str,
    difference: float,
    interval: tuple[float, float],
    comparison: Comparison,
    support: int | None = None,
) -> charts.DifferenceRow:
    points = 100.0 / comparison.scale
    return charts.DifferenceRow(
        name, difference * points, interval[0] * points, interval[1] * points, support
    )


def _draw_labels(comparison: Comparison, overall: charts.DifferenceRow) -> None:
    rows = [overall] + [
        _difference_row(row.label, row.difference, (row.low, row.high), comparison, row.support)
        for row in comparison.per_label[:LABELS_DRAWN]
    ]
    names = f"version {comparison.b} better", f"version {comparison.a} better"
    st.altair_chart(charts.differences(rows, *names), width="stretch")
    if not comparison.per_label:
        return
    points = 100.0 / comparison.scale
    frame = pd.DataFrame(
        [
            {
                "label": row.label,
                "support": row.support,
                "a": row.a,
                "b": row.b,
                "points": row.difference * points,
                "interval": f"{row.low * points:+.1f} to {row.high * points:+.1f}",
            }
            for row in comparison.per_label
        ]
    )
    decimals = "%.3f" if comparison.scale <= 1 else "%.1f"
    st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        column_config={
            "label": "Label",
            "support": st.column_config.NumberColumn("In gold", format="localized"),
            "a": st.column_config.NumberColumn(f"Version {comparison.a}", format=decimals),
            "b": st.column_config.NumberColumn(f"Version {comparison.b}", format=decimals),
            "points": st.column_config.NumberColumn("Points", format="%+.1f"),
            "interval": "95 % interval",
        },
    )


def _draw_changes(page: Page, comparison: Comparison, ids: Sequence[int], kind: str) -> None:
    if not ids:
        st.caption("None.")
        return
    key = f"shown_{kind}_{comparison.a}_{comparison.b}_{comparison.split}"
    shown = int(st.session_state.get(key, SHOWN))
    changes = page.workbench.comparison.changes(
        page.project, comparison.a, comparison.b, comparison.split, ids[:shown]
    )
    for change in changes:
        _draw_change(page, comparison, change)
    if shown < len(ids) and st.button(
        f"Show more ({len(ids) - shown:,} left)", key=f"more_{kind}", icon=":material/expand_more:"
    ):
        st.session_state[key] = shown + 2 * SHOWN
        st.rerun()


def _draw_change(page: Page, comparison: Comparison, change: Change) -> None:
    with st.container(border=True):
        for name, payload, right in (
            ("Gold", change.gold, None),
            (f"Version {comparison.a}", change.a, change.a_right),
            (f"Version {comparison.b}", change.b, change.b_right),
        ):
            _draw_line(page, change, name, payload, right)


def _draw_line(page: Page, change: Change, name: str, payload: Payload, right: bool | None) -> None:
    side, text = st.columns([1, 7])
    mark = "" if right is None else ":material/check: " if right else ":material/close: "
    side.markdown(f"{mark}**{name}**")
    text.html(labeled_text(change.example.content, payload, page.project.labels, limit=400))
