"""The sentences of a column file: which line is a word, a comment, a blank, the start of a document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from workbench.errors import FormatError
from workbench.formats.base import ReadOptions, Report
from workbench.formats.layout import CHUNK_TAG, COMMENT, DOCUMENT_START, Layout, cells
from workbench.formats.source import Source


@dataclass(slots=True)
class Block:
    """One sentence of a file."""

    document: int
    tokens: list[str]
    tags: list[str]
    lines: list[int]


def blocks(source: Source, layout: Layout, options: ReadOptions, report: Report) -> Iterator[Block]:
    """Every sentence, in order. Raises FormatError at a row that lacks a column."""
    reader = _Reader(source.name, layout, report, ner=options.task == "ner")
    plain = _plain_rows(layout)
    number = 1
    for filled, lines in groupby(source.plain_lines(options.encoding), bool):
        group = list(lines)
        if filled:
            yield from reader.read(group, number, plain)
        number += len(group)


def _plain_rows(layout: Layout) -> re.Pattern[str]:
    """Matches lines that are all rows of words with the file's width, as nearly every sentence is.

    A match and one cut of the whole sentence are several times quicker than to look at each line.
    """
    cell, between = (r"[^\t\n]*", r"\t") if layout.separator == "tab" else (r"[^ \t\n]+", " ")
    row = rf"(?![#\-\s]){cell}(?:{between}{cell}){{{layout.width - 1}}}"
    return re.compile(rf"{row}(?:\n{row})*")


class _Reader:
    """Reads groups of lines that have no empty one among them; knows which document they are of."""

    def __init__(self, file: str, layout: Layout, report: Report, *, ner: bool) -> None:
        needed = max(layout.token, layout.tag if layout.tag is not None else 0)
        self._layout = layout
        self._separator = "\t" if layout.separator == "tab" else " "
        self._kinds = _Kinds(file, layout, needed, report, ner)
        self._header_left = layout.header
        self._document = 1
        self._marked = False

    def read(self, group: list[str], number: int, plain: re.Pattern[str]) -> Iterator[Block]:
        """The sentences of a group whose first line has that number."""
        together = "\n".join(group)
        if plain.fullmatch(together) is None:
            yield from self._line_by_line(group, number)
            return
        cells_, width = together.replace("\n", self._separator).split(self._separator), self._layout.width
        tokens, tag = cells_[self._layout.token :: width], self._layout.tag
        if self._header_left or not all(map(str.strip, tokens)):
            yield from self._line_by_line(group, number)
            return
        tags = cells_[tag::width] if tag is not None else []
        yield self._block(tokens, tags, list(range(number, number + len(tokens))))

    def _line_by_line(self, group: list[str], start: int) -> Iterator[Block]:
        rows: list[list[str]] = []
        lines: list[int] = []
        for number, line in enumerate(group, start):
            row = line.split(self._separator)
            if self._separator == " " and ("" in row or "\t" in line):
                row = cells(line, "spaces")
            odd = len(row) != self._layout.width or line[:1] in "#- \t"
            if odd or not row[self._layout.token].strip():
                kind = self._kinds.kind(line, row, number, first=not rows)
                if kind in ("blank", "document"):
                    if rows:
                        yield self._from_rows(rows, lines)
                        rows, lines = [], []
                    if kind == "document":
                        # The first mark opens document 1 unless a sentence came before it.
                        self._document += self._marked
                        self._marked = True
                if kind != "word":
                    continue
            if self._header_left:
                self._header_left = False
                continue
            rows.append(row)
            lines.append(number)
        if rows:
            yield self._from_rows(rows, lines)

    def _from_rows(self, rows: list[list[str]], lines: list[int]) -> Block:
        token, tag = self._layout.token, self._layout.tag
        return self._block(
            [row[token] for row in rows], [row[tag] for row in rows] if tag is not None else [], lines
        )

    def _block(self, tokens: list[str], tags: list[str], lines: list[int]) -> Block:
        self._marked = True
        if self._separator == "\t":
            tokens, tags = [cell.strip(" ") for cell in tokens], [cell.strip(" ") for cell in tags]
        return Block(self._document, tokens, tags, lines)


@dataclass(frozen=True, slots=True)
class _Kinds:
    """Tells the lines that are not plainly rows of words apart."""

    file: str
    layout: Layout
    needed: int
    report: Report
    ner: bool

    def kind(self, line: str, row: list[str], number: int, *, first: bool) -> str:
        """``word``, ``blank``, ``document``, ``comment`` or ``nothing``.

        Args:
            line: The line.
            row: Its columns.
            number: Its number, from 1.
            first: Whether no word of the sentence has been read: comments stand there.

        Raises:
            FormatError: It is a row that lacks a column.
        """
        if not line.strip():
            return "blank"
        if line.startswith(DOCUMENT_START):
            return "document"
        if first and line.startswith("#") and self._comment(line, row):
            return "comment"
        if len(row) <= self.needed:
            token = self.layout.token
            missing, place = ("word", token) if len(row) <= token else ("label", self.needed)
            have = f"{len(row)} column" + ("" if len(row) == 1 else "s")
            raise FormatError(
                f"has {have}, and the {missing} is expected in column {place}, counted from 0",
                file=self.file,
                line=number,
                remedy="mend the line, or say which columns to read (--column token=N --column tag=N)",
            )
        if len(row) != self.layout.width:
            self.report.warn(f"{len(row)} columns where the others have {self.layout.width}", number)
        if not row[self.layout.token].strip():
            self.report.warn("no word in this line; it is left out", number)
            return "nothing"
        return "word"

    def _comment(self, line: str, row: list[str]) -> bool:
        if len(row) != self.layout.width:
            return True
        if self.ner and self.layout.tag is not None and not self.layout.bare:
            return not CHUNK_TAG.fullmatch(row[self.layout.tag].strip(" "))
        return bool(COMMENT.match(line)) and self.layout.separator != "tab"
