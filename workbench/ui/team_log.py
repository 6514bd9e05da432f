"""The audit log: who did what and when."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from workbench.domain import Role
from workbench.services.auditwords import more
from workbench.ui.page import Page
from workbench.ui.tables import draw_table

HERE, EVERYWHERE = "This project", "Everything"
EVERYBODY = "Everybody"
MOST = 500


def draw_log(page: Page) -> None:
    """Filters and the newest lines."""
    left, middle, right = st.columns(3)
    where = HERE
    if page.user.role is Role.ADMIN:
        where = left.selectbox("Where", [HERE, EVERYWHERE], key="log-where")
    people = [member.user.name for member in page.workbench.members.roles(page.project)]
    person = middle.selectbox("Who", [EVERYBODY, *people], key="log-person")
    action = right.text_input(
        "What", key="log-action", placeholder="such as export, user.role, import"
    ).strip()
    who, what = None if person == EVERYBODY else person, action or None
    log = page.workbench.audit_log
    if where == EVERYWHERE:
        events = log.everywhere(person=who, action=what, limit=MOST)
    else:
        events = log.of_project(page.project, person=who, action=what, limit=MOST)
    if not events:
        st.info("Nothing like that is in the log.", icon=":material/history:")
        return
    rows = [
        {
            "When (UTC)": event.at.replace(tzinfo=None),
            "Who": event.user or "command line",
            "What": event.action,
            "Of": event.subject,
            "More": more(event),
        }
        for event in events
    ]
    draw_table(pd.DataFrame(rows), height=560 if len(rows) > 15 else "auto")
    if len(events) == MOST:
        st.caption(f"The newest {MOST}; older ones are given by `workbench log`.")
