"""People: accounts, sign-in with throttling, sessions, roles, and solo mode.

Without any account the workbench is in solo mode: whoever reaches it is the user ``solo``, an admin. Who may
reach it then is the gate's business (``workbench.web.gate``: loopback only).
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from workbench.config import Settings
from workbench.domain import Role, User
from workbench.errors import Forbidden, InvalidInput, NotFound
from workbench.storage.rows import now
from workbench.storage.store import Store, Transaction

if TYPE_CHECKING:
    from workbench.services.openid import OpenIdSignIn

SOLO = "solo"
RESERVED = frozenset({SOLO, "import", "simulated", "label changes"})
"""Names that the workbench itself writes under."""

SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 1_000
LONGEST_NAME = 100

WINDOW = timedelta(minutes=15)
TRIES_OF_NAME_AND_ADDRESS = 5
TRIES_OF_NAME = 20
TRIES_OF_ADDRESS = 100
"""Failed sign-ins within ``WINDOW``; wide by address alone, since a whole office may share one."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session. ``token`` is the secret for the cookie; the database keeps only its hash."""

    user: User
    token: str
    expires_at: datetime


class TeamService:
    """Accounts and sessions."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._hasher = PasswordHasher()
        self._decoy: str | None = None

    @cached_property
    def openid(self) -> OpenIdSignIn:
        """Sign-in with OpenID Connect."""
        from workbench.services.openid import OpenIdSignIn

        return OpenIdSignIn(self._store, self._settings, self._unknown_password)

    def solo(self) -> bool:
        """Whether nobody has an account yet."""
        with self._store.read() as tx:
            return tx.users.accounts() == 0

    def solo_user(self) -> User:
        """The one user of solo mode, made when first asked for.

        Raises:
            Forbidden: There are accounts; sign in.
        """
        with self._store.read() as tx:
            accounts, user = tx.users.accounts(), tx.users.find(SOLO)
        if accounts:
            raise Forbidden("this workbench has accounts", remedy="sign in")
        if user is not None:
            return user
        with self._store.write() as tx:
            return tx.users.find_or_add(SOLO, Role.ADMIN)

    def user_for_token(self, token: str | None) -> User | None:
        """Who a live session belongs to; None for a forged, expired or ended one."""
        if not token or len(token) > 200:
            return None
        with self._store.read() as tx:
            return tx.users.by_session(digest(token))

    def sign_in(self, name: str, password: str, address: str | None) -> SignedIn:
        """A new session for a name and password.

        An attempt counts as failed from before its password is looked at until it has succeeded, so that many
        at once get no more guesses than one after the other.

        Args:
            name: As typed.
            password: As typed.
            address: Of the client, for throttling.

        Raises:
            Forbidden: The name or password is wrong (it does not say which), or there were too many attempts.
        """
        name = normal(name.replace("\0", ""))[:LONGEST_NAME]  # PostgreSQL takes no NUL
        password = password[:LONGEST_PASSWORD]
        limits = _limits(name, address)
        with self._store.write() as tx:
            tx.users.drop_failures(WINDOW * 4)
            for key in limits:
                tx.users.add_failure(key)
        with (
            self._store.write() as tx
        ):  # counted after they are committed: of many at once none overlooks another
            refused = any(tx.users.failures(key, WINDOW) > limit for key, limit in limits.items())
            for key in limits if refused else ():
                tx.users.forget_failure(key)
            user = tx.users.find(name)
            stored = tx.users.password_hash(user.id) if user else None
        if refused:
            raise Forbidden(
                "too many failed sign-ins", remedy=f"wait {WINDOW.seconds // 60} minutes and try again"
            )
        if not self._verify(stored, password) or user is None or user.system:
            raise _wrong()
        with self._store.write() as tx:
            # Looking at a password takes a while: meanwhile it may have been replaced, or the account retired.
            if not tx.users.may_enter(user.id, stored):
                raise _wrong()
            for key in limits:
                tx.users.forget_failure(key)
            if stored and self._hasher.check_needs_rehash(stored):
                tx.users.rehash_password(user.id, self._hasher.hash(password))
            return start_session(tx, user, self._settings.session_hours)

    def sign_out(self, token: str | None) -> None:
        """End a session; ending one that is over does nothing."""
        user = self.user_for_token(token)
        if token and user:
            with self._store.write() as tx:
                tx.users.end_session(digest(token))
                tx.users.audit(user.id, "sign-out", user.name)

    def add_user(self, name: str, role: Role | str, password: str | None, *, by: User | None = None) -> User:
        """A new account.

        Args:
            name: The person's.
            role: What they are wherever no project says otherwise.
            password: None where they sign in by OpenID Connect: the account then has one that nobody knows.
            by: Who adds them.

        Raises:
            InvalidInput: The name, role or password can't be used.
            AlreadyExists: The name is taken.
        """
        name, role = checked_name(name), checked_role(role)
        hashed = (
            self._unknown_password() if password is None else self._hasher.hash(_checked_password(password))
        )
        with self._store.write() as tx:
            user = tx.users.add(name, role, password_hash=hashed)
            tx.users.audit(by.id if by else None, "user.add", name, {"role": role.value})
        return user

    def list_users(self) -> tuple[User, ...]:
        """Every person with an account, by name."""
        with self._store.read() as tx:
            return tuple(user for user in tx.users.all() if user.has_password)

    def reset_password(self, name: str, password: str, *, by: User | None = None) -> User:
        """Give a user a new password and end every session of theirs. Raises NotFound, InvalidInput."""
        hashed = self._hasher.hash(_checked_password(password))
        with self._store.write() as tx:
            user = account(tx, name)
            tx.users.set_password(user.id, hashed)
            tx.users.audit(by.id if by else None, "user.reset-password", user.name)
        return user

    def unlink(self, name: str, *, by: User | None = None) -> User:
        """Forget who a person is at the OpenID Connect provider: the next of that name there is taken for them.

        Raises NotFound.
        """
        with self._store.write() as tx:
            user = account(tx, name)
            tx.identities.unlink(user.id)
            tx.users.audit(by.id if by else None, "user.unlink", user.name)
        return user

    def _unknown_password(self) -> str:
        return self._hasher.hash(secrets.token_urlsafe(32))

    def _verify(self, stored: str | None, password: str) -> bool:
        """Whether the password fits; as slow for a name that does not exist as for one that does."""
        if self._decoy is None:
            self._decoy = self._hasher.hash(secrets.token_urlsafe(16))
        try:
            return self._hasher.verify(stored or self._decoy, password) and stored is not None
        except (VerificationError, InvalidHashError):
            return False


def start_session(
    tx: Transaction, user: User, hours: float, how: Mapping[str, Any] | None = None
) -> SignedIn:
    """A new session of a user who has proved who they are; ``how`` goes into the log."""
    token = secrets.token_urlsafe(32)
    expires_at = now() + timedelta(hours=hours)
    tx.users.add_session(digest(token), user.id, expires_at)
    tx.users.audit(user.id, "sign-in", user.name, how)
    return SignedIn(user, token, expires_at)


def digest(token: str) -> str:
    """What the database keeps of a secret."""
    return hashlib.sha256(token.encode()).hexdigest()


def normal(name: str) -> str:
    """A person's name as it is stored."""
    return unicodedata.normalize("NFC", name).strip()


def _wrong() -> Forbidden:
    return Forbidden("the name or the password is wrong", remedy="try again, or ask an admin")


def _limits(name: str, address: str | None) -> dict[str, int]:
    # Folded, a name can be three times as long, and longer than the column of the keys.
    folded, address = name.casefold()[:LONGEST_NAME], _network(address)
    return {
        f"both:{folded}@{address}": TRIES_OF_NAME_AND_ADDRESS,
        f"name:{folded}": TRIES_OF_NAME,
        f"address:{address}": TRIES_OF_ADDRESS,
    }


def _network(address: str | None) -> str:
    """Where a client is: of an IPv6 address its network, since whoever has one has 2**64 more of them."""
    try:
        known = ipaddress.ip_address(address or "")
    except ValueError:
        return (address or "unknown")[:60]
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    if known.ipv4_mapped:
        return str(known.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(known), 64), strict=False))


def checked_name(name: str) -> str:
    """A name for a new account, as it is stored. Raises InvalidInput."""
    name = normal(name)
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInput(
            f"{name!r} can't be a user's name", remedy=f"use 1 to {LONGEST_NAME} characters on one line"
        )
    if name.casefold() in RESERVED:
        raise InvalidInput(f"the workbench itself writes as {name!r}", remedy="choose another name")
    return name


def checked_role(role: Role | str) -> Role:
    """The role of that name. Raises InvalidInput."""
    try:
        return Role(role)
    except ValueError:
        raise InvalidInput(
            f"there is no role {role!r}", remedy=f"choose from {', '.join(known.value for known in Role)}"
        ) from None


def _checked_password(password: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InvalidInput(
            "the password is too short" if len(password) < SHORTEST_PASSWORD else "the password is too long",
            remedy=f"use {SHORTEST_PASSWORD} to {LONGEST_PASSWORD:,} characters",
        )
    return password


def account(tx: Transaction, name: str) -> User:
    """The person of that name, as typed. Raises NotFound."""
    user = tx.users.find(normal(name))
    if user is None or user.system or user.name in RESERVED:
        raise NotFound(f"there is no user named {name!r}", remedy="see `workbench user list`")
    return user
