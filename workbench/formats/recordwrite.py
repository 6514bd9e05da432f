"""Labels as the values that a JSON object had for them, each in its own shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.domain import Answers, ExampleText, Payload, Span, Spans, Tags
from workbench.formats.chunktags import write_tags
from workbench.tasks.schemes import OUTSIDE


def values_for(shape: str, payload: Payload, content: ExampleText, locator: Mapping[str, Any]) -> Any:
    """The value of the labels' key.

    Args:
        shape: ``spans``, ``triples``, ``offsets``, ``tags``, ``answers``, ``columns`` or ``string``: what was there.
        payload: The labels.
        content: Their example.
        locator: Where they go; ``bare`` and ``scheme`` say how tags are written, ``spaces`` which tokens have none.
    """
    if isinstance(payload, Tags):
        if shape == "tags":
            return _spaced(payload.tags, locator, None)
        pairs = zip(content.tokens, payload.tags, strict=True)
        payload = Spans(tuple(Span(*token, tag) for token, tag in pairs if tag is not None))
    if isinstance(payload, Answers):
        return _answers(shape, payload, content)
    assert isinstance(payload, Spans)
    if shape == "tags":
        scheme, bare = str(locator.get("scheme", "IOB2")), bool(locator.get("bare"))
        return _spaced(write_tags(payload, content, scheme, bare=bare), locator, OUTSIDE)
    if shape == "triples":
        return [[span.start, span.end, span.label] for span in payload.spans]
    if shape == "offsets":
        return [
            {"label": span.label, "start_offset": span.start, "end_offset": span.end}
            for span in payload.spans
        ]
    starts = {start: number for number, (start, _) in enumerate(content.tokens)}
    ends = {end: number for number, (_, end) in enumerate(content.tokens)}
    return [
        {
            "start": span.start,
            "end": span.end,
            "token_start": starts[span.start],
            "token_end": ends[span.end],
            "label": span.label,
        }
        for span in payload.spans
    ]


def _spaced(tags: Sequence[str | None], locator: Mapping[str, Any], none: str | None) -> list[str | None]:
    """The tags of the words, and none for the white space between that the file has as tokens."""
    spaced = list(tags)
    for index in locator.get("spaces", ()):
        spaced.insert(index, none)
    return spaced


def _answers(shape: str, payload: Answers, content: ExampleText) -> Any:
    pairs = [(content.text[answer.start : answer.end], answer.start) for answer in payload.answers]
    if shape == "string":
        return pairs[0][0] if pairs else ""
    if shape == "columns":
        return {"text": [text for text, _ in pairs], "answer_start": [start for _, start in pairs]}
    return [{"text": text, "answer_start": start} for text, start in pairs]
