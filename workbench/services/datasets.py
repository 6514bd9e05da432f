"""Data in, looked at, and out."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from workbench.config import Settings
from workbench.domain import Example, ImportRecord, NewExample, Payload, Project, Split, User
from workbench.errors import InvalidInput, NotFound
from workbench.formats.hub import PREFIX, HubOptions
from workbench.formats.source import Source, paired, unpack
from workbench.services.dataexport import write_export
from workbench.services.duplicates import SHOWN, Compared, compare
from workbench.services.exportkinds import ExportOptions, ExportReport
from workbench.services.importing import ImportOptions, Parsed, count_duplicates, parse
from workbench.services.importsources import gather
from workbench.services.importwatch import ImportWatch
from workbench.services.importwrite import ImportReport, refuse_known, summary, write
from workbench.services.overlaps import Overlap, fill_in, overlap
from workbench.services.splits import split_files
from workbench.storage.sizes import SplitCounts
from workbench.storage.store import Store

DEFAULTS = ImportOptions()


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would bring, with the first examples as they will look."""

    report: ImportReport
    first: tuple[NewExample, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class ExamplePage:
    """Some of the examples that a question found, and how many there are."""

    items: tuple[Example, ...]
    total: int


@dataclass(frozen=True, slots=True)
class ProjectCounts:
    """Numbers of a project."""

    examples: Mapping[Split, int]
    gold: Mapping[Split, int]
    annotated: int
    documents: int
    words: int
    splits: Mapping[Split, SplitCounts] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Examples of all splits."""
        return sum(self.examples.values())


class DatasetService:
    """Import, browse and export examples."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._max_bytes = settings.max_upload_mb * 1_048_576

    # --- in -------------------------------------------------------------------------------------

    def sources(self, paths: Sequence[Path | str], hub: HubOptions = HubOptions()) -> list[Source]:  # noqa: B008
        """The files at these paths, those packed in .gz and .zip unpacked; see ``importsources.gather``."""
        return gather(paths, hub, self._max_bytes)

    def hub(self, project: Project, name: str, options: HubOptions) -> list[Source]:
        """A dataset of the hub, fetched for a project; see ``importsources.gather``."""
        return gather([PREFIX + name], options, self._max_bytes)

    def uploaded(self, name: str, data: bytes) -> list[Source]:
        """An uploaded file, or those packed in it. Raises InvalidInput when it is too large."""
        return unpack(name, data, self._max_bytes)

    def together(self, sources: Sequence[Source]) -> list[Source]:
        """Uploaded files, a text and its annotations among them as one. Raises FormatError on a lone .ann."""
        return paired(sources)

    def import_files(
        self,
        project: Project,
        paths: Sequence[Path | str],
        *,
        split: Split,
        format: str = "auto",  # noqa: A002
        columns: Mapping[str, str | int] | None = None,
        unlabeled: bool = False,
        dry_run: bool = False,
        user_id: int | None = None,
        encoding: str = "utf-8",
        separator: str | None = None,
        scheme: str | None = None,
        sentences: str | None = None,
        force: bool = False,
        watch: ImportWatch | None = None,
    ) -> ImportReport:
        """Import files: all of them, or nothing at all.

        Args:
            project: Where to.
            paths: Files.
            split: What their examples are for.
            format: See ``ImportOptions``, like the options that are not named here.
            columns: Which column holds what.
            unlabeled: Keep the labels aside as a simulated annotator's answers.
            dry_run: Read and check, but write nothing.
            user_id: Who imports.
            encoding: Of text.
            separator: Of column files.
            scheme: Of NER tags.
            sentences: Of plain text.
            force: Import again what is there already.
            watch: Hears how far it is, and may cancel.

        Raises:
            NotFound: There is no such file.
            FormatError: A file is not what it says, with the line; nothing has been written then.
            InvalidInput: The options do not fit.
            AlreadyExists: The project has one of the files already.
        """
        options = ImportOptions(
            format, columns or {}, encoding, separator, scheme, sentences, unlabeled, force
        )
        return self.import_sources(
            project, self.sources(paths), split, options, dry_run=dry_run, user_id=user_id, watch=watch
        )

    def import_sources(
        self,
        project: Project,
        sources: Sequence[Source],
        split: Split,
        options: ImportOptions = DEFAULTS,
        *,
        dry_run: bool = False,
        user_id: int | None = None,
        watch: ImportWatch | None = None,
    ) -> ImportReport:
        """The same of files in memory. Raises also Cancelled, where the watch was asked to cancel."""
        watch = watch or ImportWatch()
        with ExitStack() as stack:
            files, found = self._parse(stack, project, sources, split, options, watch)
            if dry_run:
                return summary(files, found, dry_run=True)
            compressed = [zlib.compress(parsed.source.data, 4) for parsed in files]
            ids = write(self._store, project, files, compressed, options, user_id, watch)
            return summary(files, found, dict(zip((id(parsed) for parsed in files), ids, strict=True)))

    def preview(
        self,
        project: Project,
        sources: Sequence[Source],
        split: Split,
        options: ImportOptions = DEFAULTS,
    ) -> Preview:
        """Read and check files as an import does, and write nothing. Raises the same."""
        with ExitStack() as stack:
            files, found = self._parse(stack, project, sources, split, options, ImportWatch())
            return Preview(
                report=summary(files, found, dry_run=True),
                first=tuple(example for parsed in files for example in parsed.first)[:20],
                columns=tuple(files[0].report.columns),
                rows=tuple(tuple(row) for row in files[0].report.rows),
            )

    def _parse(
        self,
        stack: ExitStack,
        project: Project,
        sources: Sequence[Source],
        split: Split,
        options: ImportOptions,
        watch: ImportWatch,
    ) -> tuple[list[Parsed], Compared]:
        if not sources:
            raise InvalidInput("there is no file to import", remedy="name one or more files")
        with self._store.read() as tx:
            refuse_known(tx, project, sources, options)
        files: list[Parsed] = []
        for source in sources:
            files.append(parse(source, project, options, watch.reading))
            stack.callback(files[-1].close)
        split_files(files, split, options.plan, questions=project.task == "qa")
        with self._store.read() as tx:
            stored = count_duplicates(files, lambda hashes: tx.examples.hashes(project.id, hashes))
        fill_in(self._store, project)
        found = compare(self._store, project, files, stored, watch)
        for parsed, near, sketches in zip(files, found.near, found.sketches, strict=True):
            parsed.near_duplicates, parsed.sketches = near, sketches
        return files, found

    # --- looked at ------------------------------------------------------------------------------

    def browse(
        self,
        project: Project,
        *,
        split: Split | None = None,
        query: str = "",
        document_id: int | None = None,
        labeled: bool | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> ExamplePage:
        """One page of the project's examples in their order; ``query`` is searched in text, question and id."""
        with self._store.read() as tx:
            items, total = tx.examples.page(
                project.id,
                split=split,
                query=query,
                document_id=document_id,
                labeled=labeled,
                offset=offset,
                limit=limit,
            )
        return ExamplePage(tuple(items), total)

    def example(self, project: Project, example_id: int) -> Example:
        """One example. Raises NotFound, also for an example of another project."""
        with self._store.read() as tx:
            found = tx.examples.by_ids([example_id])
        if not found or found[0].project_id != project.id:
            raise NotFound(
                f"project {project.name!r} has no example {example_id}", remedy="choose one from Data"
            )
        return found[0]

    def labels_of(self, examples: Sequence[Example]) -> dict[int, Payload]:
        """The gold labels of those examples that have some, by example id."""
        with self._store.read() as tx:
            found = tx.annotations.gold_of([example.id for example in examples])
        return {key: row[0].payload for key, row in found.items() if row[0].payload is not None}

    def neighbours(self, example: Example, before: int, after: int) -> tuple[list[Example], list[Example]]:
        """The examples just before and just after it in its document, each list in reading order."""
        with self._store.read() as tx:
            return tx.examples.neighbours(example, before, after)

    def document_names(self, examples: Sequence[Example]) -> Mapping[int, str]:
        """Names of the documents that the examples stand in, by document id."""
        with self._store.read() as tx:
            return tx.examples.document_names({example.document_id for example in examples})

    def imports(self, project: Project) -> tuple[ImportRecord, ...]:
        """Every import of the project, oldest first."""
        with self._store.read() as tx:
            return tx.examples.imports(project.id)

    def counts(self, project: Project) -> ProjectCounts:
        """The project's numbers; every split is there."""
        with self._store.read() as tx:
            found = tx.sizes.counts(project.id)
            annotated = tx.sizes.annotated(project.id)
            documents = tx.examples.count_documents(project.id)
        splits = {
            split: replace(found.get(split, SplitCounts()), annotated=annotated.get(split, 0))
            for split in Split
        }
        return ProjectCounts(
            examples={split: numbers.examples for split, numbers in splits.items()},
            gold={split: numbers.gold for split, numbers in splits.items()},
            annotated=sum(numbers.annotated for numbers in splits.values()),
            documents=documents,
            words=sum(numbers.words for numbers in splits.values()),
            splits=splits,
        )

    def overlap(self, project: Project, shown: int = SHOWN) -> Overlap:
        """Examples of the test and validation splits that also stand in another split, exactly or nearly."""
        return overlap(self._store, project, shown)

    # --- out ------------------------------------------------------------------------------------

    def export_data(
        self,
        project: Project,
        format: str,  # noqa: A002
        out: Path | str,
        split: Split | None = None,
        *,
        scheme: str = "IOB2",
        annotator: str | None = None,
        per_annotator: bool = False,
        provenance: bool = False,
        strict: bool = False,
        by: User | None = None,
    ) -> ExportReport:
        """Write the project's labels into a file, which is there complete or not at all.

        Args:
            project: What of.
            format: ``source`` (each file as it came, with changed labels in their places) or another of ``EXPORTS``.
            out: The file; for ``source`` with several imports, and for ``hf``, a folder.
            split: Only this one.
            scheme: Of NER tags, where the format has tags.
            annotator: See ``ExportOptions``, like those that follow.
            per_annotator: A row for each annotator.
            provenance: Say where labels come from.
            strict: Refuse what the format can't hold.
            by: Who exports.

        Raises:
            UnknownName: There is no such format.
            NotFound: Nobody of that name has labeled anything.
            InvalidInput: It can't hold the project's labels, or there is nothing to write.
        """
        options = ExportOptions(split, scheme, annotator, per_annotator, provenance, strict)
        return self.export(project, format, Path(out), options, by)

    def export(
        self, project: Project, name: str, out: Path, options: ExportOptions, by: User | None = None
    ) -> ExportReport:
        """The same with the options in one value."""
        report = write_export(self._store, project, name, out, options)
        with self._store.write() as tx:
            told = {"format": name, "split": options.split, "annotator": options.annotator}
            tx.users.audit(by.id if by else None, "export", project.name, told, project.id)
        return report

    def annotators(self, project: Project) -> list[str]:
        """Names of everybody whose labels can be exported, sorted; ``import`` stands for what files came with."""
        with self._store.read() as tx:
            return tx.label_rows.annotators(project.id)
