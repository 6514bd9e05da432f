"""Who works here: roles, accounts, retired people."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from workbench.domain import Role
from workbench.services.members import IN_PROJECT, Member
from workbench.ui.confirm import confirmed
from workbench.ui.data_preview import escaped
from workbench.ui.page import Page
from workbench.ui.tables import draw_table

SAME = "same"
ROLE_WORDS = {
    Role.ANNOTATOR.value: "Annotator",
    Role.REVIEWER.value: "Reviewer",
    Role.LEAD.value: "Lead",
    Role.ADMIN.value: "Admin",
    "none": "Not there for them",
    SAME: "What they are elsewhere",
}
ROLE_SENTENCES = """- **Annotator**: labels, and sees what they label.
- **Reviewer**: sees everybody's labels, decides between them, compares models.
- **Lead**: imports, selects, trains, exports, says who may do what in the project.
- **Admin**: all of it in every project, accounts, backups."""


def draw_people(page: Page) -> None:
    """The table, and what a lead and an admin can change."""
    members = page.workbench.members.roles(page.project)
    if not members:
        st.info(
            "Nobody has an account: the workbench is open to whoever sits at this machine, and to nobody else.",
            icon=":material/person:",
        )
        st.markdown("Make the first account on the command line; from then on everybody signs in:")
        st.code("workbench user add NAME --role admin", language=None)
        return
    _draw_table(members)
    with st.expander("What each role may do", icon=":material/help:"):
        st.markdown(ROLE_SENTENCES)
    admin = page.user.role is Role.ADMIN
    left, right = st.columns(2, gap="large")
    with left:
        _draw_project_role(page, [one for one in members if one.user.role is not Role.ADMIN])
    if admin:
        with right:
            _draw_account(page, members)
        _draw_new(page, members)


def _draw_table(members: Sequence[Member]) -> None:
    rows = [
        {
            "Name": one.user.name,
            "Here": ROLE_WORDS[one.role.value if one.role else "none"],
            "Elsewhere": ROLE_WORDS[one.user.role.value],
            "State": "can sign in" if one.user.active else "retired",
        }
        for one in members
    ]
    draw_table(rows)


def _draw_project_role(page: Page, members: Sequence[Member]) -> None:
    st.subheader("In this project", anchor=False)
    if not members:
        st.caption("Everybody is an admin, and so a lead of every project.")
        return
    with st.form("project-role", border=True):
        by_name = {one.user.name: one for one in members}
        name = st.selectbox("Person", list(by_name), key="role-name")
        role = st.selectbox(
            "Is here", [SAME, *IN_PROJECT], format_func=ROLE_WORDS.__getitem__, key="role-here"
        )
        saved = st.form_submit_button("Save", icon=":material/save:")
    if saved and name:
        _done(
            page,
            lambda: page.workbench.members.set_project_role(
                page.project, name, None if role == SAME else role
            ),
        )


def _draw_account(page: Page, members: Sequence[Member]) -> None:
    st.subheader("Everywhere", anchor=False)
    with st.form("account", border=True):
        by_name = {one.user.name: one.user for one in members}
        name = st.selectbox("Person", list(by_name), key="account-name")
        role = st.selectbox("Is", [one.value for one in Role], format_func=ROLE_WORDS.__getitem__)
        columns = st.columns(2)
        saved = columns[0].form_submit_button("Save the role", icon=":material/save:", width="stretch")
        turned = columns[1].form_submit_button(
            "Retire, or bring back",
            icon=":material/person_off:",
            width="stretch",
            wrap=True,
            help="A retired person can't sign in; all that they did stays under their name.",
        )
    if saved and name:
        _done(page, lambda: page.workbench.members.set_role(name, role))
    if turned and name:
        retire = page.workbench.members.retire if by_name[name].active else page.workbench.members.bring_back
        _done(page, lambda: retire(name))


def _draw_new(page: Page, members: Sequence[Member]) -> None:
    with st.expander("New account, new password", icon=":material/person_add:"):
        with st.form("new-account", border=False, clear_on_submit=True):
            columns = st.columns(3)
            name = columns[0].text_input("Name", max_chars=100)
            password = columns[1].text_input("Password", type="password", autocomplete="new-password")
            role = columns[2].selectbox("Is", [one.value for one in Role], format_func=ROLE_WORDS.__getitem__)
            made = st.form_submit_button("Make the account", icon=":material/person_add:")
        if made:
            _done(page, lambda: page.workbench.team.add_user(name, role, password))
        _draw_new_password(page, members)


def _draw_new_password(page: Page, members: Sequence[Member]) -> None:
    """Another password for somebody who has one."""
    left, right, action = st.columns(3, vertical_alignment="bottom")
    name = left.selectbox("Person", [one.user.name for one in members], key="password-name")
    password = right.text_input(
        "New password", type="password", autocomplete="new-password", key="password-new"
    )
    with action:
        changed = confirmed(
            "Give them this password",
            f"Replace the password of **{escaped(name)}**? The old one stops working, and they are signed out.",
            yes="Yes, replace it",
            key="password-reset",
            icon=":material/password:",
            stretch=True,
        )
    if changed:
        _done(page, lambda: page.workbench.team.reset_password(name, password))


def _done(page: Page, change: Callable[[], object]) -> None:
    with page.guarded():
        change()
        st.rerun()
