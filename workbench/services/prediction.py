"""Texts in, predictions of a model folder out, computed in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.domain import Answers, ExampleText, Prediction, Spans, Tags
from workbench.errors import InvalidInput, ModelUnavailable
from workbench.formats.tokenizer import tokenize
from workbench.services.isolated import run_module
from workbench.services.modelfolder import check_folder
from workbench.tasks import load_prediction


@dataclass(frozen=True, slots=True)
class Predicted:
    """What a model folder says of some texts."""

    task: str
    labels: tuple[str, ...]
    examples: tuple[ExampleText, ...]
    predictions: tuple[Prediction, ...]


def predict_folder(folder: Path, examples: Sequence[ExampleText], device: str = "auto") -> Predicted:
    """What a model folder says of texts.

    Raises:
        ModelUnavailable: The folder is no model of the workbench, is not whole, or was changed since its export.
        InvalidInput: There is no text.
    """
    check_folder(folder)
    if not examples:
        raise InvalidInput("there is no text to predict", remedy="give some text")
    lines = [
        json.dumps({"text": example.text, "tokens": example.tokens, "question": example.question})
        for example in examples
    ]
    said = run_module("predict_worker", [str(folder.absolute()), device], given="\n".join(lines))
    head, *rest = [json.loads(line) for line in said.splitlines()]
    return Predicted(
        head["task"],
        tuple(head["labels"]),
        tuple(examples),
        tuple(load_prediction(head["task"], row) for row in rest),
    )


def folder_task(folder: Path) -> str:
    """Name of the task type of a model's folder. Raises ModelUnavailable."""
    check_folder(folder)
    try:
        return str(json.loads((folder / "workbench.json").read_text(encoding="utf-8"))["task"])
    except (ValueError, KeyError, TypeError, OSError):
        raise ModelUnavailable(
            f"{folder / 'workbench.json'} can't be read", remedy="export the model again"
        ) from None


def example_for(task: str, text: str, question: str | None = None) -> ExampleText:
    """A text for a model of a task. Raises InvalidInput where a question is missing, or given to a tagger."""
    if task == "qa" and not (question or "").strip():
        raise InvalidInput("this model answers questions", remedy="give a question and a context")
    if task != "qa" and question is not None:
        raise InvalidInput("this model labels text and takes no question", remedy="give a text alone")
    return make_example(text, question)


def make_example(text: str, question: str | None = None) -> ExampleText:
    """A text as a model reads it: with tokens for tagging, with its question for question answering."""
    if not text.strip():
        raise InvalidInput("the text is empty", remedy="give some text")
    return ExampleText(text, () if question is not None else tokenize(text), question)


def plain(example: ExampleText, prediction: Prediction) -> dict[str, Any]:
    """A prediction in the words of a program's user.

    ner: ``{"entities": [{"text", "start", "end", "label", "score"}]}``. pos: ``{"tokens": [{"text", "start", "end",
    "tag", "score"}]}``. qa: ``{"answer", "start", "end", "score", "no_answer"}``.
    """
    payload, scores = prediction.payload, prediction.confidences
    match payload:
        case Spans(spans):
            return {
                "entities": [
                    {
                        "text": example.text[span.start : span.end],
                        "start": span.start,
                        "end": span.end,
                        "label": span.label,
                        "score": score,
                    }
                    for span, score in zip(spans, scores, strict=True)
                ]
            }
        case Tags(tags):
            return {
                "tokens": [
                    {"text": example.text[start:end], "start": start, "end": end, "tag": tag, "score": score}
                    for (start, end), tag, score in zip(example.tokens, tags, scores, strict=True)
                ]
            }
        case Answers(answers):
            start, end = (answers[0].start, answers[0].end) if answers else (0, 0)
            return {
                "answer": example.text[start:end],
                "start": start,
                "end": end,
                "score": prediction.confidence,
                "no_answer": not answers,
            }
