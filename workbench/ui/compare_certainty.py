"""Whether the versions are right as often as they say, and where they are sure and wrong, or right and unsure."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from workbench.domain import Evaluation
from workbench.services.comparison import Analysis
from workbench.services.differences import Found, confident_errors, unsure_right
from workbench.ui.address import kept_choice
from workbench.ui.compare_confusion import choose_side
from workbench.ui.compare_examples import draw_list, said_of
from workbench.ui.page import Page
from workbench.ui.theme import BLUE, GREY, ROSE, count

MOST = 100
"""Examples of a list: further down, neither errors are confident nor right answers unsure."""

ERRORS, RIGHT = "errors", "right"
TITLES = {ERRORS: "Most confident errors", RIGHT: "Least certain right answers"}


def draw_certainty(page: Page, analysis: Analysis, evaluations: tuple[Evaluation, Evaluation]) -> None:
    """The reliability diagrams, then the examples."""
    _draw_reliability(analysis, evaluations)
    scope = f"compare-{page.project.id}"
    side = choose_side(analysis, scope)
    which = kept_choice(
        st.container(),
        "Which",
        [ERRORS, RIGHT],
        name="sure",
        scope=scope,
        default=ERRORS,
        format_func=TITLES.__getitem__,
        kind="segments",
    )
    number = (analysis.comparison.a, analysis.comparison.b)[side]
    if which == ERRORS:
        found = confident_errors(analysis, side)
        st.caption("The model was sure and wrong: either it has learned something wrong, or gold is.")
    else:
        found = unsure_right(analysis, side)
        st.caption("Entirely right, but only just: more examples like these would make it sure.")
    if found:
        shown = found[:MOST]
        st.caption(
            f"{len(shown):,} of {count(len(found), 'example')}, confidence {shown[0].confidence:.3f} to "
            f"{shown[-1].confidence:.3f}, in this order."
        )
    draw_list(
        page,
        analysis,
        [each.index for each in found[:MOST]],
        key=f"sure-{which}-{side}",
        why=f"{TITLES[which].lower()} of version {number}",
        notes={each.index: _sureness(each) for each in found[:MOST]},
    )


def _sureness(found: Found) -> str:
    """``99.1 % sure: type: LOC → MISC``."""
    what = f": {said_of(found.mistake)}" if found.mistake else ""
    return f"{100 * found.confidence:.1f} % sure{what}"


def _draw_reliability(analysis: Analysis, evaluations: tuple[Evaluation, Evaluation]) -> None:
    found = {each.model_version: each.metrics.get("calibration", {}) for each in evaluations}
    one, other = found.values()
    kinds = [kind for kind in other if kind in one]
    if not kinds:
        st.info(
            "These versions were measured before confidences were. Measure them again.",
            icon=":material/help:",
        )
        return
    for kind, column in zip(kinds, st.columns(2), strict=False):
        with column:
            st.markdown(f"**{kind.capitalize()}**")
            st.altair_chart(
                reliability_chart({f"version {n}": each[kind] for n, each in found.items()}, kind),
                width="stretch",
            )
            said = ", ".join(
                f"version {n}: {100 * each[kind]['ece']:.1f} points" for n, each in found.items()
            )
            st.caption(
                f"Calibration error (ECE): {said}. The mean distance between sureness and being right."
            )
    tuned = [
        f"version {version.number}: {version.metrics['tuned']['temperature']:g}"
        for version in analysis.versions
        if "temperature" in version.metrics.get("tuned", {})
    ]
    if tuned:
        st.caption(
            f"Temperature, fitted on validation data ({', '.join(tuned)}): it changes these confidences, and no label "
            "or answer."
        )


def reliability_chart(calibrations: dict[str, dict[str, Any]], kind: str) -> alt.Chart:
    """How often items of each degree of confidence are right; on the diagonal a model says how right it is."""
    rows = [
        {"version": name, **row}
        for name, calibration in calibrations.items()
        for row in calibration["bins"]
        if row["count"]
    ]
    frame = pd.DataFrame(rows, columns=["version", "low", "high", "count", "confidence", "accuracy"])
    names = list(calibrations)
    diagonal = (
        alt.Chart(pd.DataFrame({"x": [0.0, 1.0], "y": [0.0, 1.0]}))
        .mark_line(color=GREY, strokeDash=[4, 3])
        .encode(x="x:Q", y="y:Q")
    )
    unit = alt.Scale(domain=[0, 1])
    base = alt.Chart(frame).encode(
        x=alt.X("confidence:Q", title="How sure it is", scale=unit, axis=alt.Axis(format=".0%")),
        y=alt.Y("accuracy:Q", title=f"Share of right {kind}", scale=unit, axis=alt.Axis(format=".0%")),
        color=alt.Color(
            "version:N",
            scale=alt.Scale(domain=names, range=[ROSE, BLUE]),
            legend=alt.Legend(title=None, orient="top"),
        ),
    )
    dots = base.mark_point(filled=True, opacity=1).encode(
        size=alt.Size("count:Q", scale=alt.Scale(type="sqrt", range=[25, 350]), legend=None),
        shape=alt.Shape("version:N", scale=alt.Scale(domain=names, range=["circle", "square"]), legend=None),
        tooltip=[
            alt.Tooltip("version:N", title="Which"),
            alt.Tooltip("confidence:Q", title="How sure", format=".1%"),
            alt.Tooltip("accuracy:Q", title="Right", format=".1%"),
            alt.Tooltip("count:Q", title=kind.capitalize(), format=","),
        ],
    )
    return alt.layer(diagonal, base.mark_line(opacity=0.6), dots).properties(height=300)
