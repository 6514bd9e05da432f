"""Parts of the test set with scores of their own."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from workbench.services.comparison import Analysis
from workbench.services.slices import MOST, Seen, slice_kinds, slices
from workbench.ui.address import kept_choice
from workbench.ui.forest import Row, draw_forest
from workbench.ui.page import Page

NOT_SEEN: Seen = (frozenset(), frozenset())


def draw_parts(page: Page, analysis: Analysis, seen: Callable[[], Seen]) -> None:
    """A choice of what to divide by, then each part under both versions."""
    kinds = slice_kinds(analysis)
    kind = kept_choice(
        st.container(),
        "Divide by",
        list(kinds),
        name="by",
        scope=f"compare-{page.project.id}",
        default=next(iter(kinds)),
        format_func=lambda name: kinds.get(name, name),
    )
    comparison = analysis.comparison
    if kind == "seen":
        st.caption(
            "By the very text: whether the training data of a version holds it. A version that is better only on "
            "what it has seen has learned by heart."
        )
    found = slices(analysis, kind, seen() if kind == "seen" else NOT_SEEN)
    if not found:
        st.info("There is nothing to divide.", icon=":material/search_off:")
        return
    rows = [
        Row(part.name, part.examples, part.a, part.b, part.difference, part.low, part.high) for part in found
    ]
    draw_forest(
        rows,
        versions=(comparison.a, comparison.b),
        counted="Examples",
        scale=comparison.scale,
        doubted=analysis.doubted,
    )
    if len(found) == MOST:
        st.caption(f"The {MOST} parts with most examples.")
