"""Projects and their label sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from workbench.domain import Json, Label, Project
from workbench.errors import AlreadyExists, NotFound
from workbench.storage.rows import aware, now
from workbench.storage.tables import labels, projects

# Statements that every claim or answer needs are built once, and given their values at each call.
_BY_ID = select(projects).where(projects.c.id == bindparam("project"))
_HELD = _BY_ID.with_for_update(read=True, key_share=True)
_ALONE = _BY_ID.with_for_update()
_LABELS = select(labels).where(labels.c.project_id == bindparam("project")).order_by(labels.c.position)


class Projects:
    """Repository of projects; see ``Store``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, name: str, task: str, label_set: Sequence[Label], settings: Json | None = None) -> Project:
        """A new project. Raises AlreadyExists when the name is taken."""
        values = {"name": name, "task": task, "settings": dict(settings or {}), "created_at": now()}
        try:
            with self._connection.begin_nested():
                project_id = self._connection.execute(
                    insert(projects).values(values).returning(projects.c.id)
                ).scalar_one()
        except IntegrityError as error:
            raise AlreadyExists(
                f"there is a project named {name!r} already", remedy="choose another name"
            ) from error
        self.add_labels(project_id, label_set)
        return self.by_id(project_id)

    def add_labels(self, project_id: int, label_set: Sequence[Label]) -> None:
        """Append labels to the project's set, in order."""
        if not label_set:
            return
        first = self._connection.execute(
            select(func.coalesce(func.max(labels.c.position), -1) + 1).where(
                labels.c.project_id == project_id
            )
        ).scalar_one()
        self._connection.execute(
            insert(labels),
            [
                {
                    "project_id": project_id,
                    "position": first + index,
                    "name": label.name,
                    "color": label.color,
                    "key": label.key,
                    "description": label.description,
                    "retired": label.retired,
                }
                for index, label in enumerate(label_set)
            ],
        )

    def by_name(self, name: str) -> Project:
        """The project of that name. Raises NotFound, which lists the ones there are."""
        row = self._connection.execute(select(projects).where(projects.c.name == name)).one_or_none()
        if row is None:
            names = (
                self._connection.execute(select(projects.c.name).order_by(projects.c.name)).scalars().all()
            )
            known = f"choose from {', '.join(names)}" if names else "make one with `workbench project create`"
            raise NotFound(f"there is no project named {name!r}", remedy=known)
        return self._project(row)

    def by_id(self, project_id: int) -> Project:
        """The project of that id. Raises NotFound."""
        return self._by_id(_BY_ID, project_id)

    def held(self, project_id: int) -> Project:
        """The project, its label set kept as it is until this writing block ends; others may hold it as well."""
        return self._by_id(_HELD, project_id)

    def alone(self, project_id: int) -> Project:
        """The project; nobody saves an answer in it until this writing block ends."""
        return self._by_id(_ALONE, project_id)

    def all(self) -> tuple[Project, ...]:
        """Every project, by name."""
        rows = self._connection.execute(select(projects).order_by(projects.c.name)).all()
        return tuple(self._project(row) for row in rows)

    def set_guidelines(self, project_id: int, text: str) -> None:
        """Replace the guidelines."""
        self._connection.execute(update(projects).where(projects.c.id == project_id).values(guidelines=text))

    def set_settings(self, project_id: int, settings: Mapping[str, Any]) -> None:
        """Replace the settings."""
        self._connection.execute(
            update(projects).where(projects.c.id == project_id).values(settings=dict(settings))
        )

    def update_label(self, project_id: int, name: str, **changes: str | bool | None) -> None:
        """Change color, key, description or retired. Raises NotFound, or AlreadyExists for a key in use."""
        statement = (
            update(labels).where(labels.c.project_id == project_id, labels.c.name == name).values(**changes)
        )
        try:
            with self._connection.begin_nested():
                found = self._connection.execute(statement).rowcount
        except IntegrityError as error:
            raise AlreadyExists(
                f"the key {changes.get('key')!r} is another label's", remedy="choose a free key"
            ) from error
        if not found:
            raise NotFound(f"the project has no label named {name!r}")

    def _by_id(self, statement: Select[Any], project_id: int) -> Project:
        row = self._connection.execute(statement, {"project": project_id}).one_or_none()
        if row is None:
            raise NotFound(f"there is no project with id {project_id}")
        return self._project(row)

    def _project(self, row: Row[Any]) -> Project:
        label_rows = self._connection.execute(_LABELS, {"project": row.id})
        return Project(
            id=row.id,
            name=row.name,
            task=row.task,
            labels=tuple(
                Label(
                    name=label.name,
                    color=label.color,
                    key=label.key,
                    description=label.description,
                    retired=label.retired,
                )
                for label in label_rows
            ),
            guidelines=row.guidelines,
            settings=row.settings,
            created_at=aware(row.created_at),
        )
