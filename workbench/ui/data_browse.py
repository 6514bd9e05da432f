"""Browse: search, filter, page through examples; open one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from workbench.domain import Annotation, Example, Payload, Role, Split
from workbench.services.datasets import ExamplePage, ProjectCounts
from workbench.ui.page import Page
from workbench.ui.tables import draw_table
from workbench.ui.text_view import labeled_text, said_below
from workbench.ui.theme import count, duration

EXAMPLE = "example"
"""Key of the opened example's id in the address."""
PER_PAGE = 10
SHORT = 320
"""Characters of a long text that a list shows."""
CONTEXT = 3
"""Sentences before and after an opened one."""
ALL = "all"
_LABELED = {"Labeled": True, "Not labeled": False}


def draw_browse(page: Page, counts: ProjectCounts) -> None:
    """The opened example, or the list."""
    asked = st.query_params.get(EXAMPLE, "")
    if asked.isdecimal() and len(asked) < 19:
        _draw_opened(page, int(asked))
        return
    if not counts.total:
        st.info(
            "Nothing has been imported yet. Choose Import to bring in a file.", icon=":material/upload_file:"
        )
        return
    query, split, labeled = _filters(page)
    found = _draw_page_choice(page, query, split, labeled)
    if not found.items:
        st.info("No example fits; change the search or the filters.", icon=":material/search_off:")
        return
    labels = _labels_of(page, found.items)
    documents = page.workbench.datasets.document_names(found.items)
    for example in found.items:
        _draw_row(page, example, labels.get(example.id), documents[example.document_id])
    _draw_imports(page)


def _filters(page: Page) -> tuple[str, Split | None, bool | None]:
    left, middle, right = st.columns([3, 1, 1], vertical_alignment="bottom")
    prefix = f"browse-{page.project.id}"
    query = left.text_input(
        "Search",
        key=f"{prefix}-query",
        placeholder="any words of a text, a question or an id",
        icon=":material/search:",
        on_change=_first_page,
        args=(page,),
    )
    split = middle.selectbox(
        "Split",
        [ALL, *(split.value for split in Split)],
        key=f"{prefix}-split",
        format_func=str.capitalize,
        on_change=_first_page,
        args=(page,),
    )
    labeled = right.selectbox(
        "Labels",
        [ALL, *_LABELED],
        key=f"{prefix}-labeled",
        format_func=str.capitalize,
        on_change=_first_page,
        args=(page,),
    )
    return query, None if split == ALL else Split(split), _LABELED.get(labeled)


def _page_key(page: Page) -> str:
    return f"browse-{page.project.id}-page"


def _first_page(page: Page) -> None:
    st.session_state[_page_key(page)] = 1


def _turn(page: Page, by: int) -> None:
    st.session_state[_page_key(page)] = st.session_state.get(_page_key(page), 1) + by


def _draw_page_choice(page: Page, query: str, split: Split | None, labeled: bool | None) -> ExamplePage:
    """The examples of the page that is turned to, and the means to turn it."""
    number = max(1, int(st.session_state.get(_page_key(page), 1)))

    def look(at: int) -> ExamplePage:
        return page.workbench.datasets.browse(
            page.project,
            split=split,
            query=query,
            labeled=labeled,
            offset=(at - 1) * PER_PAGE,
            limit=PER_PAGE,
        )

    found = look(number)
    pages = max(1, math.ceil(found.total / PER_PAGE))
    if number > pages:
        number = st.session_state[_page_key(page)] = pages
        found = look(number)
    row = st.container(horizontal=True, vertical_alignment="center")
    row.markdown(f"**{count(found.total, 'example')}**", width="stretch")
    row.button(
        "Previous",
        icon=":material/chevron_left:",
        key="browse-back",
        disabled=number <= 1,
        on_click=_turn,
        args=(page, -1),
    )
    row.markdown(f"page {number:,} of {pages:,}", width="content")
    row.button(
        "Next",
        icon=":material/chevron_right:",
        key="browse-forth",
        disabled=number >= pages,
        on_click=_turn,
        args=(page, 1),
    )
    return found


def _open(example_id: int | None) -> None:
    if example_id is None:
        st.query_params.pop(EXAMPLE, None)
    else:
        st.query_params[EXAMPLE] = str(example_id)


def _draw_row(page: Page, example: Example, payload: Payload | None, document: str) -> None:
    said = [example.split.value, *_place(example, document)]
    if page.may(Role.REVIEWER):
        said.insert(0, "labeled" if payload is not None else "not labeled")
    # Each element more in one of these is ten more for the browser to build.
    with st.container(
        border=True, horizontal=True, vertical_alignment="top", key=f"row-example-{example.id}"
    ):
        st.html(labeled_text(example.content, payload, page.project.labels, limit=SHORT) + said_below(said))
        st.button(
            "Open",
            key=f"open-{example.id}",
            on_click=_open,
            args=(example.id,),
            type="tertiary",
            icon=":material/open_in_full:",
            width="content",
        )


def _draw_opened(page: Page, example_id: int) -> None:
    st.button("Back to the list", icon=":material/arrow_back:", on_click=_open, args=(None,))
    example = page.workbench.datasets.example(page.project, example_id)
    payload = _labels_of(page, [example]).get(example.id)
    document = page.workbench.datasets.document_names([example])[example.document_id]
    st.subheader(f"Example {example.id}")
    st.caption(
        " · ".join([example.split.value, *(_plain(part, 80) for part in _place(example, document))])
        + (f" · {count(len(example.content.tokens), 'word')}" if example.content.tokens else "")
    )
    before, after = page.workbench.datasets.neighbours(example, CONTEXT, CONTEXT)
    tagging = example.content.question is None
    if tagging and before:
        st.caption(" ⏎ ".join(_plain(one.content.text) for one in before))
    with st.container(border=True):
        st.html(labeled_text(example.content, payload, page.project.labels))
    if tagging and after:
        st.caption(" ⏎ ".join(_plain(one.content.text) for one in after))
    if page.may(Role.REVIEWER):
        if payload is None:
            st.caption("No labels have been accepted yet.")
        _draw_history(page, example)
    if example.meta:
        with st.expander("What the file says of it", icon=":material/data_object:"):
            st.json(dict(example.meta), expanded=1)


def _labels_of(page: Page, examples: Sequence[Example]) -> dict[int, Payload]:
    """The accepted labels, for those who review them: an annotator labels without having seen the others'."""
    return page.workbench.datasets.labels_of(examples) if page.may(Role.REVIEWER) else {}


def _draw_history(page: Page, example: Example) -> None:
    history = page.workbench.annotation.history(page.project, example.id)
    if not history:
        return
    st.subheader("History")
    for revision in reversed(history):
        with st.container(border=True):
            told, action = st.columns([6, 1], vertical_alignment="center")
            told.markdown(_told(revision))
            if revision.payload is not None:
                st.html(labeled_text(example.content, revision.payload, page.project.labels, limit=4 * SHORT))
                action.button(
                    "Restore",
                    key=f"restore-{revision.id}",
                    icon=":material/history:",
                    help="These labels count again, as a new revision in your name; nothing of the history goes.",
                    on_click=_restore,
                    args=(page, example.id, revision.payload),
                )


def _restore(page: Page, example_id: int, payload: Payload) -> None:
    with page.guarded():
        page.workbench.review.rewrite(page.project, page.user, example_id, payload)


def _told(revision: Annotation) -> str:
    icons = {"accepted": "check_circle", "skipped": "redo", "flagged": "flag", "withdrawn": "undo"}
    parts = [
        f":material/{icons[revision.status.value]}: **{_plain(revision.author)}** {revision.status.value}",
        f"revision {revision.revision}",
        f"{revision.created_at:%Y-%m-%d %H:%M} UTC",
    ]
    if revision.seconds is not None:
        parts.append(duration(revision.seconds))
    if revision.suggestion_version is not None:
        parts.append(f"from a suggestion of version {revision.suggestion_version}")
    if revision.comment:
        parts.append(f"“{_plain(revision.comment)}”")
    return " · ".join(parts)


def _draw_imports(page: Page) -> None:
    records = page.workbench.datasets.imports(page.project)
    opened = st.expander(
        f"Imported files ({len(records)})",
        icon=":material/inventory_2:",
        key="imported-files",
        on_change="rerun",
    )
    if not opened.open:
        return
    with opened:
        draw_table(
            pd.DataFrame(
                [
                    {
                        "File": record.file_name,
                        "Split": record.split.value if record.split else "",
                        "Format": record.format,
                        "Examples": record.counts.get("examples", 0),
                        "Documents": record.counts.get("documents", 0),
                        "With labels": 0
                        if record.counts.get("unlabeled")
                        else record.counts.get("labeled", 0),
                        "Kept aside": record.counts.get("labeled", 0)
                        if record.counts.get("unlabeled")
                        else 0,
                        "Repaired": record.counts.get("repaired", 0),
                        "Skipped": record.counts.get("skipped", 0),
                        "Imported (UTC)": record.created_at.replace(tzinfo=None),
                    }
                    for record in reversed(records)
                ]
            ),
            column_config={
                name: st.column_config.NumberColumn(format="localized")
                for name in ("Examples", "Documents", "With labels", "Kept aside", "Repaired", "Skipped")
            },
        )


def _place(example: Example, document: str) -> tuple[str, ...]:
    """Document and id, once where the id begins with the document's name."""
    if example.external_id.startswith(document):
        return (example.external_id,)
    return document, example.external_id


def _plain(text: str, longest: int = 200) -> str:
    """Text of a file inside of Markdown: every sign that Markdown reads is escaped."""
    short = text if len(text) <= longest else f"{text[:longest]}…"
    flat = " ".join(short.split())
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()#+-.!|<>$~:&" else sign for sign in flat)
