"""Asking before what can't be undone: one button that opens a question, and one in it that does it."""

from __future__ import annotations

import streamlit as st

STOP_QUESTION = "Stop this run? What it has computed so far is removed."
"""Before a run is cancelled."""


def confirmed(
    label: str,
    question: str,
    *,
    yes: str,
    key: str,
    icon: str,
    help: str | None = None,  # noqa: A002 - Streamlit's own word
    stretch: bool = False,
) -> bool:
    """Draw a button that asks; whether the answer was yes, in the run that the answer leads to.

    The question closes with the answer.

    Args:
        label: Of the button; may be empty where ``help`` says what it is.
        question: What is about to happen, and what is lost by it.
        yes: What the button below the question says: what it does, not "OK".
        key: Of the widgets.
        icon: Of the first button.
        help: Of the first button.
        stretch: As wide as its column.
    """
    asked = f"{key}-asked"
    times = st.session_state.setdefault(asked, 0)  # a popover closes only by being another one

    def answer() -> None:
        st.session_state[asked] = times + 1

    width = "stretch" if stretch else "content"
    with st.popover(label, icon=icon, help=help, width=width, key=f"{key}-question-{times}"):
        st.markdown(question)
        return bool(st.button(yes, type="primary", key=key, on_click=answer))
