"""Plain text: one sentence a line, or running text that is cut into sentences here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import BinaryIO

from workbench.domain import ExampleText, Json, NewExample
from workbench.errors import InvalidInput
from workbench.formats.base import FORMATS, Change, Labeled, ReadOptions, Report, WriteOptions
from workbench.formats.record import refuse_columns
from workbench.formats.source import Source
from workbench.formats.tokenizer import sentences, tokenize

MODES = ("lines", "split")
LONG_LINE = 400
"""Lines longer than that on average hold more than one sentence."""

JSON = re.compile(rb"""\s*(?:\{\s*"|\[\s*(?:\{|\[\s*"))""")
"""What begins like an object, or a list of objects or lists; no sentence does."""

ENDING = re.compile(r"\r\n|\r|\n")
"""What ends a line when a file is read; U+2028 and its like do not, and stay in their text."""


class TextFormat:
    """Plain text. A line is one sentence (``lines``), or a paragraph of several (``split``)."""

    name = "text"
    title = "Plain text"
    tasks = frozenset({"ner", "pos"})
    extension = ".txt"

    def sniff(self, head: bytes, name: str) -> float:
        """Any text may be it, but for JSON."""
        if not head.strip() or JSON.match(head):
            return 0.0
        return 0.6 if name.lower().endswith((".txt", ".text", ".md")) else 0.1

    def read(self, source: Source, options: ReadOptions, report: Report) -> Iterator[NewExample]:
        """One example a sentence; ``locator`` holds the line and where in it the sentence begins."""
        source.check(options.encoding)
        refuse_columns(options.columns, ())
        mode = options.sentences or _guess(source, options.encoding)
        if mode not in MODES:
            raise InvalidInput(
                f"{mode!r} is no way to find sentences", remedy=f"choose from {', '.join(MODES)}"
            )
        report.file = source.name
        report.mapping = {"encoding": options.encoding, "task": options.task, "sentences": mode}
        report.detected.append(
            "plain text, one sentence a line" if mode == "lines" else "plain text, cut into sentences"
        )
        for number, line in enumerate(source.plain_lines(options.encoding), 1):
            for start, end in sentences(line) if mode == "split" else [(0, len(line))]:
                if not line.strip():
                    continue
                text = line[start:end]
                yield NewExample(
                    ExampleText(text, tokenize(text)),
                    None,
                    external_id=f"{source.stem}:{number}" + (f":{start}" if start else ""),
                    document=source.stem,
                    locator={"line": number, "start": start},
                )

    def write(self, items: Iterable[Labeled], out: BinaryIO, options: WriteOptions, report: Report) -> int:
        """One text a line, without the labels, which plain text can't hold."""
        written = 0
        for item in items:
            line = ENDING.sub(" ", item.content.text.rstrip("\r\n"))
            if not line.strip():
                report.skip(f"{item.external_id}: no text")
                continue
            out.write(line.encode() + b"\n")
            written += 1
        return written

    def patch(self, source: Source, mapping: Json, changes: Sequence[Change], report: Report) -> bytes:
        """The bytes as they are: there is no place for labels."""
        tell_no_place(source, changes, report)
        return source.data


def tell_no_place(source: Source, changes: Sequence[Change], report: Report) -> None:
    """Say that the labels of a file without a place for them stay out of it."""
    if changes:
        report.lose(
            f"{source.stem} has no place for labels: those of {len(changes):,} examples are left out; "
            "export them as jsonl or conll2003"
        )


def _guess(source: Source, encoding: str) -> str:
    sample = [line for line in islice(source.plain_lines(encoding), 500) if line.strip()]
    return "split" if sum(map(len, sample)) > LONG_LINE * max(1, len(sample)) else "lines"


FORMATS.add(TextFormat.name, TextFormat())
