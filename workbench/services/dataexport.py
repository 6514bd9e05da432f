"""Labels out: each file as it came with changed labels in their places, or another format."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from workbench.domain import Example, ImportRecord, Payload, Project, Split
from workbench.errors import InvalidInput, NotFound, UnknownName
from workbench.formats import Change, Notice, Report, Source, WriteOptions, get_format
from workbench.formats.huggingface import write_folder
from workbench.services.exportfiles import atomic, atomic_folder
from workbench.services.exportrows import BLOCKS, Whose, labeled_examples
from workbench.services.importwrite import IMPORTER
from workbench.storage.rows import chunks
from workbench.storage.store import Store, Transaction
from workbench.tasks import get_task

SOURCE = "source"
FOLDER = "hf"


@dataclass(frozen=True, slots=True)
class Export:
    """A kind of file to export.

    Attributes:
        format: Name of the format that writes it.
        title: What it is called.
        sentence: What it is.
        schemes: Whether NER labels become tags of a scheme.
        authors: Whether it has a place for who labeled what, so that labels of several annotators fit in.
        tasks: Task types that it holds, where they are fewer than the format's.
    """

    format: str
    title: str
    sentence: str
    schemes: bool = False
    authors: bool = False
    tasks: frozenset[str] = frozenset()

    def holds(self, task: str) -> bool:
        """Whether examples of a task type can go into it."""
        if self.format == SOURCE:
            return True
        return task in (self.tasks or get_format(self.format).tasks)


_TAGGING = frozenset({"ner", "pos"})
EXPORTS = {
    SOURCE: Export(
        SOURCE,
        "As it came in",
        "Every file as it came, byte for byte, with nothing but changed labels written into their places.",
    ),
    "conll2003": Export(
        "conll",
        "CoNLL-2003",
        "One word a line in four columns, documents marked by -DOCSTART-. POS and chunks stay where they came along.",
        schemes=True,
    ),
    "conllu": Export(
        "conllu",
        "CoNLL-U",
        "Parts of speech in UPOS or XPOS, entities in MISC. What came in as CoNLL-U keeps its other columns.",
        schemes=True,
    ),
    "jsonl": Export(
        "jsonl",
        "JSON lines (Prodigy)",
        "One JSON object a line: text, tokens, spans or tags; questions with answers.",
        authors=True,
    ),
    "spacy": Export(
        "jsonl",
        "spaCy JSON lines",
        "One spaCy Doc a line, for Doc.from_json: text, tokens, ents.",
        authors=True,
        tasks=_TAGGING,
    ),
    "doccano": Export(
        "jsonl",
        "doccano JSON lines",
        "Sequence labeling of doccano: text and label, tokens beside them.",
        authors=True,
        tasks=_TAGGING,
    ),
    "squad": Export("squad", "SQuAD", "SQuAD 2.0, or 1.1 where every question has an answer."),
    "squad-v1": Export("squad", "SQuAD 1.1", "SQuAD 1.1; a question without an answer is left out."),
    "squad-v2": Export("squad", "SQuAD 2.0", "SQuAD 2.0, with is_impossible."),
    "label-studio": Export(
        "label-studio",
        "Label Studio JSON",
        "Label Studio's JSON, one annotation a task or annotator.",
        authors=True,
    ),
    FOLDER: Export(
        "parquet",
        "Hugging Face dataset",
        "A folder for load_dataset: a Parquet file a split, the labels as ClassLabel.",
        schemes=True,
        authors=True,
    ),
    "parquet": Export(
        "parquet",
        "Parquet",
        "One Parquet file, the labels as ClassLabel, the split in a column.",
        schemes=True,
        authors=True,
    ),
    "csv": Export("table", "CSV", "A table with tokens and labels as JSON in columns.", authors=True),
    "brat": Export("brat", "brat stand-off", "A .zip with a .txt and a .ann for each document."),
}
"""Kinds of export by name."""
_SAME = {"conll": "conll2003", "conll2000": "conll2003", "conll2002": "conll2003", "columns": "conll2003"} | {
    "table": "csv",
    "prodigy": "jsonl",
}


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """How to export.

    Attributes:
        split: Only this one.
        scheme: Of NER tags, where the format has tags.
        annotator: This annotator's own newest labels in place of gold.
        per_annotator: Every annotator's own newest labels, a row or entry for each.
        provenance: Also who labeled what, when, from which suggestion, and who accepted it.
        strict: Refuse where the format can't hold something, in place of leaving it out.
    """

    split: Split | None = None
    scheme: str = "IOB2"
    annotator: str | None = None
    per_annotator: bool = False
    provenance: bool = False
    strict: bool = False


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export wrote.

    Attributes:
        format: Its name.
        path: The file or folder.
        files: Every file written.
        examples: Examples in them (for ``source``, all of the files' examples).
        changed: ``source``: examples whose labels differ from those that came in.
        skipped: Examples left out, since they have no labels or the format can't hold them.
        lost: Things that the format can't hold; ``warnings`` say which.
    """

    format: str
    path: Path
    files: tuple[Path, ...]
    examples: int
    changed: int
    skipped: int
    warnings: tuple[Notice, ...]
    lost: int = 0


def write_export(
    store: Store, project: Project, name: str, out: Path, options: ExportOptions
) -> ExportReport:
    """See ``DatasetService.export_data``."""
    export = _find(name, project, options)
    if export.format == SOURCE:
        return _write_sources(store, project, out, options)
    report = Report()
    whose = Whose(options.annotator, options.per_annotator)
    with store.read() as tx, ExitStack() as stack:
        if options.annotator is not None and options.annotator not in tx.label_rows.annotators(project.id):
            raise NotFound(
                f"nobody called {options.annotator!r} has labeled anything here",
                remedy=f"choose from {', '.join(tx.label_rows.annotators(project.id)) or 'nobody yet'}",
            )
        write_options = _write_options(tx, project, _SAME.get(name, name), options)
        origins = [export.format] if export.format in BLOCKS else []
        items = labeled_examples(tx, project, options.split, whose, origins)
        if name == FOLDER:
            folder = stack.enter_context(atomic_folder(out))
            written = write_folder(items, folder, write_options, report)
        else:
            file = stack.enter_context(atomic(out))
            written = get_format(export.format).write(items, file, write_options, report)
        _refuse_losses(report, export, options)
        _refuse_empty(written, options)
    files = tuple(sorted(path for path in out.rglob("*") if path.is_file())) if name == FOLDER else (out,)
    return ExportReport(name, out, files, written, 0, report.skipped, tuple(report.notices), report.lost)


def _find(name: str, project: Project, options: ExportOptions) -> Export:
    key = _SAME.get(name, name)
    if key not in EXPORTS:
        raise UnknownName("export", name, EXPORTS)
    export = EXPORTS[key]
    if not export.holds(project.task):
        fitting = [other for other, item in EXPORTS.items() if item.holds(project.task)]
        raise InvalidInput(
            f"{export.title} can't hold {get_task(project.task).title.lower()}",
            remedy=f"choose from {', '.join(fitting)}",
        )
    if options.per_annotator and options.annotator is not None:
        raise InvalidInput(
            "one annotator and every annotator exclude each other", remedy="give one of the two"
        )
    if not export.authors and (options.per_annotator or options.provenance):
        fitting = [other for other, item in EXPORTS.items() if item.authors and item.holds(project.task)]
        raise InvalidInput(
            f"{export.title} has no place for who labeled what",
            remedy=f"choose from {', '.join(fitting)}, or export one annotator at a time",
        )
    if export.format == SOURCE and options.annotator is not None:
        raise InvalidInput("files go out as they came with gold labels", remedy="choose another format")
    return export


def _write_options(tx: Transaction, project: Project, name: str, options: ExportOptions) -> WriteOptions:
    """With every label that gold may use: those that came since the project was loaded, and retired ones too."""
    labels = tx.projects.by_id(project.id).labels
    return WriteOptions(
        project.task,
        tuple(label.name for label in labels),
        options.scheme,
        name,
        options.provenance,
        options.per_annotator or options.annotator is not None,
    )


def _refuse_losses(report: Report, export: Export, options: ExportOptions) -> None:
    if options.strict and report.lost:
        first = next(notice.message for notice in report.warnings if notice.kind == "lost")
        more = f", and {report.lost - 1:,} more like it" if report.lost > 1 else ""
        raise InvalidInput(
            f"{export.title} can't hold everything: {first}{more}",
            remedy="choose another format, or leave strict away to write the rest and see each",
        )


def _refuse_empty(written: int, options: ExportOptions) -> None:
    if not written:
        gold = "gold label" if options.annotator is None and not options.per_annotator else "label"
        raise InvalidInput(
            f"there is no {gold} to export" + (f" in {options.split.value}" if options.split else ""),
            remedy="label some examples first",
        )


def _write_sources(store: Store, project: Project, out: Path, options: ExportOptions) -> ExportReport:
    split = options.split
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
        if options.strict:
            for record in records:
                source, changes, _ = _changed_source(tx, project, record)
                heard = Report(record.file_name)
                get_format(record.format).patch(source, record.mapping, changes, heard)
                _refuse_losses(heard, EXPORTS[SOURCE], options)
        taken: set[str] = set()
        files: list[Path] = []
        examples = changed = 0
        for record in records:
            source, changes, number = _changed_source(tx, project, record)
            report = Report(record.file_name)
            data = get_format(record.format).patch(source, record.mapping, changes, report)
            path = out / _free_name(source.stem, taken) if into_folder else out
            with atomic(path) as file:
                file.write(data)
            files.append(path)
            reports.append(report)
            examples += number
            changed += len(changes)
    notices = tuple(notice for report in reports for notice in report.notices)
    lost = sum(report.lost for report in reports)
    return ExportReport(SOURCE, out, tuple(files), examples, changed, 0, notices, lost)


def _changed_source(
    tx: Transaction, project: Project, record: ImportRecord
) -> tuple[Source, list[Change], int]:
    changes, number = _changes(tx, project, record)
    return Source(record.file_name, tx.examples.source(record.sha256)), changes, number


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
                changes.append(
                    Change(example.locator, example.content, before, annotation.payload, example.external_id)
                )
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
