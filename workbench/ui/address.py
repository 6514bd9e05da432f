"""Choices that stand in the address, so that what a page shows can be linked to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def kept_choice(
    place: DeltaGenerator,
    label: str,
    options: Sequence[str],
    *,
    name: str,
    scope: str,
    default: str,
    always: bool = False,
    format_func: Callable[[str], str] = str,
    kind: Literal["box", "segments"] = "box",
    help: str | None = None,  # noqa: A002 - Streamlit's own word
) -> str:
    """A choice that begins with what the address says and is written back to it.

    Args:
        place: Where to draw it.
        label: Of the widget.
        options: At least one.
        name: Of the address's parameter.
        scope: Keeps the same choice of another page or project apart.
        default: Taken where the address says nothing, or something that is no option.
        always: Write the default too: what is the default today may not be tomorrow.
        format_func: How an option is shown.
        kind: A box, or segments side by side.
        help: Of the widget.
    """
    key = f"{scope}-{name}"
    if st.session_state.get(key) not in options:
        asked = st.query_params.get(name)
        st.session_state[key] = asked if asked in options else default
    if kind == "segments":
        value = place.segmented_control(
            label,
            options,
            key=key,
            format_func=format_func,
            required=True,
            label_visibility="collapsed",
            help=help,
        )
    else:
        value = place.selectbox(label, options, key=key, format_func=format_func, help=help)
    chosen = str(value) if value in options else default
    if chosen != default or always:
        if st.query_params.get(name) != chosen:
            st.query_params[name] = chosen
    elif name in st.query_params:
        del st.query_params[name]
    return chosen
