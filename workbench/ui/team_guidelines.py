"""Guidelines: what holds, older versions and what changed, and for leads the editor."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.domain import Role
from workbench.domain.guidelines import GuidelineVersion
from workbench.services.guidelines import LONGEST_NOTE
from workbench.ui.data_preview import escaped
from workbench.ui.guideline_view import diff_html, draw_guidelines
from workbench.ui.page import Page
from workbench.ui.theme import count

TEXT, NOTE, BASE, ADDED = "guidelines-text", "guidelines-note", "guidelines-base", "guidelines-example"


def draw_team_guidelines(page: Page) -> None:
    """The newest version, the editor, the history."""
    versions = page.workbench.guidelines.versions(page.project)
    lead = page.may(Role.LEAD)
    if versions:
        newest = versions[0]
        st.caption(_told(newest))
        with st.container(border=True):
            draw_guidelines(newest.text, page.project.labels)
            if not newest.text.strip():
                st.caption("Empty.")
    else:
        st.info("Nobody has written guidelines for this project yet.", icon=":material/menu_book:")
    if lead:
        if versions:
            _draw_readers(page, versions[0].number)
        with st.expander("Write", icon=":material/edit:", expanded=not versions):
            _draw_editor(page, versions)
    if len(versions) > 1:
        _draw_history(page, versions, lead)


def _told(version: GuidelineVersion) -> str:
    said = f"Version {version.number} · {escaped(version.by or 'command line')}, "
    said += f"{version.created_at:%Y-%m-%d %H:%M} UTC"
    return said + (f" · “{escaped(version.note)}”" if version.note else "")


def _draw_readers(page: Page, newest: int) -> None:
    seen = page.workbench.guidelines.readers(page.project)
    people = [
        one.user.name for one in page.workbench.members.roles(page.project) if one.role and one.user.active
    ]
    read = [name for name in people if seen.get(name) == newest]
    waiting = [
        f"{escaped(name)} ({f'version {seen[name]}' if name in seen else 'none'})"
        for name in people
        if seen.get(name) != newest
    ]
    if people:
        said = f"Read by {len(read)} of {count(len(people), 'person', 'people')}."
        st.caption(said + (f" Not yet by {', '.join(waiting)}." if waiting else ""))


def _draw_editor(page: Page, versions: Sequence[GuidelineVersion]) -> None:
    newest = versions[0] if versions else None
    number = newest.number if newest else 0
    about = (page.project.id, number)
    if st.session_state.get(BASE, (None, None))[0] != page.project.id:
        st.session_state[BASE] = about
        st.session_state[TEXT] = newest.text if newest else ""
    base = st.session_state[BASE][1]
    if base != number:
        st.warning(
            f"Version {number} was written while you wrote on version {base}: it is shown above. "
            "Yours can be saved once you have taken it in.",
            icon=":material/warning:",
        )
        if st.button("I have taken it in", icon=":material/done:"):
            st.session_state[BASE] = about
            st.rerun()
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    wanted = left.text_input(
        "Add an example with its labels: its id, from the Data page",
        key=ADDED,
        help="It is written as `> [Ada]{PER} met [Bob]{PER}.`; lines like that can also be written by hand.",
    )
    if right.button("Add at the end", icon=":material/add:", width="stretch", disabled=not wanted):
        with page.guarded():
            line = page.workbench.guidelines.example(page.project, wanted.strip())
            st.session_state[TEXT] = f"{st.session_state[TEXT].rstrip()}\n\n{line}\n".lstrip()
    text = st.text_area("Text (Markdown)", key=TEXT, height=320)
    note = st.text_input("What has changed, in a line", key=NOTE, max_chars=LONGEST_NOTE)
    if st.button("Save as a new version", type="primary", icon=":material/save:"):
        with page.guarded():
            page.workbench.guidelines.write(page.project, text, note=note, base=base)
            for key in (BASE, TEXT, NOTE, ADDED):
                st.session_state.pop(key, None)
            st.rerun()


def _draw_history(page: Page, versions: Sequence[GuidelineVersion], lead: bool) -> None:
    st.subheader("Older versions", anchor=False)
    numbers = [version.number for version in versions]
    by_number = {version.number: version for version in versions}
    left, right = st.columns(2)
    chosen = left.selectbox(
        "Version", numbers[1:], format_func=lambda one: f"Version {one}", key="guidelines-old"
    )
    other = right.selectbox(
        "Compared with", numbers, format_func=lambda one: f"Version {one}", key="guidelines-new"
    )
    st.caption(_told(by_number[chosen]))
    first, last = sorted((chosen, other))
    if first != last:
        st.markdown(f"**From version {first} to version {last}**")
        st.html(diff_html(page.workbench.guidelines.changes(page.project, first, last)))
    with st.expander(f"Version {chosen} as it was", icon=":material/history:"):
        draw_guidelines(by_number[chosen].text, page.project.labels)
    if lead and st.button(
        f"Let version {chosen} hold again",
        icon=":material/settings_backup_restore:",
        help="As a new version; nothing of the history goes.",
    ):
        with page.guarded():
            page.workbench.guidelines.restore(page.project, chosen)
            for key in (BASE, TEXT):
                st.session_state.pop(key, None)
            st.rerun()
