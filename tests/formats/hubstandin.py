"""A stand-in for the Hugging Face hub on loopback: the routes by which its libraries ask for datasets."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import unquote, urlsplit

Repository = dict[str, bytes]


def commit_of(revision: str) -> str:
    """The commit that a branch points to; a commit's is itself."""
    return revision if len(revision) == 40 else hashlib.sha1(revision.encode()).hexdigest()


class _Hub(BaseHTTPRequestHandler):
    repositories: ClassVar[dict[str, dict[str, Repository]]] = {}
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _answer(self, body: bytes = b"") -> None:
        path = unquote(urlsplit(self.path).path)
        match = re.fullmatch(r"/api/datasets/([\w.-]+/[\w.-]+)(?:/(revision|tree|paths-info)/(.+))?", path)
        if match is not None:
            self._about(match[1], match[2] or "revision", match[3] or "main", body)
            return
        match = re.fullmatch(r"/datasets/([\w.-]+/[\w.-]+)/resolve/(.+)", path)
        if match is not None:
            for revision in self._revisions(match[1]):
                if match[2].startswith(f"{revision}/"):
                    self._file(match[1], revision, match[2].removeprefix(f"{revision}/"))
                    return
        self._send(404, b"", {"X-Error-Code": "RepoNotFound"})

    def _revisions(self, name: str) -> list[str]:
        known = list(self.repositories.get(name, {}))
        return [*known, *map(commit_of, known)]

    def _repository(self, name: str, revision: str) -> Repository:
        known = self.repositories[name]
        return {commit_of(branch): files for branch, files in known.items()}[commit_of(revision)]

    def _about(self, name: str, what: str, rest: str, body: bytes) -> None:
        if name not in self.repositories:
            self._send(404, b"", {"X-Error-Code": "RepoNotFound"})
            return
        revision = next(
            (one for one in self._revisions(name) if rest == one or rest.startswith(f"{one}/")), None
        )
        if revision is None:
            self._send(404, b"", {"X-Error-Code": "RevisionNotFound"})
            return
        files = self._repository(name, revision)
        entries = [_entry(path, data) for path, data in files.items()]
        if what == "revision":
            told = {
                "id": name,
                "sha": commit_of(revision),
                "private": False,
                "gated": False,
                "disabled": False,
            }
            siblings = [{"rfilename": path, "size": len(data)} for path, data in files.items()]
            self._json(told | {"siblings": siblings, "tags": [], "downloads": 0, "likes": 0})
        elif what == "tree":
            self._tree(rest.removeprefix(revision).strip("/"), files)
        else:
            wanted = re.findall(r"paths=([^&]*)", body.decode()) or json.loads(body or b"{}").get("paths", [])
            paths = {unquote(path) for path in wanted}
            self._json([entry for entry in entries if entry["path"] in paths])

    def _tree(self, folder: str, files: Repository) -> None:
        """What lies in a folder, one level deep."""
        start = f"{folder}/" if folder else ""
        inside = [path for path in files if path.startswith(start)]
        folders = {
            start + path.removeprefix(start).split("/")[0]
            for path in inside
            if "/" in path.removeprefix(start)
        }
        found = [{"type": "directory", "path": path, "size": 0, "oid": "0" * 40} for path in sorted(folders)]
        found += [_entry(path, files[path]) for path in inside if "/" not in path.removeprefix(start)]
        if found:
            self._json(found)
        else:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"})

    def _file(self, name: str, revision: str, path: str) -> None:
        data = self._repository(name, revision).get(path)
        if data is None:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit_of(revision)})
            return
        etag = hashlib.sha1(data).hexdigest()
        self._send(200, data, {"ETag": f'"{etag}"', "X-Repo-Commit": commit_of(revision)})

    def _json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _entry(path: str, data: bytes) -> dict[str, object]:
    return {"type": "file", "path": path, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}


@contextmanager
def serve(repositories: dict[str, dict[str, Repository]]) -> Iterator[str]:
    """Serve repositories (by name, then revision, then path) on a port of its own; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Hub", (_Hub,), {"repositories": repositories}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
