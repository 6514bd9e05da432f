"""Who people are at an OpenID Connect provider, and sign-ins that have gone there and not come back yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from workbench.errors import AlreadyExists
from workbench.storage.rows import now
from workbench.storage.tables import identities, pending_sign_ins


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """A sign-in that waits for the provider's answer.

    Attributes:
        nonce: What the ID token must repeat.
        verifier: What proves to the provider that we are who asked (PKCE, RFC 7636).
        target: Where the person wanted to go.
    """

    nonce: str
    verifier: str
    target: str


class Identities:
    """Repository of identities; see ``Store``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def remember(self, state_hash: str, pending: PendingSignIn, lasts: timedelta) -> None:
        """Keep a sign-in until its answer comes; those that nobody finished are dropped on the way."""
        self._connection.execute(delete(pending_sign_ins).where(pending_sign_ins.c.expires_at < now()))
        self._connection.execute(
            insert(pending_sign_ins).values(
                state_hash=state_hash,
                nonce=pending.nonce,
                verifier=pending.verifier,
                target=pending.target,
                expires_at=now() + lasts,
            )
        )

    def take(self, state_hash: str) -> PendingSignIn | None:
        """The sign-in of that state, which is used up by this; None where there is none, or not any more."""
        row = self._connection.execute(
            delete(pending_sign_ins)
            .where(pending_sign_ins.c.state_hash == state_hash, pending_sign_ins.c.expires_at > now())
            .returning(pending_sign_ins.c.nonce, pending_sign_ins.c.verifier, pending_sign_ins.c.target)
        ).one_or_none()
        return PendingSignIn(row.nonce, row.verifier, row.target) if row is not None else None

    def user_of(self, issuer: str, subject: str) -> int | None:
        """The user who has signed in as that subject before."""
        return self._connection.execute(
            select(identities.c.user_id).where(identities.c.issuer == issuer, identities.c.subject == subject)
        ).scalar_one_or_none()

    def link(self, issuer: str, subject: str, user_id: int) -> None:
        """Say that a subject is a user. Raises AlreadyExists where either is somebody else already."""
        try:
            with self._connection.begin_nested():
                self._connection.execute(
                    insert(identities).values(
                        issuer=issuer, subject=subject, user_id=user_id, created_at=now()
                    )
                )
        except IntegrityError as error:
            raise AlreadyExists("the account belongs to another person of the provider") from error

    def unlink(self, user_id: int) -> int:
        """Forget who a user is anywhere else; how many identities that were."""
        return self._connection.execute(delete(identities).where(identities.c.user_id == user_id)).rowcount
