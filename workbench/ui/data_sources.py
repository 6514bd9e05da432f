"""What to import: uploaded files, a path of this machine, a dataset of the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.domain import Role
from workbench.errors import UndecodableText
from workbench.formats import Source
from workbench.formats.hub import HubOptions
from workbench.formats.source import ENCODINGS
from workbench.ui.data_preview import escaped
from workbench.ui.page import Page
from workbench.ui.text_view import verbatim

ENCODING_KEY = "import-encoding"


def choose_sources(page: Page) -> list[Source]:
    """The sources chosen so far; one that can't be had raises what the page's guard shows."""
    number = st.session_state.setdefault("import-round", 0)
    uploads = st.file_uploader(
        "Files",
        accept_multiple_files=True,
        key=f"import-files-{number}",
        help="Also packed in .gz or .zip; for brat each .txt with its .ann. "
        "Nothing is stored before you have seen what is in them.",
    )
    uploaded = [
        source for file in uploads for source in page.workbench.datasets.uploaded(file.name, file.getvalue())
    ]
    sources = page.workbench.datasets.together(uploaded)
    # Whoever may name a path reads any file of the server.
    if page.user.role is Role.ADMIN:
        path = st.text_input(
            "or a path on this machine", key=f"import-path-{number}", placeholder="/data/news/train.conll"
        ).strip()
        if path:
            sources += page.workbench.datasets.sources([Path(path).expanduser()])
    return sources + _choose_dataset(page, number)


def _choose_dataset(page: Page, number: int) -> list[Source]:
    """A dataset of the hub, fetched when it is asked for and kept for this session."""
    kept = f"import-hub-{number}"
    with (
        st.expander("A dataset of the Hugging Face hub", icon=":material/cloud_download:"),
        st.form(f"import-hub-form-{number}", border=False),
    ):
        name = st.text_input("Dataset", placeholder="owner/name", key=f"import-hub-name-{number}").strip()
        first, second, third = st.columns(3)
        config = first.text_input("Configuration", key=f"import-hub-config-{number}").strip()
        revision = second.text_input(
            "Revision", placeholder="main", key=f"import-hub-revision-{number}"
        ).strip()
        split = third.text_input("Its split", placeholder="train", key=f"import-hub-split-{number}").strip()
        if st.form_submit_button("Fetch", icon=":material/cloud_download:") and name:
            st.session_state.pop(kept, None)
            options = HubOptions(config or None, revision or None, split or None)
            with st.spinner("Fetching…"):
                st.session_state[kept] = page.workbench.datasets.hub(page.project, name, options)
    found: list[Source] = st.session_state.get(kept, [])
    return found


def _read_as(encoding: str) -> None:
    st.session_state[ENCODING_KEY] = encoding


def ask_encoding(error: UndecodableText) -> None:
    """Show how the line would read in each encoding that it can be in, and let the person choose."""
    where = f"{escaped(error.file or 'The file')}, line {error.line}"
    st.warning(
        f"{where} is not {ENCODINGS[error.encoding]}. Which of these is how it should read?",
        icon=":material/translate:",
    )
    for encoding, reading in error.readings.items():
        text, action = st.columns([4, 1], vertical_alignment="center")
        text.html(verbatim(reading))
        action.button(
            f"Read as {ENCODINGS[encoding]}", key=f"read-as-{encoding}", on_click=_read_as, args=(encoding,)
        )
