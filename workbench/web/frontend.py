"""The front end's files, from memory.

A browser that has never been here asks for some hundred small files before it draws a page, one behind another.
Streamlit opens each on disk, in a thread, behind its own middleware: 3 ms a file. Their names hold their hash, so that
what was read once stays true.
"""

from __future__ import annotations

import mimetypes
from functools import cache
from importlib.resources import files
from pathlib import Path

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

FOLDER = "/static/"
KINDS = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2"}
"""Said here, because a machine's own list can be wrong, and a browser runs no module of another kind."""
KEEP = "public, immutable, max-age=31536000"
"""What Streamlit says of them as well: a browser need not ask again for a year."""


class FrontEnd:
    """ASGI middleware behind the gate; anything but those files is Streamlit's to answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer it here, or let it through."""
        found = None
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"].startswith(FOLDER):
            found = answer(scope["path"])
        await (found or self._app)(scope, receive, send)


@cache
def _files() -> dict[str, Path]:
    """By their path in an address; nothing else is ever opened."""
    root = Path(str(files("streamlit"))) / "static"
    return {
        f"/{path.relative_to(root).as_posix()}": path for path in root.glob("static/*/*") if path.is_file()
    }


def answer(path: str) -> Response | None:
    """The file of an address, None where it is none of the front end's."""
    return _read(path) if path in _files() else None


@cache
def _read(path: str) -> Response:
    file = _files()[path]
    kind = KINDS.get(file.suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    return Response(file.read_bytes(), media_type=kind, headers={"Cache-Control": KEEP})
