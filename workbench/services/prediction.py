"""What a model is asked, and what it says, in the words of a program's user."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from workbench.domain import Answers, ExampleText, Prediction, Spans, Tags
from workbench.errors import InvalidInput, ModelUnavailable
from workbench.formats.tokenizer import tokenize
from workbench.services.modelfolder import check_folder


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
