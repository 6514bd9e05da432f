"""The dialog in which a lead gives labels their keys."""

from __future__ import annotations

import streamlit as st

from workbench.domain import Label, Role
from workbench.errors import WorkbenchError
from workbench.ui.page import Page

COLUMNS = 3


def draw_label_keys(page: Page) -> None:
    """A button that opens the dialog, for those who may, where labels have keys."""
    if page.project.task == "qa" or not page.project.label_names or not page.may(Role.LEAD):
        return
    if st.button("Label keys", icon=":material/keyboard:", help="Which key sets which label"):
        _edit(page)


@st.dialog("Label keys", width="large")  # type: ignore[untyped-decorator]
def _edit(page: Page) -> None:
    draw_form(page)


def draw_form(page: Page) -> None:
    """A field for each label's key; what can't be saved is said above the button, and nothing is changed."""
    labels = [label for label in page.project.labels if not label.retired]
    letters = (
        "a digit or a sign; letters narrow the list of tags"
        if page.project.task == "pos"
        else "one sign each"
    )
    st.caption(
        f"Press what the key is to be: {letters}. Empty for none: such a label is chosen from the list (/)."
    )
    with st.form("label-keys", border=False):
        columns = st.columns(COLUMNS)
        keys = {label.name: _field(columns[index % COLUMNS], label) for index, label in enumerate(labels)}
        saved = st.form_submit_button("Save", type="primary")
    if not saved:
        return
    try:
        page.workbench.projects.assign_keys(page.project, keys)
    except WorkbenchError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.rerun()


def _field(column: st.delta_generator.DeltaGenerator, label: Label) -> str:
    return str(
        column.text_input(
            label.name,
            value=label.key or "",
            max_chars=1,
            key=f"label-key-{label.name}",
            help=label.description or None,
        )
    )
