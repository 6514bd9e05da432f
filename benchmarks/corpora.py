"""Labeled files read straight from disk, for benchmarks."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

from workbench.domain import ExampleText, Payload
from workbench.formats import get_format
from workbench.formats.base import ReadOptions, Report
from workbench.formats.source import read_sources
from workbench.tasks import get_task

LabeledText = tuple[ExampleText, Payload]

FORMAT = {"ner": "conll", "pos": "conllu", "qa": "squad"}
LIMIT = 1 << 30


def read(path: Path, task: str, column: str | None = None) -> list[LabeledText]:
    """The labeled examples of a file, in its order."""
    options = ReadOptions(task=task, columns={"tag": column} if column else {})
    file_format = get_format(FORMAT[task])
    return [
        (example.content, example.payload)
        for source in read_sources(path, LIMIT)
        for example in file_format.read(source, options, Report())
        if example.payload is not None
    ]


def sample(examples: Sequence[LabeledText], count: int, seed: int = 0) -> list[LabeledText]:
    """So many of them at random (all, where there are fewer), the same ones for a seed."""
    return random.Random(seed).sample(list(examples), min(count, len(examples)))


def label_set(examples: Sequence[LabeledText], task: str) -> list[str]:
    """Every label that occurs, sorted."""
    kind = get_task(task)
    return sorted({label for _, payload in examples for label in kind.labels_in(payload)})


def write_attempt(folder: Path, task: str, examples: Sequence[LabeledText]) -> None:
    """A run's ``examples.jsonl`` with all of them to learn from."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = get_task(task)
    with (folder / "examples.jsonl").open("w", encoding="utf-8") as file:
        for number, (content, payload) in enumerate(examples):
            row = {
                "id": number,
                "split": "train",
                "document": number,
                "text": content.text,
                "tokens": [list(token) for token in content.tokens],
                "question": content.question,
                "payload": kind.dump(payload),
            }
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
