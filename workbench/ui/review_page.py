"""The Review page: what of people's labels counts, and how far they agree."""

from __future__ import annotations

import streamlit as st

from workbench.ui.page import Page
from workbench.ui.review_agreement import draw_agreement
from workbench.ui.review_decide import EXAMPLE, draw_decide

VIEW = "view"
"""Key of the chosen part of the page in the address."""
DECIDE, AGREEMENT = "decide", "agreement"
_NAMES = {DECIDE: ":material/gavel: Decide", AGREEMENT: ":material/handshake: Agreement"}


def draw_review_page(page: Page) -> None:
    """Draw the page."""
    with page.guarded():
        asked = st.query_params.get(VIEW)
        key = "review-view"
        if st.session_state.get(key) not in _NAMES:
            st.session_state[key] = asked if asked in _NAMES else DECIDE
        chosen = st.segmented_control(
            "Part of the page",
            list(_NAMES),
            key=key,
            format_func=_NAMES.__getitem__,
            label_visibility="collapsed",
        )
        view = chosen or DECIDE
        if asked != view:
            st.query_params[VIEW] = view
        if view == AGREEMENT:
            st.query_params.pop(EXAMPLE, None)
            draw_agreement(page)
        else:
            draw_decide(page)
