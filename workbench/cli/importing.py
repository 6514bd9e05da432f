"""``workbench import``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli.base import JsonOption, app, emit, err, out, show_notices, workbench
from workbench.cli.splits import show_leaks
from workbench.domain import Answers, NewExample, Spans, Split, Tags
from workbench.errors import InvalidInput
from workbench.formats import FORMATS
from workbench.formats.hub import HubOptions
from workbench.services.importing import ImportOptions
from workbench.services.importwatch import READING, WRITING, ImportWatch
from workbench.services.importwrite import ImportReport
from workbench.services.splits import GROUPS, SEED, SplitPlan, parse_ratios

SHOWN_LABELS = 12
SHOWN_EXAMPLES = 3

PathsArgument = Annotated[
    list[Path], typer.Argument(help="Files, also packed in .gz or .zip; folders; hub:OWNER/NAME.")
]
SplitOption = Annotated[Split | None, typer.Option(help="What the examples are for.")]
RatioOption = Annotated[
    str | None, typer.Option(help="Or shares, by lot: train=0.8,validation=0.1,test=0.1.")
]
ByFileOption = Annotated[
    bool, typer.Option("--split-by-file", help="Or what the file's own key or column `split` says.")
]
SeedOption = Annotated[int, typer.Option(help="Of the lot: the same seed makes the same splits.")]
GroupOption = Annotated[str, typer.Option(help=f"What stays together in one split: {', '.join(GROUPS)}.")]
FormatOption = Annotated[str, typer.Option("--format", help=f"auto, or one of {', '.join(FORMATS)}.")]
ColumnOption = Annotated[
    list[str] | None,
    typer.Option(help="Which column holds what, as in token=0, tag=3, tag=upos, text=body."),
]
UnlabeledOption = Annotated[
    bool, typer.Option("--unlabeled", help="Keep the labels aside as a simulated annotator's answers.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Read and check everything, write nothing.")]
EncodingOption = Annotated[str, typer.Option(help="utf-8, latin-1 or cp1252.")]
SeparatorOption = Annotated[str | None, typer.Option(help="Column files: tab or spaces.")]
SchemeOption = Annotated[str | None, typer.Option(help="NER tags: IOB1, IOB2, BIOES, BILOU or IO.")]
SentencesOption = Annotated[
    str | None, typer.Option(help="Plain text: lines (one sentence a line) or split (running text).")
]
ConfigOption = Annotated[str | None, typer.Option(help="Hugging Face dataset: which configuration.")]
RevisionOption = Annotated[
    str | None, typer.Option(help="Hugging Face dataset: which branch, tag or commit.")
]
FromSplitOption = Annotated[str | None, typer.Option(help="Hugging Face dataset: which of its splits.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Import files again that are there already.")]


@app.command("import")
def import_(
    name: Annotated[str, typer.Argument(help="The project.")],
    paths: PathsArgument,
    split: SplitOption = None,
    split_ratio: RatioOption = None,
    split_by_file: ByFileOption = False,
    seed: SeedOption = SEED,
    group: GroupOption = "auto",
    format_name: FormatOption = "auto",
    column: ColumnOption = None,
    unlabeled: UnlabeledOption = False,
    dry_run: DryRunOption = False,
    encoding: EncodingOption = "utf-8",
    separator: SeparatorOption = None,
    scheme: SchemeOption = None,
    sentences: SentencesOption = None,
    config: ConfigOption = None,
    revision: RevisionOption = None,
    from_split: FromSplitOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Import files into a project: all of them, or nothing at all."""
    if split is None and split_ratio is None and not split_by_file:
        raise typer.BadParameter("say --split, --split-ratio or --split-by-file")
    if split is not None and split_ratio is not None:
        raise typer.BadParameter("--split and --split-ratio exclude each other")
    plan = SplitPlan(parse_ratios(split_ratio) if split_ratio else None, seed, group, split_by_file)
    columns = parse_columns(column or ())
    options = ImportOptions(
        format_name, columns, encoding, separator, scheme, sentences, unlabeled, force, plan
    )
    report, first = _import(
        name, paths, split or Split.POOL, options, HubOptions(config, revision, from_split), dry_run
    )
    data = asdict(report) | ({"first": [_shown(example) for example in first]} if dry_run else {})
    emit(as_json, data, lambda: _show_import(report, name, first))


def _import(
    name: str, paths: Sequence[Path], split: Split, options: ImportOptions, hub: HubOptions, dry_run: bool
) -> tuple[ImportReport, Sequence[NewExample]]:
    """The report, and of a rehearsal the first examples."""
    with workbench() as wb:
        project = wb.projects.get(name)
        sources = wb.datasets.sources(paths, hub)
        if dry_run:
            preview = wb.datasets.preview(project, sources, split, options)
            return preview.report, preview.first
        return wb.datasets.import_sources(project, sources, split, options, watch=ImportWatch(_tell)), ()


def parse_columns(given: Sequence[str]) -> dict[str, str | int]:
    """``["token=0", "tag=upos"]`` as a mapping. Raises InvalidInput on anything without an equals sign."""
    columns: dict[str, str | int] = {}
    for item in given:
        key, equals, value = (part.strip() for part in item.partition("="))
        if not equals or not key or not value:
            raise InvalidInput(f"{item!r} does not map a column", remedy="write it as in --column tag=3")
        columns[key] = int(value) if re.fullmatch(r"-?[0-9]{1,6}", value) else value
    return columns


def _tell(watch: ImportWatch) -> None:
    """A line now and then; Ctrl-C stops an import, and nothing of it stays."""
    if watch.phase == READING and watch.done % 20_000 == 0:
        err.print(f"{watch.file}: {watch.done:,} examples read", markup=False)
    elif watch.phase == WRITING and watch.total >= 20_000 and watch.done % 20_000 == 0:
        err.print(f"{watch.done:,} of {watch.total:,} examples written", markup=False)


def _shown(example: NewExample) -> dict[str, Any]:
    """An example of a rehearsal: its text and what is labeled in it."""
    content, payload = example.content, example.payload
    shown: dict[str, Any] = {"external_id": example.external_id, "text": content.text}
    if content.question is not None:
        shown["question"] = content.question
    if isinstance(payload, Spans):
        shown["labels"] = [[content.text[span.start : span.end], span.label] for span in payload.spans]
    elif isinstance(payload, Tags):
        shown["labels"] = [list(pair) for pair in zip(content.words, payload.tags, strict=True)]
    elif isinstance(payload, Answers):
        shown["labels"] = [content.text[answer.start : answer.end] for answer in payload.answers]
    return shown


def _show_import(report: ImportReport, name: str, first: Sequence[NewExample]) -> None:
    verb = "Would import" if report.dry_run else "Imported"
    out.print(
        f"{verb} {report.examples:,} examples ({report.documents:,} documents, {report.tokens:,} words) "
        f"into {name} as {_where(report)}.",
        markup=False,
    )
    for file in report.files:
        out.print(f"  {file.name}: {'; '.join(file.detected) or file.format}", markup=False)
    if report.labels:
        shown = [f"{label} {number:,}" for label, number in list(report.labels.items())[:SHOWN_LABELS]]
        more = len(report.labels) - len(shown)
        out.print(f"  labels: {', '.join(shown)}{f' and {more} more' if more > 0 else ''}", markup=False)
    for title, number in (
        ("skipped", report.skipped),
        ("repaired", report.repaired),
        ("duplicates", report.duplicates),
        ("near duplicates", report.near_duplicates),
    ):
        if number:
            out.print(f"  {title}: {number:,}", markup=False)
    show_notices(report.warnings)
    show_leaks(report.leaks)
    for example in first[:SHOWN_EXAMPLES]:
        _show_example(_shown(example))


def _where(report: ImportReport) -> str:
    if len(report.splits) == 1:
        return next(iter(report.splits))
    return ", ".join(f"{split} {number:,}" for split, number in report.splits.items())


def _show_example(example: dict[str, Any]) -> None:
    words = f"{example.get('question', '')} {example['text']}".split()
    text = " ".join(words)
    out.print(f"  {example['external_id']}: {text if len(text) <= 200 else text[:200] + '…'}", markup=False)
    labels = example.get("labels", [])[:SHOWN_LABELS]
    if labels:
        told = [item if isinstance(item, str) else f"{item[0]} = {item[1]}" for item in labels]
        out.print(f"    {', '.join(told)}", markup=False)
