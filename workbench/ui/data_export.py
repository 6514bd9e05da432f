"""Export labels: choose a format, make the file, fetch it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import streamlit as st

from workbench.domain import Split
from workbench.formats import get_format
from workbench.services.datasets import ProjectCounts
from workbench.services.downloads import Download
from workbench.services.exportkinds import EXPORTS, FOLDER, SOURCE, ExportOptions, ExportReport
from workbench.ui.data_preview import escaped
from workbench.ui.glossary import explain
from workbench.ui.page import Page
from workbench.ui.theme import count, size
from workbench.web.downloads import download_address

ALL = "all"
GOLD, EVERYONE = "gold", "everyone"
SCHEMES = ("IOB2", "IOB1", "BIOES", "BILOU", "IO")


def draw_export(page: Page, counts: ProjectCounts) -> None:
    """Choices, the button, the file."""
    if not counts.total:
        st.info("There is nothing to export yet.", icon=":material/upload_file:")
        return
    names = [name for name, export in EXPORTS.items() if export.holds(page.project.task)]
    left, middle, right = st.columns(3)
    name = left.selectbox(
        "Format", names, format_func=lambda one: f"{EXPORTS[one].title} ({one})", key="export-format"
    )
    chosen = middle.selectbox(
        "Split",
        [ALL, *(one.value for one in Split)],
        format_func=str.capitalize,
        key="export-split",
    )
    scheme = SCHEMES[0]
    if page.project.task == "ner" and EXPORTS[name].schemes:
        scheme = right.selectbox(
            "Tagging scheme", SCHEMES, key="export-scheme", help=explain("iob2", "bioes")
        )
    st.caption(EXPORTS[name].sentence)
    options = _choose_more(page, name, None if chosen == ALL else Split(chosen), scheme)
    key = f"export-made-{page.project.id}-{name}-{options!r}"
    if st.button("Make the file", type="primary", icon=":material/build:"):
        with st.spinner("Writing…"):
            st.session_state[key] = _make(page, name, options)
    made = st.session_state.get(key)
    if made is not None:
        _draw_made(*made)


def _choose_more(page: Page, name: str, split: Split | None, scheme: str) -> ExportOptions:
    """Whose labels, where they come from, and what to do with what the format can't hold."""
    export = EXPORTS[name]
    whose = GOLD
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    if name != SOURCE:
        names = page.workbench.datasets.annotators(page.project)
        whose = left.selectbox(
            "Whose labels",
            [GOLD, *([EVERYONE] if export.authors else []), *(f"by:{one}" for one in names)],
            format_func=_whose,
            key="export-whose",
            help="Gold is the accepted labels; an annotator's own are the newest that the person has given.",
        )
    provenance = False
    if export.authors:
        provenance = middle.checkbox(
            "Say where labels come from",
            key="export-provenance",
            help="Who labeled it, when, how long it took, from which suggestion, and who accepted it.",
        )
    place = right if name != SOURCE else st
    strict = place.checkbox(
        "Refuse what the format can't hold",
        key="export-strict",
        help="Otherwise it is left out, and listed with the file.",
    )
    annotator = whose.removeprefix("by:") if whose.startswith("by:") else None
    return ExportOptions(split, scheme, annotator, whose == EVERYONE, provenance, strict)


def _whose(choice: str) -> str:
    named = {GOLD: "Gold", EVERYONE: "Every annotator's own"}
    return named.get(choice) or choice.removeprefix("by:")


def _make(page: Page, name: str, options: ExportOptions) -> tuple[Download, ExportReport]:
    """The file, offered to this person; several files are packed in a .zip."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "data"
        place.mkdir()
        extension = "" if name in (SOURCE, FOLDER) else get_format(EXPORTS[name].format).extension
        target = place / f"data{extension}" if extension else place
        report = page.workbench.datasets.export(page.project, name, target, options)
        split = options.split.value if options.split else ""
        stem = "-".join(part for part in (page.project.name, split, name) if part)
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
    partial = f"{count(report.partial, 'example')} with partial labels"
    if report.format == SOURCE and report.partial:
        said += f"; {partial} as the file had them"
    elif report.partial:
        said += f"; {partial} left out"
    unlabeled = report.skipped - (report.partial if report.format != SOURCE else 0)
    if unlabeled:
        said += f"; {count(unlabeled, 'example')} left out for want of labels"
    st.success(said, icon=":material/check_circle:")
    st.link_button(f"Download {download.name}", download_address(download), icon=":material/download:")
    if report.lost:
        st.warning(
            f"The format can't hold {count(report.lost, 'thing')} of it; they are listed here.",
            icon=":material/warning:",
        )
    for notice in report.warnings[:50]:
        if notice.kind != "skipped":
            st.caption(f":material/warning: {escaped(notice.message)}")
