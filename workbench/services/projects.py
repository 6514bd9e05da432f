"""Projects and label sets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from workbench.domain import Label, Project, Role, User
from workbench.errors import InvalidInput, NotFound
from workbench.services.guidelines import write_version
from workbench.services.labelkeys import assign_keys
from workbench.storage.store import Store, Transaction
from workbench.tasks import get_task

if TYPE_CHECKING:
    from workbench.services.overview import Overview

PALETTE = (
    "#4477aa",
    "#cc6677",
    "#117733",
    "#aa4499",
    "#997700",
    "#33899c",
    "#882255",
    "#6a5acd",
    "#9c5b2e",
    "#3f7f5f",
    "#b0476f",
    "#5b6770",
)
"""After Paul Tol's colour-blind safe schemes, each at least 4.5:1 on white or close to it."""

KEYS = "1234567890"
NAME = re.compile(r"[^\s/\\][^/\\\x00-\x1f]{0,198}")


class ProjectService:
    """Make and read projects, change their label sets."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, name: str, task: str, labels: Sequence[str] = (), *, by: User | None = None) -> Project:
        """A new project.

        Args:
            name: 1 to 199 characters, no slashes or control characters, unique.
            task: A registered task type.
            labels: The label set, in order; importing labeled data adds what it finds.
            by: Who makes it.

        Raises:
            UnknownName: There is no such task type.
            InvalidInput: The name or a label can't be used.
            AlreadyExists: The name is taken.
        """
        get_task(task)
        name = name.strip()
        if not NAME.fullmatch(name):
            raise InvalidInput(
                f"{name!r} can't be a project's name", remedy="use 1 to 199 characters, without / or \\"
            )
        with self._store.write() as tx:
            project = tx.projects.add(name, task, make_labels(labels))
            tx.users.audit(by.id if by else None, "project.create", name, {"task": task}, project.id)
            return project

    def get(self, name: str, user: User | None = None) -> Project:
        """The project of that name. Raises NotFound, also where it is not there for the user."""
        with self._store.read() as tx:
            if user is None:
                return tx.projects.by_name(name)
            hidden = _hidden(tx, user)
            found = [one for one in tx.projects.all() if one.name == name and one.id not in hidden]
        if not found:  # said without the names of the others
            raise NotFound(f"there is no project named {name!r}", remedy="choose another one")
        return found[0]

    def list(self, user: User | None = None) -> tuple[Project, ...]:
        """Every project, or every one that is there for the user, by name."""
        with self._store.read() as tx:
            hidden = _hidden(tx, user) if user is not None else frozenset()
            return tuple(project for project in tx.projects.all() if project.id not in hidden)

    def overview(self, project: Project) -> Overview:
        """How far the loop is."""
        from workbench.services.overview import overview

        return overview(self._store, project)

    def add_labels(self, project: Project, names: Sequence[str]) -> Project:
        """Append labels that are not in the set yet."""
        with self._store.write() as tx:
            current = tx.projects.by_id(project.id)
            tx.projects.add_labels(project.id, missing_labels(current, names))
            return tx.projects.by_id(project.id)

    def update_label(self, project: Project, name: str, **changes: str | bool | None) -> Project:
        """Change color, key, description or retired of a label. Raises NotFound, AlreadyExists, InvalidInput."""
        with self._store.write() as tx:
            if "key" in changes:
                key = changes.pop("key")
                assign_keys(tx, tx.projects.by_id(project.id), {name: None if key is None else str(key)})
            if changes:
                tx.projects.update_label(project.id, name, **changes)
            return tx.projects.by_id(project.id)

    def assign_keys(self, project: Project, keys: Mapping[str, str | None]) -> Project:
        """Give labels their keys, all at once: label name to one sign, None or empty for none.

        Raises:
            NotFound: There is no such label.
            InvalidInput: A key can't be used.
            AlreadyExists: Two labels would have the same key; nothing is changed then.
        """
        with self._store.write() as tx:
            assign_keys(tx, tx.projects.by_id(project.id), keys)
            return tx.projects.by_id(project.id)

    def set_guidelines(self, project: Project, text: str, *, by: User | None = None) -> Project:
        """Replace the guidelines (Markdown) by a new version; see ``GuidelineService.write``."""
        with self._store.write() as tx:
            write_version(tx, project, text, "", None, by)
            return tx.projects.by_id(project.id)


def _hidden(tx: Transaction, user: User) -> frozenset[int]:
    return frozenset() if user.role is Role.ADMIN else tx.users.hidden_from(user.id)


def make_labels(
    names: Sequence[str], *, taken: int = 0, taken_keys: frozenset[str] = frozenset()
) -> list[Label]:
    """Labels with a colour each, and keys for as many as there are digits. Raises InvalidInput on a bad name."""
    free = [key for key in KEYS if key not in taken_keys]
    result: list[Label] = []
    for index, name in enumerate(dict.fromkeys(names)):
        if not name or name != name.strip() or "\n" in name or len(name) > 200:
            raise InvalidInput(f"{name!r} can't be a label", remedy="use 1 to 200 characters on one line")
        key = free.pop(0) if free else None
        result.append(Label(name=name, color=PALETTE[(taken + index) % len(PALETTE)], key=key))
    return result


def missing_labels(project: Project, names: Sequence[str]) -> list[Label]:
    """Labels for the names that the project does not have."""
    known = {label.name for label in project.labels}
    keys = frozenset(label.key for label in project.labels if label.key)
    return make_labels([name for name in names if name not in known], taken=len(known), taken_keys=keys)
