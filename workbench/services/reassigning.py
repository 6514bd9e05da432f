"""What a person holds given to somebody else, or back to everybody; and taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from workbench.domain import AnnotationStatus, Json, Project, User, WorkChange
from workbench.services.withdrawing import UndoPreview
from workbench.storage.rows import now
from workbench.storage.store import Transaction
from workbench.storage.workchanges import Held


@dataclass(frozen=True, slots=True)
class ReassignPreview:
    """What giving somebody's open items away would do.

    Attributes:
        person: Who holds them.
        to: Who would; None is everybody.
        held: Examples that the person holds.
        given: Of these, what the other would hold; the rest goes back to everybody, since they have labeled or hold
            it already.
    """

    person: str
    to: str | None
    held: int
    given: int


def split(tx: Transaction, held: list[Held], to: User | None) -> tuple[list[Held], list[Held]]:
    """What the other is given, and what goes back to everybody."""
    if to is None:
        return [], held
    ids = [one.example_id for one in held]
    said = tx.annotations.newest(ids, to.id)
    theirs = {one for one, word in said.items() if word.status is not AnnotationStatus.WITHDRAWN}
    theirs |= set(tx.batches.held(to.id))
    given = [one for one in held if one.example_id not in theirs]
    return given, [one for one in held if one.example_id in theirs]


def move(tx: Transaction, held: list[Held], person: User, to: User | None, hours: float) -> Json:
    """Carry it out; what a change keeps of it."""
    given, freed = split(tx, held, to)
    tx.batches.end_leases(person.id, [one.example_id for one in held])
    if to is not None:
        pairs = [(one.batch_id, one.example_id) for one in given]
        tx.batches.lease(to.id, pairs, now() + timedelta(hours=hours))
    return {"given": [_kept(one) for one in given], "freed": [_kept(one) for one in freed]}


def take_back(
    tx: Transaction, project: Project, change: WorkChange, lease: timedelta, *, dry: bool = False
) -> UndoPreview:
    """Let the person hold again what nobody has labeled since, and nobody else holds than who was given it.

    Args:
        tx: A writing block, unless ``dry``.
        project: As it is now.
        change: The reassignment.
        lease: How long they hold it from now on.
        dry: Only count.
    """
    items = [*change.scope["given"], *change.scope["freed"]]
    ids = [one["example"] for one in items]
    both = [one for one in (change.person_id, change.scope["to_id"]) if one is not None]
    own = tx.annotations.newest(ids, change.person_id)
    again = {one for one, said in own.items() if said.created_at >= change.created_at}
    taken = tx.work_changes.taken([(one["batch"], one["example"]) for one in items], project.sharing, both)
    back = [one for one in items if one["example"] not in again | taken]
    if not dry and back:
        freed = [one["example"] for one in back]
        if change.scope["to_id"] is not None:
            tx.batches.end_leases(change.scope["to_id"], freed)
        pairs = [(one["batch"], one["example"]) for one in back]
        tx.batches.lease(change.person_id, pairs, now() + lease)
    return UndoPreview(len(back), len(again), len(taken - again))


def _kept(one: Held) -> dict[str, Any]:
    return {"example": one.example_id, "batch": one.batch_id}
