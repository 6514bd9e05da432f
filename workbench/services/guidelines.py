"""Guidelines with versions: write, read, compare, restore; who has seen which."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.domain import Project, User, is_partial
from workbench.domain.guidelines import GuidelineVersion
from workbench.errors import InvalidInput, NotFound, StaleRevision
from workbench.services.linediff import DiffLine, LineKind, line_diff
from workbench.storage.store import Store, Transaction
from workbench.tasks.marked import format_marked

LONGEST = 100_000
LONGEST_NOTE = 300


@dataclass(frozen=True, slots=True)
class Unseen:
    """Guidelines that a person has not read yet.

    Attributes:
        version: What holds now.
        since: The newest version that they have read, None where they have read none.
        lines: What has changed since then; empty where they have read none.
        notes: Of the versions in between, the oldest first.
    """

    version: GuidelineVersion
    since: int | None
    lines: tuple[DiffLine, ...]
    notes: tuple[str, ...]


class GuidelineService:
    """What people are asked to label how."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def versions(self, project: Project) -> tuple[GuidelineVersion, ...]:
        """Every version, the newest first."""
        with self._store.read() as tx:
            return tx.guidelines.all(project.id)

    def version(self, project: Project, number: int | None = None) -> GuidelineVersion:
        """The version of that number, or the one that holds. Raises NotFound."""
        with self._store.read() as tx:
            found = tx.guidelines.newest(project.id) if number is None else None
            if number is None and found is None:
                raise NotFound(f"{project.name} has no guidelines yet", remedy="write them on the Team page")
            return found or tx.guidelines.by_number(project.id, number or 0)

    def changes(self, project: Project, old: int, new: int) -> tuple[DiffLine, ...]:
        """What has changed from one version to another, line by line; version 0 is empty. Raises NotFound."""
        with self._store.read() as tx:
            before, after = (
                tx.guidelines.by_number(project.id, one).text if one else "" for one in (old, new)
            )
        return line_diff(before, after)

    def write(
        self, project: Project, text: str, *, note: str = "", base: int | None = None, by: User | None = None
    ) -> GuidelineVersion | None:
        """A new version, which holds from now on; None where nothing has changed.

        Args:
            project: The project.
            text: Markdown.
            note: What has changed, in a line.
            base: Number of the version that the author began with, 0 for none; None does not ask.
            by: The author, who has read what they write.

        Raises:
            InvalidInput: It is too long.
            StaleRevision: Somebody else has written a version since ``base``.
        """
        with self._store.write() as tx:
            return write_version(tx, project, text, note, base, by)

    def restore(self, project: Project, number: int, *, by: User | None = None) -> GuidelineVersion | None:
        """Make an older version hold again, as a new one; None where it holds. Raises NotFound."""
        with self._store.write() as tx:
            old = tx.guidelines.by_number(project.id, number)
            return write_version(tx, project, old.text, f"Version {number} again", None, by)

    def unseen(self, project: Project, user: User) -> Unseen | None:
        """What a person has not read yet of the guidelines, None where they are up to date."""
        with self._store.read() as tx:
            newest = tx.guidelines.newest(project.id)
            seen = tx.guidelines.last_seen(project.id, user.id)
            if newest is None or (seen is not None and seen.number >= newest.number):
                return None
            if seen is None:
                return Unseen(newest, None, (), ()) if newest.text.strip() else None
            lines = line_diff(seen.text, newest.text)
            if all(line.kind in (LineKind.SAME, LineKind.GAP) for line in lines):
                return None  # changed, and changed back
            between = [one for one in tx.guidelines.all(project.id) if one.number > seen.number]
        notes = tuple(one.note for one in reversed(between) if one.note)
        return Unseen(newest, seen.number, lines, notes)

    def see(self, project: Project, user: User, number: int) -> None:
        """The person has read that version. Raises NotFound."""
        with self._store.write() as tx:
            tx.guidelines.see(tx.guidelines.by_number(project.id, number).id, user.id)

    def readers(self, project: Project) -> dict[str, int]:
        """The newest version that each person has read, by name; who has read none is not in it."""
        with self._store.read() as tx:
            return tx.guidelines.readers(project.id)

    def example(self, project: Project, external_id: str) -> str:
        """The lines that show an example of the project with the labels that count, to be put into the text.

        Raises:
            NotFound: There is no such example.
            InvalidInput: It has no labels that count, or partial ones.
        """
        with self._store.read() as tx:
            found = tx.examples.by_external_id(project.id, external_id)
            if not found:
                raise NotFound(
                    f"{project.name} has no example {external_id!r}", remedy="copy its id from the Data page"
                )
            gold = tx.annotations.gold_of([found[0].id]).get(found[0].id)
        if gold is None or gold[0].payload is None:
            raise InvalidInput(
                f"{external_id} has no labels that count", remedy="choose one that is labeled, or label it"
            )
        if is_partial(gold[0].payload):
            raise InvalidInput(
                f"the labels of {external_id} are partial: they would show as no entity what nobody has judged",
                remedy="choose one that is labeled as a whole",
            )
        return format_marked(found[0].content, gold[0].payload)


def write_version(
    tx: Transaction, project: Project, text: str, note: str, base: int | None, by: User | None
) -> GuidelineVersion | None:
    """A new version, in a block of the caller's; see ``GuidelineService.write``."""
    text = text.replace("\0", "").replace("\r\n", "\n")
    note = " ".join(note.replace("\0", "").split())
    if len(text) > LONGEST or len(note) > LONGEST_NOTE:
        raise InvalidInput(
            "the guidelines are too long" if len(text) > LONGEST else "the note is too long",
            remedy=f"use up to {LONGEST:,} characters, and {LONGEST_NOTE} for the note",
        )
    tx.batches.lock(project.id)
    newest = tx.guidelines.newest(project.id)
    number = newest.number if newest else 0
    if base is not None and base != number:
        who = newest.by if newest and newest.by else "somebody"
        raise StaleRevision(
            f"{who} has written version {number} meanwhile", remedy="look at it, and write yours on top of it"
        )
    if text == (newest.text if newest else ""):
        return None
    added = tx.guidelines.add(project.id, text, note, by.id if by else None)
    tx.projects.set_guidelines(project.id, text)
    told = {"version": added.number, "characters": len(text), "note": note}
    tx.users.audit(by.id if by else None, "project.guidelines", project.name, told, project.id)
    return added
