"""Every route of our own, for ``st.App(routes=…)`` in Home.py, and the middleware that stands before all of them."""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

from workbench.web.downloads import download
from workbench.web.frontend import FrontEnd
from workbench.web.gate import Gate
from workbench.web.health import health
from workbench.web.openid import answer, depart
from workbench.web.paths import DOWNLOADS, HEALTH, OPENID, OPENID_ANSWER, SIGN_IN, SIGN_OUT
from workbench.web.signin import sign_in, sign_out


def routes() -> list[BaseRoute]:
    """Sign-in, sign-out, health, downloads."""
    return [
        Route(SIGN_IN, sign_in, methods=["GET", "POST"]),
        Route(OPENID, depart, methods=["GET"]),
        Route(OPENID_ANSWER, answer, methods=["GET"]),
        Route(SIGN_OUT, sign_out, methods=["GET", "POST"]),
        Route(HEALTH, health, methods=["GET"]),
        Route(f"{DOWNLOADS}/{{download_id}}/{{name}}", download, methods=["GET"]),
    ]


def middleware() -> list[Middleware]:
    """The gate, first of all; behind it the front end."""
    return [Middleware(Gate), Middleware(FrontEnd)]
