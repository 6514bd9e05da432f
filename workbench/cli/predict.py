"""``workbench predict``: use an exported model, or the folder of a version."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from workbench.cli.base import JsonOption, app, emit, out
from workbench.config import get_settings
from workbench.domain import ExampleText
from workbench.errors import FormatError, InvalidInput, NotFound
from workbench.services.prediction import Predicted, example_for, folder_task, plain, predict_folder

STYLES = ("bold cyan", "bold magenta", "bold green", "bold yellow", "bold blue", "bold red")


@app.command()
def predict(
    model_dir: Annotated[Path, typer.Argument(help="A folder that export-model made.")],
    text: Annotated[str | None, typer.Option(help="A text to label.")] = None,
    file: Annotated[
        Path | None,
        typer.Option(help="One text a line; or .jsonl with text, or question and context, a line."),
    ] = None,
    question: Annotated[str | None, typer.Option(help="With --context.")] = None,
    context: Annotated[str | None, typer.Option(help="Where the answer may stand.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a model sees in texts: entities, tags or answers."""
    given = [text is not None, file is not None, question is not None or context is not None]
    if sum(given) != 1 or (question is None) != (context is None):
        raise typer.BadParameter("give --text, or --file, or --question and --context")
    if not model_dir.is_dir():
        raise NotFound(
            f"there is no folder {model_dir}", remedy="give one that `workbench export-model` made"
        )
    task = folder_task(model_dir)
    if file is not None:
        examples = _read(file, task)
    else:
        examples = [example_for(task, context if context is not None else text or "", question)]
    found = predict_folder(model_dir, examples, device or get_settings().device)
    rows = [
        {
            "text": example.text,
            **({"question": example.question} if example.question else {}),
            **plain(example, said),
        }
        for example, said in zip(found.examples, found.predictions, strict=True)
    ]
    emit(as_json, {"task": found.task, "predictions": rows}, lambda: _show(found, rows))


def _read(path: Path, task: str) -> list[ExampleText]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}", remedy="check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(
            f"can't be read as UTF-8 text ({type(error).__name__})", file=str(path), remedy="save it as UTF-8"
        ) from error
    examples = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            examples.append(_example(line, task, path.suffix == ".jsonl"))
        except (InvalidInput, ValueError, KeyError, TypeError, AttributeError) as error:
            message = error.message if isinstance(error, InvalidInput) else "is no JSON object with texts"
            raise FormatError(
                message, file=str(path), line=number, remedy='give {"text"}, or {"question", "context"}'
            ) from error
    if not examples:
        raise FormatError("holds no text", file=str(path), remedy="give one text a line")
    return examples


def _example(line: str, task: str, is_json: bool) -> ExampleText:
    if not is_json:
        return example_for(task, line)
    row = json.loads(line)
    return example_for(task, row.get("context") or row["text"], row.get("question"))


def _show(found: Predicted, rows: Sequence[dict[str, Any]]) -> None:
    """The texts with their labels, coloured where the terminal can."""
    styles = {label: STYLES[index % len(STYLES)] for index, label in enumerate(found.labels)}
    for row in rows:
        out.print(drawn(row, styles))


def drawn(row: dict[str, Any], styles: dict[str, str]) -> Text:
    """One text with its labels, for the terminal."""
    if "answer" in row:
        said = row["answer"] or "no answer"
        return Text.assemble((said, "bold green"), f"  ({row['score']:.3f})  ", (row["question"], "dim"))
    if "tokens" in row:
        pairs = [(token["text"], f"/{token['tag']} ") for token in row["tokens"]]
        return Text.assemble(*[part for word, tag in pairs for part in (word, (tag, "cyan"))])
    text, position = Text(), 0
    for entity in row["entities"]:
        text.append(row["text"][position : entity["start"]])
        text.append(f"[{entity['text']}]", styles.get(entity["label"], STYLES[0]))
        text.append(entity["label"], "dim")
        position = entity["end"]
    return text.append(row["text"][position:])
