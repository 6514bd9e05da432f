"""The Suspects page: labels that are probably wrong, as a queue to be looked at."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from workbench.domain import RunKind, TrainParameters
from workbench.errors import NotFound
from workbench.services.corrections import MOST
from workbench.services.suspects import FOLDS, SuspectExample, Suspects
from workbench.ui.address import kept_choice
from workbench.ui.glossary import explain
from workbench.ui.navigation import link_to
from workbench.ui.page import Page
from workbench.ui.text_view import labeled_text
from workbench.ui.theme import count
from workbench.ui.waiting import active_run, last_failure, watch

SHOWN = 8
"""Examples that are drawn at first, and added by each further click."""

BATCH = 50
"""Suspects of a correction batch, unless another number is chosen."""

ANY = "any"
ALL_SPLITS = "all"


def draw_suspects_page(page: Page) -> None:
    """Draw the page."""
    with page.guarded():
        st.markdown(
            "Labeled examples that a model contradicts, although it is as sure there as it usually is of that label. "
            "Some of them are slips; others are hard, or it is the model that is wrong: each wants a look."
        )
        run = active_run(page, RunKind.SUSPECTS)
        if run is not None:
            watch(page, run, "Looking for label errors")
            return
        failed = last_failure(page, RunKind.SUSPECTS)
        if failed is not None:
            st.error(f"The last search failed: {failed.error}", icon=":material/error:")
        try:
            found = page.workbench.suspects.newest(page.project)
        except NotFound:
            _draw_search(page, first=True)
            return
        _draw_queue(page, found)
        with st.expander("Look again", icon=":material/search:"):
            _draw_search(page, first=False)


def _draw_search(page: Page, *, first: bool) -> None:
    if first:
        st.info("Nobody has looked for label errors in this project yet.", icon=":material/search:")
    versions = [each for each in page.workbench.models.list(page.project) if each.usable]
    with st.form("suspects-search", border=first):
        judge = st.radio(
            "Who judges",
            ["folds", *(str(version.number) for version in reversed(versions))],
            format_func=lambda name: (
                "Models trained for it, each judging what it did not learn from (cross-validation)"
                if name == "folds"
                else f"Version {name}: at once, right for what it did not learn from, such as the test split"
            ),
        )
        left, middle, right = st.columns(3)
        folds = left.number_input(
            "Models", 2, 20, FOLDS, help="More of them learn from more each, and take longer."
        )
        epochs = middle.number_input(
            "Epochs of each training",
            0.1,
            100.0,
            TrainParameters().epochs,
            format="%.1f",
            help=explain("epoch"),
        )
        labeled = page.workbench.evaluation.labeled(page.project)
        names = {ALL_SPLITS: "All"} | {
            str(split): f"{split} · {number:,} labeled" for split, number in labeled.items()
        }
        split = right.selectbox("Whose labels", list(names), format_func=names.__getitem__)
        pressed = st.form_submit_button("Look for label errors", type="primary", icon=":material/search:")
    if pressed:
        page.workbench.suspects.launch(
            page.project,
            folds=int(folds),
            model_version=None if judge == "folds" else int(judge),
            splits=list(labeled) if split == ALL_SPLITS else [split],
            parameters=TrainParameters(epochs=float(epochs)),
            user_id=page.user.id,
        )
        st.rerun()


def _draw_queue(page: Page, found: Suspects) -> None:
    left, middle, right = st.columns(3)
    left.metric("Examined", f"{found.examined:,}")
    middle.metric("Suspected", f"{found.found:,}")
    right.metric("Not looked at yet", f"{len(found.rows):,}")
    st.caption(found.how)
    if found.warning is not None:
        st.warning(found.warning, icon=":material/balance:")
    if not found.rows:
        st.success("None is left to look at.", icon=":material/check_circle:")
        return
    labels = found.labels()
    shown = found
    choice, button = st.columns([1, 1], vertical_alignment="bottom")
    if page.project.task != "qa":
        label = kept_choice(
            choice,
            "Label given or proposed",
            [ANY, *labels],
            name="label",
            scope=f"suspects-{page.project.id}",
            default=ANY,
            format_func=lambda name: "Any" if name == ANY else "none (O)" if name == "O" else name,
        )
        shown = found.with_label(None if label == ANY else label)
    _draw_batch_button(page, shown, button)
    key = f"suspects-shown-{page.project.id}"
    number = int(st.session_state.get(key, SHOWN))
    for each in page.workbench.suspects.shown(page.project, shown.rows[:number]):
        _draw_example(page, each)
    if number < len(shown.rows) and st.button(
        f"Show more ({len(shown.rows) - number:,} left)", icon=":material/expand_more:"
    ):
        st.session_state[key] = number + 2 * SHOWN
        st.rerun()


def _draw_batch_button(page: Page, shown: Suspects, place: DeltaGenerator) -> None:
    number, button = place.columns([1, 2], vertical_alignment="bottom")
    most = min(MOST, len(shown.rows))
    wanted = number.number_input(
        "The first", 1, max(1, most), max(1, min(BATCH, most)), help="So many, the most doubtful first."
    )
    chosen = shown.rows[: int(wanted)]
    if not button.button(
        f"Put {len(chosen):,} into a correction batch",
        icon=":material/playlist_add:",
        type="primary",
        width="stretch",
        disabled=not chosen,
        help="On the Label page each is shown with its labels and what is doubted, to be confirmed or corrected. "
        "Either way it leaves this list.",
    ):
        return
    with page.guarded():
        made = page.workbench.suspects.correct(page.project, chosen, page.user.id)
        waiting = f" {made.waiting:,} waited in a batch already." if made.waiting else ""
        st.success(
            f"Batch {made.batch.number} has {count(made.batch.items, 'example')}.{waiting}",
            icon=":material/playlist_add_check:",
        )
        link_to("label", f"Label batch {made.batch.number}", page.project, batch=str(made.batch.number))


def _draw_example(page: Page, each: SuspectExample) -> None:
    with st.container(border=True):
        head, link = st.columns([6, 1], vertical_alignment="center")
        name = each.example.external_id.replace("*", "\\*").replace("_", "\\_")
        seen = " · the version had learned from it" if each.seen else ""
        head.caption(f"{each.example.split} split · {name}{seen}")
        with link:
            link_to("label", "Open", page.project, icon=":material/edit_note:", example=str(each.example.id))
        st.html(labeled_text(each.example.content, each.payload, page.project.labels, limit=500))
        st.markdown(f":material/help: {_plain(each.sentence)}")


def _plain(text: str) -> str:
    """The text as Markdown shows it letter by letter."""
    return "".join(f"\\{char}" if char in r"\`*_{}[]()<>#+-!|~$:^=" else char for char in text)
