"""``/downloads/<id>/<name>``: the files that ``services.downloads`` offers, to whom they belong."""

from __future__ import annotations

from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from workbench.domain import User
from workbench.errors import Forbidden, NotFound
from workbench.services.downloads import Download
from workbench.web.gate import USER
from workbench.web.paths import DOWNLOADS
from workbench.web.shared import shared_workbench

HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


def download_address(download: Download) -> str:
    """The path to fetch a download from."""
    return f"{DOWNLOADS}/{download.id}/{quote(download.name, safe='')}"


async def download(request: Request) -> Response:
    """The file, as an attachment; 404 for what is not there and for what is somebody else's alike."""
    user: User | None = request.scope.get(USER)
    if user is None:
        return PlainTextResponse("Sign in first.\n", 401)
    download_id, name = request.path_params["download_id"], request.path_params["name"]
    try:
        found = await run_in_threadpool(lambda: shared_workbench().downloads.get(download_id, user))
    except (NotFound, Forbidden):
        return _missing()
    if found.name != name:
        return _missing()
    return FileResponse(
        found.path, filename=found.name, media_type="application/octet-stream", headers=HEADERS
    )


def _missing() -> Response:
    return PlainTextResponse("There is no such download; make it again.\n", 404)
