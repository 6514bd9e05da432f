"""What pages import, imported before anybody looks: libraries of tables and charts took most of a first view's time."""

from __future__ import annotations

import gc
import logging
from importlib import import_module
from inspect import currentframe, getmodule

import altair as alt
import pandas as pd
from altair.utils.schemapi import disable_debug_mode
from streamlit.dataframe_util import convert_pandas_df_to_arrow_bytes

PAGES = (
    "home",
    "data_page",
    "select_page",
    "label_page",
    "train_page",
    "compare_page",
    "compare_versions",
    "compare_confusion",
    "compare_certainty",
    "compare_figures",
    "progress_page",
    "suspects_page",
    "simulate_page",
    "export_page",
    "review_page",
    "team_page",
    "help_page",
)
"""Modules of this package that draw the pages, and those of their parts that pages import late."""

LIBRARIES = ("PIL.Image", "streamlit.material_icon_names")
"""What Streamlit imports while it draws."""


def warm_up() -> None:
    """Import every page's code. In a thread of its own it would take the first visitor's time instead.

    Charts are no longer held against their schema each time they are drawn, a quarter of the time that takes; tests
    draw them with the check.
    """
    # Streamlit warns of functions that cache and are made before the server runs; they find it when they are called.
    warns = logging.getLogger("streamlit.runtime.caching.cache_data_api")
    before, warns.disabled = warns.disabled, True
    try:
        for name in PAGES:
            import_module(f"workbench.ui.{name}")
    finally:
        warns.disabled = before
    for name in LIBRARIES:
        import_module(name)
    disable_debug_mode()
    # These libraries load parts of themselves with the first table and the first chart.
    frame = pd.DataFrame({"x": [0.0], "name": ["a"]})
    convert_pandas_df_to_arrow_bytes(frame)
    alt.Chart(frame).mark_line().encode(x="x:Q", color="name:N").to_dict()
    # Streamlit asks in which module code stands; the first answer looks at every module's file.
    getmodule(currentframe())
    # What is loaded by now stays: looking for garbage among it took a fifth of a second, in the middle of a page.
    gc.collect()
    gc.freeze()
