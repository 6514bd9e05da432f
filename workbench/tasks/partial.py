"""Partial labels beside others: what two people, or a person and gold, have both judged."""

from __future__ import annotations

from dataclasses import replace

from workbench.domain import Payload, Spans, is_partial


def common_ground(first: Payload, second: Payload) -> tuple[Payload, Payload]:
    """Both labels, each without the spans of which the other says nothing.

    Partial labels speak of what their own spans touch, any others of the whole text. What is left can be compared:
    neither side is held to a silence.

    >>> from workbench.domain import Span
    >>> some, all_ = Spans((Span(0, 3, "PER"),), partial=True), Spans((Span(0, 5, "PER"), Span(9, 12, "LOC")))
    >>> [[span.label for span in each.spans] for each in common_ground(some, all_)]
    [['PER'], ['PER']]
    """
    if not (isinstance(first, Spans) and isinstance(second, Spans)):
        return first, second
    return _touched(first, second), _touched(second, first)


def _touched(labels: Spans, by: Spans) -> Spans:
    if not is_partial(by):
        return labels
    kept = tuple(
        span
        for span in labels.spans
        if any(span.start < other.end and other.start < span.end for other in by.spans)
    )
    return replace(labels, spans=kept)


__all__ = ["common_ground"]
