"""Which revisions a change of the label set writes: computed for a preview, written for the change itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from workbench.domain import AnnotationStatus, ExampleText, Project
from workbench.storage.labelsets import NewRevision, Standing
from workbench.storage.replacements import Written
from workbench.storage.rows import chunks
from workbench.storage.store import Transaction
from workbench.tasks import Task, get_task
from workbench.tasks.relabel import Relabeled, Relabeling, relabel

TOGETHER = 500
"""Examples that are read at a time."""


@dataclass(frozen=True, slots=True)
class Effect:
    """How much a change rewrites.

    Attributes:
        examples: Examples with labels that change.
        annotations: Standing annotations that are written anew, over all annotators.
        uses: Spans or tags that get another name.
        undecided: Spans or tags that a person has to decide.
        gold: Examples whose gold changes.
        kept: Of an undo: annotations that people have revised since, and that stay as they are.
    """

    examples: int = 0
    annotations: int = 0
    uses: int = 0
    undecided: int = 0
    gold: int = 0
    kept: int = 0

    def __add__(self, other: Effect) -> Effect:
        """Both together."""
        return Effect(*(getattr(self, name) + getattr(other, name) for name in Effect.__slots__))


@dataclass(frozen=True, slots=True)
class Plan:
    """What some examples need: new revisions, and examples that a person has to look at again."""

    rows: tuple[NewRevision, ...]
    again: tuple[int, ...]
    effect: Effect


def plan(tx: Transaction, project: Project, rules: Relabeling, system_id: int) -> Iterator[Plan]:
    """The revisions that carry out a change, some hundred examples at a time.

    Every standing revision that uses a changed label is written anew for its author. So are those behind it, as
    they are, so that the newest one stays the newest. Gold that is not its author's standing revision (a reviewer
    chose an older one) is written anew by a system user. Where a use can't be decided, all of the example's
    revisions are withdrawn, with their labels in them, and a person decides the example again.

    Args:
        tx: A block in which nobody else may save.
        project: The project.
        rules: What becomes what.
        system_id: Id of the system user.
    """
    task = get_task(project.task)
    touched = {*rules.names, *rules.surfaces}
    for part in chunks(tx.labelsets.examples_with(project.id, touched), TOGETHER):
        contents = {example.id: example.content for example in tx.examples.by_ids(part)}
        newest = tx.labelsets.newest_revisions(part)
        standing = tx.labelsets.standing(part)
        yield _plan(task, rules, system_id, contents, newest, standing)


def _plan(
    task: Task,
    rules: Relabeling,
    system_id: int,
    contents: Mapping[int, ExampleText],
    newest: Mapping[int, int],
    standing: Mapping[int, Sequence[Standing]],
) -> Plan:
    rows: list[NewRevision] = []
    again: list[int] = []
    effect = Effect()
    for example_id, stands in standing.items():
        named = [
            None if one.payload is None else relabel(task.load(one.payload), contents[example_id], rules)
            for one in stands
        ]
        touched = [bool(one and (one.changed or one.undecided)) for one in named]
        if not any(touched):
            continue
        undecided = sum(one.undecided for one in named if one)
        first = 0 if undecided else touched.index(True)
        if undecided:
            again.append(example_id)
        pairs = list(zip(stands, named, strict=True))[first:]
        for number, (one, new) in enumerate(pairs, start=newest[example_id] + 1):
            rows.append(_anew(task, one, new, bool(undecided), system_id, number))
        effect += Effect(
            examples=1,
            annotations=sum(touched),
            uses=sum(one.changed for one in named if one),
            undecided=undecided,
            gold=sum(one.gold and (hit or bool(undecided)) for one, hit in zip(stands, touched, strict=True)),
        )
    return Plan(tuple(rows), tuple(again), effect)


def _anew(
    task: Task, one: Standing, new: Relabeled | None, withdrawn: bool, system_id: int, revision: int
) -> NewRevision:
    return NewRevision(
        replaced=one,
        author_id=one.author_id if one.latest else system_id,
        revision=revision,
        status=AnnotationStatus.WITHDRAWN if withdrawn else one.status,
        payload=None if new is None else task.dump(new.payload),
        like=None if withdrawn else one.id,
    )


def plan_undo(tx: Transaction, change_id: int) -> Iterator[tuple[Plan, tuple[Written, ...]]]:
    """The revisions that put back what stood before a change, and for each what it puts back.

    What somebody has revised since is theirs and stays.
    """
    for part in chunks(tx.labelsets.written_by(change_id), TOGETHER):
        ids = sorted({written.example_id for written in part})
        standing = {
            (one.example_id, one.author_id): one
            for stands in tx.labelsets.standing(ids).values()
            for one in stands
            if one.latest
        }
        newest = tx.labelsets.newest_revisions(ids)
        rows: list[NewRevision] = []
        back: list[Written] = []
        for written in part:
            if written.touched:
                continue
            # Newer changes have been undone: what stands here now is what this one has written, word for word.
            one = standing[written.example_id, written.author_id]
            newest[written.example_id] += 1
            number = newest[written.example_id]
            rows.append(
                NewRevision(one, one.author_id, number, written.status, written.payload, written.replaced_id)
            )
            back.append(written)
        effect = Effect(
            examples=len({written.example_id for written in back}),
            annotations=len(back),
            gold=sum(written.gold for written in back),
            kept=len(part) - len(back),
        )
        yield Plan(tuple(rows), (), effect), tuple(back)
