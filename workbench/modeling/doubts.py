"""From what a model says of labeled examples to which of their labels are probably wrong, and in what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workbench.domain import Answer, Answers, Payload, Prediction
from workbench.evidence.answers import find_answer_doubts
from workbench.evidence.confident import UNKNOWN, Doubts, example_quality, find_doubts
from workbench.modeling.inputs import Row
from workbench.modeling.predict import ANSWER_CHUNK, TAGGING_CHUNK, Predictor
from workbench.modeling.ragged import bounds_of
from workbench.tasks import AnswerTask, TaggingTask, Task
from workbench.tasks.base import IGNORE
from workbench.tasks.tagging import DECIMALS, TaggingBase

AGREES = 0.5
"""F1 of an answer with the label's from which the two mean the same words."""

TEXT = 200
"""Characters of an answer that are kept to be shown."""

Said = Mapping[str, NDArray[Any]]
"""What a model says of some examples: arrays whose first axes are those examples, or their tokens."""


@dataclass(frozen=True, slots=True)
class Doubted:
    """An example with a suspected label.

    Attributes:
        place: Among the examples that were judged.
        quality: How likely the model found its least likely label, 0..1.
        items: ``start``, ``end``, ``given``, ``proposed``, ``given_probability``, ``probability`` of each stretch.
    """

    place: int
    quality: float
    items: list[dict[str, Any]]


class Judge(Protocol):
    """How the labels of one kind of task are judged.

    Attributes:
        chunk: Examples to ask about at once.
    """

    chunk: int

    def ask(self, predictor: Predictor, rows: Sequence[Row]) -> Said:
        """What a model says of some examples, as far as their labels are judged by it."""

    def doubt(self, rows: Sequence[Row], said: Said) -> tuple[list[Doubted], dict[str, float]]:
        """The examples with suspected labels, and how sure a model had to be, by label.

        Args:
            rows: All that are judged together: thresholds are means over them.
            said: Of these, in their order.
        """


def judge_of(task: Task, labels: Sequence[str]) -> Judge:
    """The judge of a task type's labels."""
    if isinstance(task, AnswerTask):
        return AnswerJudge(task)
    assert isinstance(task, TaggingTask)
    return TokenJudge(task, labels)


class TokenJudge:
    """Confident learning over the tokens' labels; ``B-X`` and ``I-X`` are one label."""

    chunk = TAGGING_CHUNK

    def __init__(self, task: TaggingTask, labels: Sequence[str]) -> None:
        self._task = task
        self._classes = task.model_labels(tuple(labels))
        self._names, self._groups = list(self._classes), np.arange(len(self._classes))
        if isinstance(task, TaggingBase):
            self._names, self._groups = task.labels_of(self._classes)

    def ask(self, predictor: Predictor, rows: Sequence[Row]) -> Said:
        """``p``: probability of each label at each token, shape (tokens, labels)."""
        found = predictor.tag([row.content for row in rows]).probabilities
        merged = found @ np.eye(len(self._names), dtype=np.float32)[self._groups]
        return {"p": merged}

    def doubt(self, rows: Sequence[Row], said: Said) -> tuple[list[Doubted], dict[str, float]]:
        """Stretches of tokens in a row with one label that should be another."""
        labels = np.concatenate([np.empty(0, dtype=np.int64), *map(self._labels, rows)])
        found = find_doubts(labels, said["p"])
        bounds = bounds_of([len(row.content.tokens) for row in rows])
        quality = example_quality(found.quality, bounds)
        doubted = [
            Doubted(
                place, float(quality[place]), self._items(row, found, said["p"], labels, int(bounds[place]))
            )
            for place, row in enumerate(rows)
            if found.suspected[bounds[place] : bounds[place + 1]].any()
        ]
        return doubted, dict(zip(self._names, found.thresholds.round(DECIMALS).tolist(), strict=True))

    def _labels(self, row: Row) -> NDArray[np.int64]:
        assert row.payload is not None
        targets = self._task.targets(row.payload, row.content, self._classes)
        known = targets != IGNORE
        return np.where(known, self._groups[np.where(known, targets, 0)], UNKNOWN)

    def _items(
        self, row: Row, found: Doubts, p: NDArray[np.floating], labels: NDArray[np.int64], first: int
    ) -> list[dict[str, Any]]:
        def what(token: int) -> tuple[bool, int, int]:
            at = first + token
            return bool(found.suspected[at]), int(labels[at]), int(found.proposed[at])

        items = []
        for (suspected, given, proposed), tokens in groupby(range(len(row.content.tokens)), what):
            places = list(tokens)
            if not suspected:
                continue
            rows = p[first + places[0] : first + places[-1] + 1]
            items.append(
                {
                    "start": row.content.tokens[places[0]][0],
                    "end": row.content.tokens[places[-1]][1],
                    "given": self._names[given],
                    "proposed": self._names[proposed],
                    "given_probability": round(float(rows[:, given].mean()), DECIMALS),
                    "probability": round(float(rows[:, proposed].mean()), DECIMALS),
                }
            )
        return items


class AnswerJudge:
    """A label is suspected that a model contradicts with confidence."""

    chunk = ANSWER_CHUNK

    def __init__(self, task: Task) -> None:
        self._task = task

    def ask(self, predictor: Predictor, rows: Sequence[Row]) -> Said:
        """The best answer (``start``, ``end``; 0, 0 for none), ``confidence``, the label's ``given`` probability."""
        predictions = predictor.answer([row.content for row in rows]).predictions
        told = [self._told(row, prediction) for row, prediction in zip(rows, predictions, strict=True)]
        names = ("start", "end", "confidence", "given", "overlap")
        return {name: np.array([each[name] for each in told], dtype=np.float64) for name in names}

    def doubt(self, rows: Sequence[Row], said: Said) -> tuple[list[Doubted], dict[str, float]]:
        """Questions whose answer should be another, or none."""
        overlap = said["overlap"]
        found = find_answer_doubts(said["confidence"], overlap >= AGREES, overlap == 0.0)
        doubted = [
            Doubted(place, float(said["given"][place]), [self._item(rows[place], said, place)])
            for place in np.flatnonzero(found.suspected).tolist()
        ]
        return doubted, {"answer": round(found.threshold, DECIMALS)}

    def _told(self, row: Row, prediction: Prediction) -> dict[str, float]:
        best = prediction.payload
        assert isinstance(best, Answers)
        answer = best.answers[0] if best.answers else Answer(0, 0)
        given = sum(
            chance
            for start, end, chance in prediction.alternatives
            if self._overlap(row, Answers((Answer(start, end),) if end > start else ())) >= AGREES
        )
        return {
            "start": answer.start,
            "end": answer.end,
            "confidence": prediction.confidence,
            "given": min(1.0, float(given)),
            "overlap": self._overlap(row, best),
        }

    def _overlap(self, row: Row, guess: Payload) -> float:
        assert row.payload is not None
        return float(self._task.score_example(row.payload, guess, row.content)["f1"])

    @staticmethod
    def _item(row: Row, said: Said, place: int) -> dict[str, Any]:
        text = row.content.text
        start, end = int(said["start"][place]), int(said["end"][place])
        assert isinstance(row.payload, Answers)
        given = " / ".join(dict.fromkeys(text[each.start : each.end] for each in row.payload.answers))
        return {
            "start": start,
            "end": end,
            "given": given[:TEXT] or "no answer",
            "proposed": text[start:end][:TEXT] or "no answer",
            "given_probability": round(float(said["given"][place]), DECIMALS),
            "probability": round(float(said["confidence"][place]), DECIMALS),
        }


def joined(parts: Sequence[Said]) -> dict[str, NDArray[Any]]:
    """What was said of several lots of examples, one after another."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def doubted_apart(
    judge: Judge, rows: Sequence[Row], said: Said, seen: Sequence[bool], sizes: Sequence[int]
) -> Iterator[tuple[bool, list[Doubted], dict[str, float]]]:
    """Doubts of what a model had learned from and of what it had not, each held to thresholds of its own.

    Args:
        judge: Of the task.
        rows: All of them.
        said: Of these.
        seen: Whether the model had learned from each.
        sizes: How much of ``said``'s first axis each has: its tokens, or 1.

    Yields:
        Whether these were seen, the doubted among them (``place`` is that in ``rows``), and the thresholds.
    """
    of_row = np.repeat(np.asarray(seen, dtype=bool), sizes)
    for wanted in (False, True):
        places = [place for place, own in enumerate(seen) if own is wanted]
        if places:
            part = {name: values[of_row == wanted] for name, values in said.items()}
            found, thresholds = judge.doubt([rows[place] for place in places], part)
            yield (
                wanted,
                [Doubted(places[each.place], each.quality, each.items) for each in found],
                thresholds,
            )
