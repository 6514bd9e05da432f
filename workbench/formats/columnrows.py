"""The sentences of a column file: which line is a word, a comment, a blank, the start of a document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
    tab, width = layout.separator == "tab", layout.width
    separator = "\t" if tab else " "
    needed = max(layout.token, layout.tag if layout.tag is not None else 0)
    kinds = _Kinds(source.name, layout, needed, report, ner=options.task == "ner")
    header_left, marked, document = layout.header, False, 1
    rows: list[list[str]] = []
    lines: list[int] = []
    for number, line in enumerate(source.plain_lines(options.encoding), 1):
        row = line.split(separator)
        if not tab and ("" in row or "\t" in line):
            row = cells(line, "spaces")
        if len(row) != width or line[:1] in "#- \t":
            kind = kinds.kind(line, row, number, first=not rows)
            if kind in ("blank", "document"):
                if rows:
                    yield _block(document, rows, lines, layout)
                    rows, lines, marked = [], [], True
                if kind == "document":
                    document += marked  # the first mark opens document 1 unless a sentence came before it
                    marked = True
            if kind != "word":
                continue
        if header_left:
            header_left = False
            continue
        rows.append(row)
        lines.append(number)
    if rows:
        yield _block(document, rows, lines, layout)


def _block(document: int, rows: list[list[str]], lines: list[int], layout: Layout) -> Block:
    token, tag = layout.token, layout.tag
    tokens = [row[token] for row in rows]
    tags = [row[tag] for row in rows] if tag is not None else []
    if layout.separator == "tab":
        tokens, tags = [cell.strip(" ") for cell in tokens], [cell.strip(" ") for cell in tags]
    return Block(document, tokens, tags, lines)


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
        if not line.strip(" \t") or (line.isspace() and len(row) <= self.needed):
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
        if not row[self.layout.token].strip(" \t"):
            self.report.warn("no word in this line; it is left out", number)
            return "nothing"
        return "word"

    def _comment(self, line: str, row: list[str]) -> bool:
        if len(row) != self.layout.width:
            return True
        if self.ner and self.layout.tag is not None and not self.layout.bare:
            return not CHUNK_TAG.fullmatch(row[self.layout.tag].strip(" "))
        return bool(COMMENT.match(line)) and self.layout.separator != "tab"
