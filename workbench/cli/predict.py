"""``workbench predict``: use an exported model, or the folder of a version."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from workbench.cli.base import JsonOption, app, emit, err, out, show_notices
from workbench.cli.importing import (
    ColumnOption,
    EncodingOption,
    SentencesOption,
    SeparatorOption,
    parse_columns,
)
from workbench.config import get_settings
from workbench.errors import NotFound
from workbench.formats import FORMATS, Labeled
from workbench.formats.hub import HubOptions
from workbench.services.batchprediction import (
    KINDS,
    Reading,
    Written,
    begun,
    kind_named,
    kind_of_file,
    predicted,
    read_examples,
    write_predictions,
)
from workbench.services.exportfiles import atomic
from workbench.services.importsources import gather
from workbench.services.prediction import example_for, folder_task, plain
from workbench.services.standing import StandingModel

STYLES = ("bold cyan", "bold magenta", "bold green", "bold yellow", "bold blue", "bold red")
TOLD_EVERY = 5_000
"""Examples between two lines that say how far it is."""


@app.command()
def predict(
    model_dir: Annotated[Path, typer.Argument(help="A folder that export-model made.")],
    text: Annotated[str | None, typer.Option(help="A text to label.")] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option(
            help="A file that `workbench import` reads: text, JSONL, CoNLL, SQuAD …; may be repeated."
        ),
    ] = None,
    question: Annotated[str | None, typer.Option(help="With --context.")] = None,
    context: Annotated[str | None, typer.Option(help="Where the answer may stand.")] = None,
    to: Annotated[
        Path | None, typer.Option("--out", help="The file to write; its ending says as what.")
    ] = None,
    format_name: Annotated[
        str | None,
        typer.Option("--format", help=f"As what to write: {', '.join(KINDS)}. Without --out, to stdout."),
    ] = None,
    scheme: Annotated[str, typer.Option(help="Tags written: IOB1, IOB2, BIOES, BILOU or IO.")] = "IOB2",
    input_format: Annotated[
        str, typer.Option(help=f"Of --file: auto, or one of {', '.join(FORMATS)}.")
    ] = "auto",
    column: ColumnOption = None,
    encoding: EncodingOption = "utf-8",
    separator: SeparatorOption = None,
    sentences: SentencesOption = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a model sees in texts: entities, tags or answers."""
    given = [text is not None, bool(file), question is not None or context is not None]
    if sum(given) != 1 or (question is None) != (context is None):
        raise typer.BadParameter("give --text, or --file, or --question and --context")
    if as_json and format_name and to is None:
        raise typer.BadParameter("--json and --format both go to stdout; add --out")
    if not model_dir.is_dir():
        raise NotFound(
            f"there is no folder {model_dir}", remedy="give one that `workbench export-model` made"
        )
    task = folder_task(model_dir)
    kind = kind_named(format_name, task) if format_name else kind_of_file(to, task) if to else None
    if file:
        reading = Reading(input_format, parse_columns(column or ()), encoding, separator, sentences)
        sources = gather(file, HubOptions(), get_settings().max_upload_mb * 2**20)
        items: Iterable[Labeled] = begun(_told(read_examples(sources, task, reading)))
    else:
        content = example_for(task, context if context is not None else text or "", question)
        items = [Labeled("text:1", "text", content, None)]
    with closing(StandingModel(model_dir, device or get_settings().device)) as model:
        if kind is not None:
            _write(model, items, kind, to, scheme, as_json)
        elif as_json:
            rows = list(_rows(model, items))
            emit(True, {"task": model.task, "predictions": rows}, lambda: None)
        else:
            _show(model, items)


def _write(
    model: StandingModel, items: Iterable[Labeled], kind: str, to: Path | None, scheme: str, as_json: bool
) -> None:
    """Into a file, which takes its place when it is whole, or to stdout."""
    labeled = (item for item, _ in predicted(model, items))
    if to is None:
        done = write_predictions(model, labeled, kind, sys.stdout.buffer, scheme)
        sys.stdout.flush()
    else:
        with atomic(to) as target:
            done = write_predictions(model, labeled, kind, target, scheme)
        emit(as_json, {"task": model.task, "path": to, "written": done}, lambda: _tell(done, to))


def _tell(done: Written, to: Path) -> None:
    out.print(
        f"Wrote {done.examples:,} examples with their predictions to {to} ({done.format}).", markup=False
    )
    if done.skipped:
        out.print(f"  left out: {done.skipped:,}", markup=False)
    show_notices(done.warnings)


def _told(items: Iterable[Labeled]) -> Iterator[Labeled]:
    """The examples; now and then a line on stderr says how many have been read."""
    for number, item in enumerate(items, 1):
        if number % TOLD_EVERY == 0:
            err.print(f"{number:,} examples read", markup=False)
        yield item


def _rows(model: StandingModel, items: Iterable[Labeled]) -> Iterator[dict[str, Any]]:
    """What the model says of each example, in the words of a program's user."""
    for item, said in predicted(model, items):
        question = {"question": item.content.question} if item.content.question else {}
        yield {"id": item.external_id, "text": item.content.text, **question, **plain(item.content, said)}


def _show(model: StandingModel, items: Iterable[Labeled]) -> None:
    """The texts with their labels, coloured where the terminal can, as they come."""
    styles = styles_for(model.labels)
    for row in _rows(model, items):
        out.print(drawn(row, styles))


def styles_for(labels: Sequence[str]) -> dict[str, str]:
    """A colour for each label."""
    return {label: STYLES[index % len(STYLES)] for index, label in enumerate(labels)}


def drawn(row: dict[str, Any], styles: dict[str, str]) -> Text:
    """One text with its labels, for the terminal."""
    if "answer" in row:
        said = row["answer"] or "no answer"
        return Text.assemble((said, "bold green"), f"  ({row['score']:.3f})  ", (row["question"], "dim"))
    if "tokens" in row:
        parts = [
            (token["text"], (f"/{token['tag']} ", styles.get(token["tag"], "cyan")))
            for token in row["tokens"]
        ]
        return Text.assemble(*[part for pair in parts for part in pair])
    text, position = Text(), 0
    for entity in row["entities"]:
        text.append(row["text"][position : entity["start"]])
        text.append(f"[{entity['text']}]", styles.get(entity["label"], STYLES[0]))
        text.append(entity["label"], "dim")
        position = entity["end"]
    return text.append(row["text"][position:])
