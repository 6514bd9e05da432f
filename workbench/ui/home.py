"""The Home page: what is here, how far it is, what is next."""

from __future__ import annotations

import streamlit as st

from workbench.ui.page import open_page


def draw_home() -> None:
    """Draw the page."""
    page = open_page("Home", needs_project=False)
    st.title(page.chosen.name if page.chosen else "Welcome")
