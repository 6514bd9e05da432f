"""The Data page: what is there, more of it in, labels out."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait

import streamlit as st

from workbench.domain import Role, Split
from workbench.services.access import as_person
from workbench.services.datasets import ProjectCounts
from workbench.services.overlaps import Overlap
from workbench.ui.cards import Card, cards
from workbench.ui.data_browse import EXAMPLE, draw_browse
from workbench.ui.data_export import draw_export
from workbench.ui.data_import import draw_import
from workbench.ui.data_labels import draw_labels
from workbench.ui.data_preview import draw_leaks
from workbench.ui.page import Page
from workbench.ui.theme import count

AT_ONCE = 20_000
"""Examples up to which duplicates are looked for before the page is drawn."""
MOMENT = 0.05
"""Seconds that a page of more examples waits: as long as it takes where they were looked for before."""
POLL_SECONDS = 0.5
VIEW = "view"
"""Key of the chosen part of the page in the address."""
BROWSE, IMPORT, EXPORT, LABELS = "browse", "import", "export", "labels"
_NAMES = {
    BROWSE: ":material/search: Browse",
    IMPORT: ":material/upload_file: Import",
    LABELS: ":material/label: Labels",
    EXPORT: ":material/download: Export labels",
}
SPLIT_NAMES = {
    Split.POOL: "Pool",
    Split.TRAIN: "Train",
    Split.VALIDATION: "Validation",
    Split.TEST: "Test",
}


def draw_data_page(page: Page) -> None:
    """Draw the page."""
    with page.guarded():
        counts = page.workbench.datasets.counts(page.project)
        lead = page.may(Role.LEAD)
        if EXAMPLE not in st.query_params:
            _draw_counts(counts)
        view = _choose_view(empty=counts.total == 0, lead=lead)
        if view != BROWSE:
            st.query_params.pop(EXAMPLE, None)
        if view == IMPORT:
            draw_import(page)
        elif view == LABELS:
            draw_labels(page)
        elif view == EXPORT:
            draw_export(page, counts)
        else:
            if lead and EXAMPLE not in st.query_params:
                _draw_overlap(page, counts)
            draw_browse(page, counts)


def _draw_overlap(page: Page, counts: ProjectCounts) -> None:
    """Warn of what stands on both sides of an evaluation; looked for again when the splits have changed."""
    held_out = counts.examples[Split.TEST] + counts.examples[Split.VALIDATION]
    if not held_out or held_out == counts.total:
        return
    imports = tuple(record.id for record in page.workbench.datasets.imports(page.project))
    stamp = (str(page.workbench.settings.url), page.project.id, imports, tuple(counts.examples.values()))
    searched = _overlap(page, stamp)
    wait([searched], None if counts.total <= AT_ONCE else MOMENT)
    if not searched.done():
        _wait_for(searched)
        return
    if searched.exception() is not None:
        _overlap.clear()  # looked for again the next time
    found = searched.result()
    if found.exact or found.near:
        where = "of the test and validation splits also stand in another split"
        if found.exact:
            near = f", {found.near:,} more nearly word for word" if found.near else ""
            told = f"{count(found.exact, 'text')} {where}{near}"
        else:
            told = f"{count(found.near, 'text')} {where} nearly word for word"
        draw_leaks(found.leaks, [f"{told}: scores on them flatter"])


@st.cache_resource(show_spinner=False, max_entries=16, ttl=3600)  # type: ignore[untyped-decorator]
def _overlap(_page: Page, stamp: tuple[object, ...]) -> Future[Overlap]:
    """The search, in a thread: half a second for 100,000 examples, for which the page does not wait."""
    threads = ThreadPoolExecutor(1, "duplicates")
    found = threads.submit(as_person(_page.workbench, _page.user).datasets.overlap, _page.project)
    threads.shutdown(wait=False)
    return found


def _wait_for(searched: Future[Overlap]) -> None:
    """Draw the page again once the search has ended."""

    def look() -> None:
        if searched.done():
            st.rerun()

    st.fragment(look, run_every=POLL_SECONDS)()


def _draw_counts(counts: ProjectCounts) -> None:
    if not counts.total:
        return
    st.html(cards(_card(counts, split, name) for split, name in SPLIT_NAMES.items()))
    st.caption(f"{count(counts.documents, 'document')} · {count(counts.words, 'word')}")


def _card(counts: ProjectCounts, split: Split, name: str) -> Card:
    number, gold = counts.examples[split], counts.gold[split]
    said = f"{gold:,} labeled" if number else "nothing yet"
    return Card(name, f"{number:,}", gold / number if number else 0.0, said)


def _choose_view(*, empty: bool, lead: bool) -> str:
    """The part of the page that is shown: that of the address, else Import while there is nothing to browse."""
    views = [BROWSE, IMPORT, LABELS, EXPORT] if lead else [BROWSE]
    if len(views) == 1:
        return BROWSE
    asked = st.query_params.get(VIEW)
    key = "data-view"
    if st.session_state.get(key) not in views:
        st.session_state[key] = asked if asked in views else IMPORT if empty else BROWSE
    chosen = st.segmented_control(
        "Part of the page", views, key=key, format_func=_NAMES.__getitem__, label_visibility="collapsed"
    )
    view = chosen or BROWSE
    if asked != view:
        st.query_params[VIEW] = view
    return view
