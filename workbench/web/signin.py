"""Sign-in and sign-out: plain forms, posted from our own pages only."""

from __future__ import annotations

import html
from string import Template
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from workbench.errors import WorkbenchError
from workbench.services.team import SignedIn
from workbench.web.gate import same_origin
from workbench.web.health import has_no_accounts
from workbench.web.paths import COOKIE, SIGN_IN
from workbench.web.shared import shared_workbench

LONGEST_FORM = 16_384
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


async def sign_in(request: Request) -> Response:
    """GET draws the form; POST checks the name and password and sets the session's cookie."""
    target = safe_next(request.query_params.get("next"))
    if request.method != "POST":
        if await run_in_threadpool(has_no_accounts):
            return RedirectResponse("/", 303)
        return _form(target)
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
        signed_in = await run_in_threadpool(check)
    except WorkbenchError as error:
        return _form(target, str(error), name, 401)
    response = RedirectResponse(target, 303, headers={"Cache-Control": "no-store"})
    response.set_cookie(
        COOKIE,
        signed_in.token,
        expires=signed_in.expires_at,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
        path="/",
    )
    return response


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


def _form(target: str, problem: str = "", name: str = "", status: int = 200) -> Response:
    page = _PAGE.substitute(
        action=html.escape(f"{SIGN_IN}?next={quote(target, safe='')}"),
        problem=f'<p class="problem" role="alert">{html.escape(problem)}</p>' if problem else "",
        name=html.escape(name),
    )
    return HTMLResponse(page, status, headers=HEADERS)


_PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in · Workbench</title><style>
:root { color-scheme: light dark; --ink: #1c2733; --paper: #fff; --soft: #f3f5f6; --line: #8b97a1; --main: #0b6e6e;
  --bad: #a3262e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebef; --paper: #1d252d; --soft: #13191f; --line: #6c7a86;
  --main: #0d7d7b; --bad: #ff9c9f; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--soft); color: var(--ink);
  font: 16px/1.5 "Source Sans", system-ui, sans-serif; }
main { width: min(24rem, 92vw); background: var(--paper); border: 1px solid var(--line); border-radius: 10px;
  padding: 2rem; }
h1 { margin: 0 0 1.2rem; font-size: 1.4rem; }
label { display: block; margin: 0 0 1rem; font-weight: 600; }
input { display: block; width: 100%; margin-top: .3rem; padding: .55rem .7rem; font: inherit; color: inherit;
  background: var(--paper); border: 1px solid var(--line); border-radius: 7px; }
button { width: 100%; padding: .6rem; font: inherit; font-weight: 600; color: #fff; background: var(--main); border: 0;
  border-radius: 7px; cursor: pointer; }
:focus-visible { outline: 3px solid var(--main); outline-offset: 2px; }
.problem { margin: 0 0 1rem; color: var(--bad); }
</style></head><body><main><h1>Annotation Workbench</h1>$problem
<form method="post" action="$action">
<label>Name<input name="name" value="$name" autocomplete="username" required autofocus></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button></form></main></body></html>
""")
