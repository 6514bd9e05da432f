"""Push an export to the Hugging Face hub from the Export page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.domain import ModelVersion
from workbench.services.hubpush import Pushed
from workbench.ui.page import Page

PUSHED = "export_pushed"
ROUND = "export_push_round"
TOKEN = "export_push_token"


def draw_push(page: Page, version: ModelVersion, folder: Path) -> None:
    """A form for the repository and a token, and where the export is once it is there."""
    with st.expander("Push it to the Hugging Face hub", icon=":material/cloud_upload:"):
        key = f"{TOKEN}_{st.session_state.get(ROUND, 0)}"
        with st.form("push", border=False):
            repository = st.text_input("Repository", placeholder="owner/name", key="push_repository").strip()
            st.text_input(
                "Token with write access",
                type="password",
                autocomplete="off",
                key=key,
                help="Used for this push and kept nowhere. Left empty, the server's own is taken: that of HF_TOKEN, "
                "or of who has said `hf auth login` there.",
            )
            public = st.checkbox(
                "Everybody may see it",
                key="push_public",
                help="A repository that is made now is private otherwise; one that exists stays as it is.",
            )
            st.form_submit_button("Push", icon=":material/cloud_upload:", on_click=_take_token, args=(key,))
        token: str | None = st.session_state.pop(TOKEN, None)
        pushed: dict[int, Pushed] = st.session_state.setdefault(PUSHED, {})
        if token is not None:
            pushed.pop(version.id, None)
            with page.guarded(), st.spinner(f"Pushing to {repository}…"):
                pushed[version.id] = page.workbench.exporting.push(
                    page.project,
                    version,
                    folder,
                    repository,
                    public=public,
                    token=token or None,
                    user_id=page.user.id,
                )
        done = pushed.get(version.id)
        if done is not None:
            st.success(
                f"{done.files} files are at [{done.repository}]({done.address}).",
                icon=":material/cloud_done:",
            )


def _take_token(key: str) -> None:
    """Hand the typed token to this one run: the field is made anew, so that neither side of the page keeps it."""
    st.session_state[TOKEN] = str(st.session_state.get(key, "")).strip()
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1
