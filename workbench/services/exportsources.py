"""Each file as it came in, with nothing but changed labels written into their places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.domain import Annotation, Example, ImportRecord, Payload, Project, Split, is_partial
from workbench.errors import InvalidInput
from workbench.formats import Change, Report, Source, get_format
from workbench.services.exportfiles import atomic
from workbench.services.exportkinds import (
    EXPORTS,
    SOURCE,
    ExportOptions,
    ExportReport,
    lose_partial,
    refuse_losses,
)
from workbench.services.importwrite import IMPORTER
from workbench.storage.rows import chunks
from workbench.storage.store import Store, Transaction
from workbench.tasks import get_task


@dataclass(frozen=True, slots=True)
class _Patched:
    """A file to write: its bytes with the changed labels, what is to be told, and counts of examples."""

    name: str
    data: bytes
    report: Report
    examples: int
    changed: int
    partial: int


def write_sources(store: Store, project: Project, out: Path, options: ExportOptions) -> ExportReport:
    """Write the project's files, or those with examples of a split, which go out whole and say so.

    Raises:
        InvalidInput: There is none, several would go into one file, or (strict) one can't hold its labels.
    """
    with store.read() as tx:
        records = _wanted(tx, project, options.split)
        into_folder = out.is_dir() or len(records) > 1
        if into_folder and out.is_file():
            raise InvalidInput(
                f"there are {len(records)} files to write",
                where=str(out),
                remedy="name a folder, or a --split",
            )
        if options.strict:
            for patched in _patched(tx, project, records):
                refuse_losses(patched.report, EXPORTS[SOURCE], options)
        taken: set[str] = set()
        files: list[Path] = []
        reports: list[Report] = []
        examples = changed = partial = 0
        for patched in _patched(tx, project, records):
            path = out / _free_name(patched.name, taken) if into_folder else out
            with atomic(path) as file:
                file.write(patched.data)
            files.append(path)
            reports.append(patched.report)
            examples += patched.examples
            changed += patched.changed
            partial += patched.partial
    notices = tuple(notice for report in reports for notice in report.notices)
    lost = sum(report.lost for report in reports)
    return ExportReport(SOURCE, out, tuple(files), examples, changed, 0, notices, lost, partial)


def _wanted(tx: Transaction, project: Project, split: Split | None) -> list[tuple[ImportRecord, str]]:
    """The imports to write, each with what is to be said of it beforehand (or nothing)."""
    records = tx.examples.imports(project.id)
    found: list[tuple[ImportRecord, str]] = [(record, "") for record in records]
    if split is not None:
        splits = tx.splits.of_imports(project.id)
        found = []
        for record in records:
            others = splits.get(record.id, frozenset()) - {split}
            if split in splits.get(record.id, ()):
                also = ", ".join(sorted(others))
                told = f"{record.file_name} goes out whole: it also holds examples of {also}" if also else ""
                found.append((record, told))
    if not found:
        where = f" as {split.value}" if split else ""
        raise InvalidInput(f"nothing was imported{where}", remedy="import a file first")
    return found


def _patched(
    tx: Transaction, project: Project, records: Sequence[tuple[ImportRecord, str]]
) -> Iterator[_Patched]:
    """Each file with its changed labels, one after the other."""
    for record, told in records:
        source = Source(record.file_name, tx.examples.source(record.sha256))
        report = Report(record.file_name)
        if told:
            report.warn(told)
        changes, number = _changes(tx, project, record)
        partial = [] if _says_partial(record) else [one for one in changes if is_partial(one.after)]
        for one in partial:
            lose_partial(report, get_format(record.format).title, one.name, left_out=False)
        changes = [one for one in changes if one not in partial] if partial else changes
        data = get_format(record.format).patch(source, record.mapping, changes, report)
        yield _Patched(source.stem, data, report, number, len(changes), len(partial))


def _says_partial(record: ImportRecord) -> bool:
    """Whether the file's own layout has a place for it."""
    return any(export.partial and export.format == record.format for export in EXPORTS.values())


def _changes(tx: Transaction, project: Project, record: ImportRecord) -> tuple[list[Change], int]:
    """The examples of an import whose gold labels differ from what its file says, and how many examples it has."""
    changes: list[Change] = []
    number = 0
    for part in chunks(tx.examples.iter_import(record.id), 2_000):
        number += len(part)
        golds = tx.annotations.gold_of([example.id for example in part])
        for example in part:
            annotation = golds[example.id][0] if example.id in golds else None
            if annotation is None or annotation.payload is None or _is_imported(annotation):
                continue
            before = _as_imported(tx, project, example)
            if before != annotation.payload:
                changes.append(
                    Change(example.locator, example.content, before, annotation.payload, example.external_id)
                )
    return changes, number


def _is_imported(annotation: Annotation) -> bool:
    """Whether it is what the file says, and not what a change of labels has made of that."""
    return annotation.author == IMPORTER and annotation.revision == 1


def _as_imported(tx: Transaction, project: Project, example: Example) -> Payload | None:
    """What the file itself says of an example: its first revision, or the answer kept aside."""
    history = tx.annotations.history(example.id)
    if history and history[0].author == IMPORTER:
        return history[0].payload
    aside = tx.annotations.oracle([example.id])
    return get_task(project.task).load(aside[example.id]) if aside else None


def _free_name(name: str, taken: set[str]) -> str:
    stem, suffix = Path(name).stem, Path(name).suffix
    number = 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}{suffix}"
    taken.add(name)
    return name
