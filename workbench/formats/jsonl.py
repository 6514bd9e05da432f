"""JSON lines: spaCy's and Prodigy's text with spans, doccano's, tokens with tags, questions with contexts, bare text.

One object a line; what a line holds is told by its keys, so that files of different tools need no different names.
Texts that bring no tokens are cut into words here, with cuts at the bounds of their spans.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from workbench.domain import Answers, Json, NewExample, Spans, is_partial
from workbench.formats.base import FORMATS, Change, Labeled, ReadOptions, Report, WriteOptions
from workbench.formats.chunktags import ChunkTags
from workbench.formats.columns import encoded
from workbench.formats.jsonlwrite import OBJECTS, own
from workbench.formats.jsontext import check_meta, expect, parse
from workbench.formats.places import find_values, replaced
from workbench.formats.record import (
    DOCUMENT_KEYS,
    KNOWN_KEYS,
    PARTIAL,
    REFUSED,
    ROLES,
    Record,
    refuse_columns,
)
from workbench.formats.records import read_record
from workbench.formats.recordwrite import values_for
from workbench.formats.source import Source


class JsonlFormat:
    """JSON lines."""

    name = "jsonl"
    title = "JSON lines"
    tasks = frozenset({"ner", "pos", "qa"})
    extension = ".jsonl"

    def sniff(self, head: bytes, name: str) -> float:
        """By lines that are objects."""
        lines = [line for line in head.decode("utf-8", "replace").split("\n") if line.strip()]
        if not lines or not lines[0].lstrip().startswith("{"):
            return 0.0
        named = name.lower().endswith((".jsonl", ".ndjson", ".json1"))
        try:
            first = json.loads(lines[0])
        except (ValueError, RecursionError):
            return 0.6 if named else 0.1
        keys = set(first) if isinstance(first, dict) else set()
        return 0.9 if named else 0.8 if keys & KNOWN_KEYS else 0.3

    def read(self, source: Source, options: ReadOptions, report: Report) -> Iterator[NewExample]:
        """One example a line; ``locator`` holds the line and the key of the labels."""
        source.check(options.encoding)
        report.file = source.name
        report.mapping = {
            "encoding": options.encoding,
            "task": options.task,
            "columns": dict(options.columns),
            "scheme": options.scheme,
        }
        refuse_columns(options.columns, ROLES)
        chunks = ChunkTags(source.name, options.scheme)
        shapes: Counter[str] = Counter()
        for number, line in enumerate(source.plain_lines(options.encoding), 1):
            if not line.strip():
                continue
            value = expect(parse(line, source.name, number), dict, "an object", source.name, number)
            if "\\u" in line:  # only an escape can bring what no text may hold
                check_meta(value, source.name, number)
            record = Record(value, source.name, number, options, report, chunks)
            example = read_record(record, source.stem)
            if example is not None:
                shapes[record.shape] += 1
                yield example
        report.detected += [f"JSON lines: {shape} ({count:,})" for shape, count in shapes.most_common()]
        if any("tags" in shape for shape in shapes) and options.task == "ner":
            report.mapping["scheme"] = chunks.settle(report)

    def write(self, items: Iterable[Labeled], out: BinaryIO, options: WriteOptions, report: Report) -> int:
        """One object a line, in the way of the variant."""
        as_object = OBJECTS.get(options.variant, own)
        written = 0
        for item in items:
            if item.payload is None:
                report.skip(f"{item.external_id}: no labels")
                continue
            out.write(json.dumps(as_object(item, options, report), ensure_ascii=False).encode() + b"\n")
            written += 1
        return written

    def patch(self, source: Source, mapping: Json, changes: Sequence[Change], report: Report) -> bytes:
        """Nothing but the labels (and a question worded anew) of the lines that have changed; new questions below."""
        if not changes:
            return source.data
        encoding = str(mapping["encoding"])
        scheme = str(mapping.get("scheme") or "IOB2")
        question_key = str(mapping.get("columns", {}).get("question", "question"))
        by_line = {int(change.locator["line"]): change for change in changes if change.beside is None}
        new: dict[int, list[Change]] = defaultdict(list)
        for asked in changes:
            if asked.beside is not None:
                new[int(asked.beside["line"])].append(asked)
        pieces: list[str] = []
        for number, line in enumerate(source.lines(encoding), 1):
            change = by_line.get(number)
            pieces.append(line if change is None else _patched(line, change, scheme, question_key))
            pieces += [_new_line(line, one, question_key) for one in new[number]]
        return encoded("".join(pieces), encoding)


def _new_line(beside: str, change: Change, question_key: str) -> str:
    """A question that was asked since, as a line like the one of its context: what that says of itself is not taken."""
    bare = beside.rstrip("\r\n")
    near = json.loads(bare.removeprefix("\ufeff"))
    place = change.beside or {}
    key = str(place["key"])
    assert isinstance(change.after, Answers)
    value = {
        name: near[name] for name in near if isinstance(near[name], str) and near[name] == change.content.text
    }
    value |= {"id": change.name, question_key: change.after.question or change.content.question}
    value |= {name: near[name] for name in DOCUMENT_KEYS if name in near}
    value[key] = values_for(str(place["shape"]), change.after, change.content, place)
    if change.after.no_answer or "is_impossible" in near:
        value["is_impossible"] = change.after.no_answer
    end = beside[len(bare) :]
    text = json.dumps(value, ensure_ascii=bare.isascii())
    return text + end if end else f"\n{text}"


def _patched(line: str, change: Change, scheme: str, question_key: str) -> str:
    bare = line.rstrip("\r\n")
    bom = "\ufeff" * bare.startswith("\ufeff")
    body = bare.removeprefix("\ufeff")
    key = str(change.locator["key"])
    ascii_only = body.isascii()
    locator = {**change.locator, "scheme": scheme}
    wanted = {key: values_for(str(locator["shape"]), change.after, change.content, locator)}
    found = {
        path[0]: (start, end)
        for path, start, end in find_values(
            body, (key,), (question_key,), ("is_impossible",), ("no_answer",), (PARTIAL,), ("answer",)
        )
    }
    said = {name: json.loads(body[slice(*found[name])]) for name in (PARTIAL, "answer") if name in found}
    if is_partial(change.after) or (isinstance(change.after, Spans) and said.get(PARTIAL) is True):
        wanted[PARTIAL] = is_partial(change.after)
    if said.get("answer") in REFUSED and not isinstance(change.after, Answers):
        wanted["answer"] = "accept"
    if isinstance(change.after, Answers):
        flags = [name for name in ("is_impossible", "no_answer") if name in found]
        if change.after.question is not None:
            wanted[question_key] = change.after.question
        wanted |= dict.fromkeys(flags or ["is_impossible"] * change.after.no_answer, change.after.no_answer)
    pieces: list[tuple[int, int, str]] = []
    close = body.rindex("}")
    empty = not body[body.index("{") + 1 : close].strip()
    for name, value in wanted.items():
        text = json.dumps(value, ensure_ascii=ascii_only)
        if name in found:
            pieces.append((*found[name], text))
        else:
            pieces.append((close, close, ("" if empty else ", ") + f"{json.dumps(name)}: {text}"))
    return bom + replaced(body, pieces) + line[len(bare) :]


FORMATS.add(JsonlFormat.name, JsonlFormat())
