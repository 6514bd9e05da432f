"""A real server for tests: ``streamlit run Home.py`` on loopback, with a home of its own."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from tests.conftest import free_port

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Answer:
    """Status, headers (lower-cased) and body of a response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def cookie(self) -> str:
        """``name=value`` of the cookie that it sets."""
        return self.headers["set-cookie"].split(";")[0]


@dataclass(frozen=True)
class Server:
    """Where it listens and what it said."""

    port: int
    log: Path

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: str | bytes | None = None, **headers: str) -> Answer:
        """One request, sent as it is; header names with ``_`` for ``-``."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body=body, headers=named)
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, response.read())
        finally:
            connection.close()

    def sign_in(self, name: str, password: str, target: str | None = None, **headers: str) -> Answer:
        """Post the sign-in form as our own page would; headers given replace its own."""
        own = {"Origin": self.origin, "Content-Type": "application/x-www-form-urlencoded", **headers}
        query = f"?{urlencode({'next': target})}" if target is not None else ""
        return self.ask("POST", f"/sign-in{query}", urlencode({"name": name, "password": password}), **own)

    def handshake(self, **headers: str) -> Answer:
        """Open the WebSocket that pages run over; 101 where the server agrees."""
        own = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Origin": self.origin,
            **headers,
        }
        return self.ask("GET", "/_stcore/stream", **own)


@contextmanager
def serving(home: Path, *, log: Path, checkout: Path = CHECKOUT) -> Iterator[Server]:
    """Start the server and wait until it answers; ended with the block."""
    server = Server(free_port(), log)
    environment = {**os.environ, "WORKBENCH_HOME": str(home), "WORKBENCH_SAMPLES": "false"}
    environment.pop("WORKBENCH_DATABASE_URL", None)
    command = [sys.executable, "-m", "streamlit", "run", "Home.py", "--server.port", str(server.port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=checkout, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_up(server, process)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_up(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended: {server.log.read_text()}")
        try:
            if server.ask("GET", "/health").status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the server does not answer: {server.log.read_text()}")
