"""What has changed in the guidelines since the person who labels has read them, shown until they have."""

from __future__ import annotations

import streamlit as st

from workbench.ui.data_preview import escaped
from workbench.ui.guideline_view import diff_html, draw_guidelines
from workbench.ui.navigation import link_to
from workbench.ui.page import Page


def draw_unseen_guidelines(page: Page) -> None:
    """The guidelines where they are new to the person, else what has changed; nothing where they are up to date."""
    unseen = page.workbench.guidelines.unseen(page.project, page.user)
    if unseen is None:
        return
    version = unseen.version
    if unseen.since is None:
        heading = "Guidelines of this project: read them once before you label"
    else:
        heading = (
            f"The guidelines have changed since you read them (version {unseen.since} to {version.number})"
        )
    with st.container(border=True):
        st.markdown(f":material/menu_book: **{heading}**")
        who = escaped(version.by) if version.by else "command line"
        st.caption(f"Version {version.number} by {who}, {version.created_at:%Y-%m-%d %H:%M} UTC")
        for note in unseen.notes:
            st.markdown(f"- {escaped(note)}")
        if unseen.since is None:
            draw_guidelines(version.text, page.project.labels)
        else:
            st.html(diff_html(unseen.lines))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "I have read this",
                type="primary",
                icon=":material/done:",
                key="guidelines-read",
                on_click=page.workbench.guidelines.see,
                args=(page.project, page.user, version.number),
            )
            link_to("team", "All of them, and older versions", page.project, view="guidelines")
