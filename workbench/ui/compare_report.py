"""The comparison as a file: HTML, Markdown, JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from workbench.services.comparison import Analysis
from workbench.services.downloads import Download
from workbench.services.report import make_report, markdown
from workbench.services.slices import Seen
from workbench.ui.page import Page
from workbench.ui.report_html import report_html
from workbench.ui.theme import size
from workbench.web.downloads import download_address

KINDS = {"html": "HTML, one file that needs nothing else", "md": "Markdown", "json": "JSON"}


def draw_report(page: Page, analysis: Analysis, seen: Callable[[], Seen]) -> None:
    """A button that makes the three files, and links to them."""
    comparison = analysis.comparison
    st.markdown(
        "The verdict, every difference with its interval, the parts, the kinds of error, and the first fixed and "
        "broken examples, to be sent to somebody who has no access here."
    )
    key = f"report-{page.project.id}-{comparison.a}-{comparison.b}-{comparison.split}-{comparison.gold_set}"
    if st.button("Make the report", icon=":material/build:", type="primary"):
        with st.spinner("Writing…"):
            st.session_state[key] = _make(page, analysis, seen())
    made: dict[str, Download] = st.session_state.get(key, {})
    for kind, download in made.items():
        st.link_button(
            f"{KINDS[kind]} · {size(download.size)}",
            download_address(download),
            icon=":material/download:",
        )


def _make(page: Page, analysis: Analysis, seen: Seen) -> dict[str, Download]:
    report = make_report(page.workbench, page.project, analysis, seen)
    stem = f"{page.project.name}-{analysis.comparison.a}-against-{analysis.comparison.b}"
    texts = {
        "html": report_html(report, analysis, page.project),
        "md": markdown(report),
        "json": json.dumps(report, ensure_ascii=False, indent=1) + "\n",
    }
    return {
        kind: page.workbench.downloads.publish(f"{stem}.{kind}", page.user, _writer(text))
        for kind, text in texts.items()
    }


def _writer(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text, encoding="utf-8")
