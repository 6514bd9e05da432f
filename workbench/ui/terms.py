"""The words of a page, explained below its title."""

from __future__ import annotations

import streamlit as st

from workbench.domain import Project
from workbench.ui.glossary import PAGE_TERMS, explain
from workbench.ui.navigation import link_to


def draw_terms(title: str, project: Project | None) -> None:
    """A folded list of the page's words, each with a sentence and a link; nothing where a page has none.

    Args:
        title: The page's.
        project: The chosen one, to keep it in the address of the Help page.
    """
    keys = PAGE_TERMS.get(title, ())
    if not keys:
        return
    with st.popover(
        "Words", icon=":material/menu_book:", type="tertiary", help="What the words on this page mean"
    ):
        st.markdown(explain(*keys))
        link_to("help", "All words, and the docs", project)
