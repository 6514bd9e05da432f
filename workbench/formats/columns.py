"""Column files: one word a line with its labels beside it, as in CoNLL-2000, 2002 and 2003.

A blank line ends a sentence, a line that starts with ``-DOCSTART-`` opens a document. The text of a sentence is its
words joined by single spaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from workbench.domain import ExampleText, Json, NewExample, Payload, Spans, Tags
from workbench.errors import FormatError, InvalidInput, InvalidPayload
from workbench.formats.base import FORMATS, Change, Labeled, ReadOptions, Report, WriteOptions
from workbench.formats.chunktags import MAX_LABEL, ChunkTags, rewritten, write_tags
from workbench.formats.columnrows import Block, blocks
from workbench.formats.layout import (
    CHUNK_TAG,
    DOCUMENT_START,
    PENN,
    UNIVERSAL,
    Layout,
    cells,
    find_layout,
    layout_of,
)
from workbench.formats.source import Source
from workbench.formats.spanlist import apart
from workbench.formats.tokenizer import joined

NO_TAG = frozenset({"", "_"})
"""What stands in a POS column where nobody has said."""


class ColumnFormat:
    """CoNLL columns."""

    name = "conll"
    title = "CoNLL columns"
    tasks = frozenset({"ner", "pos"})
    extension = ".conll"

    def sniff(self, head: bytes, name: str) -> float:
        """By rows of the same width between blank lines, and by tags."""
        text = head.decode("utf-8", "replace")
        lines = text.splitlines()[:400]
        if text.lstrip().startswith(("{", "[{")) or not lines:
            return 0.0
        rows = [cells(line, "tab" if "\t" in line else "spaces") for line in lines if line.strip()]
        rows = [row for row in rows if not row[0].startswith(("#", DOCUMENT_START))]
        widths = [len(row) for row in rows]
        named = name.lower().endswith((".conll", ".iob", ".bio", ".iob2", ".bioes", ".col"))
        if not rows or max(map(widths.count, set(widths))) < 0.9 * len(rows) or max(widths) < 2:
            return 0.7 if named else 0.5 if DOCUMENT_START in text else 0.0
        tagged = any(_are_tags(rows, column) for column in range(1, min(widths)))
        if len(rows) == 1 and not tagged and "\t" not in text and not named:
            return 0.0  # one line of words is a sentence
        blank = any(not line.strip() for line in lines[:-1])
        score = 0.3 + 0.3 * tagged + 0.1 * blank + 0.2 * (DOCUMENT_START in text)
        return min(0.95, score + 0.2 * named)

    def read(self, source: Source, options: ReadOptions, report: Report) -> Iterator[NewExample]:
        """One example a sentence; ``locator`` holds the lines of its words."""
        source.check(options.encoding)
        layout = find_layout(source, options, report)
        report.mapping = {
            "columns": {"token": layout.token, "tag": layout.tag},
            "layout": layout.as_mapping(),
            "encoding": options.encoding,
            "task": options.task,
        }
        chunks = ChunkTags(source.name, options.scheme, bare=layout.bare) if options.task == "ner" else None
        for block in blocks(source, layout, options, report):
            text, offsets = joined(block.tokens)
            if text.isspace():
                report.skip("nothing but white space in this sentence", block.lines[0])
                continue
            payload: Payload | None = None
            if layout.tag is not None and chunks is not None:
                payload = chunks.spans(block.tags, offsets, block.lines)
            elif layout.tag is not None:
                payload = _pos_tags(block, source.name)
            yield NewExample(
                ExampleText(text, offsets),
                payload,
                external_id=f"{source.stem}:{block.lines[0]}",
                document=f"{source.stem} {block.document}",
                locator=_locator(block.lines),
            )
        if chunks is not None and layout.tag is not None:
            report.mapping["scheme"] = chunks.settle(report)

    def write(self, items: Iterable[Labeled], out: BinaryIO, options: WriteOptions, report: Report) -> int:
        """Four columns by single spaces: word, POS, chunk, entity; ``_`` where there is nothing to say.

        Examples that came from a file of these four columns bring the other ones along.
        """
        written = 0
        document: str | None = None
        for item in items:
            tags = written_tags(item, options.scheme, report)
            if tags is None:
                continue
            if item.document != document:
                document = item.document
                out.write(b"-DOCSTART- -X- -X- O\n\n")
            column = 1 if isinstance(item.payload, Tags) else 3
            beside = _beside(item) or [["_"] * 4] * len(tags)
            for word, others, tag in zip(item.content.words, beside, tags, strict=True):
                row = [word, *others[1:column], tag, *others[column + 1 :]]
                line = " ".join(_cell(cell, item.external_id, report) for cell in row)
                out.write(line.encode() + b"\n")
            out.write(b"\n")
            written += 1
        return written

    def patch(self, source: Source, mapping: Json, changes: Sequence[Change], report: Report) -> bytes:
        """Nothing but the tag column of the words whose tag has changed."""
        layout, encoding = layout_of(mapping["layout"]), str(mapping["encoding"])
        if not changes:
            return source.data
        if layout.tag is None:
            report.lose(
                f"{source.stem} has no column for labels; the labels of {len(changes)} examples are left out"
            )
            return source.data
        new: dict[int, str] = {}
        wanted = {line for change in changes for line in lines_of(change.locator, len(change.content.tokens))}
        current = _current_tags(source, layout, encoding, wanted)
        for change in changes:
            lines = lines_of(change.locator, len(change.content.tokens))
            row = [current[line] for line in lines]
            tags = _new_tags(row, change, mapping, layout)
            new |= {line: tag for line, tag, was in zip(lines, tags, row, strict=True) if tag != was}
        pieces = [
            _with_cell(line, layout, new[number]) if number in new else line
            for number, line in enumerate(source.lines(encoding), 1)
        ]
        return encoded("".join(pieces), encoding)


def written_tags(item: Labeled, scheme: str, report: Report) -> list[str] | None:
    """A tag for each word, ``_`` for none, or None where the example can't be written (the report hears of it)."""
    if item.payload is None:
        report.skip(f"{item.external_id}: no labels")
        return None
    if not item.content.tokens:
        report.lose(f"{item.external_id}: has no words; left out", example=True)
        return None
    if isinstance(item.payload, Tags):
        return [tag or "_" for tag in item.payload.tags]
    assert isinstance(item.payload, Spans)
    kept, over = apart(item.payload.spans)
    for span in over:
        report.lose(
            f"{item.external_id}: {span.label} from {span.start} to {span.end} overlaps another; left out"
        )
    try:
        return write_tags(Spans(tuple(kept)), item.content, scheme)
    except InvalidPayload as error:
        report.lose(f"{item.external_id}: {error.message}; left out", example=True)
        return None


def _beside(item: Labeled) -> list[list[str]] | None:
    """The four columns that the words have in the file that they came from, where it is such a file."""
    if item.layout.get("format") != ColumnFormat.name:
        return None
    layout = layout_of(item.layout["mapping"]["layout"])
    rows = [cells(item.rows[place], layout.separator) for place in item.layout["at"]]
    if layout.token != 0 or any(len(row) != 4 for row in rows):
        return None
    return rows if layout.tag in (1, 3) else None


def _are_tags(rows: Sequence[Sequence[str]], column: int) -> bool:
    """Whether nearly all are tags, and not the signs alone that are tags of signs and end sentences too."""
    values = [row[column] for row in rows if column < len(row)]
    tags = [value for value in values if CHUNK_TAG.fullmatch(value) or value in PENN or value in UNIVERSAL]
    return len(tags) > 0.9 * len(rows) and any(value[0].isalpha() for value in tags)


def _pos_tags(block: Block, file: str) -> Tags | None:
    tags = [None if tag in NO_TAG else tag for tag in block.tags]
    for tag, line in zip(tags, block.lines, strict=True):
        if tag is not None and (len(tag) > MAX_LABEL or tag != tag.strip()):
            raise FormatError(f"{tag[:40]!r} can't be a tag", file=file, line=line, remedy="mend the line")
    return Tags(tuple(tags)) if any(tags) else None


def _locator(lines: list[int]) -> Json:
    return {"line": lines[0]} if lines[-1] - lines[0] + 1 == len(lines) else {"lines": lines}


def lines_of(locator: Json, tokens: int) -> Sequence[int]:
    """The lines, counted from 1, that the words of an example stand in."""
    if "lines" in locator:
        return list(locator["lines"])
    return range(int(locator["line"]), int(locator["line"]) + tokens)


def _current_tags(source: Source, layout: Layout, encoding: str, wanted: set[int]) -> dict[int, str]:
    assert layout.tag is not None
    return {
        number: cells(line, layout.separator)[layout.tag].strip(" ")
        for number, line in enumerate(source.plain_lines(encoding), 1)
        if number in wanted
    }


def _new_tags(row: Sequence[str], change: Change, mapping: Json, layout: Layout) -> list[str]:
    if isinstance(change.after, Tags):
        return [
            was if (None if was in NO_TAG else was) == tag else tag or "_"
            for was, tag in zip(row, change.after.tags, strict=True)
        ]
    scheme = str(mapping.get("scheme", "IOB2"))
    return rewritten(row, change.before, change.after, change.content, scheme, layout.bare)


def _with_cell(line: str, layout: Layout, value: str) -> str:
    """The line with another tag and everything else as it was, spaces and ending included."""
    assert layout.tag is not None
    if layout.separator == "tab":
        bare = line.rstrip("\r\n")
        parts = bare.split("\t")
        parts[layout.tag] = value
        return "\t".join(parts) + line[len(bare) :]
    found = list(re.finditer(r"[^ \t\r\n]+", line))[layout.tag]
    return line[: found.start()] + value + line[found.end() :]


def encoded(text: str, encoding: str) -> bytes:
    """The text's bytes. Raises InvalidInput where the encoding can't hold a label."""
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        raise InvalidInput(
            f"{text[error.start : error.end]!r} can't be written in the file's encoding ({encoding})",
            remedy="export in another format, or rename the label",
        ) from None


def _cell(value: str, external_id: str, report: Report) -> str:
    if value and not any(character.isspace() for character in value):
        return value
    report.lose(f"{external_id}: {value!r} has white space, which is written as _")
    return re.sub(r"\s", "_", value) or "_"


FORMATS.add(ColumnFormat.name, ColumnFormat())
