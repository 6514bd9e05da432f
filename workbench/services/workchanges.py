"""A person's work withdrawn, or what they hold given to others: counted beforehand, undone in one step."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from workbench.config import Settings
from workbench.domain import Project, User, WorkChange
from workbench.domain.workchanges import DOING, DONE, REASSIGN, UNDOING, UNDONE, WITHDRAW
from workbench.errors import InvalidInput, NotFound, WrongState
from workbench.services import reassigning, withdrawing
from workbench.services.reassigning import ReassignPreview
from workbench.services.team import normal
from workbench.services.withdrawing import UndoPreview, Watch, WithdrawalPreview
from workbench.storage.store import Store, Transaction
from workbench.storage.withdrawals import Scope

HOURS = 24.0
"""How long what somebody is given stays theirs, unless they are told otherwise."""

MOST_HOURS = 24.0 * 14
LONGEST_NOTE = 500


class WorkChangeService:
    """Withdraw, reassign, undo, list."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._lease = timedelta(minutes=settings.lease_minutes)

    def history(self, project: Project) -> tuple[WorkChange, ...]:
        """Every change of people's work in a project, the newest first."""
        with self._store.read() as tx:
            return tx.work_changes.all(project.id)

    def authors(self, project: Project) -> tuple[str, ...]:
        """Names of whoever has labeled in a project, or holds something of it, whose work can be withdrawn."""
        with self._store.read() as tx:
            labeled = set(tx.label_rows.annotators(project.id))
            users = [user for user in tx.users.all() if _has_work(user)]
            return tuple(
                user.name
                for user in users
                if user.name in labeled or tx.work_changes.held(project.id, user.id)
            )

    # --- withdraw ---------------------------------------------------------------------------------------

    def withdraw_preview(
        self,
        project: Project,
        person: str,
        *,
        batch: int | None = None,
        since: datetime | None = None,
        decided: bool = False,
    ) -> WithdrawalPreview:
        """What ``withdraw`` would take; nothing is written. Raises as it."""
        with self._store.read() as tx:
            scope = _scope(tx, project, person, batch, since, decided)
            return withdrawing.preview(tx, project, normal(person), scope)

    def withdraw(
        self,
        project: Project,
        person: str,
        *,
        batch: int | None = None,
        since: datetime | None = None,
        decided: bool = False,
        note: str = "",
        by: User | None = None,
        watch: Watch | None = None,
    ) -> WorkChange:
        """Let a person's annotations count no more: for gold, what models learn next, agreement, exports.

        Every example gets a revision that withdraws theirs; what they said stays in its history, and what the others
        said counts as if they had said nothing. Examples go back to where they came from: the batch, or the pool.
        It is done some hundred at a time; a server that dies meanwhile leaves the rest to ``go_on``.

        Args:
            project: The project.
            person: Whose annotations.
            batch: Only those that answered the batch of this number.
            since: Only those made from this moment on. Of an example that they have labeled before and after, nothing
                of theirs counts then.
            decided: Also labels that a reviewer has decided on.
            note: Why; it stands in the history of each example.
            by: Who says so.
            watch: Told how far it is.

        Raises:
            NotFound: There is no such person, or batch.
            WrongState: Nothing of theirs counts there.
        """
        note = _note(note)
        with self._store.write() as tx:
            tx.batches.lock(project.id)
            scope = _scope(tx, project, person, batch, since, decided)
            scope = scope._replace(upto=tx.withdrawals.last_annotation())
            counts = withdrawing.preview(tx, project, normal(person), scope)
            if not counts.examples:
                raise WrongState(
                    f"nothing that {normal(person)} has labeled there counts", remedy="choose another part"
                )
            change = tx.work_changes.add(
                project.id,
                WITHDRAW,
                scope.person_id,
                scope=withdrawing.stored_scope(scope, batch),
                note=note,
                user_id=by.id if by else None,
            )
            told = {
                "number": change.number,
                "annotations": counts.examples,
                "gold": counts.gold,
                "batch": batch,
                "since": since.isoformat() if since else None,
                "note": note,
            }
            tx.users.audit(by.id if by else None, "work.withdraw", change.person, told, project.id)
        withdrawing.carry_out(self._store, change, watch)
        return self._again(project, change.number)

    def go_on(self, project: Project, number: int, *, watch: Watch | None = None) -> WorkChange:
        """Finish a withdrawal, or its undoing, that was interrupted. Raises NotFound, WrongState."""
        change = self._again(project, number)
        if change.state == DOING:
            withdrawing.carry_out(self._store, change, watch)
        elif change.state == UNDOING:
            withdrawing.put_back(self._store, change, watch)
        else:
            raise WrongState(f"change {number} is {change.state}", remedy="there is nothing to go on with")
        return self._again(project, number)

    # --- reassign ---------------------------------------------------------------------------------------

    def reassign_preview(
        self, project: Project, person: str, *, to: str | None = None, batch: int | None = None
    ) -> ReassignPreview:
        """What ``reassign`` would move; nothing is written. Raises as it."""
        with self._store.read() as tx:
            user, other = _person(tx, person), _receiver(tx, project, person, to)
            held = tx.work_changes.held(project.id, user.id, _batch_id(tx, project, batch))
            given, _ = reassigning.split(tx, held, other)
            return ReassignPreview(user.name, other.name if other else None, len(held), len(given))

    def reassign(
        self,
        project: Project,
        person: str,
        *,
        to: str | None = None,
        batch: int | None = None,
        hours: float = HOURS,
        note: str = "",
        by: User | None = None,
    ) -> WorkChange:
        """Give what a person holds and has not labeled to somebody else, or back to everybody.

        Args:
            project: The project.
            person: Who holds it.
            to: Who gets it. What they have labeled or hold themselves, and everything where this is None, is next for
                whoever asks.
            batch: Only items of the batch of this number.
            hours: How long it stays the other's; then it is everybody's.
            note: Why.
            by: Who says so.

        Raises:
            NotFound: There is no such person, or batch.
            InvalidInput: They can't be given it.
            WrongState: The person holds nothing there.
        """
        if not 0 < hours <= MOST_HOURS:
            raise InvalidInput(f"{hours:g} hours can't be kept", remedy=f"say up to {MOST_HOURS:g}")
        note = _note(note)
        with self._store.write() as tx:
            tx.batches.lock(project.id)
            user, other = _person(tx, person), _receiver(tx, project, person, to)
            held = tx.work_changes.held(project.id, user.id, _batch_id(tx, project, batch))
            if not held:
                raise WrongState(f"{user.name} holds nothing there", remedy="choose another part")
            moved = reassigning.move(tx, held, user, other, hours)
            effect = {"given": len(moved["given"]), "freed": len(moved["freed"])}
            change = tx.work_changes.add(
                project.id,
                REASSIGN,
                user.id,
                scope={
                    "batch": batch,
                    "to": other.name if other else None,
                    "to_id": other.id if other else None,
                    "hours": hours,
                    **moved,
                },
                note=note,
                user_id=by.id if by else None,
                state=DONE,
                effect=effect,
            )
            told = {"number": change.number, "to": change.scope["to"], "batch": batch, "note": note, **effect}
            tx.users.audit(by.id if by else None, "work.reassign", user.name, told, project.id)
        return change

    # --- undo -------------------------------------------------------------------------------------------

    def undo_preview(self, project: Project, number: int) -> UndoPreview:
        """What ``undo`` would put back and what it would leave. Raises as it."""
        with self._store.read() as tx:
            change = _undoable(tx.work_changes.by_number(project.id, number))
            project = tx.projects.by_id(project.id)
            if change.kind == REASSIGN:
                return reassigning.take_back(tx, project, change, self._lease, dry=True)
            return withdrawing.preview_undo(tx, project, change)

    def undo(
        self, project: Project, number: int, *, by: User | None = None, watch: Watch | None = None
    ) -> UndoPreview:
        """Put back what a change has taken, each example as it was; what has changed since is left and counted.

        Raises:
            NotFound: There is no such change.
            WrongState: It is undone already.
        """
        with self._store.write() as tx:
            tx.batches.lock(project.id)
            change = _undoable(tx.work_changes.by_number(project.id, number))
            project = tx.projects.by_id(project.id)
            if change.kind == REASSIGN:
                done = reassigning.take_back(tx, project, change, self._lease)
                tx.work_changes.set_state(change.id, UNDONE, undo_effect=asdict(done))
            else:
                tx.work_changes.set_state(change.id, UNDOING)
            told = {"number": number, "kind": change.kind}
            tx.users.audit(by.id if by else None, "work.undo", change.person, told, project.id)
            change = tx.work_changes.by_number(project.id, number)
        if change.kind == REASSIGN:
            return done
        return withdrawing.put_back(self._store, change, watch)

    def _again(self, project: Project, number: int) -> WorkChange:
        with self._store.read() as tx:
            return tx.work_changes.by_number(project.id, number)


def _undoable(change: WorkChange) -> WorkChange:
    if change.state == UNDONE:
        raise WrongState(f"change {change.number} is undone already", remedy="there is nothing to undo")
    return change


def _has_work(user: User) -> bool:
    """Whether somebody's work can be withdrawn: people's and simulated annotators', no file's."""
    return not user.system or user.name == "simulated"


def _person(tx: Transaction, name: str) -> User:
    user = tx.users.find(normal(name))
    if user is None or not _has_work(user):
        raise NotFound(f"there is no annotator named {name!r}", remedy="see `workbench user list`")
    return user


def _receiver(tx: Transaction, project: Project, person: str, to: str | None) -> User | None:
    if to is None:
        return None
    user = _person(tx, to)
    if user.name == normal(person):
        raise InvalidInput(f"{user.name} holds it already", remedy="name somebody else")
    if user.system or not user.active or (tx.users.role_in(user, project.id) is None):
        raise InvalidInput(f"{user.name} can't label here", remedy="name somebody who can")
    return user


def _batch_id(tx: Transaction, project: Project, number: int | None) -> int | None:
    return None if number is None else tx.batches.by_number(project.id, number).id


def _scope(
    tx: Transaction, project: Project, person: str, batch: int | None, since: datetime | None, decided: bool
) -> Scope:
    if since is not None and since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    return Scope(_person(tx, person).id, _batch_id(tx, project, batch), since, None, decided)


def _note(note: str) -> str:
    note = " ".join(note.replace("\0", "").split())
    if len(note) > LONGEST_NOTE:
        raise InvalidInput("the note is too long", remedy=f"use up to {LONGEST_NOTE} characters")
    return note
