"""What people are: roles, roles in one project, retiring and bringing back. Nobody's work goes with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.domain import Project, Role, User
from workbench.errors import InvalidInput, WrongState
from workbench.services.team import account, checked_role
from workbench.storage.store import Store, Transaction
from workbench.storage.users import NO_ROLE

IN_PROJECT = (NO_ROLE, Role.ANNOTATOR.value, Role.REVIEWER.value, Role.LEAD.value)
"""What somebody can be in one project; an admin is that everywhere."""


@dataclass(frozen=True, slots=True)
class Member:
    """A person and a project.

    Attributes:
        user: The person.
        role: What they are in the project; None where it is not there for them.
        own: Whether the project itself says so.
    """

    user: User
    role: Role | None
    own: bool


class MemberService:
    """Who is what, and where."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def people(self) -> tuple[User, ...]:
        """Everybody with an account, retired ones too, by name."""
        with self._store.read() as tx:
            return tuple(user for user in tx.users.all() if user.has_password and not user.system)

    def person(self, name: str) -> User:
        """The person of that name, as typed. Raises NotFound."""
        with self._store.read() as tx:
            return account(tx, name)

    def roles(self, project: Project) -> tuple[Member, ...]:
        """What everybody with an account is in a project, by name."""
        with self._store.read() as tx:
            said: Mapping[int, Role | None] = tx.users.roles_in(project.id)
            everybody = tx.users.all()
        return tuple(
            Member(
                user,
                user.role if user.role is Role.ADMIN else said.get(user.id, user.role),
                user.id in said and user.role is not Role.ADMIN,
            )
            for user in everybody
            if user.has_password and not user.system
        )

    def set_role(self, name: str, role: Role | str, *, by: User | None = None) -> User:
        """What a person is wherever no project says otherwise.

        Raises:
            NotFound: There is no such person.
            InvalidInput: There is no such role.
            WrongState: They are the last admin.
        """
        wanted = checked_role(role)
        with self._store.write() as tx:
            user = account(tx, name)
            if wanted is not Role.ADMIN:
                _refuse_last_admin(tx, user)
            tx.users.set_role(user.id, wanted)
            told = {"from": user.role.value, "to": wanted.value}
            tx.users.audit(by.id if by else None, "user.role", user.name, told)
            return tx.users.by_id(user.id)

    def set_project_role(
        self, project: Project, name: str, role: Role | str | None, *, by: User | None = None
    ) -> Member:
        """Say what a person is in one project.

        Args:
            project: The project.
            name: Of the person.
            role: annotator, reviewer, lead, ``none`` (the project is not there for them), or None: what they are
                elsewhere.
            by: Who says so.

        Returns:
            What they are there now; a person without an account too, whose labels came in a file.

        Raises:
            NotFound: There is no such person.
            InvalidInput: Nobody can be that in a project, or the person is an admin.
        """
        said = None if role is None else str(role)
        if said is not None and said not in IN_PROJECT:
            raise InvalidInput(
                f"nobody can be {said!r} in a project", remedy=f"choose from {', '.join(IN_PROJECT)}"
            )
        with self._store.write() as tx:
            user = account(tx, name)
            if user.role is Role.ADMIN:
                raise InvalidInput(
                    f"{user.name} is an admin, in every project", remedy="give them another role first"
                )
            tx.users.set_project_role(project.id, user.id, said)
            if said == NO_ROLE:
                held = tx.work_changes.held(project.id, user.id)
                tx.batches.end_leases(user.id, [one.example_id for one in held])
            tx.users.audit(by.id if by else None, "project.role", user.name, {"to": said}, project.id)
            return Member(user, tx.users.role_in(user, project.id), said is not None)

    def retire(self, name: str, *, by: User | None = None) -> User:
        """Let a person sign in no more: sessions end, what they hold is given back, what they did stays theirs.

        Raises:
            NotFound: There is no such person.
            WrongState: They are the last admin.
        """
        return self._set_active(name, False, by)

    def bring_back(self, name: str, *, by: User | None = None) -> User:
        """Let a retired person sign in again, with the password that they had. Raises NotFound."""
        return self._set_active(name, True, by)

    def _set_active(self, name: str, active: bool, by: User | None) -> User:
        with self._store.write() as tx:
            user = account(tx, name)
            if not active:
                _refuse_last_admin(tx, user)
            tx.users.set_active(user.id, active)
            action = "user.bring-back" if active else "user.retire"
            tx.users.audit(by.id if by else None, action, user.name)
            return tx.users.by_id(user.id)


def _refuse_last_admin(tx: Transaction, user: User) -> None:
    if user.role is Role.ADMIN and user.active and not tx.users.other_admins(user.id):
        raise WrongState(
            f"{user.name} is the last admin, and nobody could manage accounts then",
            remedy="make somebody else an admin first",
        )
