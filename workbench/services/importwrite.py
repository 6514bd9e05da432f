"""The write of an import, one transaction, and the report of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.domain import Project, Role, Split
from workbench.errors import AlreadyExists
from workbench.formats import Notice, Source
from workbench.services.importing import ImportOptions, Parsed
from workbench.services.projects import missing_labels
from workbench.services.spool import Row
from workbench.storage.examples import ExampleRow
from workbench.storage.rows import chunks
from workbench.storage.store import Transaction

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
    tx: Transaction,
    project: Project,
    files: Sequence[Parsed],
    compressed: Sequence[bytes],
    split: Split,
    options: ImportOptions,
    user_id: int | None,
) -> list[int]:
    """Write read and checked files; ids of the imports, in order.

    Args:
        tx: A writing block that holds the project's lock.
        project: Where to; its label set grows by the labels found, the most frequent first.
        files: Read and checked.
        compressed: Their bytes.
        split: What their examples are for.
        options: Whether the labels are kept aside.
        user_id: Who imports.
    """
    labels = sum((parsed.labels for parsed in files), Counter[str]())
    names = [name for name, _ in labels.most_common()]
    tx.projects.add_labels(project.id, missing_labels(tx.projects.by_id(project.id), names))
    importer = tx.users.find_or_add(IMPORTER, Role.ANNOTATOR, system=True)
    position = tx.examples.next_position(project.id)
    ids: list[int] = []
    for parsed, packed in zip(files, compressed, strict=True):
        source = parsed.source
        tx.examples.add_source(source.sha256, len(source.data), packed)
        import_id = tx.examples.add_import(
            project.id,
            file_name=source.name,
            sha256=source.sha256,
            format_name=parsed.format,
            mapping=parsed.report.mapping,
            split=split,
            user_id=user_id,
        )
        documents: list[int] = []
        for part in chunks(parsed.documents):
            documents += tx.examples.add_documents(project.id, import_id, part, len(documents))
        for rows in chunks(parsed.rows):
            found = tx.examples.insert(
                project.id, import_id, position, [_stored(row, documents, split) for row in rows]
            )
            position += len(rows)
            answers = [
                (i, row.payload) for i, row in zip(found, rows, strict=True) if row.payload is not None
            ]
            if options.unlabeled:
                tx.annotations.add_oracle(answers)
            else:
                tx.annotations.add_imported(importer.id, answers, accepted_by=user_id)
        counts = _counts([parsed])
        tx.examples.set_counts(import_id, {**counts, "unlabeled": options.unlabeled})
        tx.users.audit(user_id, "import", source.name, counts, project.id)
        ids.append(import_id)
    return ids


def _stored(row: Row, documents: Sequence[int], split: Split) -> ExampleRow:
    return ExampleRow(
        document_id=documents[row.document],
        external_id=row.external_id,
        split=split.value,
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
    }


def summary(
    files: Sequence[Parsed],
    notices: Sequence[Notice],
    ids: Mapping[int, int] | None = None,
    *,
    dry_run: bool = False,
) -> ImportReport:
    """The report of an import, or of a rehearsal; ``ids`` gives import ids by ``id(parsed)``."""
    several = len(files) > 1
    warnings = [
        Notice(notice.line, f"{parsed.source.name}: {notice.message}" if several else notice.message)
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
    return ImportReport(**_counts(files), warnings=(*notices, *warnings), files=summaries, dry_run=dry_run)
