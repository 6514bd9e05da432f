"""Examples with their labels inside of guidelines, as text: ``> [Ada]{PER} met [Bob]{PER}.``

They are written in the text itself, so that a version of the guidelines holds them, and a difference between two
versions shows them. ``[``, ``]``, ``}`` and the backslash are written behind a backslash where they stand for
themselves.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from workbench.domain import ExampleText, Payload, Span, Spans, Tags

QUOTE = "> "
LONGEST = 400
"""Code points of an example; of a longer one what stands around its first label."""

_PIECE = re.compile(r"\\(.)|\[((?:\\.|[^\[\]\\])+)\]\{((?:\\.|[^}\\])+)\}", re.DOTALL)


class Marked(NamedTuple):
    """A line's text without the marks, and the spans that they mark in it."""

    text: str
    spans: Spans


def parse_marked(line: str) -> Marked | None:
    """An example's text and labels; None where the line is none."""
    if not line.startswith(QUOTE):
        return None
    text, spans, position = "", [], 0
    source = line[len(QUOTE) :]
    for match in _PIECE.finditer(source):
        text += source[position : match.start()]
        position = match.end()
        if match[1] is not None:
            text += match[1]
            continue
        words = _plain(match[2])
        spans.append(Span(len(text), len(text) + len(words), _plain(match[3])))
        text += words
    return Marked(text + source[position:], Spans(tuple(spans))) if spans else None


def format_marked(content: ExampleText, payload: Payload) -> str:
    """The lines that show an example with its labels; for a question the question before it.

    Spans that overlap an earlier one are left out.
    """
    spans = [one for one in _spans(content, payload) if one.start < one.end]
    start, end = _window(content.text, spans)
    body, position = "", start
    for span in sorted(spans, key=lambda one: (one.start, -one.end)):
        if span.start < position or span.end > end:
            continue
        words = _escaped(content.text[span.start : span.end])
        body += _escaped(content.text[position : span.start]) + f"[{words}]{{{_escaped(span.label)}}}"
        position = span.end
    body += _escaped(content.text[position:end])
    body = ("… " if start else "") + " ".join(body.split()) + (" …" if end < len(content.text) else "")
    if content.question is None:
        return QUOTE + body
    asked = " ".join(_escaped(content.question).split())
    none = "" if spans else " [no answer]{answer}"
    return f"{QUOTE}[{asked}]{{question}}\n{QUOTE}{body}{none}"


def _spans(content: ExampleText, payload: Payload) -> list[Span]:
    if isinstance(payload, Spans):
        return list(payload.spans)
    if isinstance(payload, Tags):
        pairs = zip(content.tokens, payload.tags, strict=True)
        return [Span(start, end, tag) for (start, end), tag in pairs if tag is not None]
    return [Span(one.start, one.end, "answer") for one in payload.answers]


def _window(text: str, spans: list[Span]) -> tuple[int, int]:
    """Where the part begins and ends that is shown, between words."""
    if len(text) <= LONGEST:
        return 0, len(text)
    first = min((span.start for span in spans), default=0)
    start = max(0, min(first - LONGEST // 4, len(text) - LONGEST))
    if start:
        start = text.rfind(" ", 0, start) + 1
    end = min(len(text), max(start + LONGEST, next((one.end for one in spans if one.start == first), 0)))
    return start, text.find(" ", end) if end < len(text) and text.find(" ", end) > 0 else len(text)


def _escaped(text: str) -> str:
    return re.sub(r"([\\\[\]{}])", r"\\\1", text)


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
