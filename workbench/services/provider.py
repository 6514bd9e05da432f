"""An OpenID Connect provider: its discovery document, the way there and back, and what its ID token says.

Authorization code flow (OpenID Connect Core 1.0, section 3.1) with PKCE (RFC 7636). Nothing of the database is here;
``openid`` keeps what goes there and decides whom it lets in.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from workbench.config import Settings
from workbench.errors import Forbidden, InvalidInput, Unavailable, WorkbenchError

DISCOVERY = "/.well-known/openid-configuration"
ANSWER_PATH = "/sign-in/openid/answer"
"""Where the provider sends people back to, below ``public_url``."""

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key that only the provider has; never ``none``, never one by a shared secret."""

ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
TIMEOUT = 10.0
"""Seconds that the provider may take to answer."""

CLOCKS_DIFFER = 60
"""Seconds by which the provider's clock may be wrong."""

REMEMBERED = 600.0
"""Seconds that a discovery document is taken for current."""

REFUSED = "the provider's answer can't be trusted"
AGAIN = "try again, or tell an admin (the server's log says what was wrong)"

Claims = Mapping[str, Any]


class Provider:
    """One provider, as the settings name it.

    Raises:
        InvalidInput: A setting is missing or can't be used.
    """

    def __init__(self, settings: Settings) -> None:
        self.issuer = settings.oidc_issuer or ""
        self._client_id = _needed(settings.oidc_client_id, "WORKBENCH_OIDC_CLIENT_ID")
        secret = settings.oidc_client_secret
        self._secret = secret.get_secret_value() if secret else None
        self._scopes = settings.oidc_scopes
        if "openid" not in self._scopes.split():
            raise InvalidInput("openid is missing", where="WORKBENCH_OIDC_SCOPES", remedy="add it")
        public = _needed(settings.public_url, "WORKBENCH_PUBLIC_URL").rstrip("/")
        _check_address(public, "WORKBENCH_PUBLIC_URL")
        _check_address(self.issuer, "WORKBENCH_OIDC_ISSUER")
        if urlsplit(public).path or urlsplit(public).query or urlsplit(public).fragment:
            raise InvalidInput(
                f"{public} has a path", where="WORKBENCH_PUBLIC_URL", remedy="give scheme and host only"
            )
        self.answer_url = public + ANSWER_PATH
        self._document: tuple[float, Claims] | None = None

    def discover(self) -> Claims:
        """The discovery document, remembered for ten minutes.

        Raises:
            Unavailable: The provider does not answer, or with something else.
            InvalidInput: The document is another issuer's or lacks something.
        """
        if self._document and time.monotonic() - self._document[0] < REMEMBERED:
            return self._document[1]
        document = self._fetch(self.issuer.rstrip("/") + DISCOVERY)
        if document.get("issuer") != self.issuer:
            raise InvalidInput(
                f"the provider calls itself {str(document.get('issuer'))[:200]!r}",
                where="WORKBENCH_OIDC_ISSUER",
                remedy="set it to exactly that, if that is the provider you mean",
            )
        for name in ENDPOINTS:
            if not isinstance(document.get(name), str):
                raise InvalidInput(f"its discovery document names no {name}", where=self.issuer)
            _check_address(document[name], f"{self.issuer}, {name}")
        self._algorithms(document)
        self._document = (time.monotonic(), document)
        return document

    def way_there(self, state: str, nonce: str, verifier: str) -> str:
        """The address at the provider to send somebody to. Raises what ``discover`` raises."""
        endpoint = self.discover()["authorization_endpoint"]
        with self._session() as session:
            address, _ = session.create_authorization_url(
                endpoint, state=state, nonce=nonce, code_verifier=verifier
            )
        return str(address)

    def redeem(self, code: str, nonce: str, verifier: str) -> Claims:
        """What the ID token says that the provider gives for a code, after every check of it.

        Raises:
            Unavailable: The provider does not answer.
            Forbidden: It refuses the code, or its token is forged, expired, somebody else's or for another sign-in.
        """
        import requests
        from authlib.common.errors import AuthlibBaseError

        document = self.discover()
        try:
            with self._session() as session:
                token = session.fetch_token(
                    document["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                    redirect_uri=self.answer_url,
                    allow_redirects=False,
                )
        except AuthlibBaseError as error:
            raise Forbidden("the provider refused the sign-in", remedy=AGAIN) from error
        except (requests.RequestException, ValueError) as error:
            raise _silent(self.issuer) from error
        return self._verified(token, nonce, document)

    def _verified(self, token: Claims, nonce: str, document: Claims) -> Claims:
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet
        from joserfc.jws import JWSRegistry

        keys = self._fetch(document["jwks_uri"])
        try:
            registry = JWSRegistry(algorithms=self._algorithms(document), strict_check_header=False)
            decoded = jwt.decode(token["id_token"], KeySet.import_key_set(keys), registry=registry)  # type: ignore[arg-type]
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {
                    "iss": {"essential": True, "value": self.issuer},
                    "aud": {"essential": True, "value": self._client_id},
                },
                {
                    "nonce": nonce,
                    "client_id": self._client_id,
                    "access_token": token.get("access_token"),
                },
            )
            claims.validate(leeway=CLOCKS_DIFFER)
        except (JoseError, KeyError, TypeError, ValueError) as error:
            raise Forbidden(REFUSED, remedy=AGAIN) from error
        return dict(claims)

    def _algorithms(self, document: Claims) -> list[str]:
        offered = document.get("id_token_signing_alg_values_supported", ["RS256"])
        usable = [name for name in ALGORITHMS if name in offered]
        if not usable:
            raise InvalidInput("it signs in no way that can be checked", where=self.issuer)
        return usable

    def _session(self) -> Any:
        try:
            from authlib.integrations.requests_client import OAuth2Session
        except ImportError as error:
            raise Unavailable(
                "OpenID Connect needs Authlib",
                remedy="run pip install -e '.[oidc]' in the workbench's folder",
            ) from error
        return OAuth2Session(
            self._client_id,
            self._secret,
            scope=self._scopes,
            redirect_uri=self.answer_url,
            code_challenge_method="S256",
            default_timeout=TIMEOUT,
        )

    def _fetch(self, address: str) -> Claims:
        """A JSON object of the provider's."""
        session = self._session()
        import requests

        try:
            with session:
                answer = session.get(address, withhold_token=True)
                answer.raise_for_status()
                found = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise _silent(address) from error
        if not isinstance(found, dict):
            raise _silent(address)
        return found


def _silent(address: str) -> WorkbenchError:
    return Unavailable(
        f"the sign-in provider did not answer as it should at {address}",
        remedy="try again in a minute, or sign in with a password",
    )


def _needed(value: str | None, variable: str) -> str:
    if not value:
        raise InvalidInput("OpenID Connect needs it", where=variable, remedy="set it, see docs/operate.md")
    return value


def _check_address(address: str, where: str) -> None:
    """Raise InvalidInput for an address over which a secret could be read on its way."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        raise InvalidInput(f"{address!r} is no address", where=where) from None
    local = host in ("localhost", "127.0.0.1", "::1")
    if not host or parts.username or (parts.scheme != "https" and not (local and parts.scheme == "http")):
        raise InvalidInput(
            f"{address!r} can't be used", where=where, remedy="give an address that starts with https://"
        )
