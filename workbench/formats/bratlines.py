"""The lines of a brat .ann file: spans of text, and what refers to them (https://brat.nlplab.org/standoff.html)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from workbench.domain import Span
from workbench.errors import FormatError
from workbench.formats.answers import nearest
from workbench.formats.base import Report
from workbench.formats.chunktags import MAX_LABEL

_SPAN = re.compile(r"(T[^\s]{1,40})\t(\S+) ((?:[0-9]{1,9} [0-9]{1,9};)*[0-9]{1,9} [0-9]{1,9})(?:\t(.*))?")
_OTHER = re.compile(r"[ERAMNF#*]\S*\t")


@dataclass(frozen=True, slots=True)
class TextBound:
    """One span of a .ann file: its number (``T1``), its line counted from 1, and where it lies in the document."""

    name: str
    line: int
    span: Span


def read_spans(lines: Iterable[str], text: str, file: str, report: Report) -> tuple[list[TextBound], int]:
    """The spans of a .ann file, and how many lines say something else (relations, events, attributes, notes).

    A span in several pieces is left out and told. One whose place does not hold its text is moved to the nearest
    place that does.

    Raises:
        FormatError: A line is no annotation; with its number.
    """
    found: list[TextBound] = []
    others = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if _OTHER.match(line):
            others += 1
            continue
        match = _SPAN.fullmatch(line)
        if match is None or len(match[2]) > MAX_LABEL:
            raise FormatError(
                f"{line[:60]!r} is no annotation of brat",
                file=file,
                line=number,
                remedy="write an id, a tab, label, start and end separated by spaces, a tab, the text",
            )
        name, label, places, surface = match.groups()
        if ";" in places:
            report.warn(
                f"{file}: {name} ({label}) lies in several pieces, which is not possible here; left out",
                number,
            )
            continue
        start, end = map(int, places.split())
        span = _placed(text, Span(start, end, label), surface, f"{file}: {name}", number, report)
        if span is not None:
            found.append(TextBound(name, number, span))
    return found, others


def _placed(text: str, span: Span, surface: str | None, what: str, line: int, report: Report) -> Span | None:
    inside = 0 <= span.start < span.end <= len(text)
    if surface is None or (inside and _flat(text[span.start : span.end]) == _flat(surface)):
        if inside:
            return span
        report.warn(f"{what} ({span.label}) lies outside of the text and is left out", line)
        return None
    place = nearest(text, surface, span.start) if surface.strip() else None
    if place is not None:
        report.repair(f"{what} ({span.label}) said to begin at {span.start} begins at {place}", line)
        return Span(place, place + len(surface), span.label)
    if inside:
        report.warn(f"{what} ({span.label}) covers another text than it says; its place is taken", line)
        return span
    report.warn(f"{what} ({span.label}) lies outside of the text and is left out", line)
    return None


def _flat(text: str) -> str:
    """The text as brat repeats it in a line: line breaks are spaces there."""
    return " ".join(text.split())


def rewritten(
    lines: list[str], bounds: Mapping[Span, list[TextBound]], removed: set[Span], added: set[Span], text: str
) -> tuple[list[str], int]:
    """A .ann file's lines with some spans taken away and others added; and how many lines that refer to one went too.

    A span that only changes its label keeps its id and all that refers to it.

    Args:
        lines: With their endings.
        bounds: The file's spans by where they lie.
        removed: Of the document.
        added: Of the document.
        text: The document.
    """
    result = list(lines)
    gone: set[str] = set()
    fresh = {(span.start, span.end): span for span in added}
    ending = "\r\n" if any(line.endswith("\r\n") for line in lines) else "\n"
    for span in removed:
        successor = fresh.pop((span.start, span.end), None)
        for bound in bounds.get(span, ()):
            if successor is not None:
                old = result[bound.line - 1]
                result[bound.line - 1] = old.replace(f"\t{span.label} ", f"\t{_label(successor.label)} ", 1)
            else:
                result[bound.line - 1] = ""
                gone.add(bound.name)
    kept = [line for line in _without(result, gone) if line]
    dropped = len([line for line in result if line]) - len(kept)
    numbers = [int(match[1]) for line in lines if (match := re.match(r"T([0-9]{1,9})\t", line))]
    last = max(numbers, default=0)
    if kept and fresh and not kept[-1].endswith(("\n", "\r")):
        kept[-1] += ending
    for number, span in enumerate(sorted(fresh.values()), last + 1):
        kept.append(span_line(number, span, text[span.start : span.end]) + ending)
    return kept, dropped


def _without(lines: list[str], gone: set[str]) -> list[str]:
    """The lines that refer to none of these ids, nor to what goes with them."""
    while gone:
        word = re.compile(rf"(?<![^\s:]){'(?:' + '|'.join(map(re.escape, sorted(gone))) + ')'}(?![^\s])")
        more: set[str] = set()
        kept: list[str] = []
        for line in lines:
            name, _, rest = line.partition("\t")
            if line and not name.startswith("T") and word.search(_references(rest, name)):
                if not name.startswith("*"):
                    more.add(name)
            else:
                kept.append(line)
        lines, gone = kept, more
    return lines


def _references(rest: str, name: str) -> str:
    """The part of a line that names other annotations: one, behind the kind, in attributes, notes and references."""
    return " ".join(rest.split()[1:2]) if name[:1] in "#NAM" else rest


def span_line(number: int, span: Span, surface: str) -> str:
    """A span with its text as a line without an ending."""
    flat = re.sub(r"[\r\n\t]", " ", surface)
    return f"T{number}\t{_label(span.label)} {span.start} {span.end}\t{flat}"


def _label(label: str) -> str:
    return re.sub(r"\s", "_", label)
