"""The Compare page: two versions against each other, or all of them; what to measure first, and on which labels."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.domain import RunKind, Split
from workbench.services.pairs import fair_splits, measured
from workbench.services.versions import VersionRow
from workbench.ui.address import kept_choice
from workbench.ui.compare_view import draw_pair
from workbench.ui.navigation import link_to
from workbench.ui.page import Page
from workbench.ui.theme import count
from workbench.ui.waiting import active_run, last_failure, watch

PAIR, ALL = "two", "all"
TITLES = {PAIR: "Two versions", ALL: "All versions"}


def draw_compare_page(page: Page) -> None:
    """Draw the page."""
    with page.guarded():
        if not page.workbench.models.list(page.project):
            st.info(
                "There is no model version yet. Train one, then see here how good it is.",
                icon=":material/balance:",
            )
            link_to("train", "Train a model", page.project)
            return
        split = _choose_split(page)
        table = page.workbench.versions.table(page.project, split)
        if split is None:
            _draw_all(page, table.rows, None)
            return
        _measure(page, table.rows, split)
        comparable = measured(table.rows)
        shown = ALL
        if len(comparable) > 1:
            shown = kept_choice(
                st.container(),
                "What to show",
                [PAIR, ALL],
                name="show",
                scope=f"compare-{page.project.id}",
                default=PAIR,
                format_func=TITLES.__getitem__,
                kind="segments",
            )
        if shown == PAIR:
            draw_pair(page, comparable, table.gold_sets, split)
        else:
            _draw_all(page, table.rows, split)


def _draw_all(page: Page, rows: Sequence[VersionRow], split: Split | None) -> None:
    from workbench.ui.compare_versions import draw_versions  # and with it the chart library

    draw_versions(page, rows, split)


def _choose_split(page: Page) -> Split | None:
    labeled = page.workbench.evaluation.labeled(page.project)
    fair = [str(split) for split in fair_splits(labeled)]
    if not fair:
        st.warning(
            "No example of a test or validation split is labeled, so there is nothing to measure versions on that "
            "they were not trained on. Import labeled data as the test split.",
            icon=":material/rule:",
        )
        link_to("data", "Import data", page.project)
        return None
    if len(fair) == 1:
        return Split(fair[0])
    chosen = kept_choice(
        st.container(),
        "Measured on",
        fair,
        name="split",
        scope=f"compare-{page.project.id}",
        default=fair[0],
        format_func=lambda split: f"{split} split · {count(labeled[Split(split)], 'labeled example')}",
        kind="segments",
    )
    return Split(chosen)


def _measure(page: Page, rows: Sequence[VersionRow], split: Split) -> None:
    """Offer to measure what was not measured on the labels of now."""
    pending = [
        row.version.number
        for row in rows
        if row.measurable and not row.current and not row.version.archived_at
    ]
    for number in pending:
        run = active_run(page, RunKind.EVALUATE, model_version=number, split=str(split))
        if run is not None:
            watch(page, run, f"Measuring version {number} on the {split} split")
            return
        failed = last_failure(page, RunKind.EVALUATE, model_version=number, split=str(split))
        if failed is not None:
            st.error(f"Measuring version {number} failed: {failed.error}", icon=":material/error:")
    if not pending:
        return
    names = ", ".join(map(str, pending))
    text, button = st.columns([4, 1], vertical_alignment="center")
    what = "Version" if len(pending) == 1 else "Versions"
    text.markdown(
        f"{what} **{names}** {'was' if len(pending) == 1 else 'were'} not measured on these labels yet "
        f"(the {split} split as it is labeled now)."
    )
    if button.button("Measure", icon=":material/straighten:", type="primary", width="stretch"):
        for number in pending:
            measure_version(page, number, split)
        st.rerun()


def measure_version(page: Page, number: int, split: Split) -> None:
    """Ask the model for what it has not predicted; where it has, the labels of now are enough."""
    if page.workbench.evaluation.missing(page.project, number, split):
        page.workbench.evaluation.launch(page.project, number, split, user_id=page.user.id)
    else:
        page.workbench.evaluation.evaluate(page.project, number, split)
