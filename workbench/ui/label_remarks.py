"""What reviewers have said to the person who labels, until they have read it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.domain import Remark
from workbench.ui.data_preview import escaped
from workbench.ui.navigation import link_to
from workbench.ui.page import Page
from workbench.ui.theme import count


def draw_remarks(page: Page) -> None:
    """The remarks that are not put away yet; nothing where there are none."""
    remarks = page.workbench.review.remarks_to(page.project, page.user)
    if not remarks:
        return
    with st.expander(count(len(remarks), "remark"), icon=":material/chat:", expanded=True):
        for remark in remarks:
            st.markdown(f"**{escaped(remark.author)}**: {escaped(remark.text)}")
            link_to("label", "See the example", page.project, example=str(remark.example_id))
        st.button("I have read this", icon=":material/done:", on_click=_put_away, args=(page, remarks))


def _put_away(page: Page, remarks: Sequence[Remark]) -> None:
    page.workbench.review.put_away(page.project, page.user, [remark.id for remark in remarks])
