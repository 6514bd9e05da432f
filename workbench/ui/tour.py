"""The guided first round, drawn: where it stands, what to do here, the way to the next stop."""

from __future__ import annotations

import streamlit as st

from workbench.domain import Role
from workbench.services.tour import Tour
from workbench.ui.navigation import HOME, PLACES, link_to
from workbench.ui.page import Page

LOOK_SECONDS = 3.0
"""A stop is done when the database shows it, which the page that it is done on need not be drawn again for."""


def draw_tour(page: Page) -> None:
    """On a sample project the current stop, unless the visitor has left the tour or can't make the round."""
    tour = tour_of(page)
    if tour is not None and not tour.left:
        st.fragment(_draw, run_every=LOOK_SECONDS if tour.current else None)(page)


def tour_of(page: Page) -> Tour | None:
    """The visitor's tour of the chosen project; None where it is no sample, or its loop is not theirs to go."""
    if page.chosen is None or not page.may(Role.LEAD):
        return None
    return page.workbench.tour.of(page.chosen, user=page.user)


def draw_way_back(page: Page, tour: Tour | None) -> None:
    """For those who have left it before its end: take it up again."""
    if tour is None or not tour.left or tour.current is None:
        return
    words = f"Go on with the guided round: stop {tour.number} of {len(tour.stops)}"
    if st.button(words, icon=":material/tour:", type="tertiary", key="tour_resume"):
        page.workbench.tour.resume(page.project, user=page.user)
        st.rerun()


def _draw(page: Page) -> None:
    # A rerun of a fragment skips the page's guard; the service asks who this is.
    with page.guarded():
        tour = tour_of(page)
        if tour is None or tour.left:
            return
        with st.container(
            border=True,
            horizontal=True,
            vertical_alignment="center",
            horizontal_alignment="distribute",
            key="tour",
        ):
            _draw_stop(page, tour)
            _draw_leave(page, tour)


def _draw_stop(page: Page, tour: Tour) -> None:
    stop, of = tour.current, len(tour.stops)
    if stop is None:
        st.markdown(
            f":material/flag: **The round is done: {of} of {of}.** That is the loop; each time round, the model asks "
            "better and you correct less.",
            width="stretch",
        )
        return
    far = f" · {stop.far}" if stop.far else ""
    # Home's own next step says how, and leads there.
    how = "" if page.title == HOME else f"  \n{stop.how}"
    st.markdown(f":material/tour: **Stop {tour.number} of {of}: {stop.title}**{far}{how}", width="stretch")
    if page.title != HOME and PLACES[stop.stage.value].title != page.title:
        link_to(stop.stage.value, f"Go to {PLACES[stop.stage.value].title}", page.project)


def _draw_leave(page: Page, tour: Tour) -> None:
    words = "Leave the tour" if tour.current else "Close"
    if st.button(
        words, type="tertiary", key="tour_leave", help="Home has the way back." if tour.current else None
    ):
        page.workbench.tour.leave(page.project, user=page.user)
        st.rerun()
