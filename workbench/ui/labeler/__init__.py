"""The labeling component: a Streamlit component (v2) in plain JavaScript, and the Python side of its exchange."""

from __future__ import annotations

from workbench.ui.labeler.mount import draw_labeler, draw_wake

__all__ = ["draw_labeler", "draw_wake"]
