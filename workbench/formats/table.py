"""CSV and TSV with a column of texts; for QA, of questions, contexts and answers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, BinaryIO

from workbench.domain import Answers, ExampleText, Json, NewExample, Payload
from workbench.errors import FormatError, InvalidInput
from workbench.formats.answers import locate, moved, place_in
from workbench.formats.base import (
    FORMATS,
    SAMPLE_ROWS,
    Change,
    Labeled,
    ReadOptions,
    Report,
    WriteOptions,
    told_columns,
)
from workbench.formats.chunktags import ChunkTags
from workbench.formats.formulas import as_it_was, as_text
from workbench.formats.jsontext import check_meta, parse
from workbench.formats.record import DOCUMENT_KEYS, ID_KEYS, TEXT_KEYS, Record, refuse_columns
from workbench.formats.recordqa import read_question
from workbench.formats.recordtags import read_tagged
from workbench.formats.recordwrite import values_for
from workbench.formats.source import Source
from workbench.formats.textfile import tell_no_place
from workbench.formats.tokenizer import tokenize

OWN = ("id", "document", "split")
"""First columns of a table that ``write`` made."""

LONGEST_CELL = 10_000_000
ROLES = ("text", "question", "answer", "answer_start", "id", "document", "tokens", "labels")
_NAMES: Mapping[str, tuple[str, ...]] = {
    "text": (*TEXT_KEYS, "context", "body", "message", "comment", "review", "title"),
    "question": ("question",),
    "answer": ("answer", "answer_text"),
    "answer_start": ("answer_start", "start"),
    "id": ID_KEYS,
    "document": DOCUMENT_KEYS,
    "tokens": ("tokens",),
    "labels": ("labels",),
}
_DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}


class TableFormat:
    """CSV, TSV."""

    name = "table"
    title = "CSV or TSV table"
    tasks = frozenset({"ner", "pos", "qa"})
    extension = ".csv"

    def sniff(self, head: bytes, name: str) -> float:
        """By its name, and by rows of the same width under a header."""
        text = head.decode("utf-8", "replace")
        if text.lstrip().startswith(("{", "[")):
            return 0.0
        lines = [line for line in text.splitlines()[:50] if line.strip()]
        if not lines:
            return 0.0
        header = {cell.strip().strip('"').lower() for cell in lines[0].split(_delimiter(lines[0]))}
        known = any(header & set(names) for names in (_NAMES["text"], _NAMES["question"])) and len(header) > 1
        named = name.lower().endswith((".csv", ".tsv"))
        return 0.97 if named and known else 0.75 if named and name.lower().endswith(".csv") else 0.55 * known

    def read(self, source: Source, options: ReadOptions, report: Report) -> Iterator[NewExample]:
        """One example a row; ``locator`` holds its last line."""
        source.check(options.encoding)
        refuse_columns(options.columns, ROLES)
        report.file = source.name
        delimiter = _delimiter(next(source.plain_lines(options.encoding), ""))
        rows = _rows(source, options.encoding, delimiter)
        _, header = next(rows, (1, []))
        roles = _roles(header, options)
        report.columns = header
        report.mapping = {
            "encoding": options.encoding,
            "task": options.task,
            "columns": {role: header[place] for role, place in roles.items()},
        }
        told = ", ".join(f"{role} in {header[place]!r}" for role, place in roles.items())
        report.detected.append(
            f"table of {len(header)} columns separated by {_DELIMITERS[delimiter]}: {told}"
        )
        own = tuple(header[: len(OWN)]) == OWN and "labels" in header
        for line, row in rows:
            if own:
                row = [as_it_was(cell) for cell in row]  # noqa: PLW2901
            if len(report.rows) < SAMPLE_ROWS:
                report.rows.append([cell[:200] for cell in row])
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(header):
                report.warn(f"{len(row)} columns where the header has {len(header)}", line)
            example = _example(row, line, roles, header, source, options, report)
            if example is not None:
                yield example

    def write(self, items: Iterable[Labeled], out: BinaryIO, options: WriteOptions, report: Report) -> int:
        """Columns id, document, split, text and tokens (or question and context), labels; the last two as JSON.

        A cell that a spreadsheet would compute gets an apostrophe before it; ``read`` takes it off.
        """
        text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text)
        qa = options.task == "qa"
        texts = ["question", "context"] if qa else ["text", "tokens"]
        told = told_columns(options)
        shape = "tags" if options.task == "pos" else "spans"
        writer.writerow([*OWN, *texts, "labels", *told])
        written = 0
        for item in items:
            if item.payload is None:
                report.skip(f"{item.external_id}: no labels")
                continue
            labels = json.dumps(values_for(shape, item.payload, item.content, {}), ensure_ascii=False)
            tokens = json.dumps(item.content.tokens)
            cells = [item.content.question or "", item.content.text] if qa else [item.content.text, tokens]
            known = {"annotator": item.annotator, **item.provenance}
            row = [item.external_id, item.document, item.split or "", *cells, labels, *map(known.get, told)]
            writer.writerow([as_text(cell) for cell in row])
            written += 1
        text.detach()
        return written

    def patch(self, source: Source, mapping: Json, changes: Sequence[Change], report: Report) -> bytes:
        """The bytes as they are: there is no place for labels."""
        tell_no_place(source, changes, report)
        return source.data


def _delimiter(line: str) -> str:
    return max(_DELIMITERS, key=line.count)


def _rows(source: Source, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(LONGEST_CELL)
    lines = (
        line.removeprefix("\ufeff") if first else line for first, line in _firsts(source.lines(encoding))
    )
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise FormatError(
                f"is no table ({error})",
                file=source.name,
                line=reader.line_num,
                remedy="check the quotation marks",
            ) from None
        if row:
            yield reader.line_num, row


def _firsts(lines: Iterator[str]) -> Iterator[tuple[bool, str]]:
    first = True
    for line in lines:
        yield first, line
        first = False


def _roles(header: Sequence[str], options: ReadOptions) -> dict[str, int]:
    roles: dict[str, int] = {}
    lowered = [name.strip().lower() for name in header]
    for role in ROLES:
        named = options.columns.get(role)
        if named is not None:
            roles[role] = _place(header, role, named)
            continue
        found = [lowered.index(name) for name in _NAMES[role] if name in lowered]
        if found and found[0] not in roles.values():
            roles[role] = found[0]
    needed = ("question", "text") if options.task == "qa" else ("text",)
    for role in needed:
        if role not in roles:
            raise InvalidInput(
                f"no column is called {_NAMES[role][0]!r}",
                remedy=f"say which one holds it, --column {role}=NAME, of {_listed(header)}",
            )
    wanted = ROLES if options.task == "qa" else ("text", "id", "document", "tokens", "labels")
    return {role: place for role, place in roles.items() if role in wanted}


def _listed(header: Sequence[str]) -> str:
    return ", ".join(repr(name[:40]) for name in header[:20])


def _place(header: Sequence[str], role: str, named: str | int) -> int:
    if str(named) in header:
        return list(header).index(str(named))
    if isinstance(named, int) and -len(header) <= named < len(header):
        return named % len(header)
    raise InvalidInput(
        f"there is no column {named!r} for the {role}",
        remedy=f"choose from {_listed(header)}",
    )


def _example(
    row: list[str],
    line: int,
    roles: Mapping[str, int],
    header: Sequence[str],
    source: Source,
    options: ReadOptions,
    report: Report,
) -> NewExample | None:
    def cell(role: str) -> str:
        place = roles.get(role, len(row))
        return row[place] if place < len(row) else ""

    text, question = cell("text"), cell("question")
    if not text.strip() or (options.task == "qa" and not question.strip()):
        report.skip("no text in this row; it is left out", line)
        return None
    payload: Payload | None = None
    if cell("labels").lstrip().startswith("["):
        content, payload = _labeled(row, line, roles, source, options, report)
    elif options.task == "qa":
        content = ExampleText(text, (), question)
        payload = _answer(cell("answer"), cell("answer_start"), text, line, report)
    else:
        content = ExampleText(text, tokenize(text))
    used = set(roles.values())
    meta: dict[str, Any] = {
        name: value
        for place, (name, value) in enumerate(zip(header, row, strict=False))
        if place not in used and value
    }
    external_id = cell("id").strip() or f"{source.stem}:{line}"
    return NewExample(
        content,
        payload,
        external_id=external_id,
        document=cell("document").strip() or external_id,
        locator={"line": line},
        meta=meta,
    )


def _labeled(
    row: list[str], line: int, roles: Mapping[str, int], source: Source, options: ReadOptions, report: Report
) -> tuple[ExampleText, Payload | None]:
    """A row whose labels (and tokens) stand in it as JSON, the way that ``write`` puts them there."""
    value: dict[str, Any] = {role: row[place] for role, place in roles.items() if place < len(row)}
    labels = parse(value.pop("labels"), source.name, line)
    check_meta(labels, source.name, line)
    tokens = value.pop("tokens", "")
    if tokens.lstrip().startswith("["):
        value["tokens"] = parse(tokens, source.name, line)
    plain = replace(options, columns={})
    record = Record(value, source.name, line, plain, report, ChunkTags(source.name))
    if options.task == "qa":
        value |= {"context": value["text"], "answers": labels}
        return read_question(record, {})
    value["tags" if options.task == "pos" else "spans"] = labels
    return read_tagged(record, {})


def _answer(answer: str, start: str, context: str, line: int, report: Report) -> Answers | None:
    if not answer.strip():
        return None
    given = place_in(start)
    found, mended = locate(context, answer, given)
    if found is None:
        report.warn(f"the answer {answer[:60]!r} is nowhere in its context and is left out", line)
        return None
    if mended and given is not None:
        report.repair(moved(answer, given, found.start), line)
    return Answers((found,))


FORMATS.add(TableFormat.name, TableFormat())
