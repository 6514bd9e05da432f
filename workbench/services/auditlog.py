"""Who did what and when: every administrative act, import, export, promotion and sign-in, newest first."""

from __future__ import annotations

from workbench.domain import AuditEvent, Project
from workbench.errors import NotFound
from workbench.services.team import normal
from workbench.storage.store import Store

PER_PAGE = 100


class AuditLogService:
    """Read the log; services write it in the transaction of what they do."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of_project(
        self,
        project: Project,
        *,
        person: str | None = None,
        action: str | None = None,
        before_id: int | None = None,
        limit: int = PER_PAGE,
    ) -> tuple[AuditEvent, ...]:
        """What was done in a project.

        Args:
            project: The project.
            person: Only what this person did.
            action: Only acts of this kind: the whole word (``user.role``), or what stands before its dot (``user``).
            before_id: Only what was written before that line, to read on.
            limit: The most to return.

        Raises:
            NotFound: There is no such person.
        """
        return self._read(project.id, person, action, before_id, limit)

    def everywhere(
        self,
        *,
        person: str | None = None,
        action: str | None = None,
        before_id: int | None = None,
        limit: int = PER_PAGE,
    ) -> tuple[AuditEvent, ...]:
        """What was done in all projects and outside of them; see ``of_project``."""
        return self._read(None, person, action, before_id, limit)

    def _read(
        self,
        project_id: int | None,
        person: str | None,
        action: str | None,
        before_id: int | None,
        limit: int,
    ) -> tuple[AuditEvent, ...]:
        with self._store.read() as tx:
            user = tx.users.find(normal(person)) if person else None
            if person and user is None:
                raise NotFound(f"there is no user named {person!r}", remedy="see `workbench user list`")
            return tx.users.audit_log(
                limit=limit,
                before_id=before_id,
                project_id=project_id,
                user_id=user.id if user else None,
                action=action,
            )
