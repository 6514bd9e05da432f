"""brat stand-off: texts with their annotations beside them, ``a.txt`` and ``a.ann``, as one .zip of them.

A document is a text file; an example is one of its sentences. Sentences that an annotation reaches across are one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import PurePosixPath
from typing import BinaryIO

from workbench.domain import ExampleText, Json, NewExample, Offset, Span, Spans
from workbench.errors import FormatError, InvalidInput, InvalidPayload
from workbench.formats.base import FORMATS, Change, Labeled, ReadOptions, Report, WriteOptions
from workbench.formats.bratlines import TextBound, read_spans, rewritten, span_line
from workbench.formats.bundle import (
    ANNOTATIONS,
    MAGIC,
    TEXT,
    file_name,
    is_safe,
    member,
    names_in,
    pack,
    replaced_in,
)
from workbench.formats.columns import encoded
from workbench.formats.record import refuse_columns
from workbench.formats.source import Source
from workbench.formats.spanlist import apart, settled
from workbench.formats.textfile import LONG_LINE, MODES
from workbench.formats.tokenizer import cut_at, sentences, tokenize

LARGEST = 1 << 28
"""Bytes of one text."""
_LINE = re.compile(r"[^\r\n]+")


class BratFormat:
    """brat stand-off."""

    name = "brat"
    title = "brat stand-off"
    tasks = frozenset({"ner"})
    extension = ".zip"

    def sniff(self, head: bytes, name: str) -> float:
        """Only files that belong together arrive packed."""
        return 0.99 if head.startswith(MAGIC) else 0.0

    def read(self, source: Source, options: ReadOptions, report: Report) -> Iterator[NewExample]:
        """One example a sentence; ``locator`` holds the text's name, the line, and where in the text it begins."""
        refuse_columns(options.columns, ())
        names = names_in(source.data, source.name)
        texts = sorted(name for name in names if name.endswith(TEXT) and is_safe(name))
        if not texts:
            raise FormatError("holds no .txt file", file=source.name, remedy="pack each .ann with its .txt")
        documents = {name: _text(source, name, options.encoding) for name in texts}
        mode = options.sentences or _guess(documents.values())
        if mode not in MODES:
            raise InvalidInput(
                f"{mode!r} is no way to find sentences", remedy=f"choose from {', '.join(MODES)}"
            )
        report.file = source.name
        report.mapping = {"encoding": options.encoding, "task": options.task, "sentences": mode}
        cut = "one sentence a line" if mode == "lines" else "cut into sentences"
        report.detected.append(f"brat stand-off, {len(texts):,} texts, {cut}")
        others = 0
        for name, text in documents.items():
            annotations = name.removesuffix(TEXT) + ANNOTATIONS
            bounds: list[TextBound] | None = None
            if annotations in names:
                lines = Source(annotations, member(source.data, annotations, source.name, LARGEST))
                lines.check(options.encoding)
                bounds, more = read_spans(lines.plain_lines(options.encoding), text, annotations, report)
                others += more
            yield from _examples(name, text, bounds, mode, report)
        if others:
            report.detected.append(
                f"{others:,} relations, events, attributes and notes stay in the file, unread"
            )

    def write(self, items: Iterable[Labeled], out: BinaryIO, options: WriteOptions, report: Report) -> int:
        """A .zip with two files a document; a text a line."""
        files: dict[str, bytes] = {}
        taken: set[str] = set()
        written = 0
        for document, group in groupby(items, key=lambda item: item.document):
            lines: list[str] = []
            spans: list[str] = []
            place = 0
            for item in group:
                if not isinstance(item.payload, Spans):
                    report.skip(f"{item.external_id}: no labels")
                    continue
                text = re.sub(r"[\r\n]", " ", item.content.text)
                _tell_losses(item, text, report)
                for span in apart(item.payload.spans)[0]:
                    moved = Span(place + span.start, place + span.end, span.label)
                    spans.append(span_line(len(spans) + 1, moved, text[span.start : span.end]))
                lines.append(text)
                place += len(text) + 1
                written += 1
            if lines:
                name = file_name(document, taken)
                files[name + TEXT] = ("\n".join(lines) + "\n").encode()
                files[name + ANNOTATIONS] = "".join(f"{line}\n" for line in spans).encode()
        pack(files, out)
        return written

    def patch(self, source: Source, mapping: Json, changes: Sequence[Change], report: Report) -> bytes:
        """Nothing but the lines of the spans that have changed, and of what refers to a span that is gone."""
        if not changes:
            return source.data
        encoding = str(mapping["encoding"])
        by_file: dict[str, list[Change]] = defaultdict(list)
        for change in changes:
            by_file[str(change.locator["file"])].append(change)
        names = set(names_in(source.data, source.name))
        new: dict[str, bytes] = {}
        for name, some in by_file.items():
            annotations = name.removesuffix(TEXT) + ANNOTATIONS
            data = member(source.data, annotations, source.name, LARGEST) if annotations in names else b""
            new[annotations] = _patched(
                Source(annotations, data), _text(source, name, encoding), some, encoding, report
            )
        return replaced_in(source.data, new)


def _text(source: Source, name: str, encoding: str) -> str:
    text = Source(name, member(source.data, name, source.name, LARGEST))
    text.check(encoding)
    return text.text(encoding)


def _guess(texts: Iterable[str]) -> str:
    lines = [line for text in texts for line in text.splitlines() if line.strip()][:2_000]
    return "split" if sum(map(len, lines)) > LONG_LINE * max(1, len(lines)) else "lines"


def _examples(
    name: str, text: str, bounds: list[TextBound] | None, mode: str, report: Report
) -> Iterator[NewExample]:
    stem = name.removesuffix(TEXT)
    spans = settled(
        text, ((bound.span, bound.line) for bound in bounds or ()), report, f"{stem}{ANNOTATIONS}: "
    )
    index = 0
    line, counted = 1, 0
    for start, end in _joined(_sentences(text, mode), spans):
        line += len(re.findall(r"\r\n|\r|\n", text[counted:start]))
        counted = start
        inside: list[Span] = []
        while index < len(spans) and spans[index].start < end:
            span = spans[index]
            inside.append(Span(span.start - start, span.end - start, span.label))
            index += 1
        piece = text[start:end]
        tokens = cut_at(tokenize(piece), [place for span in inside for place in (span.start, span.end)])
        yield NewExample(
            ExampleText(piece, tokens),
            None if bounds is None else Spans(tuple(inside)),
            external_id=f"{PurePosixPath(stem).name}:{start}",
            document=stem,
            locator={"file": name, "line": line, "start": start},
        )


def _sentences(text: str, mode: str) -> Iterator[Offset]:
    for match in _LINE.finditer(text):
        found = sentences(match[0]) if mode == "split" else [(0, len(match[0]))] if match[0].strip() else []
        for start, end in found:
            yield match.start() + start, match.start() + end


def _joined(ranges: Iterable[Offset], spans: Sequence[Span]) -> Iterator[Offset]:
    """The sentences, those that one span reaches across put together."""
    index = 0
    current: Offset | None = None
    for start, end in ranges:
        if current is None:
            current = (start, end)
            continue
        while index < len(spans) and spans[index].end <= current[1]:
            index += 1
        if index < len(spans) and spans[index].start < current[1] and spans[index].end > current[1]:
            current = (current[0], end)
        else:
            yield current
            current = (start, end)
    if current is not None:
        yield current


def _tell_losses(item: Labeled, text: str, report: Report) -> None:
    assert isinstance(item.payload, Spans)
    if text != item.content.text:
        report.lose(f"{item.external_id}: line breaks in the text are written as spaces")
    kept, over = apart(item.payload.spans)
    for span in over:
        report.lose(
            f"{item.external_id}: {span.label} from {span.start} to {span.end} overlaps another; left out"
        )
    for span in kept:
        if any(sign.isspace() for sign in span.label):
            report.lose(f"{item.external_id}: white space in the label {span.label!r} is written as _")
    if (
        cut_at(tokenize(text), [place for span in kept for place in (span.start, span.end)])
        != item.content.tokens
    ):
        report.lose(f"{item.external_id}: its words are not kept; whoever reads the text cuts it anew")


def _patched(source: Source, text: str, changes: Sequence[Change], encoding: str, report: Report) -> bytes:
    bounds, _ = read_spans(source.plain_lines(encoding), text, source.name, Report())
    by_span: dict[Span, list[TextBound]] = defaultdict(list)
    for bound in bounds:
        for span in settled(text, [(bound.span, bound.line)], Report()):
            by_span[span].append(bound)
    removed: set[Span] = set()
    added: set[Span] = set()
    for change in changes:
        start = int(change.locator["start"])
        if not isinstance(change.after, Spans):
            raise InvalidPayload("brat holds spans only")
        before = change.before.spans if isinstance(change.before, Spans) else ()
        old = {Span(start + span.start, start + span.end, span.label) for span in before}
        new = {Span(start + span.start, start + span.end, span.label) for span in change.after.spans}
        removed |= old - new
        added |= new - old
    lines, dropped = rewritten(list(source.lines(encoding)), by_span, removed, added, text)
    if dropped:
        report.warn(f"{source.name}: {dropped:,} lines that refer to a span that is gone are left out")
    return encoded("".join(lines), encoding)


FORMATS.add(BratFormat.name, BratFormat())
