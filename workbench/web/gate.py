"""The gate: one ASGI middleware before pages, WebSocket, uploads, media and our own routes.

A page's own guard can't be enough: Streamlit runs callbacks before it, skips it on fragment reruns, and serves
``/media`` without it. So whoever has no session gets past the gate to three things only: the sign-in paths
(exactly), the front end's static files, and health.

Without accounts (solo mode) a client is let in when everything about it is local: the peer's address, the Host,
the Origin where there is one, and no header that a proxy adds.

Requests that pass carry the user in ``scope[USER]`` and a stamp in their headers that only this process knows;
``workbench.ui.page`` refuses to draw for a connection without it.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import secrets
from collections.abc import Callable
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workbench.domain import User
from workbench.errors import WorkbenchError
from workbench.services.team import TeamService
from workbench.web.paths import COOKIE, HEALTH, OPENID, OPENID_ANSWER, SIGN_IN, SIGN_OUT
from workbench.web.shared import shared_workbench

STAMP_HEADER = "x-workbench-gate"
USER = "workbench.user"
OPEN_PATHS = frozenset(
    {
        SIGN_IN,
        OPENID,
        OPENID_ANSWER,
        SIGN_OUT,
        HEALTH,
        "/_stcore/health",
        "/favicon.ico",
        "/favicon.png",
        "/robots.txt",
    }
)
OPEN_FOLDER = "/static/"
FORWARDING = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY_VIOLATION = 1008
POLICY = b"content-security-policy"
FRAMED_BY_US = (POLICY, b"frame-ancestors 'self'")

_STAMP = secrets.token_urlsafe(32)
_log = logging.getLogger("workbench.gate")


def stamped(value: object) -> bool:
    """Whether a header's value is the stamp that this process's gate puts on what it lets through."""
    return isinstance(value, str) and hmac.compare_digest(value.encode(), _STAMP.encode())


class Gate:
    """ASGI middleware; first in the list, so that nothing runs before it."""

    def __init__(self, app: ASGIApp, team: Callable[[], TeamService] | None = None) -> None:
        self._app = app
        self._team = team or (lambda: shared_workbench().team)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the connection through, or answer it here."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        send = _framed_by_us(send)
        if scope["type"] == "http" and is_open(scope["path"]):
            try:
                await self._app(_with_stamp(scope, None), receive, send)
            except WorkbenchError as error:  # of a route of our own, which has answered nothing yet
                await _refuse(scope, receive, send, _unusable(connection, error))
            return
        if not _same_origin(connection):
            await _refuse(scope, receive, send, PlainTextResponse("The request came from another site.", 403))
            return
        try:
            user, solo = await run_in_threadpool(self._admit, connection)
        except WorkbenchError as error:
            await _refuse(scope, receive, send, _unusable(connection, error))
            return
        if user is None:
            await _refuse(scope, receive, send, _stranger(connection, solo))
            return
        stamped_scope = _with_stamp(scope, user)
        if scope["type"] == "websocket":
            watch = _Watch(self, connection, receive, send)
            await self._app(stamped_scope, watch.receive, watch.send)
        else:
            await self._app(stamped_scope, receive, send)

    def _admit(self, connection: HTTPConnection) -> tuple[User | None, bool]:
        """Who this is (None: a stranger), and whether the workbench is in solo mode."""
        team = self._team()
        if team.solo():
            return (team.solo_user() if is_local(connection) else None), True
        return team.user_for_token(connection.cookies.get(COOKIE)), False

    async def still_admitted(self, connection: HTTPConnection) -> bool:
        """Whether an open connection would be let in again."""
        try:
            return (await run_in_threadpool(self._admit, connection))[0] is not None
        except WorkbenchError:
            return False


class _Watch:
    """Asks again at every message of a WebSocket, so that signing out ends what is open already."""

    def __init__(self, gate: Gate, connection: HTTPConnection, receive: Receive, send: Send) -> None:
        self._gate = gate
        self._connection = connection
        self._receive = receive
        self._send = send
        self._ended = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] != "websocket.receive" or await self._gate.still_admitted(self._connection):
            return message
        if not self._ended:
            self._ended = True
            await self._send({"type": "websocket.close", "code": POLICY_VIOLATION})
        return {"type": "websocket.disconnect", "code": POLICY_VIOLATION}

    async def send(self, message: Message) -> None:
        if not self._ended:
            await self._send(message)


def is_open(path: str) -> bool:
    """Whether anybody may read a path: exact ones, and plain files below ``/static/``."""
    if path in OPEN_PATHS:
        return True
    return path.startswith(OPEN_FOLDER) and not any(part in path for part in ("..", "//", "\\", "\x00", "%"))


def is_local(connection: HTTPConnection) -> bool:
    """Whether a client sits at this machine, by everything that it can't choose and everything that it says."""
    headers = connection.headers
    origin = headers.get("origin")
    return (
        connection.client is not None
        and _loopback(connection.client.host)
        and not any(name in headers for name in FORWARDING)
        and _loopback(_host_name(f"//{headers.get('host', '')}"))
        and (origin is None or _loopback(_host_name(origin)))
    )


def _same_origin(connection: HTTPConnection) -> bool:
    """Whether a request that could change something comes from our own pages, or from no browser at all."""
    scope = connection.scope
    if scope["type"] == "http" and scope["method"] in SAFE_METHODS:
        return True
    return same_origin(connection)


def same_origin(connection: HTTPConnection) -> bool:
    """Whether the Origin, where there is one, is the host that was asked."""
    origin = connection.headers.get("origin")
    if connection.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    return origin is None or _authority(origin) == connection.headers.get("host", "").lower()


def _authority(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _host_name(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _loopback(host: str | None) -> bool:
    if not host:
        return False
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _with_stamp(scope: Scope, user: User | None) -> Scope:
    name = STAMP_HEADER.encode()
    headers = [(key, value) for key, value in scope["headers"] if key.lower() != name]
    if user is not None:
        headers.append((name, _STAMP.encode()))
    return {**scope, "headers": headers, USER: user}


def _framed_by_us(send: Send) -> Send:
    """Sends what no other site can show inside of a page of its own, where people would click on it unseen."""

    async def framed(message: Message) -> None:
        headers = message.get("headers", ())
        if message["type"] == "http.response.start" and not any(
            name.lower() == POLICY for name, _ in headers
        ):
            message = {**message, "headers": [*headers, FRAMED_BY_US]}
        await send(message)

    return framed


def _unusable(connection: HTTPConnection, error: WorkbenchError) -> Response:
    """Says why to whoever sits at this machine; what runs where is nothing for anybody else."""
    _log.warning("%s: %s", connection.url.path, error)
    said = str(error) if is_local(connection) else "The workbench can't be used now; its log says why."
    return PlainTextResponse(f"{said}\n", 503)


def _stranger(connection: HTTPConnection, solo: bool) -> Response:
    if solo:
        return PlainTextResponse(
            "This workbench has no accounts yet, so it answers only on the machine that it runs on.\n"
            "There, run:  workbench user add NAME --role admin\n",
            403,
        )
    scope = connection.scope
    wants_page = scope.get("method") in ("GET", "HEAD") and "text/html" in connection.headers.get(
        "accept", ""
    )
    if wants_page:
        query = scope.get("query_string", b"").decode("latin-1")
        target = scope["path"] + (f"?{query}" if query else "")
        return RedirectResponse(f"{SIGN_IN}?next={quote(target, safe='')}", 303)
    return PlainTextResponse("Sign in first.\n", 401)


async def _refuse(scope: Scope, receive: Receive, send: Send, response: Response) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        return
    await response(scope, receive, send)
