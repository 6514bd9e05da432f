"""An OpenID Connect provider on loopback: real HTTP, real keys, RS256; it checks PKCE, the client and each code."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.conftest import free_port

CLIENT, SECRET = "workbench", "a secret of the client's"


class StandIn:
    """The provider; tests set what its next token says and is signed with, and what it refuses."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.key = RSAKey.generate_key(2048, parameters={"kid": "one"})
        self.codes: dict[str, dict[str, str]] = {}
        self.reset()

    def reset(self) -> None:
        self.signed_with: Any = self.key
        self.algorithm = "RS256"
        self.claims: dict[str, Any] = {}
        self.document: dict[str, Any] = {}
        self.broken: set[str] = set()

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._configuration),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/keys", self._keys),
            ]
        )

    async def _configuration(self, _request: Request) -> Response:
        if "discovery" in self.broken:
            return Response("<html>down for maintenance</html>", 503)
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
                **self.document,
            }
        )

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["response_type"] == "code" and asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256" and "openid" in asked["scope"].split()
        answer = {"state": asked["state"], "iss": self.issuer}
        if "consent" in self.broken:
            answer |= {"error": "access_denied", "error_description": "<script>alert(1)</script>"}
        else:
            answer["code"] = secrets.token_urlsafe(16)
            self.codes[answer["code"]] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", 302)

    async def _token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        basic = base64.b64decode(request.headers.get("authorization", "Basic ").split()[-1]).decode()
        asked = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or basic != f"{CLIENT}:{SECRET}"
            or challenge != asked["code_challenge"]
            or form["redirect_uri"] != asked["redirect_uri"]
            or "token" in self.broken
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "subject-1",
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "preferred_username": "otto",
        } | self.claims
        said = {name: value for name, value in claims.items() if value is not None}
        signed = jwt.encode(
            {"alg": self.algorithm, "kid": "one"}, said, self.signed_with, algorithms=[self.algorithm]
        )
        return JSONResponse({"access_token": "unused", "token_type": "Bearer", "id_token": signed})

    async def _keys(self, _request: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})


@contextmanager
def standing_in() -> Iterator[StandIn]:
    """The provider, served until the block ends."""
    port = free_port()
    provider = StandIn(port)
    server = uvicorn.Server(
        uvicorn.Config(provider.app(), host="127.0.0.1", port=port, log_level="warning", lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield provider
    finally:
        server.should_exit = True
        thread.join(20)
