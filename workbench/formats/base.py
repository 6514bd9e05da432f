"""What a file format is: one class that answers these questions, registered by name.

A format turns a file's bytes into ``NewExample`` values one at a time and never holds them all, so that a million
sentences pass through. What it notices goes into the ``Report``; what makes the file unusable is a ``FormatError``
with the file's name and the line. ``docs/extend-format.md`` shows a new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

from workbench.domain import ExampleText, Json, NewExample, Payload, Split
from workbench.formats.source import Source
from workbench.registry import Registry

MAX_WARNINGS = 200
"""Warnings of one import that are kept word for word; the others are counted."""

PROVENANCE = {
    "annotator": "string",
    "revision": "int64",
    "labeled_at": "string",
    "seconds": "float64",
    "suggestion_version": "int64",
    "comment": "string",
    "accepted_by": "string",
    "accepted_at": "string",
}
"""What an export can say of where labels come from, each with its type in a table; times are ISO 8601 in UTC."""

SPLIT_NAMES = {
    **{split.value: split for split in Split},
    "training": Split.TRAIN,
    "dev": Split.VALIDATION,
    "devel": Split.VALIDATION,
    "valid": Split.VALIDATION,
    "val": Split.VALIDATION,
    "testing": Split.TEST,
    "unlabeled": Split.POOL,
}
"""What files call splits, and ours."""

SAMPLE_ROWS = 8
"""Rows of a file's columns that a report shows, for the mapping."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something in a file that a person should know.

    Attributes:
        line: Counted from 1; None where no one line is meant.
        message: What it is.
        kind: ``warning``, ``repaired`` (a label whose place was mended), ``skipped`` (an example left out) or ``lost``
            (something that the format of an export can't hold).
    """

    line: int | None
    message: str
    kind: str = "warning"


@dataclass(slots=True)
class Report:
    """What a format noticed while it read or wrote; complete when the last example has been taken.

    Attributes:
        file: Name of the file, for messages.
        warnings: The first ``MAX_WARNINGS`` of them.
        silent: How many more there were.
        skipped: Examples (of a file being read or written) that were left out.
        repaired: Labels whose place was wrong and could be mended.
        lost: Things that the format of an export can't hold.
        detected: Sentences on what the file was taken for.
        mapping: Everything that ``read`` settled, in JSON terms; ``patch`` and a later ``read`` take it back.
        columns: Names or numbers of the file's columns, where it has columns.
        rows: The first rows of these columns.
    """

    file: str = ""
    warnings: list[Notice] = field(default_factory=list)
    silent: int = 0
    skipped: int = 0
    repaired: int = 0
    lost: int = 0
    detected: list[str] = field(default_factory=list)
    mapping: dict[str, Any] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)

    def warn(self, message: str, line: int | None = None, kind: str = "warning") -> None:
        """Note something; beyond ``MAX_WARNINGS`` only counted."""
        if len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(Notice(line, message, kind))
        else:
            self.silent += 1

    def skip(self, message: str, line: int | None = None) -> None:
        """Note an example that is left out."""
        self.skipped += 1
        self.warn(message, line, "skipped")

    def repair(self, message: str, line: int | None = None) -> None:
        """Note a label whose place was wrong and is mended."""
        self.repaired += 1
        self.warn(message, line, "repaired")

    def lose(self, message: str, *, example: bool = False) -> None:
        """Note what the format of an export can't hold, the whole example or a part of it."""
        self.lost += 1
        self.skipped += example
        self.warn(message, None, "lost")

    @property
    def notices(self) -> list[Notice]:
        """The warnings kept, and one that counts the others."""
        more = [Notice(None, f"and {self.silent:,} more warnings")] if self.silent else []
        return [*self.warnings, *more]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a person has said about a file; what is None is found out by looking at it.

    Attributes:
        task: Name of the project's task type.
        columns: ``token``, ``tag``, ``text``, … to a column's name or number (counted from 0; negative from the end).
        encoding: One of ``source.ENCODINGS``.
        separator: Column files: ``tab`` or ``spaces``.
        scheme: NER tags: one of ``tasks.schemes.SCHEMES``.
        sentences: Plain text: ``lines`` (one sentence a line) or ``split`` (running text).
    """

    task: str
    columns: Mapping[str, str | int] = field(default_factory=dict)
    encoding: str = "utf-8"
    separator: str | None = None
    scheme: str | None = None
    sentences: str | None = None


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How to write.

    Attributes:
        task: Name of the project's task type.
        labels: The label set, in order.
        scheme: Of NER tags, in formats that have tags.
        variant: Which of the things that a format can write, by the export's name (``spacy``, ``squad-v1``, …).
        provenance: Say of each example who labeled it, when, and from what suggestion, in formats with a place for it.
        annotators: The labels are annotators' own, several of one example perhaps: say whose.
    """

    task: str
    labels: tuple[str, ...] = ()
    scheme: str = "IOB2"
    variant: str = ""
    provenance: bool = False
    annotators: bool = False


def told_columns(options: WriteOptions) -> dict[str, str]:
    """Columns of a table that say where labels come from, each with its type."""
    wanted = PROVENANCE if options.provenance else ("annotator",) if options.annotators else ()
    return {name: PROVENANCE[name] for name in wanted}


@dataclass(frozen=True, slots=True)
class Labeled:
    """One example on its way into a file.

    Attributes:
        external_id: Its name.
        document: Name of its document.
        content: Text, tokens, question.
        payload: Its labels, or None where it has none.
        meta: Whatever else its file said of it.
        split: What it is for.
        rows: The lines of its sentence in the column or CoNLL-U file that it came from, comments included.
        layout: What those lines are: the format's name and what its import settled.
        annotator: Whose labels these are, where they are not gold.
        provenance: Where the labels come from; keys of ``PROVENANCE``, those that are known.
        scores: Of a model's labels: how sure it was of each, 0 to 1, in the payload's order.
    """

    external_id: str
    document: str
    content: ExampleText
    payload: Payload | None
    meta: Json = field(default_factory=dict)
    split: str | None = None
    rows: tuple[str, ...] = ()
    layout: Json = field(default_factory=dict)
    annotator: str | None = None
    provenance: Json = field(default_factory=dict)
    scores: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """New labels for an example of a file that came in: where it lies, what the file said, what to say now.

    A question that was asked since has no place of its own: ``beside`` in its locator is the place of one with the
    same context, and ``name`` is the id that it is to have.
    """

    locator: Json
    content: ExampleText
    before: Payload | None
    after: Payload
    name: str = ""

    @property
    def beside(self) -> Json | None:
        """The place of the example beside which a new one goes, None for one that came in itself."""
        found: Json | None = self.locator.get("beside")
        return found


class Format(Protocol):
    """A file format."""

    name: str
    title: str
    tasks: frozenset[str]
    """Task types whose examples it can hold."""
    extension: str
    """Of files that it writes, with the dot."""

    def sniff(self, head: bytes, name: str) -> float:
        """How much the first 64 KiB of a file look like this format: 0 not at all … 1 surely."""

    def read(self, source: Source, options: ReadOptions, report: Report) -> Iterator[NewExample]:
        """The examples of a file in its order.

        Raises:
            FormatError: The file is not what it says; with the line.
            InvalidInput: The options do not fit the file.
        """

    def write(self, items: Iterable[Labeled], out: BinaryIO, options: WriteOptions, report: Report) -> int:
        """Write examples; how many. What the format can't hold is left out and told to the report."""

    def patch(self, source: Source, mapping: Json, changes: Sequence[Change], report: Report) -> bytes:
        """The file's own bytes with nothing but the changed labels written into their places.

        Args:
            source: The file as it came.
            mapping: ``Report.mapping`` of its import.
            changes: In any order; none gives the bytes back as they are.
            report: Hears of labels that have no place in the file.
        """


FORMATS: Registry[Format] = Registry("format")

ALIASES = {
    "hf": "parquet",
    "squad-v1": "squad",
    "squad-v2": "squad",
    "conll2000": "conll",
    "conll2002": "conll",
    "conll2003": "conll",
    "columns": "conll",
    "prodigy": "jsonl",
    "spacy": "jsonl",
    "doccano": "jsonl",
    "csv": "table",
    "tsv": "table",
    "txt": "text",
}


def get_format(name: str) -> Format:
    """The format of that name or alias. Raises UnknownName."""
    return FORMATS[ALIASES.get(name, name)]


def split_named(given: object) -> Split | None:
    """The split that a file means by a name of its own; None where it is none."""
    return SPLIT_NAMES.get(given.strip().lower()) if isinstance(given, str) else None
