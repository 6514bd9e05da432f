"""What every page begins with: the guard, the frame, the project.

page = open_page("Data")
with page.guarded():
    counts = page.workbench.datasets.counts(page.project)
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import NoReturn

import streamlit as st
from streamlit import runtime

from workbench.domain import Project, Role, User
from workbench.errors import Forbidden, WorkbenchError
from workbench.services import Workbench
from workbench.services.access import require_role, role_in, seen_by
from workbench.ui import ahead
from workbench.ui.navigation import HOME, draw_navigation, link_to
from workbench.ui.terms import draw_terms
from workbench.ui.theme import ICON, SIDEBAR_WIDTH, STYLE
from workbench.web.gate import STAMP_HEADER, stamped
from workbench.web.paths import COOKIE
from workbench.web.shared import shared_workbench

PROJECT = "project"
"""Key of the chosen project's name: in the address, and in the session so that it survives a change of page."""

OF_ANY_PROJECT = ("view", "read", "term")
"""Parameters of the address that mean the same in each project: the part of a page, what is read on the Help page."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a page works with, once its guard has let the visitor in.

    Attributes:
        title: Its heading.
        workbench: The services as the visitor sees them; each call asks again who that is and what they may.
        user: The visitor.
        chosen: The chosen project, None where there is none.
        role: What the visitor is in the chosen project.
    """

    title: str
    workbench: Workbench
    user: User
    chosen: Project | None
    role: Role = Role.ANNOTATOR

    @property
    def project(self) -> Project:
        """The chosen project; ``open_page`` has stopped a page that needs one where there is none."""
        if self.chosen is None:
            raise LookupError("this page was opened with needs_project=False; read page.chosen")
        return self.chosen

    def may(self, role: Role) -> bool:
        """Whether the visitor's role in the project reaches ``role``: what to draw, not what is allowed."""
        return self.role.rank >= role.rank

    def guarded(self) -> Guard:
        """Show a WorkbenchError that comes out of the block instead of the traceback; go on behind the block."""
        return Guard()


class Guard:
    """The context manager behind ``Page.guarded``."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Show the error where it is one for a person; anything else goes on its way."""
        if not isinstance(error, WorkbenchError):
            return False
        st.error(str(error), icon=":material/error:")
        return True


def open_page(title: str, *, role: Role = Role.ANNOTATOR, needs_project: bool = True) -> Page:
    """Guard and frame of a page. Call it first; it stops the script where there is nothing to show.

    Args:
        title: Drawn as the page's heading and the browser tab's name.
        role: The least role that may open the page.
        needs_project: Whether the page stops with a friendly word while there is no project.
    """
    st.set_page_config(
        page_title=f"{title} · Workbench", page_icon=ICON, layout="wide", initial_sidebar_state=SIDEBAR_WIDTH
    )
    st.html(f"<style>{STYLE}</style>{ahead.script()}", unsafe_allow_javascript=True)
    try:
        workbench = shared_workbench()
        user = current_user(workbench)
        seen = seen_by(workbench, lambda: current_user(workbench))
        projects = seen.projects.list()
    except WorkbenchError as error:
        _refuse(title, error)
    chosen = _chosen_project(projects)
    with st.sidebar:
        st.markdown("**Annotation Workbench**")
        _draw_project_choice(projects, chosen)
    draw_navigation(chosen, user, solo=not user.has_password)
    try:
        known = role_in(workbench.store, user, chosen.id if chosen else None) or user.role
        require_role(workbench.store, user, role, [chosen.id] if chosen else [])
    except WorkbenchError as error:
        _refuse(title, error)
    if title != HOME:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.title(title, width="content")
            draw_terms(title, chosen)
    if needs_project and chosen is None:
        st.info(
            "There is no project yet. Make one on the Home page, or load the sample.",
            icon=":material/folder_off:",
        )
        link_to("home", "Go to Home", None)
        st.stop()
    page = Page(title, seen, user, chosen, known)
    if title != HOME:
        from workbench.ui.tour import draw_tour  # which needs a Page

        with page.guarded():
            draw_tour(page)
    return page


def _refuse(title: str, error: WorkbenchError) -> NoReturn:
    st.title(title)
    st.error(str(error), icon=":material/lock:" if isinstance(error, Forbidden) else ":material/error:")
    st.stop()
    raise error  # st.stop has ended the script; outside of one it does nothing


def current_user(workbench: Workbench) -> User:
    """Who looks at the page.

    Raises:
        Forbidden: Nobody who may: the session is over, or the connection did not come through the gate.
    """
    if not _served():
        return workbench.team.solo_user()
    if not stamped(st.context.headers.get(STAMP_HEADER)):
        raise Forbidden(
            "this server runs without its gate, so anybody could read everything",
            remedy="start it with `streamlit run Home.py` from the project's folder",
        )
    if workbench.team.solo():
        return workbench.team.solo_user()
    user = workbench.team.user_for_token(st.context.cookies.get(COOKIE))
    if user is None:
        raise Forbidden("your session is over", remedy="reload the page and sign in")
    return user


def visitor() -> User:
    """Who looks at the page now, for a part of it that is drawn again without its guard. Raises Forbidden."""
    return current_user(shared_workbench())


def choose_project(name: str | None) -> None:
    """Make a project the chosen one, here and on the pages opened next; None: none. Takes effect on rerun.

    The rest of the address goes: batches and versions are numbered in each project anew.
    """
    st.session_state[PROJECT] = name
    kept = {key: st.query_params[key] for key in OF_ANY_PROJECT if key in st.query_params}
    st.query_params.from_dict({**({PROJECT: name} if name is not None else {}), **kept})


def _served() -> bool:
    """Whether a server runs in this process: only then can a stranger be looking (AppTest and bare runs have none)."""
    return runtime.exists() and type(runtime.get_instance()) is runtime.Runtime


def _chosen_project(projects: tuple[Project, ...]) -> Project | None:
    """The project of the address, else the one of this session, else the newest."""
    by_name = {project.name: project for project in projects}
    asked = st.query_params.get(PROJECT)
    if asked is not None and asked not in by_name:
        from workbench.ui.data_preview import escaped  # which needs a Page

        st.warning(
            f"There is no project named {escaped(repr(asked))} here; choose another one.",
            icon=":material/search_off:",
        )
    wanted = [by_name[name] for name in (asked, st.session_state.get(PROJECT)) if name in by_name]
    chosen = wanted[0] if wanted else max(projects, key=lambda project: project.id, default=None)
    if chosen is not None:
        st.session_state[PROJECT] = chosen.name
        if st.query_params.get(PROJECT) != chosen.name:
            st.query_params[PROJECT] = chosen.name
    return chosen


def _draw_project_choice(projects: tuple[Project, ...], chosen: Project | None) -> None:
    if chosen is None:
        return
    names = [project.name for project in projects]
    tasks = {project.name: project.task.upper() for project in projects}
    # One field per choice: what the browser still says of the field before (a rerun may be under way) is not a choice.
    key = f"workbench_project_choice_{chosen.id}"
    st.session_state[key] = chosen.name
    st.selectbox(
        "Project",
        names,
        key=key,
        format_func=lambda name: f"{name} · {tasks[name]}",
        on_change=lambda: choose_project(st.session_state[key]),
    )
