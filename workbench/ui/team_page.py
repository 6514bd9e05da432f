"""The Team page: people and their roles, how the work is shared out, the log, backups."""

from __future__ import annotations

import streamlit as st

from workbench.domain import Role
from workbench.ui.page import Page
from workbench.ui.team_backup import draw_backup
from workbench.ui.team_log import draw_log
from workbench.ui.team_people import draw_people
from workbench.ui.team_sharing import draw_sharing
from workbench.ui.team_work import draw_work

VIEW = "view"
"""Key of the chosen part of the page in the address."""
PEOPLE, SHARING, WORK, LOG, BACKUP = "people", "sharing", "work", "log", "backup"
_NAMES = {
    PEOPLE: ":material/group: People",
    SHARING: ":material/share: Who labels what",
    WORK: ":material/undo: Withdraw, reassign",
    LOG: ":material/history: Log",
    BACKUP: ":material/backup: Backup and checks",
}


def draw_team_page(page: Page) -> None:
    """Draw the page."""
    with page.guarded():
        views = [PEOPLE, SHARING, WORK, LOG, *([BACKUP] if page.user.role is Role.ADMIN else [])]
        asked = st.query_params.get(VIEW)
        key = "team-view"
        if st.session_state.get(key) not in views:
            st.session_state[key] = asked if asked in views else PEOPLE
        chosen = st.segmented_control(
            "Part of the page", views, key=key, format_func=_NAMES.__getitem__, label_visibility="collapsed"
        )
        view = chosen or PEOPLE
        if asked != view:
            st.query_params[VIEW] = view
        if view == SHARING:
            draw_sharing(page)
        elif view == WORK:
            draw_work(page)
        elif view == LOG:
            draw_log(page)
        elif view == BACKUP:
            draw_backup(page)
        else:
            draw_people(page)
