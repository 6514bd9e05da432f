"""Sign-in and sign-out: plain forms, posted from our own pages only."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from workbench.errors import Forbidden
from workbench.services.team import SignedIn
from workbench.web.gate import same_origin
from workbench.web.health import has_no_accounts
from workbench.web.paths import COOKIE, SIGN_IN
from workbench.web.shared import shared_workbench
from workbench.web.signinpages import form_page

LONGEST_FORM = 16_384
LOOKED_AT = 4
"""Passwords that are looked at at once: each takes 64 MiB, and a thread that the gate of everybody else may need."""

_turns = asyncio.Semaphore(LOOKED_AT)


async def sign_in(request: Request) -> Response:
    """GET draws the form; POST checks the name and password and sets the session's cookie."""
    target = safe_next(request.query_params.get("next"))
    if request.method != "POST":
        if await run_in_threadpool(has_no_accounts):
            return RedirectResponse("/", 303)
        return form_page(target)
    if not same_origin(request):
        return PlainTextResponse("The form came from another site.", 403)
    if int(request.headers.get("content-length") or LONGEST_FORM + 1) > LONGEST_FORM:
        return PlainTextResponse("The form is too long.", 413)
    form = await request.form(max_files=0, max_fields=10)
    name, password = str(form.get("name", "")), str(form.get("password", ""))
    address = request.client.host if request.client else None

    def check() -> SignedIn:
        return shared_workbench().team.sign_in(name, password, address)

    try:
        async with _turns:
            signed_in = await run_in_threadpool(check)
    except Forbidden as error:
        return form_page(target, str(error), name, 401)
    return session_begun(request, signed_in, target)


def session_begun(request: Request, signed_in: SignedIn, target: str) -> Response:
    """The way to a page of ours, with the session's cookie."""
    response = RedirectResponse(target, 303, headers={"Cache-Control": "no-store"})
    response.set_cookie(
        COOKIE,
        signed_in.token,
        expires=signed_in.expires_at,
        httponly=True,
        samesite="lax",
        secure=is_secure(request),
        path="/",
    )
    return response


def is_secure(request: Request) -> bool:
    """Whether people reach the server by https: it, or the proxy before it as the settings say."""
    public = shared_workbench().settings.public_url or ""
    return request.url.scheme == "https" or public.lower().startswith("https://")


async def sign_out(request: Request) -> Response:
    """POST ends the session in the database, then forgets the cookie; GET does nothing."""
    if request.method != "POST":
        return RedirectResponse("/", 303)
    if not same_origin(request):
        return PlainTextResponse("The form came from another site.", 403)
    token = request.cookies.get(COOKIE)
    await run_in_threadpool(lambda: shared_workbench().team.sign_out(token))
    response = RedirectResponse(SIGN_IN, 303, headers={"Cache-Control": "no-store"})
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
    return response


def safe_next(target: str | None) -> str:
    """Where to go after signing in: a path on this server, or ``/`` for anything else."""
    if not target or len(target) > 2_000 or not target.isprintable() or "\\" in target:
        return "/"
    try:
        parts = urlsplit(target)
    except ValueError:
        return "/"
    if parts.scheme or parts.netloc or not target.startswith("/") or target.startswith("//"):
        return "/"
    return target
