"""People, their sessions, failed sign-ins and the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from workbench.domain import AuditEvent, Json, Role, User
from workbench.errors import AlreadyExists, NotFound
from workbench.storage.rows import aware, now
from workbench.storage.tables import audit_events, leases, project_roles, sessions, sign_in_failures, users

NO_ROLE = "none"
"""Stands in a project for whom it is not there."""


class Users:
    """Repository of people; see ``Store``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, name: str, role: Role, *, system: bool = False, password_hash: str | None = None) -> User:
        """A new user. Raises AlreadyExists when the name is taken."""
        values = {
            "name": name,
            "role": role,
            "system": system,
            "active": True,
            "password_hash": password_hash,
            "created_at": now(),
        }
        try:
            with self._connection.begin_nested():
                user_id = self._connection.execute(
                    insert(users).values(values).returning(users.c.id)
                ).scalar_one()
        except IntegrityError as error:
            raise AlreadyExists(
                f"there is a user named {name!r} already", remedy="choose another name"
            ) from error
        return self.by_id(user_id)

    def find(self, name: str) -> User | None:
        """The user of that name, or None."""
        row = self._connection.execute(select(users).where(users.c.name == name)).one_or_none()
        return _user(row) if row is not None else None

    def find_or_add(self, name: str, role: Role = Role.ANNOTATOR, *, system: bool = False) -> User:
        """The user of that name, made if there is none. Call it in a writing block."""
        return self.find(name) or self.add(name, role, system=system)

    def by_id(self, user_id: int) -> User:
        """The user of that id. Raises NotFound."""
        row = self._connection.execute(select(users).where(users.c.id == user_id)).one_or_none()
        if row is None:
            raise NotFound(f"there is no user with id {user_id}")
        return _user(row)

    def all(self) -> tuple[User, ...]:
        """Every user, by name."""
        return tuple(_user(row) for row in self._connection.execute(select(users).order_by(users.c.name)))

    def accounts(self) -> int:
        """How many people can sign in; none means solo mode."""
        return self._connection.execute(
            select(func.count()).select_from(users).where(users.c.password_hash.is_not(None), users.c.active)
        ).scalar_one()

    def password_hash(self, user_id: int) -> str | None:
        """The stored hash, or None where the user has no password."""
        stored: str | None = self._connection.execute(
            select(users.c.password_hash).where(users.c.id == user_id)
        ).scalar_one()
        return stored

    def may_enter(self, user_id: int, password_hash: str | None) -> bool:
        """Whether the user is active and still has that password; it stays so until this writing block ends."""
        kept = select(users.c.password_hash).where(users.c.id == user_id, users.c.active).with_for_update()
        return (
            password_hash is not None and self._connection.execute(kept).scalar_one_or_none() == password_hash
        )

    def set_password(self, user_id: int, password_hash: str) -> None:
        """Replace the password and end every session of the user."""
        self._connection.execute(
            update(users).where(users.c.id == user_id).values(password_hash=password_hash)
        )
        self._connection.execute(delete(sessions).where(sessions.c.user_id == user_id))

    def rehash_password(self, user_id: int, password_hash: str) -> None:
        """Store the same password under newer hashing parameters; sessions go on."""
        self._connection.execute(
            update(users).where(users.c.id == user_id).values(password_hash=password_hash)
        )

    def set_role(self, user_id: int, role: Role) -> None:
        """What the user is wherever no project says otherwise."""
        self._connection.execute(update(users).where(users.c.id == user_id).values(role=role))

    def set_active(self, user_id: int, active: bool) -> None:
        """Retire a user (what they hold is given back, every session ends, their work stays) or bring them back."""
        self._connection.execute(update(users).where(users.c.id == user_id).values(active=active))
        if not active:
            for table in (sessions, leases):
                self._connection.execute(delete(table).where(table.c.user_id == user_id))

    def other_admins(self, user_id: int) -> int:
        """How many admins can sign in besides this user."""
        return self._connection.execute(
            select(func.count())
            .select_from(users)
            .where(
                users.c.id != user_id,
                users.c.role == Role.ADMIN,
                users.c.active,
                users.c.password_hash.is_not(None),
            )
        ).scalar_one()

    def role_in(self, user: User, project_id: int) -> Role | None:
        """What the user is in a project; None where it is not there for them."""
        said = self._connection.execute(
            select(project_roles.c.role).where(
                project_roles.c.project_id == project_id, project_roles.c.user_id == user.id
            )
        ).scalar_one_or_none()
        if said is None:
            return user.role
        return None if said == NO_ROLE else Role(said)

    def roles_in(self, project_id: int) -> dict[int, Role | None]:
        """What the project itself says of users, by their id; None where it is not there for them."""
        rows = self._connection.execute(
            select(project_roles.c.user_id, project_roles.c.role).where(
                project_roles.c.project_id == project_id
            )
        )
        return {user_id: None if role == NO_ROLE else Role(role) for user_id, role in rows}

    def hidden_from(self, user_id: int) -> frozenset[int]:
        """Ids of the projects that are not there for the user."""
        rows = self._connection.execute(
            select(project_roles.c.project_id).where(
                project_roles.c.user_id == user_id, project_roles.c.role == NO_ROLE
            )
        )
        return frozenset(rows.scalars())

    def set_project_role(self, project_id: int, user_id: int, role: str | None) -> None:
        """Say what the user is in a project (a role or ``none``), or with None that it is what they are elsewhere."""
        self._connection.execute(
            delete(project_roles).where(
                project_roles.c.project_id == project_id, project_roles.c.user_id == user_id
            )
        )
        if role is not None:
            self._connection.execute(
                insert(project_roles).values(project_id=project_id, user_id=user_id, role=role)
            )

    def add_session(self, token_hash: str, user_id: int, expires_at: datetime) -> None:
        """Remember a sign-in; expired ones are dropped on the way."""
        self._connection.execute(delete(sessions).where(sessions.c.expires_at < now()))
        self._connection.execute(
            insert(sessions).values(
                token_hash=token_hash, user_id=user_id, created_at=now(), expires_at=expires_at
            )
        )

    def by_session(self, token_hash: str) -> User | None:
        """Who a live session belongs to, or None."""
        row = self._connection.execute(
            select(users)
            .join(sessions, sessions.c.user_id == users.c.id)
            .where(sessions.c.token_hash == token_hash, sessions.c.expires_at > now(), users.c.active)
        ).one_or_none()
        return _user(row) if row is not None else None

    def end_session(self, token_hash: str) -> None:
        """Forget a sign-in."""
        self._connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash))

    def add_failure(self, key: str) -> None:
        """Count a failed sign-in under a key."""
        self._connection.execute(insert(sign_in_failures).values(key=key, at=now()))

    def forget_failure(self, key: str) -> None:
        """Take the latest failure under a key back: the attempt has succeeded."""
        latest = (
            select(sign_in_failures.c.id)
            .where(sign_in_failures.c.key == key)
            .order_by(sign_in_failures.c.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        self._connection.execute(delete(sign_in_failures).where(sign_in_failures.c.id == latest))

    def failures(self, key: str, within: timedelta) -> int:
        """Failed sign-ins under the key in the last while."""
        return self._connection.execute(
            select(func.count())
            .select_from(sign_in_failures)
            .where(sign_in_failures.c.key == key, sign_in_failures.c.at > now() - within)
        ).scalar_one()

    def drop_failures(self, older_than: timedelta) -> None:
        """Forget old failures."""
        self._connection.execute(delete(sign_in_failures).where(sign_in_failures.c.at < now() - older_than))

    def audit(
        self,
        user_id: int | None,
        action: str,
        subject: str,
        data: Json | None = None,
        project_id: int | None = None,
    ) -> None:
        """Write one line of the audit log."""
        self._connection.execute(
            insert(audit_events).values(
                at=now(),
                user_id=user_id,
                project_id=project_id,
                action=action,
                subject=subject,
                data=dict(data or {}),
            )
        )

    def audited(self, project_id: int, actions: Sequence[str]) -> frozenset[str]:
        """Subjects of every line that the log has of these actions in a project."""
        found = select(audit_events.c.subject).where(
            audit_events.c.project_id == project_id, audit_events.c.action.in_(actions)
        )
        return frozenset(self._connection.execute(found.distinct()).scalars())

    def audit_log(
        self,
        *,
        limit: int,
        before_id: int | None = None,
        project_id: int | None = None,
        user_id: int | None = None,
        action: str | None = None,
    ) -> tuple[AuditEvent, ...]:
        """Lines of the audit log, newest first.

        Args:
            limit: The most to return.
            before_id: Only what was written before that line.
            project_id: Of this project only.
            user_id: Of this person only.
            action: Of this kind only: the whole word, or what stands before its dot.
        """
        statement = select(audit_events, users.c.name.label("user")).outerjoin(
            users, users.c.id == audit_events.c.user_id
        )
        if before_id is not None:
            statement = statement.where(audit_events.c.id < before_id)
        if project_id is not None:
            statement = statement.where(audit_events.c.project_id == project_id)
        if user_id is not None:
            statement = statement.where(audit_events.c.user_id == user_id)
        if action is not None:
            word = audit_events.c.action
            statement = statement.where((word == action) | word.startswith(f"{action}.", autoescape=True))
        rows = self._connection.execute(statement.order_by(audit_events.c.id.desc()).limit(limit))
        return tuple(
            AuditEvent(
                id=row.id,
                at=aware(row.at),
                user=row.user,
                project_id=row.project_id,
                action=row.action,
                subject=row.subject,
                data=row.data,
            )
            for row in rows
        )


def _user(row: Row[Any]) -> User:
    return User(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        system=row.system,
        active=row.active,
        has_password=row.password_hash is not None,
    )
