"""The Home page: what is here, how far it is, what is next."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from workbench.domain import Project
from workbench.errors import AlreadyExists
from workbench.services.overview import Overview
from workbench.services.samples import load_sample, sample_name
from workbench.tasks import get_task
from workbench.ui.loop import draw_loop, draw_next_step
from workbench.ui.navigation import HOME, go_to, link_to
from workbench.ui.page import Page, choose_project, open_page
from workbench.ui.tables import draw_table
from workbench.ui.terms import draw_terms
from workbench.ui.theme import TASK_TITLES, count, metric_name, score
from workbench.ui.tour import draw_tour, draw_way_back, tour_of

TOUR = """
The workbench turns text into a model, a round at a time:

1. **Data.** Import text: a *pool* to choose from and, if you have labels already, some to train on and a *test* set
   that is only ever measured on.
2. **Select.** A *query strategy* picks the examples that teach the model most, those that it is least sure of for
   instance. The first batch is a random one: there is no model to ask yet.
3. **Label.** One example after the other, with the keyboard. The model's suggestion is there to be corrected.
4. **Train.** A *base model* that has read much text already is fine-tuned on your labels: a new *model version*.
5. **Compare.** Is it better than the last one, and is the difference more than chance? Then again from 2,
   or **export** the best version as a folder that `transformers` loads.
"""


def draw_home() -> None:
    """Draw the page."""
    page = open_page(HOME, needs_project=False)
    with page.guarded():
        projects = page.workbench.projects.list()
        if page.chosen is None:
            _draw_welcome(page)
            return
        now = page.workbench.projects.overview(page.chosen)
        if not now.batches and _untouched(page, projects):
            # One beginning only: a sample's own next step would be a second one, of a task nobody has chosen.
            _draw_welcome(page)
            _draw_samples(page, projects, now)
            return
        _draw_project(page, now)
        _draw_projects(page, projects, now)
        _draw_more(page)


# --- nothing here yet ------------------------------------------------------------------------------


def _draw_welcome(page: Page) -> None:
    st.title("Welcome to your workbench")
    st.markdown(
        "Label text where it teaches a model most, train the model, see whether it got better, take it with you. "
        "Three ways to begin:"
    )
    columns = st.columns(3, gap="medium")
    with columns[0].container(border=True, height="stretch"):
        st.subheader(":material/science: Try the sample", anchor=False)
        st.write(
            "A small corpus with a simulated annotator's answers: once round the loop in five stops, to be left at any."
        )
        _draw_sample(page)
    with columns[1].container(border=True, height="stretch"):
        st.subheader(":material/upload_file: Bring your data", anchor=False)
        st.write("Make a project, then import CoNLL, CoNLL-U, SQuAD, JSON Lines or plain text into it.")
        _draw_create(page)
    with columns[2].container(border=True, height="stretch"):
        st.subheader(":material/map: Read the tour", anchor=False)
        st.write(
            "Five steps, round after round: data, select, label, train, compare. What each is for, in a minute; or the "
            "tutorial, from an empty workbench to an exported model."
        )
        with st.popover("The loop in a minute", icon=":material/map:"):
            st.markdown(TOUR)
        link_to("help", "The tutorial, word for word", None, icon=":material/article:", read="tutorial.md")


def _untouched(page: Page, projects: tuple[Project, ...]) -> bool:
    """Whether nothing is here but samples, as a fresh workbench loads them, on which nobody has begun."""
    samples = set(map(sample_name, TASK_TITLES))
    return all(project.name in samples for project in projects) and not any(
        page.workbench.selection.batches(project) for project in projects
    )


def _draw_sample(page: Page) -> None:
    with st.form("sample", border=False):
        task = st.radio("Task", list(TASK_TITLES), format_func=TASK_TITLES.__getitem__, key="sample_task")
        wanted = st.form_submit_button("Begin the guided round", icon=":material/tour:", type="primary")
    if wanted and task:
        with page.guarded():
            with st.spinner("Importing the sample …"):
                try:
                    project = load_sample(page.workbench, task)
                except AlreadyExists:
                    project = page.workbench.projects.get(sample_name(task))
            page.workbench.tour.resume(project, user=page.user)
            choose_project(project.name)
            go_to("select", project)


def _draw_create(page: Page) -> None:
    with st.form("create", border=False):
        name = st.text_input("Name", key="create_name", placeholder="press releases")
        task = st.radio("Task", list(TASK_TITLES), format_func=TASK_TITLES.__getitem__, key="create_task")
        labels = st.text_input(
            "Labels",
            key="create_labels",
            placeholder="PER, ORG, LOC",
            help="Separated by commas. May stay empty: an import of labeled data adds those that it finds, and "
            "questions need none.",
        )
        wanted = st.form_submit_button("Make the project", icon=":material/add:")
    if wanted and task:
        with page.guarded():
            names = [part.strip() for part in labels.split(",") if part.strip()]
            project = page.workbench.projects.create(name, task, names)
            choose_project(project.name)
            st.rerun()


# --- a project -------------------------------------------------------------------------------------


def _draw_project(page: Page, now: Overview) -> None:
    project = now.project
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(project.name, anchor=False, width="content")
        st.badge(TASK_TITLES.get(project.task, project.task), color="gray")
        draw_terms(HOME, project)
    draw_tour(page)
    tour = tour_of(page)
    step = (tour and tour.next_step) or now.next_step
    draw_next_step(now, step)
    draw_loop(now, step)
    draw_way_back(page, tour)
    _draw_numbers(now)


def _draw_numbers(now: Overview) -> None:
    st.subheader("What is here", anchor=False)
    with st.container(horizontal=True, gap="large"):
        best = now.best
        value, measured_on = now.score(best) if best else (None, "test")
        task = get_task(now.project.task)
        st.metric(
            f"Best {metric_name(task.primary_metric)}",
            score(value, task.metric_scale),
            help=f"Of version {best.number}, on the {measured_on} data." if best else "No version yet.",
            width="content",
        )
        st.metric("Versions", f"{len(now.versions):,}", width="content")
        st.metric("Batches", f"{len(now.batches):,}", width="content")
    if best and (warning := now.warning(best)):
        st.error(f"Version {best.number}: {warning}", icon=":material/warning:")
    if not now.splits:
        st.caption("No examples yet.")
        return
    rows = [
        {
            "Split": str(split),
            "Examples": counts.examples,
            "Labeled": counts.gold,
            "Share": round(100 * counts.gold / counts.examples) if counts.examples else 0,
            "Words": counts.words,
        }
        for split, counts in now.splits.items()
        if counts.examples
    ]
    draw_table(
        rows,
        column_config={
            "Examples": st.column_config.NumberColumn(format="localized"),
            "Labeled": st.column_config.NumberColumn(
                format="localized", help="With accepted labels; a model learns from these."
            ),
            "Share": st.column_config.ProgressColumn(
                "Labeled share", format="%d%%", min_value=0, max_value=100
            ),
            "Words": st.column_config.NumberColumn(format="localized"),
        },
    )


# --- all projects ----------------------------------------------------------------------------------


def _draw_projects(page: Page, projects: tuple[Project, ...], chosen: Overview) -> None:
    st.subheader("Projects", anchor=False)
    for now in _cards(page, projects, chosen):
        _draw_card(now)
        if now is chosen:
            st.caption(":material/check_circle: open now")
        else:
            link_to("home", "Open", now.project, icon=":material/folder_open:")


def _draw_samples(page: Page, projects: tuple[Project, ...], chosen: Overview) -> None:
    st.subheader("Already here, to be looked at", anchor=False)
    for now in _cards(page, projects, chosen):
        _draw_card(now)
        link_to("data", "Browse its data", now.project)


def _cards(page: Page, projects: tuple[Project, ...], chosen: Overview) -> Iterator[Overview]:
    """A card for each project, to be drawn into before the next is asked for."""
    columns = st.columns(3, gap="medium")
    for index, project in enumerate(projects):
        with columns[index % 3].container(border=True, key=f"project_card_{project.id}"):
            yield chosen if project.id == chosen.project.id else page.workbench.projects.overview(project)


def _draw_more(page: Page) -> None:
    """The three ways in again, folded."""
    with st.container(horizontal=True):
        with st.popover("New project", icon=":material/add:"):
            _draw_create(page)
        with st.popover("Try a sample", icon=":material/science:"):
            _draw_sample(page)
        with st.popover("The loop in a minute", icon=":material/map:"):
            st.markdown(TOUR)


def _draw_card(now: Overview) -> None:
    project = now.project
    st.markdown(f"**{_escaped(project.name)}**  \n{TASK_TITLES.get(project.task, project.task)}")
    facts = [
        f"{count(now.examples, 'example')}, {now.labeled:,} labeled",
        count(len(now.versions), "version"),
    ]
    best = now.best
    if best is not None:
        value, measured_on = now.score(best)
        found = f"best {score(value, get_task(project.task).metric_scale)} on {measured_on}"
        facts.append(f":red[{found}, too high]" if now.warning(best) else found)
    if now.active:
        facts.append(f"{len(now.active)} running")
    st.caption(" · ".join(facts))


def _escaped(text: str) -> str:
    """The text as Markdown shows it letter by letter."""
    return "".join(f"\\{char}" if char in r"\`*_{}[]()<>#+-.!|~$:^=" else char for char in text)
