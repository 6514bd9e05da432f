"""Labels as the values that a JSON object had for them, each in its own shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.domain import Answers, ExampleText, Payload, Span, Spans, Tags
from workbench.formats.chunktags import write_tags


def values_for(shape: str, payload: Payload, content: ExampleText, locator: Mapping[str, Any]) -> Any:
    """The value of the labels' key.

    Args:
        shape: ``spans``, ``triples``, ``offsets``, ``tags``, ``answers``, ``columns`` or ``string``: what was there.
        payload: The labels.
        content: Their example.
        locator: Where they go; ``bare`` and ``scheme`` say how tags are written.
    """
    if isinstance(payload, Tags):
        if shape == "tags":
            return list(payload.tags)
        pairs = zip(content.tokens, payload.tags, strict=True)
        payload = Spans(tuple(Span(*token, tag) for token, tag in pairs if tag is not None))
    if isinstance(payload, Answers):
        return _answers(shape, payload, content)
    assert isinstance(payload, Spans)
    if shape == "tags":
        return write_tags(
            payload, content, str(locator.get("scheme", "IOB2")), bare=bool(locator.get("bare"))
        )
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


def _answers(shape: str, payload: Answers, content: ExampleText) -> Any:
    pairs = [(content.text[answer.start : answer.end], answer.start) for answer in payload.answers]
    if shape == "string":
        return pairs[0][0] if pairs else ""
    if shape == "columns":
        return {"text": [text for text, _ in pairs], "answer_start": [start for _, start in pairs]}
    return [{"text": text, "answer_start": start} for text, start in pairs]
