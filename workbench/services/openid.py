"""Sign-in with OpenID Connect: who goes to the provider comes back once, and is let in as whom the provider names."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from workbench.config import Settings
from workbench.domain import Role, User
from workbench.errors import AlreadyExists, Forbidden, InvalidInput, WorkbenchError
from workbench.services.provider import AGAIN, REFUSED, Claims, Provider
from workbench.services.team import RESERVED, SignedIn, checked_name, digest, normal, start_session
from workbench.storage.identities import PendingSignIn
from workbench.storage.store import Store, Transaction

LASTS = timedelta(minutes=10)
"""How long somebody may take at the provider."""

ERROR_CODE = re.compile(r"[a-z_]{1,60}")


@dataclass(frozen=True, slots=True)
class Departure:
    """Where to send somebody, and the secret that their browser must bring back."""

    address: str
    state: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider's redirect carries, as it came: anybody can write such a link."""

    state: str = ""
    code: str = ""
    error: str = ""
    issuer: str = ""


class OpenIdSignIn:
    """Sign-ins with the provider that the settings name."""

    def __init__(self, store: Store, settings: Settings, unknown_password: Callable[[], str]) -> None:
        self._store = store
        self._settings = settings
        self._unknown_password = unknown_password

    @property
    def on(self) -> bool:
        """Whether the settings name a provider."""
        return bool(self._settings.oidc_issuer)

    @property
    def name(self) -> str:
        """What people call the provider."""
        return self._settings.oidc_name

    @cached_property
    def _provider(self) -> Provider:
        return Provider(self._settings)

    def depart(self, target: str) -> Departure:
        """Begin a sign-in.

        Args:
            target: The path on this server where the person wants to go.

        Raises:
            Unavailable: The provider does not answer.
            InvalidInput: The settings can't be used.
        """
        state, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        verifier = secrets.token_urlsafe(64)
        address = self._provider.way_there(state, nonce, verifier)
        with self._store.write() as tx:
            tx.identities.remember(digest(state), PendingSignIn(nonce, verifier, target), LASTS)
        return Departure(address, state)

    def arrive(self, answer: Answer, brought: str) -> tuple[SignedIn, str]:
        """A new session for who comes back, and where they wanted to go.

        Args:
            answer: What the provider says.
            brought: The state that their browser was given when it left.

        Raises:
            Forbidden: It was used before, is too old or another browser's; the provider refuses; its token does not
                hold; or the person has no account here.
            Unavailable: The provider does not answer.
        """
        own = bool(answer.state) and hmac.compare_digest(answer.state.encode(), brought.encode())
        pending = None
        if own:
            with self._store.write() as tx:
                pending = tx.identities.take(digest(answer.state))
        if pending is None:
            raise Forbidden("this sign-in is over, or began in another browser", remedy="begin again")
        if answer.error or not answer.code:
            said = answer.error if ERROR_CODE.fullmatch(answer.error) else "no code"
            raise Forbidden(f"the provider did not sign you in ({said})", remedy=AGAIN)
        if answer.issuer and answer.issuer != self._provider.issuer:  # RFC 9207
            raise Forbidden(REFUSED, remedy=AGAIN)
        claims = self._provider.redeem(answer.code, pending.nonce, pending.verifier)
        with self._store.write() as tx:
            user = self._user(tx, claims)
            issuer = self._provider.issuer
            return start_session(tx, user, self._settings.session_hours, {"issuer": issuer}), pending.target

    def _user(self, tx: Transaction, claims: Claims) -> User:
        """Who that is here: by the subject where they were here before, else by their name."""
        issuer, subject = self._provider.issuer, str(claims["sub"])
        if not subject or len(subject) > 255:
            raise Forbidden(REFUSED, remedy=AGAIN)
        if tx.users.accounts() == 0:
            raise Forbidden(
                "this workbench has no accounts yet",
                remedy="run `workbench user add NAME --role admin` there",
            )
        known = tx.identities.user_of(issuer, subject)
        user = tx.users.by_id(known) if known is not None else self._linked(tx, claims, issuer, subject)
        if not user.active:
            raise Forbidden(f"the account {user.name!r} is retired", remedy="ask an admin to bring it back")
        return user

    def _linked(self, tx: Transaction, claims: Claims, issuer: str, subject: str) -> User:
        name = self._name(claims)
        user = tx.users.find(name)
        if user is None and self._settings.oidc_new_role is not None:
            user = self._added(tx, name, Role(self._settings.oidc_new_role))
        elif user is None or not user.has_password or user.system or user.name in RESERVED:
            raise Forbidden(
                f"the provider knows you as {name!r}, and no account here has that name",
                remedy=f"ask an admin of this workbench to run `workbench user add {name!r} --no-password`",
            )
        try:
            tx.identities.link(issuer, subject, user.id)
        except AlreadyExists:
            raise Forbidden(
                f"the account {name!r} belongs to another person of the provider",
                remedy=f"ask an admin; `workbench user unlink {name!r}` lets the next one of that name have it",
            ) from None
        tx.users.audit(user.id, "user.link", user.name, {"issuer": issuer})
        return user

    def _name(self, claims: Claims) -> str:
        claim = self._settings.oidc_claim
        said = claims.get(claim)
        if not isinstance(said, str) or not normal(said):
            raise Forbidden(
                "the provider does not say your name",
                where=claim,
                remedy="ask an admin to look at WORKBENCH_OIDC_CLAIM and WORKBENCH_OIDC_SCOPES",
            )
        if claim == "email" and claims.get("email_verified") is not True:
            raise Forbidden("the provider has not checked your e-mail address", remedy="confirm it there")
        return normal(said)

    def _added(self, tx: Transaction, name: str, role: Role) -> User:
        try:
            user = tx.users.add(checked_name(name), role, password_hash=self._unknown_password())
        except InvalidInput as error:
            raise Forbidden(str(error), remedy="ask an admin") from error
        tx.users.audit(None, "user.add", user.name, {"role": role.value, "by": "OpenID Connect"})
        return user


def cause_of(error: WorkbenchError) -> str:
    """What lies behind an error, on one line, for the log."""
    cause = error.__cause__
    return " ".join(f"{type(cause).__name__}: {cause}".split())[:500] if cause else "-"
