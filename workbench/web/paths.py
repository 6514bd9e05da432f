"""The addresses of our own routes and the name of our cookie."""

from __future__ import annotations

from workbench.services.provider import ANSWER_PATH

SIGN_IN = "/sign-in"
OPENID = "/sign-in/openid"
OPENID_ANSWER = ANSWER_PATH
SIGN_OUT = "/sign-out"
HEALTH = "/health"
DOWNLOADS = "/downloads"
COOKIE = "workbench_session"
