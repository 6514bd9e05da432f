"""Export labels: choose a format, make the file, fetch it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import streamlit as st

from workbench.domain import Split
from workbench.formats import get_format
from workbench.services.dataexport import EXPORTS, FOLDER, SOURCE, ExportReport
from workbench.services.datasets import ProjectCounts
from workbench.services.downloads import Download
from workbench.ui.page import Page
from workbench.ui.theme import count, size
from workbench.web.downloads import download_address

ALL = "all"
SCHEMES = ("IOB2", "IOB1", "BIOES", "BILOU", "IO")


def draw_export(page: Page, counts: ProjectCounts) -> None:
    """Choices, the button, the file."""
    if not counts.total:
        st.info("There is nothing to export yet.", icon=":material/upload_file:")
        return
    names = [
        name for name in EXPORTS if name in (SOURCE, FOLDER) or page.project.task in get_format(name).tasks
    ]
    left, middle, right = st.columns(3)
    name = left.selectbox("Format", names, format_func=_title, key="export-format")
    chosen = middle.selectbox(
        "Split",
        [ALL, *(one.value for one in Split)],
        format_func=str.capitalize,
        key="export-split",
    )
    split = None if chosen == ALL else Split(chosen)
    scheme = SCHEMES[0]
    if page.project.task == "ner" and name in ("conll2003", "conllu", FOLDER):
        scheme = right.selectbox("Tagging scheme", SCHEMES, key="export-scheme")
    st.caption(EXPORTS[name])
    key = f"export-made-{page.project.id}-{name}-{split}-{scheme}"
    if st.button("Make the file", type="primary", icon=":material/build:"):
        with st.spinner("Writing…"):
            st.session_state[key] = _make(page, name, split, scheme)
    made = st.session_state.get(key)
    if made is not None:
        _draw_made(*made)


def _title(name: str) -> str:
    if name == SOURCE:
        return "As it came in"
    return "Hugging Face dataset (hf)" if name == FOLDER else f"{get_format(name).title} ({name})"


def _make(page: Page, name: str, split: Split | None, scheme: str) -> tuple[Download, ExportReport]:
    """The file, offered to this person; several files are packed in a .zip."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "data"
        place.mkdir()
        target = place if name in (SOURCE, FOLDER) else place / f"data{get_format(name).extension}"
        report = page.workbench.datasets.export_data(page.project, name, target, split, scheme=scheme)
        stem = "-".join(part for part in (page.project.name, split.value if split else "", name) if part)
        if len(report.files) == 1:
            only = report.files[0]
            file_name = only.name if name == SOURCE else f"{stem}{only.suffix}"
        else:
            only = Path(shutil.make_archive(str(Path(folder) / "packed"), "zip", place))
            file_name = f"{stem}.zip"
        return page.workbench.downloads.publish(
            file_name, page.user, lambda path: shutil.copyfile(only, path)
        ), report


def _draw_made(download: Download, report: ExportReport) -> None:
    said = f"{count(report.examples, 'example')}, {size(download.size)}"
    if report.format == SOURCE:
        said += f"; {count(report.changed, 'example')} with labels that have changed since the import"
    if report.skipped:
        said += f"; {count(report.skipped, 'example')} left out for want of labels"
    st.success(said, icon=":material/check_circle:")
    st.link_button(f"Download {download.name}", download_address(download), icon=":material/download:")
    for notice in report.warnings[:50]:
        st.caption(f":material/warning: {notice.message}")
