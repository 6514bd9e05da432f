"""What imported examples are for: one split, shares by lot, or what the file says; and splitting again."""

from __future__ import annotations

import streamlit as st

from workbench.domain import Split
from workbench.services.splits import GROUPS, SEED, TOLD, SplitPlan
from workbench.ui.page import Page

BY_LOT, BY_FILE = "lot", "file"
HELP = {
    Split.POOL: "Pool: to be selected and labeled; labels that come along train too.",
    Split.TRAIN: "Train: labeled data that models learn from.",
    Split.VALIDATION: "Validation: labeled data that training is watched on.",
    Split.TEST: "Test: labeled data that versions are compared on, never trained on.",
}
_NAMES = {BY_LOT: "Several splits, by lot", BY_FILE: "What the file says"}
_GROUPS = {
    "auto": "Documents, or contexts of questions",
    "document": "Documents",
    "context": "Contexts of questions",
    "example": "Nothing but equal texts",
}
_SHARES = {Split.POOL: 0, Split.TRAIN: 80, Split.VALIDATION: 10, Split.TEST: 10}


def choose_split(page: Page) -> tuple[Split, SplitPlan]:
    """The split for examples that nothing else decides, and how the others are split."""
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    chosen = left.selectbox(
        "What the examples are for",
        [*Split, BY_LOT, BY_FILE],
        format_func=lambda one: _NAMES.get(one, one.capitalize()),
        help=" ".join(HELP.values()),
        key="import-split",
    )
    if chosen == BY_LOT:
        right.caption(
            "Each document goes to one split as a whole, so that nothing is measured on what was learned."
        )
        return Split.POOL, choose_plan("import")
    if chosen == BY_FILE:
        right.caption("The key or column `split` of each example; those without one go to the pool.")
        return Split.POOL, SplitPlan(by_file=True)
    right.caption(HELP[Split(chosen)])
    return Split(chosen), TOLD


def choose_plan(prefix: str) -> SplitPlan:
    """Shares, seed and what stays together."""
    columns = st.columns(len(_SHARES) + 2)
    shares = {
        split: column.number_input(
            f"{split.value.capitalize()}, %", 0, 100, default, key=f"{prefix}-share-{split.value}"
        )
        for column, (split, default) in zip(columns, _SHARES.items(), strict=False)
    }
    group = columns[-2].selectbox(
        "Kept together", list(GROUPS), format_func=_GROUPS.__getitem__, key=f"{prefix}-group"
    )
    seed = columns[-1].number_input(
        "Seed", 0, 2**31, SEED, key=f"{prefix}-seed", help="The same seed makes the same splits."
    )
    total = sum(shares.values())
    if total != 100:
        st.warning(f"The shares add up to {total} %, not to 100.", icon=":material/percent:")
        st.stop()
    ratios = {split: share / 100 for split, share in shares.items() if share}
    return SplitPlan(ratios=ratios, seed=int(seed), group=group)
