"""Sign-in with OpenID Connect: off to the provider, and back from it into the same kind of session as by password."""

from __future__ import annotations

import logging

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from workbench.errors import Forbidden, WorkbenchError
from workbench.services.openid import LASTS, Answer, Departure, cause_of
from workbench.services.team import SignedIn
from workbench.web.health import has_no_accounts
from workbench.web.paths import OPENID, OPENID_ANSWER
from workbench.web.shared import shared_workbench
from workbench.web.signin import is_secure, safe_next, session_begun
from workbench.web.signinpages import problem_page

STATE_COOKIE = "workbench_sign_in"
LONGEST = 4_000
"""Characters of anything that the provider's redirect carries."""

_log = logging.getLogger("workbench.sign_in")


async def depart(request: Request) -> Response:
    """GET sends the browser to the provider, with a cookie that ties the answer to this browser."""
    if not shared_workbench().team.openid.on:
        return _off()
    if await run_in_threadpool(has_no_accounts):
        return RedirectResponse("/", 303)
    target = safe_next(request.query_params.get("next"))

    def begin() -> Departure:
        return shared_workbench().team.openid.depart(target)

    try:
        departure = await run_in_threadpool(begin)
    except WorkbenchError as error:
        return _problem(error)
    response = RedirectResponse(departure.address, 303, headers={"Cache-Control": "no-store"})
    response.set_cookie(
        STATE_COOKIE,
        departure.state,
        max_age=int(LASTS.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=is_secure(request),
        path=OPENID,
    )
    return response


async def answer(request: Request) -> Response:
    """GET takes the provider's answer, and opens a session for whom it names."""
    if not shared_workbench().team.openid.on:
        return _off()
    query = request.query_params
    said = Answer(*(query.get(name, "")[:LONGEST] for name in ("state", "code", "error", "iss")))
    brought = request.cookies.get(STATE_COOKIE, "")

    def arrive() -> tuple[SignedIn, str]:
        return shared_workbench().team.openid.arrive(said, brought)

    try:
        signed_in, target = await run_in_threadpool(arrive)
    except WorkbenchError as error:
        return _problem(error)
    response = session_begun(request, signed_in, target)
    response.delete_cookie(STATE_COOKIE, path=OPENID, httponly=True, samesite="lax")
    return response


def _problem(error: WorkbenchError) -> Response:
    _log.warning("%s failed: %s (%s)", OPENID_ANSWER, error, cause_of(error))
    return problem_page(str(error), 403 if isinstance(error, Forbidden) else 503)


def _off() -> Response:
    return PlainTextResponse("Nobody signs in with OpenID Connect here.\n", 404)
