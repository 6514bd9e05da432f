"""The sentences of a CoNLL-U file, and their texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from workbench.domain import ExampleText, Offset
from workbench.errors import FormatError
from workbench.formats.base import SAMPLE_ROWS, Report
from workbench.formats.source import Source
from workbench.formats.tokenizer import aligned

COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
NEW_DOCUMENT = ("newdoc", "newdoc id")
FORM, UPOS, XPOS, MISC = 1, 3, 4, 9
ID = re.compile(r"(?P<first>[0-9]{1,6})(?:-(?P<last>[0-9]{1,6})|\.(?P<empty>[0-9]{1,6}))?")


@dataclass(slots=True)
class Sentence:
    """Rows of one sentence: (line number, columns) of its words, multiword ranges as (first, last, form, spaced)."""

    words: list[tuple[int, list[str]]] = field(default_factory=list)
    ranges: list[tuple[int, int, str, bool]] = field(default_factory=list)
    text: str | None = None
    name: str | None = None
    document: str | None = None


def sentences(source: Source, encoding: str, report: Report) -> Iterator[Sentence]:
    """Every sentence that has a word, in order. Raises FormatError at a line that is no row of CoNLL-U."""
    sentence = Sentence()
    for number, line in enumerate(source.plain_lines(encoding), 1):
        if not line.strip():
            if sentence.words:
                yield sentence
                sentence = Sentence()
        elif line.startswith("#"):
            _comment(line, sentence)
        else:
            _row(line, number, sentence, source.name)
            if len(report.rows) < SAMPLE_ROWS:
                report.rows.append(line.split("\t"))
    if sentence.words:
        yield sentence


def _comment(line: str, sentence: Sentence) -> None:
    key, equals, value = line[1:].partition("=")
    key = key.strip()
    if key == "text" and equals:
        sentence.text = value.removeprefix(" ")
    elif key == "sent_id" and equals:
        sentence.name = value.strip() or None
    elif key in NEW_DOCUMENT:
        sentence.document = value.strip()


def begins(rows: Iterable[str]) -> bool:
    """Whether the lines of a sentence say that a document begins with it."""
    return any(row.startswith("#") and row[1:].partition("=")[0].strip() in NEW_DOCUMENT for row in rows)


def _row(line: str, number: int, sentence: Sentence, file: str) -> None:
    row = line.split("\t")
    if len(row) != len(COLUMNS):
        raise FormatError(
            f"has {len(row)} columns separated by tabs, CoNLL-U has 10",
            file=file,
            line=number,
            remedy="mend the line, or import it with --format conll if it is another column file",
        )
    match = ID.fullmatch(row[0])
    if match is None:
        raise FormatError(f"{row[0][:40]!r} is no ID", file=file, line=number, remedy="write 8, 8-9 or 8.1")
    if match["empty"]:
        return
    first = int(match["first"])
    if match["last"]:
        spaced = "SpaceAfter=No" not in row[MISC].split("|")
        sentence.ranges.append((first, int(match["last"]), row[FORM], spaced))
        return
    if first != len(sentence.words) + 1:
        raise FormatError(
            f"has ID {first} where {len(sentence.words) + 1} is expected",
            file=file,
            line=number,
            remedy="number the words of a sentence from 1, with a blank line between sentences",
        )
    if not row[FORM].strip():
        raise FormatError("has no word", file=file, line=number, remedy="write the word's form")
    sentence.words.append((number, row))


def content_of(sentence: Sentence) -> tuple[ExampleText, bool]:
    """The text with its words' places, and whether it is that of the comment."""
    forms = [row[FORM] for _, row in sentence.words]
    if sentence.text is not None:
        offsets = aligned(forms, sentence.text)
        if offsets is not None:
            return ExampleText(sentence.text, offsets), True
    # Whether white space follows each word; inside of a multiword token none does if its words make up its form.
    spaced = ["SpaceAfter=No" not in row[MISC].split("|") for _, row in sentence.words]
    for first, last, form, after in sentence.ranges:
        if first <= last <= len(forms):
            glued = "".join(forms[first - 1 : last]) == form
            spaced[first - 1 : last] = [not glued] * (last - first) + [after]
    pieces: list[str] = []
    offsets_: list[Offset] = []
    place = 0
    for form, space in zip(forms, spaced, strict=True):
        offsets_.append((place, place + len(form)))
        pieces.append(form + " " * space)
        place += len(form) + space
    return ExampleText("".join(pieces).removesuffix(" "), tuple(offsets_)), False
