"""Probes: adjudicated examples mixed into batches unseen, and how close to gold each person's answers come."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from workbench.domain import (
    Annotation,
    AnnotationStatus,
    Example,
    ExampleText,
    Json,
    Payload,
    Project,
    User,
)
from workbench.errors import InvalidInput, NotFound
from workbench.services.annotation_items import Receipt, Submission
from workbench.services.annotation_queue import suggestions_for
from workbench.storage.batches import NewItem
from workbench.storage.rows import chunks
from workbench.storage.store import Store, Transaction
from workbench.tasks import Task, common_ground, get_task

SETTING = "probes"
MOST = 0.5
"""Largest share of a batch that may be probes."""

LOOKED_AT = 200
"""Candidates whose suggestions are asked for at once."""


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """What a person said of a probe.

    Attributes:
        answer: Theirs; without labels where they skipped it.
        gold: What counted when they said it.
        example: The example.
        score: The primary metric of this one answer, 0..1; 1 where both are the same. None without labels.
    """

    answer: Annotation
    gold: Annotation
    example: Example
    score: float | None

    @property
    def same(self) -> bool:
        """Whether it says exactly what gold says."""
        return self.answer.payload == self.gold.payload


@dataclass(frozen=True, slots=True)
class ProbeScore:
    """A person's answers to probes, all together.

    Attributes:
        person: Their name.
        answers: How many they gave labels to.
        without_labels: How many they skipped or flagged without labels.
        same: How many say exactly what gold says.
        score: The primary metric over all (entity F1, token accuracy, F1 of answers), 0..1; None without an answer.
    """

    person: str
    answers: int
    without_labels: int
    same: int
    score: float | None


class ProbeService:
    """Set the share of probes; see how people do on them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def set(self, project: Project, share: float, *, by: User | None = None) -> Project:
        """Mix so many probes into batches that are made from now on.

        Args:
            project: The project.
            share: Of a batch's examples, 0 to ``MOST``; 0 mixes none in.
            by: Who says so.

        Raises:
            InvalidInput: The share is out of its range.
        """
        if not 0 <= share <= MOST:
            raise InvalidInput(f"{share:g} can't be the share of probes", remedy=f"say 0 to {MOST:g}")
        with self._store.write() as tx:
            now = tx.projects.alone(project.id)
            tx.projects.set_settings(project.id, {**now.settings, SETTING: share})
            told = {"from": share_of(now), "to": share}
            tx.users.audit(by.id if by else None, "project.probes", project.name, told, project.id)
            return tx.projects.by_id(project.id)

    def supply(self, project: Project) -> tuple[int, int]:
        """How many adjudicated examples could be mixed into a new batch, and how many are in batches already."""
        with self._store.read() as tx:
            project = tx.projects.by_id(project.id)
            return len(tx.probes.candidates(project.id, project.sharing)), tx.probes.mixed_in(project.id)

    def scores(self, project: Project) -> tuple[ProbeScore, ...]:
        """How close to gold each person's answers come, by name."""
        task = get_task(project.task)
        people: dict[str, list[ProbeAnswer]] = {}
        for one in self.answers(project):
            people.setdefault(one.answer.author, []).append(one)
        return tuple(_score(task, name, people[name]) for name in sorted(people))

    def answers(self, project: Project, person: str | None = None) -> tuple[ProbeAnswer, ...]:
        """What people said of probes and what gold says, the newest first; one person's, or everybody's."""
        task = get_task(project.task)
        with self._store.read() as tx:
            said = [
                pair
                for pair in tx.probes.all(project.id)
                if pair[0].status is not AnnotationStatus.WITHDRAWN and person in (None, pair[0].author)
            ]
            found = {one.id: one for one in tx.examples.by_ids([answer.example_id for answer, _ in said])}
        return tuple(
            ProbeAnswer(answer, gold, found[answer.example_id], _of_one(task, answer, gold, found))
            for answer, gold in said
            if answer.example_id in found
        )


def share_of(project: Project) -> float:
    """The share of probes that the project's next batch gets."""
    return float(project.settings.get(SETTING, 0.0))


def mix(tx: Transaction, project: Project, items: Sequence[NewItem], seed: int) -> list[NewItem]:
    """The items of a batch to be with its probes among them, at places drawn by the seed.

    A probe looks like its neighbour: it carries the neighbour's score and reason, and has a suggestion where the
    batch's other examples have one. Where too few such examples are there, fewer are mixed in.
    """
    share = share_of(project)
    wanted = round(len(items) * share / (1 - share))
    if not wanted:
        return list(items)
    lots = random.Random(f"{seed}:{project.id}:{items[0].example_id}")
    candidates = tx.probes.candidates(project.id, project.sharing)
    lots.shuffle(candidates)
    first = tx.examples.by_ids([item.example_id for item in items[:LOOKED_AT]])
    helped = len(suggestions_for(tx, project, first)) * 2 > len(first)
    chosen: list[int] = []
    for part in chunks(candidates, LOOKED_AT):
        with_suggestion = suggestions_for(tx, project, tx.examples.by_ids(part))
        chosen += [one for one in part if (one in with_suggestion) is helped]
        if len(chosen) >= wanted:
            break
    mixed = list(items)
    for example_id in chosen[:wanted]:
        place = lots.randrange(len(mixed))
        mixed.insert(place, _alike(example_id, mixed[place - 1] if place else mixed[place], mixed[place]))
        mixed[place + 1 :] = [_one_further(item) for item in mixed[place + 1 :]]
    return mixed


def _alike(example_id: int, before: NewItem, after: NewItem) -> NewItem:
    """A probe for the place between two items: their reason, and a score between theirs."""
    if before.score is None or after.score is None:
        return replace(after, example_id=example_id, probe=True)
    score = (before.score + after.score) / 2
    reason = {**after.reason, "score": score} if "score" in after.reason else after.reason
    return NewItem(example_id, score, reason, probe=True)


def _one_further(item: NewItem) -> NewItem:
    """The item one place further down: no two of a batch have the same rank."""
    rank = item.reason.get("rank")
    return replace(item, reason={**item.reason, "rank": rank + 1}) if isinstance(rank, int) else item


def store_probe(
    tx: Transaction, user: User, item: Submission, payload: Json | None, batch_id: int
) -> Receipt:
    """Keep an answer to a probe, with the same receipt as any other answer's."""
    values = {
        "status": item.status,
        "payload": dict(payload) if payload is not None else None,
        "client_id": item.client_id,
        "seconds": None if item.seconds is None else max(0.0, item.seconds),
        "comment": item.comment.replace("\0", ""),
    }
    try:
        stored = tx.probes.store(batch_id, item.example_id, user.id, values)
    except NotFound as error:
        return Receipt(item.client_id, item.example_id, message=str(error))
    return Receipt(item.client_id, item.example_id, annotation=stored)


def _score(task: Task, name: str, said: Sequence[ProbeAnswer]) -> ProbeScore:
    labeled = [one for one in said if one.answer.payload is not None]
    same = sum(one.same for one in labeled)
    score = None
    if labeled:
        score = 1.0 if same == len(labeled) else _primary(task, [_statistics(task, one) for one in labeled])
    return ProbeScore(name, len(labeled), len(said) - len(labeled), same, score)


def _of_one(task: Task, answer: Annotation, gold: Annotation, found: dict[int, Example]) -> float | None:
    if answer.payload is None or gold.payload is None:
        return None
    if answer.payload == gold.payload:
        return 1.0
    content = found[answer.example_id].content
    return _primary(task, [_counts(task, gold.payload, answer.payload, content)])


def _statistics(task: Task, one: ProbeAnswer) -> dict[str, float]:
    assert one.gold.payload is not None and one.answer.payload is not None
    return _counts(task, one.gold.payload, one.answer.payload, one.example.content)


def _counts(task: Task, gold: Payload, answer: Payload, content: ExampleText) -> dict[str, float]:
    """A person is measured where they have judged: gold outside of the spans of a partial answer was not missed."""
    right, said = common_ground(gold, answer)
    return task.score_example(right, said, content)


def _primary(task: Task, rows: Sequence[dict[str, float]]) -> float:
    sums: dict[str, Any] = {name: np.array(sum(row[name] for row in rows)) for name in rows[0]}
    return float(task.aggregate(sums)) / task.metric_scale
