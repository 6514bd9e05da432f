"""Do successive versions still change their minds? Their agreement on a fixed set of text that nobody labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from workbench.acquisition import random_scores
from workbench.config import Settings
from workbench.domain import (
    ExampleText,
    ModelVersion,
    Payload,
    Project,
    Run,
    RunKind,
    Spans,
    Tags,
)
from workbench.errors import InvalidInput
from workbench.evidence.stability import Stability, kappa, stability
from workbench.services.labelmaps import version_map
from workbench.services.models import artifact_folder
from workbench.services.runs import RunService
from workbench.services.snapshots import in_context, write_examples
from workbench.storage.models import SnapshotRow
from workbench.storage.rows import chunks
from workbench.storage.store import Store, Transaction
from workbench.tasks import get_task

SIZE = 1_000
"""Examples of a stop set; Bloodgood and Vijay-Shanker (2009) found 2,000 enough for every task of theirs."""

SMALLEST = 50
"""With fewer left unlabeled, agreement on them says nothing."""

READ = 0.8
"""A version that has read less of the stop set than this has not read it."""

VERSIONS = 8
"""How many of the newest versions are followed."""

SEED = 20_262


Units: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StopSet:
    """Agreement of successive versions.

    Attributes:
        examples: Of the set that all of them have read.
        versions: Numbers of the versions compared, oldest first.
        unread: Numbers of versions that have not read it and can, which ``StopSets.read`` mends.
        stability: Kappa of each version with the one before, and what that means.
    """

    examples: int
    versions: tuple[int, ...]
    unread: tuple[int, ...]
    stability: Stability


class StopSets:
    """Choose the set, have versions read it, compare them."""

    def __init__(self, store: Store, settings: Settings, runs: RunService) -> None:
        self._store = store
        self._settings = settings
        self._runs = runs

    def agreement(self, project: Project) -> StopSet:
        """How far the newest versions agree, each with the one before it."""
        with self._store.read() as tx:
            return tx.once(("stop", project.id), models_stamp(tx, project), partial(_agreement, tx, project))

    def read(self, project: Project, number: int, user_id: int | None = None) -> Run:
        """Queue a run in which a version reads the stop set.

        Raises:
            NotFound: There is no such version.
            ModelUnavailable: Its files are gone.
            InvalidInput: Nothing of the pool is unlabeled.
        """
        with self._store.read() as tx:
            version = tx.models.by_number(project.id, number)
            ids = stop_set(tx, project)
        if not ids:
            raise InvalidInput("nothing of the pool is unlabeled", remedy="import more with --split pool")
        folder = artifact_folder(self._settings, version)
        parameters: dict[str, Any] = {
            "strategies": [],
            "device": self._settings.device,
            "precision": "auto",
        }

        def prepare(staging: Path) -> dict[str, Any]:
            rows = in_context(self._store, self._rows(ids), version.context)
            write_examples(staging / "examples.jsonl", rows)
            return {
                "labels": list(version.labels),
                "parameters": parameters,
                "model_dir": str(folder),
                "notes": [
                    f"Version {number} reads {len(ids)} examples of the pool, to be compared with others."
                ],
            }

        kept = {**parameters, "model_version": number, "stop_set": len(ids)}
        return self._runs.launch(project, RunKind.SCORE, kept, prepare, user_id=user_id)

    def _rows(self, ids: Sequence[int]) -> Iterator[SnapshotRow]:
        for chunk in chunks(ids, 2_000):
            with self._store.read() as tx:
                examples = tx.examples.by_ids(chunk)
            for each in examples:
                yield SnapshotRow(
                    each.id, each.position, each.split, str(each.document_id), each.content, None
                )


def models_stamp(tx: Transaction, project: Project) -> tuple[object, ...]:
    """Changes whenever a version may be another, or what one says of the pool, or what is accepted."""
    return (
        tx.models.gold_stamp(),
        tx.sizes.stamp(project.id),
        tx.runs.last_finished(project.id),
        tx.models.versions(project.id),
        project,
    )


def _agreement(tx: Transaction, project: Project) -> StopSet:
    ids = stop_set(tx, project)
    versions = _successive(tx, project)[-VERSIONS:]
    if len(ids) < SMALLEST:
        few = (
            f"Unlabeled examples of the pool: {len(ids)}. Too few to compare versions on."
            if ids
            else "Nothing of the pool is unlabeled, so there is nothing to compare versions on."
        )
        return StopSet(len(ids), (), (), Stability((), None, False, few))
    texts: dict[int, ExampleText] = {}
    found = {version.number: _said(tx, project, version, ids, texts) for version in versions}
    read = [number for number, said in found.items() if len(said) >= READ * len(ids)]
    unread = tuple(each.number for each in versions if each.number not in read and not each.pruned)
    common = [key for key in ids if all(key in found[number] for number in read)]
    labels = {number: [item for key in common for item in found[number][key]] for number in read}
    kappas = [kappa(labels[a], labels[b]) for a, b in pairwise(read)] if common else []
    return StopSet(len(common), tuple(read), unread, stability(kappas))


def _successive(tx: Transaction, project: Project) -> list[ModelVersion]:
    """Versions that are not archived, and of those that the same labels taught the newest: others tell of the seed."""
    versions = [each for each in tx.models.versions(project.id) if not each.archived_at]
    labels = tx.models.frozen_labels({each.snapshot_id for each in versions})
    newest = {labels.get(each.snapshot_id): each.number for each in versions}
    return [each for each in versions if newest[labels.get(each.snapshot_id)] == each.number]


def stop_set(tx: Transaction, project: Project) -> list[int]:
    """Ids of unlabeled pool examples, by a lot that is always the same; at most ``SIZE``."""
    drawn = tx.sizes.drawn(project.id, SIZE)
    labeled = tx.annotations.with_gold(drawn)
    ids = np.array([key for key in drawn if key not in labeled], dtype=np.int64)
    order = np.argsort(-random_scores(ids, SEED), kind="stable")
    return [int(key) for key in ids[order][:SIZE]]


def units(payload: Payload, content: ExampleText) -> list[str]:
    """The labels of an example that two versions are compared by.

    Of each token its entity's label or tag; of each word of a context whether it stands in the answer.

    >>> from workbench.domain import Answer
    >>> units(Answers((Answer(4, 7),)), ExampleText("the cat sat"))
    ['', 'answer', '']
    """
    if isinstance(payload, Tags):
        return [tag or "" for tag in payload.tags]
    if isinstance(payload, Spans):
        places, marks = content.tokens, [(span.start, span.end, span.label) for span in payload.spans]
    else:
        places = tuple(_words(content.text))
        marks = [(answer.start, answer.end, "answer") for answer in payload.answers[:1]]
    found = [""] * len(places)
    for index, (start, end) in enumerate(places):
        for first, last, label in marks:
            if first < end and start < last:
                found[index] = label
    return found


def _words(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for word in text.split():
        start = text.index(word, start)
        yield start, start + len(word)
        start += len(word)


def _said(
    tx: Transaction,
    project: Project,
    version: ModelVersion,
    ids: Sequence[int],
    texts: dict[int, ExampleText],
) -> dict[int, Units]:
    """What a version predicts of the examples that it has read, under the labels' names of now, as units.

    Texts that are read for it are added to ``texts``, for the next version.
    """
    mapping = version_map(tx, project, version)
    stamp = (tx.runs.last_finished(project.id), mapping)
    known: dict[int, Units | None] = tx.once(("said", version.id), stamp, dict)
    missing = [key for key in ids if key not in known]
    if missing:
        task = get_task(project.task)
        unread = [key for key in missing if key not in texts]
        texts.update((example.id, example.content) for example in tx.examples.by_ids(unread))
        known |= dict.fromkeys(missing)  # a version that has not read an example
        for key, stored in tx.models.payloads(version.id, missing).items():
            payload = task.load(stored)
            if mapping is not None:
                payload = mapping.payload(payload, texts[key])
            known[key] = tuple(units(payload, texts[key]))
    found = ((key, known[key]) for key in ids)
    return {key: said for key, said in found if said is not None}


__all__ = ["StopSet", "StopSets", "stop_set", "units"]
