"""Labels out: into a format of the user's choice, or (``exportsources``) back into the files that they came in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from workbench.domain import Project, is_partial
from workbench.errors import InvalidInput, NotFound
from workbench.formats import Labeled, Report, WriteOptions, get_format
from workbench.formats.huggingface import write_folder
from workbench.services.exportfiles import atomic, atomic_folder
from workbench.services.exportkinds import (
    EXPORTS,
    FOLDER,
    SAME,
    SOURCE,
    Export,
    ExportOptions,
    ExportReport,
    find_export,
    lose_partial,
    refuse_losses,
)
from workbench.services.exportrows import BLOCKS, Whose, labeled_examples
from workbench.services.exportsources import write_sources
from workbench.storage.store import Store, Transaction


def write_export(
    store: Store, project: Project, name: str, out: Path, options: ExportOptions
) -> ExportReport:
    """See ``DatasetService.export_data``."""
    export = _find(name, project, options)
    if export.format == SOURCE:
        return write_sources(store, project, out, options)
    report = Report()
    whose = Whose(options.annotator, options.per_annotator)
    with store.read() as tx, ExitStack() as stack:
        if options.annotator is not None and options.annotator not in tx.label_rows.annotators(project.id):
            raise NotFound(
                f"nobody called {options.annotator!r} has labeled anything here",
                remedy=f"choose from {', '.join(tx.label_rows.annotators(project.id)) or 'nobody yet'}",
            )
        write_options = _write_options(tx, project, SAME.get(name, name), options)
        origins = [export.format] if export.format in BLOCKS else []
        items = labeled_examples(tx, project, options.split, whose, origins)
        held_back = _WithoutPartial(report, export)
        items = items if export.partial else held_back.among(items)
        if name == FOLDER:
            folder = stack.enter_context(atomic_folder(out))
            written = write_folder(items, folder, write_options, report)
        else:
            file = stack.enter_context(atomic(out))
            written = get_format(export.format).write(items, file, write_options, report)
        refuse_losses(report, export, options)
        _refuse_empty(written, held_back.count, options)
    files = tuple(sorted(path for path in out.rglob("*") if path.is_file())) if name == FOLDER else (out,)
    notices = tuple(report.notices)
    return ExportReport(name, out, files, written, 0, report.skipped, notices, report.lost, held_back.count)


@dataclass(slots=True)
class _WithoutPartial:
    """Keeps examples back whose labels are partial, and counts them."""

    report: Report
    export: Export
    count: int = 0

    def among(self, items: Iterable[Labeled]) -> Iterator[Labeled]:
        """The other examples."""
        for item in items:
            if is_partial(item.payload):
                self.count += 1
                lose_partial(self.report, self.export.title, item.external_id)
            else:
                yield item


def _find(name: str, project: Project, options: ExportOptions) -> Export:
    _, export = find_export(name, project.task)
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


def _refuse_empty(written: int, partial: int, options: ExportOptions) -> None:
    if not written and partial:
        raise InvalidInput(
            f"all of the labels are partial ({partial:,}), which this format can't say",
            remedy="export JSON lines (jsonl)",
        )
    if not written:
        gold = "gold label" if options.annotator is None and not options.per_annotator else "label"
        raise InvalidInput(
            f"there is no {gold} to export" + (f" in {options.split.value}" if options.split else ""),
            remedy="label some examples first",
        )
