"""Gold labels beside what model versions predict: what evaluations and comparisons are computed from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from workbench.domain import (
    Example,
    ExampleText,
    GoldSet,
    Json,
    Payload,
    Prediction,
    Project,
    Split,
    is_partial,
)
from workbench.errors import InvalidInput
from workbench.services.labelmaps import LabelMap, gold_map, version_map
from workbench.services.snapshots import content_hash
from workbench.statistics import Floats
from workbench.storage.models import GoldRow
from workbench.storage.store import Store, Transaction
from workbench.tasks import Task, as_asked, get_task

DOCUMENTS_ENOUGH = 20
"""With fewer documents than this, resampling them says too little: single examples are drawn instead."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A labeled example with what some versions predict for it, in the order in which they were asked for.

    Attributes:
        example: As stored.
        gold: Its gold label.
        predicted: One per version.
        confidence: Of each prediction as a whole, 0..1.
        confidences: For each version one per predicted item.
    """

    example: Example
    gold: Payload
    predicted: tuple[Payload, ...]
    confidence: tuple[float, ...]
    confidences: tuple[tuple[float, ...], ...]

    @property
    def content(self) -> ExampleText:
        """Its text."""
        return self.example.content


@dataclass(frozen=True, slots=True)
class Judgement:
    """A split as it was judged.

    Attributes:
        examples: Labeled examples that every version has predicted.
        rows: Exactly which revision is the gold label of each.
        missing: For each version, how many labeled examples it has not predicted.
        data_hash: Over texts and gold labels of ``examples``.
        partial: Examples that are left out because their gold is partial: a frozen set has none.
    """

    examples: tuple[Judged, ...]
    rows: tuple[GoldRow, ...]
    missing: tuple[int, ...]
    data_hash: str
    partial: int = 0

    @property
    def groups(self) -> NDArray[np.int64] | None:
        """Document of each example, shape (examples,); None where there are too few documents to draw from."""
        documents = np.array([row.document_id for row in self.rows], dtype=np.int64)
        return documents if len(np.unique(documents)) >= DOCUMENTS_ENOUGH else None


def as_split(split: Split | str) -> Split:
    """The split of that name. Raises InvalidInput."""
    try:
        return Split(split)
    except ValueError:
        raise InvalidInput(
            f"there is no split named {split!r}", remedy=f"choose from {', '.join(Split)}"
        ) from None


def gold_of(tx: Transaction, project: Project, split: Split) -> tuple[list[GoldRow], int]:
    """What a split is measured by: labeled examples in the project's order, and how many partial ones are left out.

    Nobody has said what stands outside of the spans of a partial label, so a prediction there is neither right nor
    wrong: for everything that is measured, such an example is not labeled.

    Raises:
        InvalidInput: There is none.
    """
    found = list(tx.models.gold_rows(project.id, (split,)))
    rows = [row for row in found if not is_partial(row.payload)]
    if not rows and found:
        raise InvalidInput(
            f"all {len(found)} labels of the {split} split of {project.name} are partial, and nothing can be measured "
            "on those",
            remedy="label some of its examples as a whole, or choose another split",
        )
    if not rows:
        raise InvalidInput(
            f"the {split} split of {project.name} has no labeled example",
            remedy=f"import labeled data with `workbench import {project.name} FILE --split {split}`, "
            "or choose another split",
        )
    return rows, len(found) - len(rows)


def judge(
    tx: Transaction,
    project: Project,
    split: Split,
    version_ids: Sequence[int],
    gold_set: GoldSet | None = None,
) -> Judgement:
    """Read a split's gold labels, of now or as a gold set froze them, and the versions' predictions.

    Raises:
        InvalidInput: Nothing in the split is labeled.
    """
    task = get_task(project.task)
    rows, partial = (
        (list(tx.models.frozen_rows(gold_set.snapshot_id)), 0) if gold_set else gold_of(tx, project, split)
    )
    ids = [row.example_id for row in rows]
    said = [tx.models.said(version_id, ids) for version_id in version_ids]
    known = tuple(row for row in rows if all(row.example_id in found for found in said))
    stored = {example.id: example for example in tx.examples.by_ids([row.example_id for row in known])}
    versions = {version.id: version for version in tx.models.versions(project.id)}
    mappings = [version_map(tx, project, versions[version_id]) for version_id in version_ids]
    frozen = gold_map(tx, project, gold_set.snapshot_id) if gold_set else None
    examples = []
    for row in known:
        gold, example = task.load(row.payload), stored[row.example_id]
        guesses = [
            (gold, *found[row.example_id][1:])
            if mapping is None and found[row.example_id][0] == row.payload  # most are right: read them once
            else _under_todays_names(task, found[row.example_id], mapping, example.content)
            for found, mapping in zip(said, mappings, strict=True)
        ]
        examples.append(
            Judged(
                replace(example, content=as_asked(example.content, gold)),
                gold if frozen is None else frozen.payload(gold, example.content),
                tuple(payload for payload, _, _ in guesses),
                tuple(confidence for _, confidence, _ in guesses),
                tuple(tuple(confidences) for _, _, confidences in guesses),
            )
        )
    missing = tuple(sum(key not in found for key in ids) for found in said)
    digest = content_hash((), known, {row.example_id: split for row in known})
    return Judgement(tuple(examples), known, missing, digest, partial)


def _under_todays_names(
    task: Task, said: tuple[Json, float, Sequence[float]], mapping: LabelMap | None, content: ExampleText
) -> tuple[Payload, float, Sequence[float]]:
    payload, confidence, confidences = said
    loaded = task.load(payload)
    if mapping is None:
        return loaded, confidence, confidences
    found = mapping.prediction(Prediction(loaded, confidence, tuple(confidences)), content)
    return found.payload, confidence, found.confidences


def freeze(store: Store, project: Project, split: Split, judgement: Judgement) -> GoldSet:
    """The gold set that a judgement was made on, frozen now if these labels were never measured on before."""
    with store.read() as tx:
        found = tx.models.gold_set_of_hash(project.id, split, judgement.data_hash)
    if found is not None:
        return found
    with store.write() as tx:
        return tx.models.freeze_gold(project.id, split, judgement.data_hash, judgement.rows)


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
