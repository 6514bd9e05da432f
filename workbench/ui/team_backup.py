"""A backup to take away, and the doctor's findings."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.services.downloads import Download
from workbench.services.maintenance import CONTENT_NAME
from workbench.ui.page import Page
from workbench.ui.theme import size
from workbench.web.downloads import download_address

MADE, FOUND = "team-backup", "team-doctor"


def draw_backup(page: Page) -> None:
    """Two buttons and what came of them."""
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Backup", anchor=False)
        st.markdown(
            "A copy of the database, made while everybody works on. It holds all labels, and every account's hashed "
            "password: keep it where only you can read it. Models are not in it; copy the folder `models` as well."
        )
        if st.button("Make a backup", type="primary", icon=":material/backup:"):
            with page.guarded(), st.spinner("Copying…"):
                st.session_state[MADE] = page.workbench.downloads.publish(
                    CONTENT_NAME, page.user, lambda path: _copy(page, path)
                )
        made: Download | None = st.session_state.get(MADE)
        if made is not None:
            st.link_button(
                f"Download {made.name} ({size(made.size)})",
                download_address(made),
                icon=":material/download:",
            )
        st.caption("To put one back, stop the server and run `workbench restore FILE`.")
    with right:
        st.subheader("Checks", anchor=False)
        st.markdown("Looks at the database, what is in it, models, runs, disk and device.")
        if st.button("Check everything", icon=":material/health_and_safety:"):
            with page.guarded(), st.spinner("Looking…"):
                st.session_state[FOUND] = page.workbench.maintenance.doctor()
        for check in st.session_state.get(FOUND, ()):
            icon = ":material/check_circle:" if check.ok else ":material/error:"
            st.markdown(f"{icon} **{check.name.capitalize()}**")
            st.text(check.detail + (f"\n→ {check.remedy}" if check.remedy and not check.ok else ""))


def _copy(page: Page, path: Path) -> None:
    page.workbench.maintenance.backup(path)
