"""What can be exported: the kinds of file, the choices, and what an export says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workbench.domain import Split
from workbench.errors import InvalidInput, UnknownName
from workbench.formats import Notice, Report, get_format
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
        partial: Whether it can say of labels that they are partial. Elsewhere silence means "no entity", so that
            partial labels are left out.
    """

    format: str
    title: str
    sentence: str
    schemes: bool = False
    authors: bool = False
    tasks: frozenset[str] = frozenset()
    partial: bool = False

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
        partial=True,
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
SAME = {"conll": "conll2003", "conll2000": "conll2003", "conll2002": "conll2003", "columns": "conll2003"} | {
    "table": "csv",
    "prodigy": "jsonl",
}
"""Other names of kinds of export."""


def find_export(name: str, task: str) -> tuple[str, Export]:
    """A kind of export by its name or another name of it, under its own. Raises UnknownName, InvalidInput."""
    key = SAME.get(name, name)
    if key not in EXPORTS:
        raise UnknownName("export", name, EXPORTS)
    export = EXPORTS[key]
    if not export.holds(task):
        fitting = [other for other, item in EXPORTS.items() if item.holds(task)]
        raise InvalidInput(
            f"{export.title} can't hold {get_task(task).title.lower()}",
            remedy=f"choose from {', '.join(fitting)}",
        )
    return key, export


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """How to export.

    Attributes:
        split: Only this one; ``source`` gives the files that hold any of it, whole.
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
        examples: Examples in them (for ``source``, all of the files' examples, of whatever split).
        changed: ``source``: examples whose labels differ from those that came in.
        skipped: Examples left out, since they have no labels or the format can't hold them.
        lost: Things that the format can't hold; ``warnings`` say which.
        partial: Examples whose partial labels are left out, since the format can't say that they are; of ``source``,
            which keep what the file said of them. They count among ``lost`` too.
    """

    format: str
    path: Path
    files: tuple[Path, ...]
    examples: int
    changed: int
    skipped: int
    warnings: tuple[Notice, ...]
    lost: int = 0
    partial: int = 0


def lose_partial(report: Report, title: str, example: str, *, left_out: bool = True) -> None:
    """Tell of an example whose labels can't go out, because the format can't say that they are partial."""
    kept = "left out" if left_out else "the file keeps what it said"
    report.lose(f"{example}: {title} can't say that labels are partial; {kept}", example=left_out)


def refuse_losses(report: Report, export: Export, options: ExportOptions) -> None:
    """Raise InvalidInput where something is lost and ``strict`` was asked for."""
    if options.strict and report.lost:
        first = next(notice.message for notice in report.warnings if notice.kind == "lost")
        more = f", and {report.lost - 1:,} more like it" if report.lost > 1 else ""
        raise InvalidInput(
            f"{export.title} can't hold everything: {first}{more}",
            remedy="choose another format, or leave strict away to write the rest and see each",
        )
