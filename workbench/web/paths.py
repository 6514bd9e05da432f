"""The addresses of our own routes and the name of our cookie."""

from __future__ import annotations

SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"
HEALTH = "/health"
DOWNLOADS = "/downloads"
COOKIE = "workbench_session"
