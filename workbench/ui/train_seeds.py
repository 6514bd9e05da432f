"""A group of runs that differ in the seed, as a table with its mean and spread."""

from __future__ import annotations

import streamlit as st

from workbench.domain import Run
from workbench.services.seeds import seed_of
from workbench.tasks import get_task
from workbench.ui.page import Page
from workbench.ui.run_view import STATES
from workbench.ui.tables import draw_table
from workbench.ui.theme import metric_title, score


def draw_seeds(page: Page, run: Run) -> None:
    """The group that a run was launched with; nothing for a run of its own."""
    group = page.workbench.training.seeds(page.project, run)
    if group is None:
        return
    scale = get_task(page.project.task).metric_scale
    title = metric_title(group.metric)
    st.markdown(f"**{len(group.runs)} seeds**")
    if group.mean is None:
        st.caption("Mean and spread are shown when runs of it have been measured on validation.")
    else:
        spread = "" if group.spread is None else f" ± {score(group.spread, scale)}"
        st.markdown(
            f"Validation {title} {score(group.mean, scale)}{spread} "
            f"({len(group.values)} of {len(group.runs)} runs measured; mean ± standard deviation)"
        )
    best = group.best
    draw_table(
        [
            {
                "Seed": seed_of(other),
                "Run": other.id,
                "State": STATES[other.state][0],
                "Version": other.result.get("model_version"),
                title: score(group.values.get(other.id), scale),
                "Best": "best" if best is not None and other.id == best.id else "",
            }
            for other in group.runs
        ],
    )
