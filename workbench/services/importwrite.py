"""What an import writes, and the report of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from workbench.domain import Project, Role, Split
from workbench.errors import AlreadyExists
from workbench.formats import Notice, Source
from workbench.services.duplicates import TOGETHER, Compared, Leak
from workbench.services.importing import ImportOptions, Parsed
from workbench.services.importload import Writer
from workbench.services.importwatch import ImportWatch
from workbench.services.projects import missing_labels
from workbench.services.spool import Row
from workbench.storage.examples import ExampleRow
from workbench.storage.store import Store, Transaction

IMPORTER = "import"
"""The system user whose annotations are the labels of imported files."""


@dataclass(frozen=True, slots=True)
class FileSummary:
    """What one file of an import was taken for."""

    name: str
    format: str
    detected: tuple[str, ...]
    mapping: Mapping[str, Any]
    examples: int
    import_id: int | None = None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import brought, or would bring; the command line's keys.

    Attributes:
        tokens: Tokens, or for QA the words of questions and contexts.
        entities: NER spans.
        answers: QA answers.
        labeled: Examples that came with labels.
        labels: How often each label was used.
        skipped: Examples left out.
        repaired: Labels whose place was mended.
        duplicates: Examples that this import or the project holds already (they are imported all the same).
        dry_run: Whether nothing was written.
        near_duplicates: Examples that nearly repeat another one, and repeat none exactly.
        splits: Examples of each split.
        leaks: The first examples that stand on both sides of an evaluation.
    """

    examples: int
    documents: int
    tokens: int
    entities: int
    answers: int
    labeled: int
    labels: Mapping[str, int]
    skipped: int
    repaired: int
    duplicates: int
    warnings: tuple[Notice, ...]
    files: tuple[FileSummary, ...]
    dry_run: bool = False
    near_duplicates: int = 0
    splits: Mapping[str, int] = field(default_factory=dict)
    leaks: tuple[Leak, ...] = ()


def refuse_known(
    tx: Transaction, project: Project, sources: Sequence[Source], options: ImportOptions
) -> None:
    """Raise AlreadyExists when the project has one of the files, or one comes twice, unless that is wanted."""
    seen: set[str] = set()
    for source in sources:
        known = tx.examples.find_import(project.id, source.sha256)
        if source.sha256 in seen or (known is not None and not options.force):
            when = "twice in this import" if known is None else f"already, as {known.file_name!r}"
            if known is not None:
                split = known.split.value if known.split else "several splits"
                when += f" ({split}, {known.created_at:%Y-%m-%d %H:%M} UTC)"
            raise AlreadyExists(
                f"the project has this file {when}",
                where=source.name,
                remedy="nothing needs to be done; to import it a second time all the same, say --force",
            )
        seen.add(source.sha256)


def write(
    store: Store,
    project: Project,
    files: Sequence[Parsed],
    compressed: Sequence[bytes],
    options: ImportOptions,
    user_id: int | None,
    watch: ImportWatch,
) -> list[int]:
    """Write read and checked files, to be seen all at once; ids of the imports, in order.

    Args:
        store: The database.
        project: Where to; its label set grows by the labels found, the most frequent first.
        files: Read and checked.
        compressed: Their bytes.
        options: Whether the labels are kept aside.
        user_id: Who imports.
        watch: Hears of the progress.

    Raises:
        AlreadyExists: The project has got one of the files meanwhile.
        Cancelled: It was wished; nothing is left then.
    """
    with Writer(store, project.id, sum(len(parsed.rows) for parsed in files), watch) as writer:
        with writer.first() as tx:
            refuse_known(tx, project, [parsed.source for parsed in files], options)
            ids = [
                _add_import(tx, project, parsed, packed, user_id)
                for parsed, packed in zip(files, compressed, strict=True)
            ]
            position = writer.hide(tx, ids)
            importer = tx.users.find_or_add(IMPORTER, Role.ANNOTATOR, system=True)
        keep = partial(_keep_labels, author_id=importer.id, aside=options.unlabeled, user_id=user_id)
        for parsed, import_id in zip(files, ids, strict=True):
            documents: list[int] = []
            for part in writer.parts(parsed.documents):
                with writer.some() as tx:
                    documents += tx.examples.add_documents(project.id, import_id, part, len(documents))
            _write_sketches(writer, import_id, position, parsed)
            begin = position
            for rows in writer.parts(parsed.rows):
                splits = parsed.splits[position - begin : position - begin + len(rows)]
                ready = [_stored(row, documents, split) for row, split in zip(rows, splits, strict=True)]
                with writer.some(len(rows)) as tx:
                    found = tx.examples.insert(project.id, import_id, position, ready)
                    keep(tx, list(zip(found, rows, strict=True)))
                position += len(rows)
        with writer.finish() as tx:
            _complete(tx, project, files, ids, options, user_id)
    return ids


def _write_sketches(writer: Writer, import_id: int, position: int, parsed: Parsed) -> None:
    assert parsed.sketches is not None
    for start in range(0, len(parsed.sketches), TOGETHER):
        with writer.some() as tx:
            tx.sketches.add(import_id, position + start, parsed.sketches[start : start + TOGETHER])


def _add_import(tx: Transaction, project: Project, parsed: Parsed, packed: bytes, user_id: int | None) -> int:
    source = parsed.source
    splits = set(parsed.splits)
    tx.examples.add_source(source.sha256, len(source.data), packed)
    return tx.examples.add_import(
        project.id,
        file_name=source.name,
        sha256=source.sha256,
        format_name=parsed.format,
        mapping=parsed.report.mapping,
        split=Split(splits.pop()) if len(splits) == 1 else None,
        user_id=user_id,
    )


def _keep_labels(
    tx: Transaction,
    rows: Sequence[tuple[int, Row]],
    *,
    author_id: int,
    aside: bool,
    user_id: int | None,
) -> None:
    answers = [(example_id, row.payload) for example_id, row in rows if row.payload is not None]
    if aside:
        tx.annotations.add_oracle(answers)
    else:
        tx.annotations.add_imported(author_id, answers, accepted_by=user_id)


def _complete(
    tx: Transaction,
    project: Project,
    files: Sequence[Parsed],
    ids: Sequence[int],
    options: ImportOptions,
    user_id: int | None,
) -> None:
    """What is written together with the moment from which everything is seen."""
    labels = sum((parsed.labels for parsed in files), Counter[str]())
    names = [name for name, _ in labels.most_common()]
    tx.projects.add_labels(project.id, missing_labels(tx.projects.by_id(project.id), names))
    for parsed, import_id in zip(files, ids, strict=True):
        counts = _counts([parsed])
        tx.examples.set_counts(import_id, {**counts, "unlabeled": options.unlabeled})
        tx.users.audit(user_id, "import", parsed.source.name, counts, project.id)


def _stored(row: Row, documents: Sequence[int], split: str) -> ExampleRow:
    return ExampleRow(
        document_id=documents[row.document],
        external_id=row.external_id,
        split=split,
        text=row.text,
        question=row.question,
        tokens=row.tokens,
        words=row.words,
        content_hash=row.content_hash,
        locator=row.locator,
        meta=row.meta,
    )


def _counts(files: Sequence[Parsed]) -> dict[str, Any]:
    labels = sum((parsed.labels for parsed in files), Counter[str]())
    return {
        "examples": sum(len(parsed.rows) for parsed in files),
        "documents": sum(len(parsed.documents) for parsed in files),
        "tokens": sum(parsed.tokens for parsed in files),
        "entities": sum(parsed.entities for parsed in files),
        "answers": sum(parsed.answers for parsed in files),
        "labeled": sum(parsed.labeled for parsed in files),
        "labels": dict(labels.most_common()),
        "skipped": sum(parsed.report.skipped for parsed in files),
        "repaired": sum(parsed.report.repaired for parsed in files),
        "duplicates": sum(parsed.duplicates for parsed in files),
        "near_duplicates": sum(parsed.near_duplicates for parsed in files),
        "splits": dict(sorted(sum((Counter(parsed.splits) for parsed in files), Counter[str]()).items())),
    }


def summary(
    files: Sequence[Parsed],
    found: Compared,
    ids: Mapping[int, int] | None = None,
    *,
    dry_run: bool = False,
) -> ImportReport:
    """The report of an import, or of a rehearsal; ``ids`` gives import ids by ``id(parsed)``."""
    several = len(files) > 1
    warnings = [
        replace(notice, message=f"{parsed.source.name}: {notice.message}") if several else notice
        for parsed in files
        for notice in parsed.report.notices
    ]
    summaries = tuple(
        FileSummary(
            parsed.source.name,
            parsed.format,
            tuple(parsed.report.detected),
            parsed.report.mapping,
            len(parsed.rows),
            (ids or {}).get(id(parsed)),
        )
        for parsed in files
    )
    return ImportReport(
        **_counts(files),
        warnings=(*found.notices, *warnings),
        files=summaries,
        dry_run=dry_run,
        leaks=found.leaks,
    )
