"""Figures of people's work: a table that sorts, a chart over days, each label; for annotators their own."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from workbench.domain import Role
from workbench.services.downloads import Download
from workbench.services.worknumbers import USUAL_DAYS, TeamNumbers, label_rows, table_rows, write_table
from workbench.ui.page import Page
from workbench.ui.tables import draw_table
from workbench.ui.theme import size
from workbench.web.downloads import download_address

PERIODS: dict[str, int | None] = {"7 days": 7, "30 days": 30, "90 days": 90, "Everything": None}
MEASURES = {
    "examples_per_hour": "Examples an hour",
    "words_per_hour": "Words an hour",
    "hours": "Hours",
    "examples": "Examples",
    "f1": "Agreement with gold",
    "acceptance": "Suggestions accepted as they were",
}
SHARES = ("f1", "acceptance")
DAY_MS = 24 * 3_600 * 1_000
"""Between two ticks of the chart, at least."""
TITLES = {
    "person": "Person",
    "label": "Label",
    "examples": "Examples",
    "words": "Words",
    "hours": "Hours",
    "examples_per_hour": "Examples/h",
    "words_per_hour": "Words/h",
    "skipped": "Skipped",
    "flagged": "Flagged",
    "revised": "Revised",
    "suggested": "Suggestions",
    "acceptance": "Accepted",
    "compared": "Compared",
    "f1": "Agreement",
    "uses": "Uses",
}
HELP = {
    "hours": "Logged on the Label page; of an answer that took over 5 minutes, 5.",
    "examples_per_hour": "Over answers with logged time.",
    "words_per_hour": "Over answers with logged time.",
    "revised": "Answers to an example that they had answered before.",
    "suggested": "Labeled from a model's suggestion that is still known.",
    "acceptance": "Of these, with exactly the labels that were suggested.",
    "compared": "Examples with gold that is somebody else's word: a reviewer's, another's, a file's, or agreed on.",
    "f1": "F1 of their labels with that gold.",
}


def draw_numbers(page: Page) -> None:
    """The figures of a period."""
    usual = f"{USUAL_DAYS} days"
    days = PERIODS[
        st.segmented_control("Period", list(PERIODS), default=usual, key="numbers-period") or usual
    ]
    if page.may(Role.LEAD):
        numbers = page.workbench.work_numbers.team(page.project, days)
    else:
        st.caption("Your own figures; leads see everybody's.")
        numbers = page.workbench.work_numbers.own(page.project, page.user, days)
    if not numbers.days:
        st.info("Nobody has labeled anything in this time.", icon=":material/hourglass_empty:")
        return
    _draw_sums(numbers)
    _draw_people(numbers)
    _draw_chart(numbers)
    _draw_labels(numbers)
    _draw_download(page, numbers, f"team-numbers-{page.project.id}-{days}")


def _draw_sums(numbers: TeamNumbers) -> None:
    whole = numbers.everybody
    figures = {
        "Examples": f"{whole.examples:,}",
        "Hours": f"{whole.hours:,.1f}",
        "Examples an hour": _rounded(whole.examples_per_hour),
        "Words an hour": _rounded(whole.words_per_hour),
        "Agreement with gold": _share(whole.f1),
        "Suggestions accepted": _share(whole.acceptance),
    }
    with st.container(horizontal=True, gap="large"):
        for title, value in figures.items():
            st.metric(title, value, width="content")


def _rounded(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _columns(names: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in names:
        title, told = TITLES[name], HELP.get(name)
        if name in SHARES:
            found[title] = st.column_config.NumberColumn(format="percent", help=told)
        elif name == "hours":
            found[title] = st.column_config.NumberColumn(format="%.2f", help=told)
        elif name not in ("person", "label"):
            found[title] = st.column_config.NumberColumn(format="%,.0f", help=told)
    return found


def _table(rows: list[dict[str, object]]) -> None:
    frame = pd.DataFrame(rows)
    kept = frame.dropna(axis="columns", how="all")
    draw_table(
        kept.rename(columns=TITLES),
        column_config=_columns([str(name) for name in kept.columns]),
    )


def _draw_people(numbers: TeamNumbers) -> None:
    st.subheader("Person by person" if len(numbers.days) > 1 else "In figures", anchor=False)
    _table(table_rows(numbers, by_day=False))


def _draw_chart(numbers: TeamNumbers) -> None:
    st.subheader("Day by day", anchor=False)
    name = st.selectbox("Show", list(MEASURES), format_func=MEASURES.__getitem__, key="numbers-measure")
    rows = [
        {"Day": pd.Timestamp(str(row["day"])), "Who": row["person"], "Value": row[name]}
        for row in table_rows(numbers, by_day=True)
        if row[name] is not None
    ]
    if not rows:
        st.caption("Nothing of that was logged in this time.")
        return
    digits = ".0%" if name in SHARES else ",.4~g"
    chart = (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(point=True)
        .encode(
            x=alt.X("Day:T", title="Day (UTC)", axis=alt.Axis(format="%d %b", tickMinStep=DAY_MS)),
            y=alt.Y("Value:Q", title=MEASURES[name], axis=alt.Axis(format=digits)),
            color=alt.Color("Who:N", title="Who"),
            shape=alt.Shape("Who:N", title="Who"),
            tooltip=[
                alt.Tooltip("Day:T", title="Day"),
                alt.Tooltip("Who:N"),
                alt.Tooltip("Value:Q", title=MEASURES[name], format=digits),
            ],
        )
        .properties(height=260)
    )
    st.altair_chart(chart, width="stretch")


def _draw_labels(numbers: TeamNumbers) -> None:
    rows = [
        {**{key: value for key, value in row.items() if key != "seconds"}, "hours": _hours(row)}
        for row in label_rows(numbers)
    ]
    if not rows:
        return
    st.subheader("Label by label", anchor=False)
    _table(rows)
    st.caption("Hours of a label: an example's time, shared evenly among its labels.")


def _hours(row: dict[str, object]) -> float:
    return float(str(row["seconds"])) / 3600.0


def _draw_download(page: Page, numbers: TeamNumbers, made_key: str) -> None:
    left, right = st.columns([1, 3], vertical_alignment="center")
    if left.button("Make a table of every day (CSV)", icon=":material/table:", wrap=True):
        with page.guarded():
            name = f"{page.project.name}-work.csv"
            st.session_state[made_key] = page.workbench.downloads.publish(
                name, page.user, lambda path: write_table(path, numbers)
            )
    made: Download | None = st.session_state.get(made_key)
    if made is not None:
        right.link_button(
            f"Download {made.name} ({size(made.size)})",
            download_address(made),
            icon=":material/download:",
        )
