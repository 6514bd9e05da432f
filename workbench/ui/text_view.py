"""Labeled text as safe HTML, for ``st.html``: the one way that pages draw spans, tags and answers.

Colours are mixed with the text's own, so that one drawing reads in the light and in the dark theme, and a label's
name always stands beside its colour. Every character of the text, the labels and the tags is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from html import escape

from workbench.domain import Answers, ExampleText, Label, Payload, Spans, Tags, is_partial
from workbench.tasks import as_asked

HEX = re.compile(r"#[0-9a-fA-F]{6}")
GREY = "#6b7280"
ANSWER = "#33899c"
"""Colour of a marked answer; question answering has no label set."""

ONLY_THESE = "Only these spans are judged; the rest is not known."

BLOCK = "white-space:pre-wrap;overflow-wrap:anywhere;line-height:2.05;font-size:1.02rem"
TAGGED = "display:inline-block;text-align:center;line-height:1.25;margin:.15em 0;vertical-align:top"

Mark = tuple[int, int, str, str]
"""start, end, name, colour"""

Outlined = Collection[tuple[int, int, str]]


def verbatim(text: str) -> str:
    """Safe HTML of text as it stands, its lines wrapped: a log, a record, a formula.

    ``st.code`` is for what people copy: it draws a button for that, and has a tab load 1.5 MB of highlighting, which
    takes half a second, even where nothing is highlighted.
    """
    return f'<pre class="workbench-verbatim" dir="auto">{escape(text)}</pre>'


def said_below(parts: Iterable[str], longest: int = 200) -> str:
    """Safe HTML of what is said of an example below its text, in small type; long parts are cut."""
    cut = (part if len(part) <= longest else f"{part[:longest]}…" for part in parts)
    said = " · ".join(escape(" ".join(part.split())) for part in cut)
    return f'<div dir="auto" class="workbench-said">{said}</div>'


def labeled_text(
    content: ExampleText,
    payload: Payload | None,
    labels: Sequence[Label],
    *,
    limit: int | None = None,
    outlined: Collection[tuple[int, int, str]] = (),
) -> str:
    """Safe HTML of an example with its labels drawn in.

    Args:
        content: The example's text.
        payload: Spans, tags, answers, or None for the bare text.
        labels: The project's label set, for the colours; a label outside it is drawn in grey.
        limit: Draw about so many code points, around the first answer or from the start, with an ellipsis where
            text is left out; None draws everything.
        outlined: Spans (start, end, label) and tags (token, token, tag) that are drawn with an outline.
    """
    content = as_asked(content, payload)
    start, end = _window(content, payload, limit)
    colours = {label.name: _colour(label.color) for label in labels}
    if isinstance(payload, Tags):
        body = _tagged(content, payload, colours, start, end, outlined)
    else:
        body = _marked(content.text, _marks(payload, colours), start, end, outlined)
    before = "…" if start > 0 else ""
    after = "…" if end < len(content.text) else ""
    note = f'<div style="opacity:.75;font-size:.85rem">{ONLY_THESE}</div>' if is_partial(payload) else ""
    text = f'<div dir="auto" style="{BLOCK}">{before}{body}{after}</div>{note}'
    if content.question is None:
        return text
    question = (
        f'<div dir="auto" style="font-weight:600;overflow-wrap:anywhere">{escape(content.question)}</div>'
    )
    return question + text + _no_answer(payload)


def label_chip(label: Label, count: int | None = None) -> str:
    """Safe HTML of a label's name in its colour, with a count beside it where one is given."""
    number = "" if count is None else f' <span style="opacity:.75;font-weight:400">{count:,}</span>'
    return (
        f'<span style="{_chip(_colour(label.color))};padding:.15em .55em;margin:0 .35em .35em 0;'
        f'display:inline-block;font-size:.85rem;font-weight:600">{escape(label.name)}{number}</span>'
    )


def _marks(payload: Payload | None, colours: Mapping[str, str]) -> list[Mark]:
    if isinstance(payload, Spans):
        return [(span.start, span.end, span.label, colours.get(span.label, GREY)) for span in payload.spans]
    if isinstance(payload, Answers):
        return [(answer.start, answer.end, "answer", ANSWER) for answer in payload.answers]
    return []


def _marked(text: str, marks: Iterable[Mark], start: int, end: int, outlined: Outlined) -> str:
    """The text from ``start`` to ``end`` with its marks; of marks that overlap the first is drawn."""
    pieces: list[str] = []
    position = start
    for first, last, name, colour in sorted(marks):
        if first < position or last > end:
            continue
        pieces.append(escape(text[position:first]))
        pieces.append(
            f'<span style="{_chip(colour)};padding:.12em .25em{_outline((first, last, name), outlined)}">'
            f"{escape(text[first:last])}"
            f'<span style="font-size:.68em;font-weight:700;margin-left:.45em;opacity:.85">{escape(name)}</span></span>'
        )
        position = last
    pieces.append(escape(text[position:end]))
    return "".join(pieces)


def _tagged(
    content: ExampleText,
    payload: Tags,
    colours: Mapping[str, str],
    start: int,
    end: int,
    outlined: Outlined,
) -> str:
    """Each token over its tag; a token without one over a dot."""
    pieces: list[str] = []
    position = start
    for place, ((first, last), tag) in enumerate(zip(content.tokens, payload.tags, strict=False)):
        if first < position or last > end:
            continue
        colour = _readable(colours.get(tag, GREY)) if tag else "inherit"
        pieces.append(escape(content.text[position:first]))
        pieces.append(
            f'<span style="{TAGGED}{_outline((place, place, tag or ""), outlined)}">'
            f"{escape(content.text[first:last])}"
            f'<span style="display:block;font-size:.68em;font-weight:700;color:{colour}">'
            f"{escape(tag) if tag else '·'}</span></span>"
        )
        position = last
    pieces.append(escape(content.text[position:end]))
    return "".join(pieces)


def _outline(mark: tuple[int, int, str], outlined: Outlined) -> str:
    return ";outline:2px dashed currentColor;outline-offset:1px" if mark in outlined else ""


def _no_answer(payload: Payload | None) -> str:
    if isinstance(payload, Answers) and payload.no_answer:
        return f'<div><span style="{_chip(GREY)};padding:.15em .55em;font-weight:600">no answer</span></div>'
    return ""


def _window(content: ExampleText, payload: Payload | None, limit: int | None) -> tuple[int, int]:
    length = len(content.text)
    if limit is None or length <= limit:
        return 0, length
    if not isinstance(payload, Answers) or not payload.answers:
        return 0, _word_end(content.text, limit)
    first = payload.answers[0]
    start = max(0, min(first.start - limit // 3, length - limit))
    end = max(first.end, min(length, start + limit))
    return (0 if start == 0 else _word_start(content.text, start, first.start)), _word_end(content.text, end)


def _word_start(text: str, position: int, latest: int) -> int:
    while position < latest and not text[position - 1].isspace():
        position += 1
    return position


def _word_end(text: str, position: int) -> int:
    while position < len(text) and not text[position].isspace():
        position += 1
    return position


def _chip(colour: str) -> str:
    return (
        f"background:color-mix(in srgb,{colour} 20%,transparent);border-radius:.3em;"
        f"box-shadow:inset 0 -2px 0 {_readable(colour)};-webkit-box-decoration-break:clone;box-decoration-break:clone"
    )


def _readable(colour: str) -> str:
    return f"color-mix(in srgb,{colour} 62%,currentColor)"


def _colour(colour: str) -> str:
    return colour if HEX.fullmatch(colour) else GREY
