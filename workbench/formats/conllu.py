"""CoNLL-U: ten tab-separated columns, with comments, multiword ranges and empty nodes.

A token is a syntactic word (an integer ID). The text is that of the ``# text`` comment where the words fit into it,
else it is put together by SpaceAfter. Entities stand in MISC as ``NER=B-PER``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import BinaryIO

from workbench.domain import Json, NewExample, Offset, Payload, Tags
from workbench.errors import FormatError, InvalidInput
from workbench.formats.base import FORMATS, Change, Labeled, ReadOptions, Report, WriteOptions
from workbench.formats.chunktags import MAX_LABEL, ChunkTags, rewritten
from workbench.formats.columns import encoded, lines_of, written_tags
from workbench.formats.conllurows import (
    COLUMNS,
    ID,
    MISC,
    UPOS,
    XPOS,
    Sentence,
    begins,
    content_of,
    sentences,
)
from workbench.formats.layout import UNIVERSAL
from workbench.formats.source import Source

NER_KEY = "NER="


class ConlluFormat:
    """CoNLL-U."""

    name = "conllu"
    title = "CoNLL-U"
    tasks = frozenset({"ner", "pos"})
    extension = ".conllu"

    def sniff(self, head: bytes, name: str) -> float:
        """By rows of ten columns that begin with a number."""
        lines = [line for line in head.decode("utf-8", "replace").splitlines()[:300] if line.strip()]
        rows = [line.split("\t") for line in lines if not line.startswith("#")]
        fitting = sum(len(row) == 10 and bool(ID.fullmatch(row[0])) for row in rows)
        if not rows or fitting < 0.8 * len(rows):
            return 0.6 if name.lower().endswith(".conllu") else 0.0
        return 0.98

    def read(self, source: Source, options: ReadOptions, report: Report) -> Iterator[NewExample]:
        """One example a sentence; ``locator`` holds the lines of its words."""
        source.check(options.encoding)
        column = _tag_column(source, options)
        report.file = source.name
        report.columns = list(COLUMNS)
        report.mapping = {
            "columns": {"token": "form", "tag": COLUMNS[column] if column is not None else None},
            "encoding": options.encoding,
            "task": options.task,
        }
        told = "no labels" if column is None else f"labels from {COLUMNS[column].upper()}"
        report.detected.append(f"CoNLL-U, {told}")
        chunks = ChunkTags(source.name, options.scheme) if options.task == "ner" else None
        document, number, rebuilt = f"{source.stem} 1", 1, 0
        started = False
        for sentence in sentences(source, options.encoding, report):
            if sentence.document is not None:
                number += started
                document = sentence.document or f"{source.stem} {number}"
            started = True
            content, from_text = content_of(sentence)
            rebuilt += sentence.text is not None and not from_text
            lines = [line for line, _ in sentence.words]
            yield NewExample(
                content,
                _payload(sentence, column, chunks, content.tokens, lines, source.name),
                external_id=sentence.name or f"{source.stem}:{lines[0]}",
                document=document,
                locator={"line": lines[0]} if lines[-1] - lines[0] + 1 == len(lines) else {"lines": lines},
            )
        if rebuilt:
            report.warn(
                f"the text of {rebuilt:,} sentences is put together from their words: `# text` does not fit them"
            )
        if chunks is not None and column is not None:
            report.mapping["scheme"] = chunks.settle(report)

    def write(self, items: Iterable[Labeled], out: BinaryIO, options: WriteOptions, report: Report) -> int:
        """Words with UPOS or XPOS (UPOS where every label is a universal tag), entities in MISC, SpaceAfter kept.

        A sentence that came from a CoNLL-U file goes out with its comments, ranges, empty nodes and other columns.
        """
        universal = bool(options.labels) and set(options.labels) <= UNIVERSAL
        written = 0
        document: str | None = None
        for item in items:
            tags = written_tags(item, options.scheme, report)
            if tags is None:
                continue
            kept = item.layout.get("format") == self.name
            # Of a document that came as CoNLL-U the sentence that begins it may be left out.
            said = kept and (document is None or begins(item.rows))
            if item.document != document and not said:
                out.write(f"# newdoc id = {_one_line(item.document)}\n".encode())
            document = item.document
            text = _with_tags(item, tags) if kept else _written(item, tags, universal, report)
            out.write(text.encode())
            written += 1
        return written

    def patch(self, source: Source, mapping: Json, changes: Sequence[Change], report: Report) -> bytes:
        """Nothing but the tag column (or MISC's NER entry) of the words whose tag has changed."""
        if not changes:
            return source.data
        column = tag_place(mapping)
        wanted = {line for change in changes for line in lines_of(change.locator, len(change.content.tokens))}
        encoding = str(mapping["encoding"])
        rows = {
            number: line.split("\t")
            for number, line in enumerate(source.plain_lines(encoding), 1)
            if number in wanted
        }
        new: dict[int, str] = {}
        for change in changes:
            lines = lines_of(change.locator, len(change.content.tokens))
            current = [rows[line][column] for line in lines]
            new |= dict(zip(lines, _new_cells(current, change, mapping), strict=True))
        pieces = [
            _with_cell(line, column, new[number]) if number in new else line
            for number, line in enumerate(source.lines(encoding), 1)
        ]
        return encoded("".join(pieces), encoding)


def _tag_column(source: Source, options: ReadOptions) -> int | None:
    unknown = set(options.columns) - {"tag", "token"}
    if unknown:
        raise InvalidInput(
            f"CoNLL-U has no {', '.join(sorted(map(repr, unknown)))}", remedy="map tag=upos or tag=xpos"
        )
    if str(options.columns.get("token", "form")).lower() not in ("form", "1"):
        raise InvalidInput("the words of CoNLL-U stand in FORM", remedy="leave token=… away")
    named = str(options.columns.get("tag", "")).lower()
    if named == "none":
        return None
    if named:
        names = {
            **{name: index for index, name in enumerate(COLUMNS)},
            **{str(i): i for i in range(len(COLUMNS))},
        }
        names["ner"] = MISC
        allowed = (MISC,) if options.task == "ner" else (UPOS, XPOS)
        if names.get(named) not in allowed:
            words = " or ".join(f"tag={COLUMNS[index]}" for index in allowed)
            raise InvalidInput(f"{named!r} is no column of labels in CoNLL-U", remedy=f"map {words}")
        return names[named]
    rows = [row for row in _sample(source, options.encoding) if len(row) == len(COLUMNS)]
    if options.task == "ner":
        return MISC if any(NER_KEY in row[MISC] for row in rows) else None
    return (
        UPOS
        if any(row[UPOS] != "_" for row in rows)
        else XPOS
        if any(row[XPOS] != "_" for row in rows)
        else None
    )


def _sample(source: Source, encoding: str) -> list[list[str]]:
    lines = (line for line in source.plain_lines(encoding) if line and not line.startswith("#"))
    return [line.split("\t") for line in islice(lines, 5_000)]


def _payload(
    sentence: Sentence,
    column: int | None,
    chunks: ChunkTags | None,
    offsets: Sequence[Offset],
    lines: Sequence[int],
    file: str,
) -> Payload | None:
    if column is None:
        return None
    if chunks is not None:
        return chunks.spans([_entity(row[MISC]) for _, row in sentence.words], offsets, lines)
    tags = [None if row[column] == "_" else row[column] for _, row in sentence.words]
    for tag, line in zip(tags, lines, strict=True):
        if tag is not None and (not tag.strip() or tag != tag.strip() or len(tag) > MAX_LABEL):
            raise FormatError(f"{tag[:40]!r} can't be a tag", file=file, line=line, remedy="write a tag or _")
    return Tags(tuple(tags)) if any(tags) else None


def _entity(misc: str) -> str:
    found = [entry for entry in misc.split("|") if entry.startswith(NER_KEY)]
    return found[0].removeprefix(NER_KEY) if found else "O"


def _with_entity(misc: str, tag: str) -> str:
    entries = [entry for entry in misc.split("|") if entry not in ("", "_")]
    kept = [entry for entry in entries if not entry.startswith(NER_KEY)]
    if tag != "O":
        kept.append(f"{NER_KEY}{tag}")
    return "|".join(kept) or "_"


def _new_cells(current: Sequence[str], change: Change, mapping: Json) -> list[str]:
    if isinstance(change.after, Tags):
        return [tag or "_" for tag in change.after.tags]
    was = [_entity(misc) for misc in current]
    tags = rewritten(
        was, change.before, change.after, change.content, str(mapping.get("scheme", "IOB2")), False
    )
    return [
        misc if tag == before else _with_entity(misc, tag)
        for misc, tag, before in zip(current, tags, was, strict=True)
    ]


def _with_cell(line: str, column: int, value: str) -> str:
    bare = line.rstrip("\r\n")
    row = bare.split("\t")
    row[column] = value
    return "\t".join(row) + line[len(bare) :]


def _with_tags(item: Labeled, tags: Sequence[str]) -> str:
    """The sentence as its file has it, with its tags in their column."""
    rows = list(item.rows)
    places = item.layout["at"]
    ner = not isinstance(item.payload, Tags)
    column = tag_place(item.layout["mapping"])
    for place, tag in zip(places, tags, strict=True):
        row = rows[place].split("\t")
        if not ner:
            row[column] = tag
        elif _entity(row[MISC]) != tag:
            row[MISC] = _with_entity(row[MISC], tag)
        rows[place] = "\t".join(row)
    return "\n".join(rows) + "\n\n"


def tag_place(mapping: Json) -> int:
    """The column that labels stand in, or go into where the file has none."""
    named = mapping["columns"]["tag"]
    return COLUMNS.index(named) if named is not None else MISC if mapping["task"] == "ner" else UPOS


def _written(item: Labeled, labels: Sequence[str], universal: bool, report: Report) -> str:
    text, tokens = item.content.text, item.content.tokens
    lines = [f"# sent_id = {_one_line(item.external_id)}", f"# text = {_one_line(text)}"]
    none = ["_"] * len(tokens), ["O"] * len(tokens)
    tags, entities = (labels, none[1]) if isinstance(item.payload, Tags) else (none[0], labels)
    for number, ((start, end), tag, entity) in enumerate(zip(tokens, tags, entities, strict=True), 1):
        form = _one_line(text[start:end])
        if form != text[start:end]:
            report.lose(f"{item.external_id}: word {number} has a tab or line break, written as a space")
        upos, xpos = (tag, "_") if universal else ("_", tag)
        follows = number < len(tokens) and tokens[number][0] == end
        misc = _with_entity("SpaceAfter=No" if follows else "_", entity)
        lines.append(f"{number}\t{form}\t_\t{upos}\t{xpos}\t_\t_\t_\t_\t{misc}")
    return "\n".join(lines) + "\n\n"


def _one_line(text: str) -> str:
    return re.sub(r"[\t\r\n]", " ", text)


FORMATS.add(ConlluFormat.name, ConlluFormat())
