"""What narrows a selection: a drawer on the Select page that keeps what was said in it when it is closed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from workbench.domain import Project
from workbench.services.picking import Filters
from workbench.services.selection import SEED
from workbench.ui.text_view import said_below


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What a selection is held to.

    Attributes:
        text: What the text or the question holds; empty for any.
        document: What the document's name holds; empty for any.
        label: A label that the model version sees in it; None for any.
        duplicates: Whether near-duplicates of each other, and duplicates of what is labeled, may come.
        seed: Of what is drawn by lot.
    """

    text: str = ""
    document: str = ""
    label: str | None = None
    duplicates: bool = False
    seed: int = SEED

    @property
    def filters(self) -> Filters:
        """For the service."""
        return Filters(document=self.document or None, text=self.text or None, label=self.label)

    @property
    def sentence(self) -> str:
        """What differs from the usual, in words; empty where nothing does."""
        said = [
            f"text holds “{self.text}”" if self.text else "",
            f"document “{self.document}”" if self.document else "",
            f"label {self.label}" if self.label else "",
            "near-duplicates too" if self.duplicates else "",
            f"seed {self.seed}" if self.seed != SEED else "",
        ]
        return ", ".join(part for part in said if part)


def narrow(project: Project, *, asks_labels: bool) -> Narrowed:
    """Draw the drawer; its widgets exist only while it is open, what they said stays.

    Args:
        project: The chosen project.
        asks_labels: Whether a model version chooses, whose labels can be asked for.
    """
    key = f"narrowed-{project.id}"
    before: Narrowed = st.session_state.get(key, Narrowed())
    if not asks_labels or before.label not in project.label_names:
        before = replace(before, label=None)
    drawer = st.expander(
        "Narrow it down", icon=":material/filter_alt:", key=f"narrow-{project.id}", on_change="rerun"
    )
    if drawer.open:
        with drawer:
            now = _ask(project, before, asks_labels=asks_labels)
        st.session_state[key] = now
        return now
    if before.sentence:
        st.html(said_below([f"Narrowed down: {before.sentence}."]))
    return before


def _ask(project: Project, before: Narrowed, *, asks_labels: bool) -> Narrowed:
    def named(name: str, value: object) -> str:
        """The widget's key; it begins with what was said before the drawer was closed."""
        key = f"narrow-{project.id}-{name}"
        st.session_state.setdefault(key, value)
        return key

    text = st.text_input("Text or question holds", placeholder="any text", key=named("text", before.text))
    document = st.text_input("Document", placeholder="any document", key=named("document", before.document))
    label = None
    if asks_labels and project.label_names:
        label = st.selectbox(
            "Predicted label",
            project.label_names,
            index=None,
            placeholder="any label",
            help="Only examples in which the model version sees this label: a way to rare ones.",
            key=named("label", before.label),
        )
    duplicates = st.toggle(
        "Let near-duplicates in",
        help="Texts that differ only in case, digits, punctuation or spacing teach the same thing twice.",
        key=named("duplicates", before.duplicates),
    )
    seed = st.number_input(
        "Seed", step=1, help="The same seed draws the same random order.", key=named("seed", before.seed)
    )
    return Narrowed(text.strip(), document.strip(), label, duplicates, int(seed))
