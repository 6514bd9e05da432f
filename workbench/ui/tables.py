"""Tables as every page draws them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

import streamlit as st

from workbench.domain import Project

MISSING = "–"


def draw_table(rows: Any, **options: Any) -> Any:
    """A table as wide as its place, without row numbers; what is not there is a dash.

    Args:
        rows: As ``st.dataframe`` takes them.
        options: Of ``st.dataframe``, too.
    """
    return st.dataframe(rows, **{"hide_index": True, "width": "stretch", "placeholder": MISSING, **options})


def rows_key(name: str, project: Project, rows: Iterable[int]) -> str:
    """The key of a table whose rows can be chosen, another one as soon as other rows are shown.

    A table that keeps its key keeps the *places* of the chosen rows, whatever comes to stand there.

    Args:
        name: Of the table.
        project: Whose rows they are.
        rows: What each row stands for, in their order.
    """
    stamp = zlib.crc32(",".join(map(str, rows)).encode())
    return f"{name}-{project.id}-{stamp:08x}"
