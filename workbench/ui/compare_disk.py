"""Disk space on the Compare page: what versions take, what pruning would free, and why the others stay."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from workbench.domain import Role
from workbench.services.pruning import PrunePlan, VersionFiles, named
from workbench.ui.confirm import confirmed
from workbench.ui.glossary import explain
from workbench.ui.page import Page
from workbench.ui.tables import draw_table
from workbench.ui.theme import count, size

KEEP = 3
"""How many newest versions the page proposes to keep where the settings don't say."""


def draw_disk(page: Page) -> None:
    """For leads."""
    if not page.may(Role.LEAD):
        return
    key = f"disk-{page.project.id}"
    with st.expander("Disk", icon=":material/hard_drive:"):
        left, right = st.columns([1, 3], vertical_alignment="bottom")
        keep = left.number_input(
            "Keep the newest",
            1,
            10_000,
            page.workbench.settings.keep_models or KEEP,
            key=f"{key}-keep",
            help=explain("pruned"),
        )
        plan = page.workbench.pruning.plan(page.project, int(keep))
        right.markdown(_said(plan))
        _draw_files(plan)
        if done := st.session_state.pop(f"{key}-done", None):
            st.success(done, icon=":material/check_circle:")
        if plan.going and confirmed(
            "Remove these files",
            f"Remove the files of {named(plan.going)}? **{size(plan.freed)}** are freed. Scores and predictions "
            "stay; to use such a version again, it has to be trained again.",
            yes="Yes, remove them",
            key=f"{key}-prune",
            icon=":material/delete_sweep:",
        ):
            gone = page.workbench.pruning.prune(page.project, int(keep), page.user.id)
            if gone.going:
                st.session_state[f"{key}-done"] = (
                    f"The files of {named(gone.going)} are gone; {size(gone.freed)} are free again."
                )
            st.rerun()


def _said(plan: PrunePlan) -> str:
    there = [version for version in plan.versions if version.pruned_at is None]
    said = f"The files of {count(len(there), 'version')} take **{size(plan.size)}**."
    if not plan.going:
        return f"{said} Nothing would go: each of them is kept for a reason."
    return f"{said} Pruning would free **{size(plan.freed)}**."


def _draw_files(plan: PrunePlan) -> None:
    rows = [
        {
            "version": version.number,
            "disk": size(version.size) if version.size else "–",
            "goes": "pruned" if version.pruned_at else "goes" if version.goes else "stays",
            "why": _why(version, plan.keep),
        }
        for version in reversed(plan.versions)
    ]
    text = st.column_config.TextColumn
    draw_table(
        pd.DataFrame(rows),
        column_config={
            "version": st.column_config.NumberColumn("Version", width="small"),
            "disk": text("Disk", width="small"),
            "goes": text("Files", width="small"),
            "why": text("Why", width="large"),
        },
    )


def _why(version: VersionFiles, keep: int) -> str:
    if version.pruned_at is not None:
        return f"on {version.pruned_at:%Y-%m-%d}"
    return "; ".join(version.reasons) or f"older than the newest {keep}, and nothing needs them"
