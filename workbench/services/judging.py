"""Gold labels beside what model versions predict: what evaluations and comparisons are computed from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.domain import ExampleText, Payload, Project, Spans, Split, Tags
from workbench.errors import InvalidInput
from workbench.services.snapshots import content_hash
from workbench.statistics import Floats
from workbench.storage.models import GoldRow
from workbench.storage.store import Transaction
from workbench.tasks import Task, get_task

DOCUMENTS_ENOUGH = 20
"""With fewer documents than this, resampling them says too little: single examples are drawn instead."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A labeled example with what some versions predict for it, in the order in which they were asked for."""

    example_id: int
    document_id: int
    content: ExampleText
    gold: Payload
    predicted: tuple[Payload, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A split as it was judged.

    Attributes:
        examples: Labeled examples that every version has predicted.
        missing: For each version, how many labeled examples it has not predicted.
        data_hash: Over texts and gold labels of ``examples``.
    """

    examples: tuple[Judged, ...]
    missing: tuple[int, ...]
    data_hash: str

    @property
    def groups(self) -> NDArray[np.int64] | None:
        """Document of each example, shape (examples,); None where there are too few documents to draw from."""
        documents = np.array([example.document_id for example in self.examples], dtype=np.int64)
        return documents if len(np.unique(documents)) >= DOCUMENTS_ENOUGH else None


def as_split(split: Split | str) -> Split:
    """The split of that name. Raises InvalidInput."""
    try:
        return Split(split)
    except ValueError:
        raise InvalidInput(
            f"there is no split named {split!r}", remedy=f"choose from {', '.join(Split)}"
        ) from None


def gold_of(tx: Transaction, project: Project, split: Split) -> list[GoldRow]:
    """Labeled examples of a split, in the project's order. Raises InvalidInput where there is none."""
    rows = list(tx.models.gold_rows(project.id, (split,)))
    if not rows:
        raise InvalidInput(
            f"the {split} split of {project.name} has no labeled example",
            remedy=f"import labeled data with `workbench import {project.name} FILE --split {split}`, "
            "or choose another split",
        )
    return rows


def judge(tx: Transaction, project: Project, split: Split, version_ids: Sequence[int]) -> Judgement:
    """Read a split's gold labels and the versions' predictions. Raises InvalidInput where there is no gold."""
    task = get_task(project.task)
    rows = gold_of(tx, project, split)
    ids = [row.example_id for row in rows]
    predictions = [tx.models.predictions(version_id, ids) for version_id in version_ids]
    known = [row for row in rows if all(row.example_id in found for found in predictions)]
    contents = {
        example.id: example.content for example in tx.examples.by_ids([row.example_id for row in known])
    }
    examples = tuple(
        Judged(
            row.example_id,
            row.document_id,
            contents[row.example_id],
            task.load(row.payload),
            tuple(task.load(found[row.example_id]["payload"]) for found in predictions),
        )
        for row in known
    )
    missing = tuple(sum(key not in found for key in ids) for found in predictions)
    return Judgement(examples, missing, content_hash((), known, {row.example_id: split for row in known}))


def statistics_of(task: Task, judgement: Judgement, version: int) -> dict[str, Floats]:
    """The task's sufficient statistics of one version (its place among those asked for), shape (examples,) each."""
    return stacked(
        task.score_example(example.gold, example.predicted[version], example.content)
        for example in judgement.examples
    )


def stacked(rows: Iterable[Mapping[str, float]]) -> dict[str, Floats]:
    """Counts of single examples as one array per name."""
    listed = list(rows)
    names = listed[0] if listed else ()
    return {name: np.array([row[name] for row in listed], dtype=np.float64) for name in names}


def is_right(task: Task, gold: Payload, predicted: Payload, example: ExampleText) -> bool:
    """Whether nothing of a prediction is wrong: every span or tag, or the answer as SQuAD's exact match sees it."""
    if isinstance(gold, Spans) and isinstance(predicted, Spans):
        return set(gold.spans) == set(predicted.spans)
    if isinstance(gold, Tags) and isinstance(predicted, Tags):
        return all(a is None or a == b for a, b in zip(gold.tags, predicted.tags, strict=True))
    return task.score_example(gold, predicted, example).get("exact_match", 0.0) >= 1.0


def label_counts(gold: Payload, predicted: Payload) -> dict[str, tuple[int, int, int]]:
    """Per label: right ones, predicted ones, gold ones. Tokens that nobody has tagged count for neither."""
    truth, guess = _items(gold, gold), _items(predicted, gold)
    counts: dict[str, list[int]] = {}
    for item in truth | guess:
        count = counts.setdefault(item[0], [0, 0, 0])
        count[0] += item in truth and item in guess
        count[1] += item in guess
        count[2] += item in truth
    return {label: (right, found, wanted) for label, (right, found, wanted) in counts.items()}


def _items(payload: Payload, gold: Payload) -> set[tuple[str, int, int]]:
    if isinstance(payload, Spans):
        return {(span.label, span.start, span.end) for span in payload.spans}
    if isinstance(payload, Tags) and isinstance(gold, Tags):
        return {
            (tag, index, index + 1)
            for index, (tag, wanted) in enumerate(zip(payload.tags, gold.tags, strict=True))
            if tag is not None and wanted is not None
        }
    return set()
