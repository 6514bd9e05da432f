"""Agreement: of everybody, of each two people, of each label, week by week; and the examples behind each figure."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

from workbench.domain import Batch, Role
from workbench.services.agreement import Agreement, Case, Figures, marks
from workbench.ui.glossary import explain
from workbench.ui.navigation import link_to
from workbench.ui.page import Page
from workbench.ui.review_case import draw_case
from workbench.ui.tables import draw_table
from workbench.ui.theme import count

SHOWN = 10
"""Examples that are drawn at first, and added by each further click."""

EVERYBODY, ALL = "everybody", "all"
MEANINGS = """- **F1**: of the spans or tags that two people set, how much both set: 1 is the same, 0 nothing in common.
  Of answers: the words in common.
- **Same**: comparisons of two people on an example in which both say the very same.
- **Kappa** (Cohen's, of two people; Fleiss', of more) and **alpha** (Krippendorff's): agreement on tokens beyond what
  chance would give: 1 is the same, 0 no better than chance. Alpha also takes tokens that not everybody labeled. Where
  most tokens are no name, they are lower than they look: 0.8 is good, under 0.67 guidelines need work
  (Krippendorff, 2004)."""


def draw_agreement(page: Page) -> None:
    """The figures, what they are made of, and the examples."""
    batch = _choose_batch(page)
    found = page.workbench.agreement.measure(page.project, batch_id=batch.id if batch else None)
    if not found.cases:
        _draw_nothing(page)
        return
    _draw_overall(found)
    with st.expander("What these mean", icon=":material/help:"):
        st.markdown(MEANINGS)
    left, right = st.columns(2, gap="large")
    with left:
        _draw_pairs(found)
    with right:
        if found.labels:
            _draw_labels(found)
    if len(found.weeks) > 1:
        _draw_weeks(found)
    _draw_cases(page, found)


def _choose_batch(page: Page) -> Batch | None:
    batches = {batch.number: batch for batch in page.workbench.selection.batches(page.project)}
    if not batches:
        return None
    number = st.selectbox(
        "What was labeled",
        [None, *batches],
        format_func=lambda one: "Everything" if one is None else f"Batch {one}",
        key=f"agreement-batch-{page.project.id}",
        width=260,
    )
    return None if number is None else batches[number]


def _draw_nothing(page: Page) -> None:
    st.info("No example has been labeled by two people here.", icon=":material/group:")
    if page.may(Role.LEAD):
        st.markdown("Let several people label the same examples, and this page says how far they agree.")
        link_to("team", "Share the work out", page.project, icon=":material/share:", view="sharing")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _draw_overall(found: Agreement) -> None:
    whole = found.overall
    with st.container(horizontal=True, gap="large"):
        st.metric("Examples", f"{whole.examples:,}", help="Labeled by two people or more.", width="content")
        st.metric("F1", _number(whole.f1), width="content")
        st.metric("Same", "–" if whole.exact is None else f"{whole.exact:.0%}", width="content")
        if whole.fleiss is not None:
            st.metric(
                "Fleiss' kappa",
                _number(whole.fleiss),
                help=explain("kappa", also=f"Over the tokens that {whole.fleiss_people} people labeled."),
                width="content",
            )
        if whole.alpha is not None:
            st.metric("Krippendorff's alpha", _number(whole.alpha), width="content", help=explain("alpha"))
    if found.left_out:
        st.caption(f"Of the newest examples; {found.left_out:,} older ones are left out.")


def _row(figures: Figures) -> dict[str, float | int | None]:
    return {
        "Examples": figures.examples,
        "F1": figures.f1,
        "Kappa": figures.kappa,
        "Same": figures.exact,
    }


_COLUMNS = {
    "F1": st.column_config.NumberColumn(format="%.3f"),
    "Kappa": st.column_config.NumberColumn(
        format="%.3f", help=explain("kappa", also="Cohen's, over tokens.")
    ),
    "Same": st.column_config.NumberColumn(format="percent"),
}


def _draw_pairs(found: Agreement) -> None:
    st.subheader("Two by two", anchor=False)
    rows = [{"Who": " · ".join(names), **_row(figures)} for names, figures in found.pairs.items()]
    table = pd.DataFrame(rows).sort_values("F1", na_position="last")
    draw_table(table.dropna(axis="columns", how="all"), column_config=_COLUMNS)


def _draw_labels(found: Agreement) -> None:
    st.subheader("By label", anchor=False)
    rows = [
        {"Label": label, "F1": each.f1, "By both": each.both, "By one only": each.first + each.second}
        for label, each in found.labels.items()
    ]
    table = pd.DataFrame(rows).sort_values("F1")
    draw_table(table, column_config=_COLUMNS)


def _draw_weeks(found: Agreement) -> None:
    st.subheader("Week by week", anchor=False)
    table = pd.DataFrame(
        [
            {"Week": pd.Timestamp(week), "F1": figures.f1, "Examples": figures.examples}
            for week, figures in found.weeks.items()
        ]
    )
    chart = (
        alt.Chart(table)
        .mark_line(point=True)
        .encode(
            x=alt.X("Week:T", title="Week of"),
            y=alt.Y("F1:Q", scale=alt.Scale(domain=[0, 1])),
            tooltip=["Week:T", alt.Tooltip("F1:Q", format=".3f"), "Examples:Q"],
        )
        .properties(height=220)
    )
    st.altair_chart(chart, width="stretch")


def _draw_cases(page: Page, found: Agreement) -> None:
    st.subheader("The examples", anchor=False)
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    pairs = [" · ".join(names) for names in found.pairs]
    who = left.selectbox("Whose", [EVERYBODY, *pairs], format_func=str, key="agreement-who")
    labels = [ALL, *found.labels]
    label = middle.selectbox("Where they differ in", labels, key="agreement-label") if found.labels else ALL
    differing = right.toggle("Only where they differ", value=True, key="agreement-differing")
    cases = _chosen(found, who, label, differing)
    st.markdown(f"**{count(len(cases), 'example')}**")
    key = f"agreement-shown-{page.project.id}"
    shown = int(st.session_state.get(key, SHOWN))
    for case in cases[:shown]:
        draw_case(page, case)
    if shown < len(cases) and st.button(
        f"Show more ({len(cases) - shown:,} left)", icon=":material/expand_more:"
    ):
        st.session_state[key] = shown + 2 * SHOWN
        st.rerun()


def _chosen(found: Agreement, who: str, label: str, differing: bool) -> Sequence[Case]:
    names = next((pair for pair in found.pairs if " · ".join(pair) == who), None)
    cases = [case for case in found.cases if names is None or all(name in case.said for name in names)]
    if label != ALL:
        cases = [case for case in cases if _differ_in(case, label, names)]
    elif differing:
        cases = [case for case in cases if not case.same] if names is None else found.of_pair(*names)
    return cases


def _differ_in(case: Case, label: str, names: tuple[str, str] | None) -> bool:
    said = [
        frozenset(mark for mark in marks(one.payload) if mark[-1] == label)
        for name, one in case.said.items()
        if one.payload is not None and (names is None or name in names)
    ]
    return len(set(said)) > 1
