"""Labels out: each file as it came with changed labels in their places, or another format."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from workbench.domain import Example, ImportRecord, Payload, Project, Split
from workbench.errors import InvalidInput
from workbench.formats import FORMATS, Change, Labeled, Notice, Report, Source, WriteOptions, get_format
from workbench.services.importwrite import IMPORTER
from workbench.storage.rows import chunks
from workbench.storage.store import Store, Transaction
from workbench.tasks import get_task

SOURCE = "source"
FOLDER = "hf"
EXPORTS = {
    SOURCE: "Every file as it came, byte for byte, with nothing but changed labels written into their places.",
    "conll2003": "One word a line in four columns, documents marked by -DOCSTART-. Needs gold labels.",
    "conllu": "CoNLL-U: parts of speech in UPOS or XPOS, entities in MISC.",
    "jsonl": "One JSON object a line: text, tokens, spans or tags; questions with answers.",
    "squad": "SQuAD 2.0, or 1.1 where every question has an answer.",
    "label-studio": "Label Studio's JSON, one annotation a task.",
    "hf": "A folder for Hugging Face's load_dataset: Parquet files with named labels.",
    "table": "CSV with the labels as JSON in a column.",
}
"""Names of exports (those of formats are aliases or names), each with what it is."""


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export wrote.

    Attributes:
        format: Its name.
        path: The file or folder.
        files: Every file written.
        examples: Examples in them (for ``source``, all of the files' examples).
        changed: ``source``: examples whose labels differ from those that came in.
        skipped: Examples left out, since they have no gold labels or the format can't hold them.
    """

    format: str
    path: Path
    files: tuple[Path, ...]
    examples: int
    changed: int
    skipped: int
    warnings: tuple[Notice, ...]


def write_export(
    store: Store, project: Project, name: str, out: Path, split: Split | None, scheme: str
) -> ExportReport:
    """See ``DatasetService.export_data``."""
    if name == SOURCE:
        return _write_sources(store, project, out, split)
    if name == FOLDER:
        return _write_folder(store, project, out, split, scheme)
    chosen = get_format(name)
    task = get_task(project.task)
    if task.name not in chosen.tasks:
        fitting = [SOURCE, *(key for key, item in FORMATS.items() if task.name in item.tasks)]
        raise InvalidInput(
            f"{chosen.title} can't hold {task.title.lower()}", remedy=f"choose from {', '.join(fitting)}"
        )
    report = Report()
    with store.read() as tx, atomic(out) as file:
        options = _options(tx, project, scheme)
        written = chosen.write(labeled_examples(tx, project, split), file, options, report)
        _refuse_empty(written, split)
    return ExportReport(name, out, (out,), written, 0, report.skipped, tuple(report.notices))


def _options(tx: Transaction, project: Project, scheme: str) -> WriteOptions:
    """With every label that gold may use: those that came since the project was loaded, and retired ones too."""
    labels = tx.projects.by_id(project.id).labels
    return WriteOptions(project.task, tuple(label.name for label in labels), scheme)


def _refuse_empty(written: int, split: Split | None) -> None:
    if not written:
        raise InvalidInput(
            "there is no gold label to export" + (f" in {split.value}" if split else ""),
            remedy="label some examples first",
        )


def _write_folder(
    store: Store, project: Project, out: Path, split: Split | None, scheme: str
) -> ExportReport:
    from workbench.formats.huggingface import write_folder

    report = Report()
    with store.read() as tx, atomic_folder(out) as folder:
        options = _options(tx, project, scheme)
        written = write_folder(labeled_examples(tx, project, split), folder, options, report)
        _refuse_empty(written, split)
    files = tuple(sorted(path for path in out.rglob("*") if path.is_file()))
    return ExportReport(FOLDER, out, files, written, 0, report.skipped, tuple(report.notices))


def labeled_examples(tx: Transaction, project: Project, split: Split | None) -> Iterator[Labeled]:
    """Every example of a project (or a split) in order, with its gold labels where it has some."""
    task = get_task(project.task)
    wanted = tuple(Split) if split is None else (split,)
    golds = tx.annotations.gold_payloads(project.id, wanted)
    current = next(golds, None)
    for part in chunks(tx.examples.iter_split(project.id, split), 2_000):
        names = tx.examples.document_names({example.document_id for example in part})
        for example in part:
            payload: Payload | None = None
            if current is not None and current[0] == example.id:
                payload = task.load(current[3])
                current = next(golds, None)
            yield Labeled(
                example.external_id,
                names[example.document_id],
                example.content,
                payload,
                example.meta,
                example.split.value,
            )


def _write_sources(store: Store, project: Project, out: Path, split: Split | None) -> ExportReport:
    reports: list[Report] = []
    with store.read() as tx:
        records = [
            record for record in tx.examples.imports(project.id) if split is None or record.split == split
        ]
        if not records:
            where = f" as {split.value}" if split else ""
            raise InvalidInput(f"nothing was imported{where}", remedy="import a file first")
        into_folder = out.is_dir() or len(records) > 1
        if into_folder and out.is_file():
            raise InvalidInput(
                f"there are {len(records)} files to write",
                where=str(out),
                remedy="name a folder, or a --split",
            )
        taken: set[str] = set()
        files: list[Path] = []
        examples = changed = 0
        for record in records:
            changes, number = _changes(tx, project, record)
            report = Report(record.file_name)
            source = Source(record.file_name, tx.examples.source(record.sha256))
            data = get_format(record.format).patch(source, record.mapping, changes, report)
            path = out / _free_name(source.stem, taken) if into_folder else out
            with atomic(path) as file:
                file.write(data)
            files.append(path)
            reports.append(report)
            examples += number
            changed += len(changes)
    notices = tuple(notice for report in reports for notice in report.notices)
    return ExportReport(SOURCE, out, tuple(files), examples, changed, 0, notices)


def _changes(tx: Transaction, project: Project, record: ImportRecord) -> tuple[list[Change], int]:
    """The examples of an import whose gold labels differ from what its file says, and how many examples it has."""
    changes: list[Change] = []
    number = 0
    for part in chunks(tx.examples.iter_import(record.id), 2_000):
        number += len(part)
        golds = tx.annotations.gold_of([example.id for example in part])
        for example in part:
            annotation = golds[example.id][0] if example.id in golds else None
            if annotation is None or annotation.payload is None or annotation.author == IMPORTER:
                continue
            before = _as_imported(tx, project, example)
            if before != annotation.payload:
                changes.append(Change(example.locator, example.content, before, annotation.payload))
    return changes, number


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


@contextmanager
def atomic(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes its place, complete and on disk, at the end of the block, or never.

    Raises:
        InvalidInput: It can't be written there.
    """
    if path.is_dir():
        raise InvalidInput("is a folder", where=str(path), remedy="name a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:50]}.")
    except OSError as error:
        raise InvalidInput(
            f"can't be written ({error.strerror})",
            where=str(path),
            remedy="check the path and its permissions",
        ) from error
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A folder to fill that takes its place at the end of the block, or never.

    Raises:
        InvalidInput: There is something there already, or it can't be written there.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InvalidInput("is there already", where=str(path), remedy="name a folder that is new or empty")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name[:50]}."))
    except OSError as error:
        raise InvalidInput(
            f"can't be written ({error.strerror})",
            where=str(path),
            remedy="check the path and its permissions",
        ) from error
    try:
        yield temporary
        temporary.chmod(0o755)
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
