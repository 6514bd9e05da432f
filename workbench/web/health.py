"""``/health``: whether the server and its database answer. It says nothing else, since anybody may ask."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from workbench.errors import WorkbenchError
from workbench.web.shared import shared_workbench


def has_no_accounts() -> bool:
    """Whether the workbench is in solo mode; asks the database."""
    return shared_workbench().team.solo()


async def health(_request: Request) -> Response:
    """200 ``{"status": "ok"}``, or 503 where the database does not answer."""
    try:
        await run_in_threadpool(has_no_accounts)
    except WorkbenchError:
        return JSONResponse({"status": "database unavailable"}, 503)
    return JSONResponse({"status": "ok"})
