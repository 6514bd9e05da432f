"""A project's examples with their labels, ready for any format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.domain import Example, ImportRecord, Json, Project, Split
from workbench.formats import Labeled, Source
from workbench.formats.columns import lines_of
from workbench.services.importwrite import IMPORTER
from workbench.storage.labelrows import LabelRow
from workbench.storage.rows import chunks
from workbench.storage.store import Transaction
from workbench.tasks import as_asked, get_task

BLOCKS = ("conll", "conllu")
"""Formats whose examples are stretches of lines, which may go out again with more than the labels."""
AT_A_TIME = 2_000


@dataclass(frozen=True, slots=True)
class Whose:
    """Which labels: gold, or those of one annotator, or of each one."""

    annotator: str | None = None
    everyone: bool = False

    @property
    def gold(self) -> bool:
        """Whether it is the accepted labels."""
        return self.annotator is None and not self.everyone


def labeled_examples(
    tx: Transaction, project: Project, split: Split | None, whose: Whose, origins: Sequence[str] = ()
) -> Iterator[Labeled]:
    """Every example of a project (or a split) in order with its labels; one without any comes once, without.

    Args:
        tx: A reading block.
        project: What of.
        split: Only this one.
        whose: Labels. With several annotators an example comes once for each.
        origins: Formats whose lines the example brings along (``Labeled.rows``).
    """
    task = get_task(project.task)
    rows = (
        tx.label_rows.gold(project.id, split)
        if whose.gold
        else tx.label_rows.own(project.id, split, whose.annotator)
    )
    current = next(rows, None)
    sources = _Origins(tx, project, origins)
    for part in chunks(tx.examples.iter_split(project.id, split), AT_A_TIME):
        names = tx.examples.document_names({example.document_id for example in part})
        for example in part:
            found: list[LabelRow | None] = []
            while current is not None and current.example_id == example.id:
                found.append(current)
                current = next(rows, None)
            rows_of_file, layout = sources.of(example)
            for row in found or [None]:
                payload = task.load(row.payload) if row is not None else None
                yield Labeled(
                    example.external_id,
                    names[example.document_id],
                    as_asked(example.content, payload),
                    payload,
                    example.meta,
                    example.split.value,
                    rows_of_file,
                    layout,
                    None if row is None or whose.gold else row.annotator,
                    {} if row is None else provenance_of(row),
                )


def provenance_of(row: LabelRow) -> dict[str, Any]:
    """Where labels come from, in JSON terms; what is not known is left away."""
    told = {
        "annotator": row.annotator,
        "revision": row.revision,
        "labeled_at": row.labeled_at.isoformat(timespec="seconds"),
        "seconds": row.seconds,
        "suggestion_version": row.suggestion_version,
        "comment": row.comment or None,
        "accepted_by": row.accepted_by
        or (IMPORTER if row.accepted_at and row.annotator == IMPORTER else None),
        "accepted_at": row.accepted_at.isoformat(timespec="seconds") if row.accepted_at else None,
    }
    return {key: value for key, value in told.items() if value is not None}


@dataclass(slots=True)
class _Origins:
    """The lines of examples in the files that they came from, read along with the examples in their order."""

    tx: Transaction
    project: Project
    formats: Sequence[str]
    _records: dict[int, ImportRecord] = field(default_factory=dict)
    _import: int | None = None
    _lines: SourceLines | None = None

    def __post_init__(self) -> None:
        if self.formats:
            records = self.tx.examples.imports(self.project.id)
            self._records = {record.id: record for record in records if record.format in self.formats}

    def of(self, example: Example) -> tuple[tuple[str, ...], dict[str, Any]]:
        """The lines of the sentence and what they are, or nothing where its file has no such lines."""
        record = self._records.get(example.import_id)
        if record is None:
            return (), {}
        if self._lines is None or self._import != record.id:
            source = Source(record.file_name, self.tx.examples.source(record.sha256))
            self._lines = SourceLines(source, record.format, record.mapping)
            self._import = record.id
        return self._lines.of(example.locator, len(example.content.tokens))


class SourceLines:
    """The lines of a file's sentences, read along with its examples in their order.

    Args:
        source: The file.
        format_name: One of ``BLOCKS``.
        mapping: ``Report.mapping`` of the file's reading.
    """

    def __init__(self, source: Source, format_name: str, mapping: Json) -> None:
        self._told = {"format": format_name, "mapping": mapping}
        self._groups = _groups(source, str(mapping["encoding"]))
        self._group: tuple[int, list[str]] = (0, [])

    def of(self, locator: Json, tokens: int) -> tuple[tuple[str, ...], dict[str, Any]]:
        """``Labeled.rows`` and ``Labeled.layout`` of the example that lies there and has so many tokens."""
        lines = lines_of(locator, tokens)
        while self._group[0] + len(self._group[1]) <= lines[0]:
            self._group = next(self._groups)
        first, rows = self._group
        return tuple(rows), {**self._told, "at": [line - first for line in lines]}


def _groups(source: Source, encoding: str) -> Iterator[tuple[int, list[str]]]:
    """Stretches of lines between blank ones, each with the number of its first line."""
    group: list[str] = []
    number = 0
    for number, line in enumerate(source.plain_lines(encoding), 1):
        if line.strip():
            group.append(line)
        elif group:
            yield number - len(group), group
            group = []
    if group:
        yield number - len(group) + 1, group
