"""Tables as every page draws them."""

from __future__ import annotations

from typing import Any

import streamlit as st

MISSING = "–"


def draw_table(rows: Any, **options: Any) -> Any:
    """A table as wide as its place, without row numbers; what is not there is a dash.

    Args:
        rows: As ``st.dataframe`` takes them.
        options: Of ``st.dataframe``, too.
    """
    return st.dataframe(rows, **{"hide_index": True, "width": "stretch", "placeholder": MISSING, **options})
