"""The Label page: which batch, and the labeling component over the whole width."""

from __future__ import annotations

import streamlit as st

from workbench.domain import Batch
from workbench.errors import WorkbenchError
from workbench.ui.label_guidelines import draw_unseen_guidelines
from workbench.ui.label_keys import draw_label_keys
from workbench.ui.label_remarks import draw_remarks
from workbench.ui.labeler import draw_labeler, draw_wake
from workbench.ui.page import Page, visitor

BATCH = "batch"
"""Key of the chosen batch's number in the address."""

EXAMPLE = "example"
"""Key of an example's id in the address: `Label?project=NAME&example=ID` opens it, to be labeled or revised."""

_WIDE = """<style>
[data-testid="stMainBlockContainer"] { padding: 2.6rem 1.5rem 0.5rem; max-width: none; }
[data-testid="stMainBlockContainer"] h1 { padding: 0; }
</style>"""


def draw_label_page(page: Page) -> None:
    """Draw the page."""
    st.html(_WIDE)
    with st.sidebar:
        draw_wake()
    with page.guarded():
        batch = _choose_batch(page)
        with st.sidebar:
            draw_label_keys(page)
            draw_remarks(page)
        draw_unseen_guidelines(page)
        _label(page, batch)


def _choose_batch(page: Page) -> Batch | None:
    """The batch of the address, else the oldest that is not done, else none: the pool in its order."""
    batches = page.workbench.selection.batches(page.project)
    if not batches:
        return None
    by_number = {batch.number: batch for batch in batches}
    waiting = [batch for batch in sorted(batches, key=lambda one: one.number) if batch.done < batch.items]
    asked = st.query_params.get(BATCH)
    if asked is not None and asked.isdigit() and int(asked) in by_number:
        default: int | None = int(asked)
    else:
        default = waiting[0].number if waiting else None
    options: list[int | None] = [*by_number, None]
    key = f"label-batch-{page.project.id}"
    if key not in st.session_state:
        st.session_state[key] = default
    with st.sidebar:
        number = st.selectbox(
            "What to label",
            options,
            key=key,
            format_func=lambda one: _batch_words(by_number[one]) if one is not None else "Whatever is open",
            help="A batch that was selected on the Select page; or every open batch, then the rest of the pool.",
        )
    if number is not None:
        st.query_params[BATCH] = str(number)
        return by_number[number]
    st.query_params.pop(BATCH, None)
    return None


def _linked_example() -> int | None:
    """The example that the address names; the browser takes it out of the address once somebody has gone on."""
    asked = st.query_params.get(EXAMPLE, "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None


def _batch_words(batch: Batch) -> str:
    state = "done" if batch.done >= batch.items else f"{batch.done} of {batch.items}"
    return f"Batch {batch.number} · {state}"


@st.fragment  # type: ignore[untyped-decorator]
def _label(page: Page, batch: Batch | None) -> None:
    # A rerun of a fragment skips the page's guard: who looks is asked again before anything is stored.
    try:
        user = visitor()
        project = page.workbench.projects.get(page.project.name)
        draw_labeler(page.workbench, project, user, batch, _linked_example())
    except WorkbenchError as error:
        st.error(f"{error} Your answers are kept in this browser.", icon=":material/error:")
        st.button("Try again", icon=":material/refresh:")
