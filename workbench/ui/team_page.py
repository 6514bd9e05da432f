"""The Team page: guidelines for everybody; for leads people, how the work is shared out, the log, backups."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from workbench.domain import Role
from workbench.ui.page import Page
from workbench.ui.team_backup import draw_backup
from workbench.ui.team_guidelines import draw_team_guidelines
from workbench.ui.team_log import draw_log
from workbench.ui.team_numbers import draw_numbers
from workbench.ui.team_people import draw_people
from workbench.ui.team_probes import draw_probes
from workbench.ui.team_sharing import draw_sharing
from workbench.ui.team_work import draw_work

VIEW = "view"
"""Key of the chosen part of the page in the address."""
PEOPLE, SHARING, WORK, LOG, BACKUP = "people", "sharing", "work", "log", "backup"
GUIDELINES, NUMBERS, PROBES = "guidelines", "numbers", "probes"
_NAMES = {
    PEOPLE: ":material/group: People",
    GUIDELINES: ":material/menu_book: Guidelines",
    NUMBERS: ":material/monitoring: Numbers",
    SHARING: ":material/share: Who labels what",
    PROBES: ":material/quiz: Probes",
    WORK: ":material/undo: Withdraw, reassign",
    LOG: ":material/history: Log",
    BACKUP: ":material/backup: Backup and checks",
}

_DRAWN: dict[str, Callable[[Page], None]] = {
    PEOPLE: draw_people,
    GUIDELINES: draw_team_guidelines,
    NUMBERS: draw_numbers,
    SHARING: draw_sharing,
    PROBES: draw_probes,
    WORK: draw_work,
    LOG: draw_log,
    BACKUP: draw_backup,
}


def draw_team_page(page: Page) -> None:
    """Draw the page."""
    with page.guarded():
        views = [GUIDELINES, NUMBERS]
        views = [PEOPLE, *views, SHARING, PROBES, WORK, LOG] if page.may(Role.LEAD) else views
        views += [BACKUP] if page.user.role is Role.ADMIN else []
        asked = st.query_params.get(VIEW)
        key = "team-view"
        if st.session_state.get(key) not in views:
            st.session_state[key] = asked if asked in views else views[0]
        chosen = st.segmented_control(
            "Part of the page", views, key=key, format_func=_NAMES.__getitem__, label_visibility="collapsed"
        )
        view = chosen or views[0]
        if asked != view:
            st.query_params[VIEW] = view
        _DRAWN[view](page)
