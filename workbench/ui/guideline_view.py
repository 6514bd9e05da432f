"""Guidelines drawn: Markdown without HTML, examples with their labels in colour, and what has changed line by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

import streamlit as st

from workbench.domain import ExampleText, Label
from workbench.services.linediff import DiffLine, LineKind
from workbench.tasks.marked import Marked, parse_marked
from workbench.ui.text_view import labeled_text

_SIGNS = {LineKind.ADDED: "+", LineKind.REMOVED: "−", LineKind.SAME: " ", LineKind.GAP: "⋯"}
_TINTS = {LineKind.ADDED: "#117733", LineKind.REMOVED: "#cc3344"}
_WORDS = {LineKind.ADDED: "added: ", LineKind.REMOVED: "removed: "}
_HIDDEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)"


def draw_guidelines(text: str, labels: Sequence[Label]) -> None:
    """The text of guidelines; nothing in it runs, and HTML is shown as it was written."""
    for part in _parts(text):
        if isinstance(part, str):
            st.markdown(part)
        else:
            body = "".join(labeled_text(ExampleText(one.text, (), None), one.spans, labels) for one in part)
            st.html(
                f'<div style="border-left:3px solid color-mix(in oklab, currentColor 25%, transparent);'
                f'padding:.1em 0 .1em .9em">{body}</div>'
            )


def _parts(text: str) -> Iterator[str | list[Marked]]:
    """Stretches of Markdown, and of examples, in their order."""
    for shown, lines in groupby(text.splitlines(), key=lambda line: parse_marked(line) is not None):
        if shown:
            yield [one for line in lines if (one := parse_marked(line)) is not None]
        elif stretch := "\n".join(lines).strip():
            yield stretch


def diff_html(lines: Sequence[DiffLine]) -> str:
    """Safe HTML of what has changed: signs, words for those who hear it, and colours beside them."""
    rows = "".join(_row(line) for line in lines)
    return (
        '<div style="font-family:ui-monospace,monospace;font-size:.88rem;line-height:1.5;position:relative">'
        f"{rows}</div>"
    )


def _row(line: DiffLine) -> str:
    tint = _TINTS.get(line.kind)
    ground = f"background:color-mix(in oklab, {tint} 16%, transparent);" if tint else "opacity:.75;"
    said = f'<span style="{_HIDDEN}">{_WORDS[line.kind]}</span>' if line.kind in _WORDS else ""
    return (
        f'<div style="{ground}display:flex;gap:.7em;padding:0 .5em;white-space:pre-wrap;overflow-wrap:anywhere">'
        f'<span aria-hidden="true" style="flex:none;width:1em">{_SIGNS[line.kind]}</span>'
        f'<span dir="auto" style="min-width:0">{said}{escape(line.text) or " "}</span></div>'
    )
