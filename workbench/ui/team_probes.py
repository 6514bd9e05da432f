"""Probes: their share, and how close to gold each person's answers come, with the examples behind it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.services.probes import MOST, ProbeAnswer, ProbeScore, share_of
from workbench.ui.page import Page
from workbench.ui.tables import draw_table
from workbench.ui.text_view import labeled_text

METRIC = {"ner": "Entity F1", "pos": "Token accuracy", "qa": "F1 of answers"}
SHOWN = 50
"""Answers of one person that are drawn, the newest."""


def draw_probes(page: Page) -> None:
    """The share of the next batches, everybody's score, and one person's answers beside gold."""
    st.write(
        "Examples whose gold is known, mixed into new batches. They look like any other; what is said of them is kept "
        "apart from labels, and nobody is given one that they have labeled or reviewed, nor the same one twice."
    )
    _draw_share(page)
    scores = page.workbench.probes.scores(page.project)
    if not scores:
        st.info("Nobody has answered a probe yet.", icon=":material/quiz:")
        return
    _draw_scores(scores, METRIC[page.project.task])
    person = st.selectbox("Answers of", [one.person for one in scores], key=f"probes-{page.project.id}")
    answers = page.workbench.probes.answers(page.project, person)
    only_other = st.toggle("Only those that differ from gold", value=True)
    _draw_answers(page, [one for one in answers if not (only_other and one.same)])


def _draw_share(page: Page) -> None:
    free, mixed_in = page.workbench.probes.supply(page.project)
    with st.form("probes", border=True):
        percent = st.slider(
            "Share of the next batches, percent", 0, round(MOST * 100), round(share_of(page.project) * 100), 1
        )
        st.caption(
            f"Probes in batches: {mixed_in:,}. Other adjudicated examples of the pool that are new to somebody here: "
            f"{free:,}."
        )
        saved = st.form_submit_button("Mix them in", type="primary", icon=":material/quiz:")
    if saved:
        page.workbench.probes.set(page.project, percent / 100)
        st.rerun()


def _draw_scores(scores: Sequence[ProbeScore], metric: str) -> None:
    draw_table(
        {
            "Person": [one.person for one in scores],
            metric: [one.score for one in scores],
            "Answers": [one.answers for one in scores],
            "Same as gold": [one.same for one in scores],
            "Without labels": [one.without_labels for one in scores],
        },
        column_config={metric: st.column_config.NumberColumn(format="%.3f")},
    )


def _draw_answers(page: Page, answers: Sequence[ProbeAnswer]) -> None:
    if not answers:
        st.caption("None.")
    for one in answers[:SHOWN]:
        with st.container(border=True):
            said = "without labels" if one.score is None else f"{one.score:.2f}"
            st.caption(f"{one.example.external_id} · {one.answer.status.value} · {said}")
            left, right = st.columns(2, gap="large")
            for column, name, payload in (
                (left, one.answer.author, one.answer.payload),
                (right, "Gold", one.gold.payload),
            ):
                column.caption(name)
                column.html(labeled_text(one.example.content, payload, page.project.labels))
            if one.answer.comment:
                st.text(one.answer.comment)
    if len(answers) > SHOWN:
        st.caption(f"The newest {SHOWN} of {len(answers):,}.")
