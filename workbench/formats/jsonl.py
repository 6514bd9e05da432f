"""JSON lines: spaCy's and Prodigy's text with spans, doccano's, tokens with tags, questions with contexts, bare text.

One object a line; what a line holds is told by its keys, so that files of different tools need no different names.
Texts that bring no tokens are cut into words here, with cuts at the bounds of their spans.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from workbench.domain import Answers, Json, NewExample
from workbench.formats.base import FORMATS, Change, Labeled, ReadOptions, Report, WriteOptions
from workbench.formats.chunktags import ChunkTags
from workbench.formats.columns import encoded
from workbench.formats.jsonlwrite import OBJECTS, own
from workbench.formats.jsontext import check_meta, expect, parse
from workbench.formats.places import find_values, replaced
from workbench.formats.record import KNOWN_KEYS, ROLES, Record, refuse_columns
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
        """Nothing but the value of the labels' key of the lines that have changed."""
        if not changes:
            return source.data
        encoding = str(mapping["encoding"])
        by_line = {int(change.locator["line"]): change for change in changes}
        pieces: list[str] = []
        for number, line in enumerate(source.lines(encoding), 1):
            change = by_line.get(number)
            pieces.append(
                line if change is None else _patched(line, change, str(mapping.get("scheme") or "IOB2"))
            )
        return encoded("".join(pieces), encoding)


def _patched(line: str, change: Change, scheme: str) -> str:
    bare = line.rstrip("\r\n")
    bom = "\ufeff" * bare.startswith("\ufeff")
    body = bare.removeprefix("\ufeff")
    key = str(change.locator["key"])
    ascii_only = body.isascii()
    locator = {**change.locator, "scheme": scheme}
    wanted = {key: values_for(str(locator["shape"]), change.after, change.content, locator)}
    found = {
        path[0]: (start, end)
        for path, start, end in find_values(body, (key,), ("is_impossible",), ("no_answer",))
    }
    if isinstance(change.after, Answers):
        flags = [name for name in ("is_impossible", "no_answer") if name in found]
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
