"""What a run's folder holds for the computation: its manifest's parameters and its examples."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from workbench.domain import ExampleText, Fall, Payload, TrainParameters
from workbench.errors import InvalidInput
from workbench.tasks import Task

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of ``examples.jsonl``."""

    id: int
    split: str
    content: ExampleText
    payload: Payload | None


def read_rows(path: Path, task: Task) -> Iterator[Row]:
    """The examples of a run, in order. Raises InvalidInput, with the line, where one can't be read."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield _row(json.loads(line), task)
            except (ValueError, KeyError, TypeError) as error:
                raise InvalidInput(
                    f"this is no example ({error!r})",
                    where=f"{path.name}, line {number}",
                    remedy="launch the run again",
                ) from error


def _row(data: Mapping[str, Any], task: Task) -> Row:
    tokens = tuple((int(start), int(end)) for start, end in data.get("tokens") or ())
    payload = data.get("payload")
    return Row(
        id=data["id"],
        split=str(data.get("split", "")),
        content=ExampleText(
            data["text"], tokens, data.get("question"), data.get("before", ""), data.get("after", "")
        ),
        payload=None if payload is None else task.load(payload),
    )


def chunked(rows: Iterator[Item], size: int) -> Iterator[list[Item]]:
    """Lists of at most ``size`` rows."""
    while chunk := list(islice(rows, size)):
        yield chunk


def full_lines(path: Path) -> Iterator[str]:
    """Lines of a file that are not empty, each with its end."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield line if line.endswith("\n") else f"{line}\n"


def count_lines(path: Path) -> int:
    """Lines of a file that are not empty."""
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip())


def train_parameters(manifest: Mapping[str, Any]) -> TrainParameters:
    """The manifest's parameters, checked. Raises InvalidInput."""
    given = manifest.get("parameters") or {}
    known = {field.name for field in fields(TrainParameters)}
    parameters = TrainParameters(**{key: value for key, value in given.items() if key in known})
    positive = {
        "epochs": parameters.epochs,
        "batch_size": parameters.batch_size,
        "learning_rate": parameters.learning_rate or 1.0,
    }
    for name, value in positive.items():
        if not value > 0:
            raise InvalidInput(f"{name.replace('_', ' ')} is {value}", remedy="give a number above 0")
    if not 0 <= parameters.warmup <= 1:
        raise InvalidInput(f"warmup is {parameters.warmup}", remedy="give a share of the steps, 0 to 1")
    if parameters.context < 0:
        raise InvalidInput(f"context is {parameters.context}", remedy="give 0 sub-words or more")
    if parameters.schedule not in set(Fall):
        raise InvalidInput(f"schedule is {parameters.schedule!r}", remedy=f"give one of {', '.join(Fall)}")
    return parameters
