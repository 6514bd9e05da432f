"""A person's annotations withdrawn, and put back: some hundred in a transaction, others going first in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from workbench.domain import AnnotationStatus, Json, Project, WorkChange
from workbench.domain.workchanges import DOING, DONE, UNDONE
from workbench.errors import InvalidPayload
from workbench.services.breath import Breath
from workbench.services.labelmaps import LabelMap, label_map
from workbench.services.wordings import wordings
from workbench.storage.rows import chunks
from workbench.storage.store import Store, Transaction
from workbench.storage.withdrawals import Scope
from workbench.storage.withdrawn import Withdrawn
from workbench.tasks import get_task

TOGETHER = 100
"""Annotations of one transaction: on SQLite nobody else writes meanwhile."""

Watch = Callable[[int, int], None]
"""Called with how many are done, and of how many."""


@dataclass(frozen=True, slots=True)
class WithdrawalPreview:
    """What a withdrawal would take.

    Attributes:
        person: Whose annotations.
        examples: That go back to be labeled, unless others have labeled them too.
        accepted: Annotations with labels.
        skipped: Without.
        flagged: Doubted ones.
        gold: Labels of theirs that count now and would not any more.
        decided: Labels of theirs that a reviewer has decided on; they stay, unless these are asked for as well.
        versions: Numbers of the model versions that learned from them; these stay as they are.
    """

    person: str
    examples: int
    accepted: int
    skipped: int
    flagged: int
    gold: int
    decided: int
    versions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class UndoPreview:
    """What undoing would put back, and what it would leave because something has changed since.

    Attributes:
        back: Annotations, or items held, that are as they were afterwards.
        again: Left: the person has labeled the example again.
        others: Left: as many others as shall have labeled it since, or somebody else holds it.
        unfit: Left: the labels don't fit the label set any more.
    """

    back: int = 0
    again: int = 0
    others: int = 0
    unfit: int = 0

    @property
    def left(self) -> int:
        """How much stays as it is now."""
        return self.again + self.others + self.unfit

    def __add__(self, other: UndoPreview) -> UndoPreview:
        """Both together."""
        return UndoPreview(*(getattr(self, name) + getattr(other, name) for name in UndoPreview.__slots__))


def stored_scope(scope: Scope, batch: int | None) -> Json:
    """The form in which a change keeps it; ``batch`` is the number, for people."""
    return {
        "batch": batch,
        "batch_id": scope.batch_id,
        "since": scope.since.isoformat() if scope.since else None,
        "upto": scope.upto,
        "decided": scope.decided,
    }


def scope_of(change: WorkChange) -> Scope:
    """The scope that a change has kept."""
    said = change.scope
    since = datetime.fromisoformat(said["since"]) if said["since"] else None
    return Scope(change.person_id, said["batch_id"], since, said["upto"], said["decided"])


def preview(tx: Transaction, project: Project, person: str, scope: Scope) -> WithdrawalPreview:
    """What a withdrawal would take."""
    counts = tx.withdrawals.counts(project.id, scope)
    of = counts.by_status.get
    return WithdrawalPreview(
        person=person,
        examples=sum(counts.by_status.values()),
        accepted=of(AnnotationStatus.ACCEPTED, 0),
        skipped=of(AnnotationStatus.SKIPPED, 0),
        flagged=of(AnnotationStatus.FLAGGED, 0),
        gold=counts.gold + (counts.decided if scope.decided else 0),
        decided=counts.decided,
        versions=tuple(tx.withdrawals.learned_from(project.id, scope)),
    )


def carry_out(store: Store, change: WorkChange, watch: Watch | None = None) -> None:
    """Withdraw what is left of a change's scope; one that was interrupted goes on where it was."""
    scope = scope_of(change)
    with store.read() as tx:
        pairs = tx.withdrawals.to_withdraw(change.project_id, scope)
    done, gold = change.effect.get("annotations", 0), change.effect.get("gold", 0)
    total = done + len(pairs)
    breath = Breath(store)
    for part in chunks(pairs, TOGETHER):
        breath.pause()
        with store.write() as tx:
            project = tx.projects.held(change.project_id)
            if tx.work_changes.by_number(change.project_id, change.number).state != DOING:
                return  # somebody undoes it, or goes on with it, meanwhile
            with wordings(tx, project, [example_id for example_id, _ in part]):
                count, changed = tx.withdrawals.withdraw(change.id, scope, part, project.sharing, change.note)
            done, gold = done + count, gold + changed
            tx.work_changes.set_state(change.id, change.state, effect={"annotations": done, "gold": gold})
        if watch is not None:
            watch(done, total)
    with store.write() as tx:
        if tx.work_changes.by_number(change.project_id, change.number).state == DOING:
            tx.work_changes.set_state(change.id, DONE)


def preview_undo(tx: Transaction, project: Project, change: WorkChange) -> UndoPreview:
    """What putting everything back would do."""
    found = UndoPreview()
    mapping = label_map(tx, project, change.created_at)
    for part in chunks(tx.withdrawals.to_put_back(change.id)):
        rows = tx.withdrawals.withdrawn([one for _, one in part], project.sharing)
        found += _sorted(tx, project, mapping, rows)[2]
    return found


def put_back(store: Store, change: WorkChange, watch: Watch | None = None) -> UndoPreview:
    """Let everything stand again that the change has withdrawn, but for what has changed since."""
    with store.read() as tx:
        pairs = tx.withdrawals.to_put_back(change.id)
    found, done = UndoPreview(**(change.undo_effect or {})), 0
    breath = Breath(store)
    for part in chunks(pairs, TOGETHER):
        breath.pause()
        with store.write() as tx:
            project = tx.projects.held(change.project_id)
            ids = [example_id for example_id, _ in part]
            tx.withdrawals.lock(ids)
            mapping = label_map(tx, project, change.created_at)
            with wordings(tx, project, ids):
                rows = tx.withdrawals.withdrawn([one for _, one in part], project.sharing)
                back, payloads, counted = _sorted(tx, project, mapping, rows)
                tx.withdrawals.put_back(change.id, back, payloads, project.sharing)
            so_far = UndoPreview(back=found.back + counted.back)
            tx.work_changes.set_state(change.id, change.state, undo_effect=asdict(so_far))
        found, done = found + counted, done + len(part)
        if watch is not None:
            watch(done, len(pairs))
    with store.write() as tx:
        tx.work_changes.set_state(change.id, UNDONE, undo_effect=asdict(found))
    return found


def _sorted(
    tx: Transaction, project: Project, mapping: LabelMap, rows: Sequence[Withdrawn]
) -> tuple[list[Withdrawn], dict[int, Json], UndoPreview]:
    """What can be put back, labels that are called otherwise now (by example), and the counts of it all."""
    back: list[Withdrawn] = []
    renamed: dict[int, Json] = {}
    again = others = unfit = 0
    for row in rows:
        if row.again:
            again += 1
        elif row.others and not row.room:
            others += 1
        else:
            try:
                fitting = _fitting(tx, project, mapping, row)
            except InvalidPayload:
                unfit += 1
                continue
            if fitting is not row.payload and fitting is not None:
                renamed[row.example_id] = fitting
            back.append(row)
    return back, renamed, UndoPreview(len(back), again, others, unfit)


def _fitting(tx: Transaction, project: Project, mapping: LabelMap, row: Withdrawn) -> Json | None:
    """The labels under their names of now; the very same object where nothing is called otherwise.

    Raises:
        InvalidPayload: One of them is no more.
    """
    if row.payload is None:
        return None
    task = get_task(project.task)
    payload = task.load(row.payload)
    used = task.labels_in(payload)
    if not mapping.steps and set(used).issubset(project.label_names):
        return row.payload
    content = tx.examples.by_ids([row.example_id])[0].content
    found = mapping.payload(payload, content)
    if len(task.labels_in(found)) != len(used):
        raise InvalidPayload("a label of this annotation is no more")
    task.validate(found, content, project.label_names)
    return task.dump(found)
