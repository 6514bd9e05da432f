"""The sidebar: where one can go, who one is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.errors import StreamlitPageNotFoundError

from workbench.domain import Project, User
from workbench.web.paths import SIGN_OUT

HOME = "Home"


@dataclass(frozen=True, slots=True)
class Place:
    """A page: its file below the checkout, its path in the address, its name and icon."""

    file: str
    path: str
    title: str
    icon: str


PLACES: dict[str, Place] = {
    "home": Place("Home.py", "/", HOME, ":material/home:"),
    "data": Place("pages/1_Data.py", "/Data", "Data", ":material/database:"),
    "select": Place("pages/2_Select.py", "/Select", "Select", ":material/target:"),
    "label": Place("pages/3_Label.py", "/Label", "Label", ":material/edit_note:"),
    "train": Place("pages/4_Train.py", "/Train", "Train", ":material/model_training:"),
    "compare": Place("pages/5_Compare.py", "/Compare", "Compare", ":material/balance:"),
    "progress": Place("pages/8_Progress.py", "/Progress", "Progress", ":material/trending_up:"),
    "suspects": Place("pages/9_Suspects.py", "/Suspects", "Suspects", ":material/rule:"),
    "simulate": Place("pages/7_Simulate.py", "/Simulate", "Simulate", ":material/science:"),
    "export": Place("pages/6_Export.py", "/Export", "Export", ":material/output:"),
    "review": Place("pages/10_Review.py", "/Review", "Review", ":material/gavel:"),
    "team": Place("pages/11_Team.py", "/Team", "Team", ":material/group:"),
    "help": Place("pages/12_Help.py", "/Help", "Help", ":material/help:"),
}
CHECKOUT = Path(__file__).resolve().parents[2]


def link_to(
    place: str, label: str | None, project: Project | None, *, icon: str | None = None, **query: str
) -> None:
    """Draw a link to a page that keeps the project (and more of a query) in the address.

    Args:
        place: A key of ``PLACES``.
        label: What the link says; None takes the page's title.
        project: The chosen project.
        icon: A Material icon; None takes the page's.
        query: More parameters of the address.
    """
    target = PLACES[place]
    parameters = {**({"project": project.name} if project else {}), **query}
    try:
        st.page_link(
            target.file, label=label or target.title, icon=icon or target.icon, query_params=parameters
        )
    except StreamlitPageNotFoundError:
        # A script run on its own (a test of one page) knows no other page.
        st.markdown(f"{icon or target.icon} {label or target.title}")


def go_to(place: str, project: Project | None, **query: str) -> None:
    """Leave for another page, the project (and more of a query) in the address; the script ends here.

    Args:
        place: A key of ``PLACES``.
        project: The chosen project.
        query: More parameters of the address.
    """
    parameters = {**({"project": project.name} if project else {}), **query}
    st.switch_page(PLACES[place].file, query_params=parameters)


def draw_navigation(project: Project | None, user: User, *, solo: bool) -> None:
    """The pages, then who is signed in."""
    with st.sidebar:
        for name, place in PLACES.items():
            if (CHECKOUT / place.file).is_file():
                link_to(name, None, project)
        if not solo:
            st.caption(f"{user.name} · {user.role.value}")
            st.html(
                f'<form method="post" action="{SIGN_OUT}"><button class="workbench-sign-out">Sign out</button></form>'
            )
