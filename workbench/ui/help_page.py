"""The Help page: every word with its sentence, and the docs themselves, so that a link needs no internet.

``Help?term=mnlp`` explains one word, ``Help?read=metrics.md`` shows a page of the docs.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

import streamlit as st

from workbench.ui.glossary import TERMS, Term
from workbench.ui.navigation import CHECKOUT, link_to
from workbench.ui.page import Page

TERM, READ = "term", "read"
"""Keys of the chosen word and of the page of the docs that is read, in the address."""

LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)


def draw_help_page(page: Page) -> None:
    """Draw the page."""
    docs = documents(CHECKOUT / "docs")
    read = st.query_params.get(READ)
    if read in docs:
        link_to("help", "All words, and the docs", page.chosen, icon=":material/arrow_back:")
        st.markdown(linked(docs[read].read_text(encoding="utf-8"), read))
        return
    words, pages = st.columns([3, 2], gap="large")
    with words:
        _draw_words(page, docs)
    with pages:
        st.subheader("The docs", anchor=False)
        for name, path in docs.items():
            link_to("help", title_of(path), page.chosen, icon=":material/article:", read=name)


def _draw_words(page: Page, docs: dict[str, Path]) -> None:
    st.subheader("Words", anchor=False)
    asked = TERMS.get(st.query_params.get(TERM, ""))
    if asked is not None:
        with st.container(border=True):
            _draw_word(page, asked, docs)
    text = st.text_input("Find a word", icon=":material/search:", key="help_find").strip().casefold()
    for term in sorted(TERMS.values(), key=lambda one: one.name.casefold()):
        if term is not asked and text in f"{term.name} {term.sentence}".casefold():
            _draw_word(page, term, docs)


def _draw_word(page: Page, term: Term, docs: dict[str, Path]) -> None:
    st.markdown(f"**{term.name}.** {term.sentence}")
    if term.docs in docs:
        link_to(
            "help",
            f"More: {title_of(docs[term.docs])}",
            page.chosen,
            icon=":material/article:",
            read=term.docs,
        )


def documents(folder: Path) -> dict[str, Path]:
    """Pages of the docs by their path below the folder; those of the reader's own first, then the reference."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.md")}
    return dict(sorted(found.items(), key=lambda one: ("/" in one[0], one[0])))


def title_of(path: Path) -> str:
    """The heading of a page, else its name."""
    found = re.search(r"^# (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return found.group(1) if found else path.stem


def linked(text: str, name: str) -> str:
    """A page's Markdown with links to other pages of the docs leading to this page, and without its pictures.

    Args:
        text: The Markdown.
        name: The page's path below docs/, from which its links go.
    """

    def follow(found: re.Match[str]) -> str:
        picture, words, target = found.groups()
        if picture:
            return f"*{words}*"
        if "://" in target:
            return found.group()
        path, _, anchor = target.partition("#")
        if not path:
            return found.group()
        there = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
        if not there.endswith(".md") or there.startswith(".."):
            return words
        return f"[{words}](Help?{READ}={there}{'#' + anchor if anchor else ''})"

    return LINK.sub(follow, COMMENT.sub("", text))
