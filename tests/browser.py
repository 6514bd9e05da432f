"""A pytest plugin: a real Chromium, and the real application served on a port of its own.

def test_something(page, served_app):
    page.goto(served_app.url("Label", project="news"))
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parents[1]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
START_SECONDS = 90
TIMEOUT_MS = 30_000
"""How long a test waits for what it expects on a page."""


@dataclass
class ServedApp:
    """The application in a process of its own, over one home; it can be killed and started again."""

    home: Path
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What the server has said."""
        return self.home / "server.log"

    def url(self, page: str = "", **query: str) -> str:
        """The address of a page."""
        return f"http://127.0.0.1:{self.port}/{page}{'?' + urlencode(query) if query else ''}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.home.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "streamlit", "run", "Home.py"]
        options = ["--server.port", str(self.port), "--server.headless", "true"]
        environment = {**os.environ, "WORKBENCH_HOME": str(self.home), **self.environment}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *options],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the application did not start:\n{self.log.read_text(errors='replace')[-4000:]}")
            time.sleep(0.1)

    def kill(self) -> None:
        """End it as ``kill -9`` does: no goodbye."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def answers(self) -> bool:
        """Whether the server answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_stcore/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A Chromium or Chrome of this machine, without a window."""
    from tests.conftest import missing

    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        missing("browser", "there is no Chromium or Chrome on this machine")
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A fresh tab with storage of its own; an exception in the page's scripts fails the test."""
    context = chromium.new_context(viewport={"width": 1500, "height": 950})
    context.set_default_timeout(TIMEOUT_MS)
    tab = context.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(f"{error}\n{error.stack or ''}"))
    yield tab
    context.close()
    assert not errors, errors


@pytest.fixture
def serve() -> Iterator[Callable[..., ServedApp]]:
    """Start the application over a home: ``serve(home)``; what is left running is ended after the test."""
    yield from _serving()


@pytest.fixture(scope="module")
def serve_all() -> Iterator[Callable[..., ServedApp]]:
    """The same for all tests of a module."""
    yield from _serving()


def _serving() -> Iterator[Callable[..., ServedApp]]:
    from tests.conftest import free_port

    started: list[ServedApp] = []

    def start(home: Path, **environment: str) -> ServedApp:
        app = ServedApp(home, free_port(), environment)
        started.append(app)
        app.start()
        return app

    yield start
    for app in started:
        app.kill()


@pytest.fixture
def served_app(serve: Callable[..., ServedApp], tmp_path: Path) -> ServedApp:
    """The application over an empty home (or over ``tmp_path / "home"`` where a test has filled it before)."""
    return serve(tmp_path / "home")
