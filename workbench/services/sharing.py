"""How the work on a project is shared out: said here, kept by the queue, the suggestions and the rule for gold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.domain import Project, Sharing, User
from workbench.errors import InvalidInput
from workbench.services.wordings import wordings
from workbench.storage.rows import chunks
from workbench.storage.store import Store

MOST_PEOPLE = 20
TOGETHER = 50
"""Examples whose gold is looked at again in one transaction."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the examples that several people label are.

    Attributes:
        begun: Labeled by somebody.
        full: Labeled by as many as shall.
        agreed: With gold.
        disputed: Full, and without gold: they wait for a reviewer.
    """

    begun: int
    full: int
    agreed: int
    disputed: int


class SharingService:
    """Say how many people label an example, and see how far they are."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def set(self, project: Project, sharing: Sharing, *, by: User | None = None) -> Project:
        """Share the work of a project out in another way, from the next example handed out on.

        What has been labeled stays; by the rule for gold it is looked at again, except where a reviewer has decided.

        Raises:
            InvalidInput: A number is out of its range.
        """
        _check(sharing)
        with self._store.write() as tx:
            now = tx.projects.alone(project.id)
            tx.projects.set_settings(project.id, {**now.settings, "sharing": sharing.stored()})
            tx.batches.reckon(project.id)
            told = {"from": now.sharing.stored(), "to": sharing.stored()}
            tx.users.audit(by.id if by else None, "project.sharing", project.name, told, project.id)
        with self._store.read() as tx:
            project = tx.projects.by_id(project.id)
            said = tx.annotations.said_by_people(project.id)
        changed = [one for one in said if now.sharing.needed(one) != sharing.needed(one)]
        self._follow(project, sorted(changed))
        return project

    def progress(self, project: Project) -> Progress:
        """How far the examples that several people label are."""
        with self._store.read() as tx:
            sharing = tx.projects.by_id(project.id).sharing
            people = {
                example_id: count
                for example_id, count in tx.annotations.said_by_people(project.id).items()
                if sharing.wanted(example_id) > 1
            }
            gold = tx.annotations.with_gold(list(people))
        full = [example_id for example_id, count in people.items() if count >= sharing.wanted(example_id)]
        return Progress(len(people), len(full), len(gold), len(set(full) - gold))

    def _follow(self, project: Project, example_ids: Sequence[int]) -> None:
        for part in chunks(example_ids, TOGETHER):
            with self._store.write() as tx, wordings(tx, project, part):
                for example_id in part:
                    tx.annotations.follow_gold(example_id)


def _check(sharing: Sharing) -> None:
    if not 1 <= sharing.people <= MOST_PEOPLE:
        raise InvalidInput(
            f"{sharing.people} people can't label one example", remedy=f"say 1 to {MOST_PEOPLE} people"
        )
    for name, share in (("share of the examples", sharing.share), ("blind share", sharing.blind)):
        if not 0 <= share <= 1:
            raise InvalidInput(f"{share:g} can't be the {name}", remedy="say a number from 0 to 1")
    if not 1 <= sharing.agree <= MOST_PEOPLE:
        raise InvalidInput(f"{sharing.agree} people can't agree", remedy=f"say 1 to {MOST_PEOPLE}")
    if sharing.people > 1 and sharing.agree > sharing.people:
        raise InvalidInput(
            f"{sharing.agree} of {sharing.people} people can't agree", remedy=f"say at most {sharing.people}"
        )
