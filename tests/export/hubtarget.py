"""A stand-in for the hub on loopback that takes models: the routes by which its library makes commits."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

OWNER, TOKEN, READER = "ada", "hf_writes", "hf_reads"


@dataclass
class Target:
    """What has arrived: files of each repository, and which of them are private."""

    address: str = ""
    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    private: dict[str, bool] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    refuse: int | None = None


class _Hub(BaseHTTPRequestHandler):
    target: Target
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """The front page; of a repository nothing, as for one whom the hub does not let see it."""
        self._send(404 if self.path.startswith("/api/models/") else 200, {})

    def do_PUT(self) -> None:
        data = self._body()
        name = urlsplit(self.path).path.rpartition("/")[2]
        assert hashlib.sha256(data).hexdigest() == name
        self.target.objects[name] = data
        self._send(200, {})

    def do_POST(self) -> None:
        body, path = self._body(), urlsplit(self.path).path
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if token not in (TOKEN, READER):
            self._send(401, {"error": "Invalid credentials"})
        elif token == READER:
            self._send(403, {"error": "You don't have the rights to write"})
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif self.target.refuse:
            self._send(self.target.refuse, {"error": "no"})
        elif path == "/api/validate-yaml":
            self._send(200, {"errors": [], "warnings": []})
        elif path.endswith("/preupload/main"):
            files = [
                {
                    "path": one["path"],
                    "uploadMode": "lfs" if one["path"].endswith((".safetensors", ".onnx")) else "regular",
                    "shouldIgnore": False,
                }
                for one in json.loads(body)["files"]
            ]
            self._send(200, {"files": files})
        elif path.endswith("/info/lfs/objects/batch"):
            objects = [
                {**one, "actions": {"upload": {"href": f"{self.target.address}/objects/{one['oid']}"}}}
                for one in json.loads(body)["objects"]
            ]
            self._send(200, {"transfer": "basic", "objects": objects})
        elif path.endswith("/commit/main"):
            self._commit(path.removeprefix("/api/models/").removesuffix("/commit/main"), body)
        else:
            raise AssertionError(f"no route for {path}")

    def _create(self, given: dict[str, object]) -> None:
        owner, name = given.get("organization") or OWNER, given["name"]
        if owner != OWNER:
            self._send(404, {"error": "no such organization"})
            return
        repository = f"{owner}/{name}"
        known = repository in self.target.repositories
        if not known:
            self.target.repositories[repository] = {}
            self.target.private[repository] = (
                given.get("private", given.get("visibility") == "private") is True
            )
        address = f"{self.target.address}/{repository}"
        self._send(409 if known else 200, {"url": address, "name": repository, "id": repository})

    def _commit(self, repository: str, body: bytes) -> None:
        files = self.target.repositories[repository]
        for line in body.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                files[value["path"]] = self.target.objects[value["oid"]]
        told = {"commitUrl": f"{self.target.address}/{repository}/commit/{'0' * 40}", "commitOid": "0" * 40}
        self._send(200, {**told, "success": True})

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _send(self, status: int, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def hub_target() -> Iterator[Target]:
    """A hub that knows the owner ``ada`` and two tokens, one of which may write."""
    target = Target()
    handler = type("Hub", (_Hub,), {"target": target})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        target.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield target
        finally:
            server.shutdown()
            thread.join()
