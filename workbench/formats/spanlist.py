"""Spans as files give them, made to spans as the workbench keeps them: trimmed, sorted, none over another."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.domain import Span
from workbench.formats.base import Report


def trimmed(text: str, span: Span) -> Span | None:
    """The span without white space at its ends, or None where it covers nothing else or leaves the text."""
    if not 0 <= span.start < span.end <= len(text):
        return None
    piece = text[span.start : span.end]
    bare = piece.strip()
    if not bare:
        return None
    first = span.start + len(piece) - len(piece.lstrip())
    return Span(first, first + len(bare), span.label)


def apart(spans: Iterable[Span]) -> tuple[list[Span], list[Span]]:
    """The spans that stay, sorted, and those that overlap one of them (of two the earlier stays, or the longer)."""
    kept: list[Span] = []
    over: list[Span] = []
    for span in sorted(set(spans), key=lambda span: (span.start, -span.end, span.label)):
        if kept and span.start < kept[-1].end:
            over.append(span)
        else:
            kept.append(span)
    return kept, over


def settled(text: str, spans: Iterable[tuple[Span, int]], report: Report, prefix: str = "") -> list[Span]:
    """Spans of a file, each with its line, trimmed and apart; the report hears of what changed.

    Args:
        text: That they lie in.
        spans: With the number of the line that says so.
        report: Hears of each that is trimmed or left out.
        prefix: Begins every message.
    """
    lines: dict[Span, int] = {}
    for span, line in spans:
        bare = trimmed(text, span)
        said = f"{prefix}span {span.start} to {span.end} ({span.label})"
        if bare is None:
            report.warn(f"{said} covers no text and is left out", line)
            continue
        if bare != span:
            report.repair(f"{said} is trimmed of white space", line)
        lines.setdefault(bare, line)
    kept, over = apart(lines)
    for span in over:
        report.warn(
            f"{prefix}span {span.start} to {span.end} ({span.label}) overlaps another and is left out",
            lines[span],
        )
    return kept
