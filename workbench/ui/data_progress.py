"""An import that runs: how far it is, a button to cancel it, and how it ended."""

from __future__ import annotations

import streamlit as st

from workbench.errors import Cancelled
from workbench.services.importwatch import COMPARING, READING, ImportWatch
from workbench.services.importwrite import ImportReport
from workbench.ui.confirm import confirmed
from workbench.ui.data_preview import draw_leaks, escaped
from workbench.ui.page import Page
from workbench.ui.theme import count

EVERY_SECONDS = 0.5


def draw_running(page: Page) -> bool:
    """Draw the project's import that this server runs, if there is one; whether it still runs."""
    job = page.workbench.importing.of(page.project.id)
    if job is None:
        return False
    if job.running:
        _draw_progress(page)
        return True
    page.workbench.importing.forget(page.project.id)
    try:
        _draw_done(job.result())
    except Cancelled as error:
        st.info(str(error).capitalize() + ".", icon=":material/cancel:")
    return False


@st.fragment(run_every=EVERY_SECONDS)  # type: ignore[untyped-decorator]
def _draw_progress(page: Page) -> None:
    job = page.workbench.importing.of(page.project.id)
    if job is None or not job.running:
        st.rerun()
        return
    share, words = _said(job.watch)
    st.progress(share, text=words)
    if job.watch.cancelled:
        st.caption("Taking back what has been written…")
    elif confirmed(
        "Cancel the import",
        "Take back all that this import has written so far?",
        yes="Yes, take it back",
        key="import-cancel",
        icon=":material/cancel:",
    ):
        job.cancel()
        st.rerun(scope="fragment")
    st.caption("You may leave this page: the import goes on.")


def _said(watch: ImportWatch) -> tuple[float, str]:
    """The share that is done, 0..1, and words for it; a file's examples are not counted before it is read."""
    if watch.phase == READING:
        where = f" {escaped(watch.file)}" if watch.file else ""
        return 0.0, f"Reading{where}: {count(watch.done, 'example')}"
    done = watch.done / watch.total if watch.total else 0.0
    if watch.phase == COMPARING:
        return 0.1 * done, f"Looking for duplicates: {watch.done:,} of {watch.total:,}"
    return 0.1 + 0.9 * done, f"Writing: {watch.done:,} of {count(watch.total, 'example')}"


def _draw_done(report: ImportReport) -> None:
    splits = ", ".join(f"{number:,} {split}" for split, number in report.splits.items())
    where = (
        next(iter(report.splits)) if len(report.splits) == 1 else f"{len(report.splits)} splits ({splits})"
    )
    st.success(
        f"Imported {count(report.examples, 'example')} ({count(report.documents, 'document')}) as {where}. "
        "Browse shows them.",
        icon=":material/check_circle:",
    )
    draw_leaks(report.leaks, [notice.message for notice in report.warnings if notice.line is None])
