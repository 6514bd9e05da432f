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
"""Keys of the editor's fields and of the version that it was begun on; each project has its own (``_key``)."""

KEPT = "kept"
"""Ends the key of what stands in a field: Streamlit forgets the field itself when another part is drawn."""


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


def _key(page: Page, field: str) -> str:
    return f"{field}-{page.project.id}"


def _bring_back(page: Page, field: str, first: str) -> str:
    """The key of a field that holds what was kept of it, at first ``first``; the browser is told so."""
    key = _key(page, field)
    if key not in st.session_state:
        st.session_state[key] = st.session_state.get(f"{key}-{KEPT}", first)
    return key


def _forget(page: Page) -> None:
    """Begin the editor anew, with the newest version."""
    for field in (BASE, TEXT, NOTE, ADDED):
        key = _key(page, field)
        for each in (key, f"{key}-{KEPT}"):
            st.session_state.pop(each, None)


def _draw_editor(page: Page, versions: Sequence[GuidelineVersion]) -> None:
    newest = versions[0] if versions else None
    number = newest.number if newest else 0
    base = st.session_state.setdefault(_key(page, BASE), number)
    text_key = _bring_back(page, TEXT, newest.text if newest else "")
    note_key = _bring_back(page, NOTE, "")
    if base != number:
        st.warning(
            f"Version {number} was written while you wrote on version {base}: it is shown above. "
            "Yours can be saved once you have taken it in.",
            icon=":material/warning:",
        )
        if st.button("I have taken it in", icon=":material/done:"):
            st.session_state[_key(page, BASE)] = number
            st.rerun()
    _draw_adding(page, text_key)
    text = st.text_area("Text (Markdown)", key=text_key, height=320)
    note = st.text_input("What has changed, in a line", key=note_key, max_chars=LONGEST_NOTE)
    st.session_state[f"{text_key}-{KEPT}"] = text
    st.session_state[f"{note_key}-{KEPT}"] = note
    if st.button("Save as a new version", type="primary", icon=":material/save:"):
        with page.guarded():
            page.workbench.guidelines.write(page.project, text, note=note, base=base)
            _forget(page)
            st.rerun()


def _draw_adding(page: Page, text_key: str) -> None:
    """Put an example at the end of the text, whose field is drawn below."""
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    wanted = left.text_input(
        "Add an example with its labels: its id, from the Data page",
        key=_bring_back(page, ADDED, ""),
        help="It is written as `> [Ada]{PER} met [Bob]{PER}.`; lines like that can also be written by hand.",
    )
    if right.button("Add at the end", icon=":material/add:", width="stretch", disabled=not wanted):
        with page.guarded():
            line = page.workbench.guidelines.example(page.project, wanted.strip())
            st.session_state[text_key] = f"{st.session_state[text_key].rstrip()}\n\n{line}\n".lstrip()


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
            _forget(page)
            st.rerun()
