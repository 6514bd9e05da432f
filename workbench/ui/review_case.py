"""One example as each person labeled it, what differs marked."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from workbench.domain import Annotation, Payload
from workbench.services.agreement import Case, marks
from workbench.ui.data_preview import escaped
from workbench.ui.navigation import link_to
from workbench.ui.page import Page
from workbench.ui.text_view import labeled_text

LIMIT = 700
"""Code points of a long text that are drawn."""

Mark = tuple[int, int, str]


def draw_case(page: Page, case: Case) -> None:
    """The example, a line for each person."""
    with st.container(border=True):
        head, link = st.columns([6, 1], vertical_alignment="center")
        head.caption(f"{escaped(case.example.external_id)} · F1 {case.f1:.3f}")
        with link:
            link_to("label", "Open", page.project, icon=":material/edit_note:", example=str(case.example.id))
        payloads = [one.payload for one in case.said.values() if one.payload is not None]
        for name, one in case.said.items():
            draw_version(page, case, name, one.payload, differing(one.payload, payloads), one)


def draw_version(
    page: Page,
    case: Case,
    name: str,
    payload: Payload | None,
    marked: Collection[Mark],
    annotation: Annotation | None = None,
) -> None:
    """One version of an example: whose, and the text with its labels, those of ``marked`` outlined."""
    side, text = st.columns([1, 5])
    side.markdown(f"**{escaped(name)}**")
    if annotation is not None and annotation.comment:
        side.caption(f"“{escaped(annotation.comment)}”")
    content = case.example.content
    text.html(labeled_text(content, payload, page.project.labels, limit=LIMIT, outlined=marked))


def differing(payload: Payload | None, others: Collection[Payload]) -> frozenset[Mark]:
    """Marks of a version that not every version has."""
    if payload is None:
        return frozenset()
    common = frozenset.intersection(*(frozenset(marks(other)) for other in others))
    return frozenset(marks(payload)) - common
