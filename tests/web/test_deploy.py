"""The files by which a team deploys the workbench fit it, and with their environment it serves a proxy's host."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
import threading
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import yaml
from playwright.sync_api import Browser, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from tests.browser import ARGUMENTS, NAMES, ROOT, ServedApp
from tests.conftest import missing
from workbench.config import Settings, get_settings
from workbench.services import open_workbench
from workbench.ui.options import follow_settings

HOST = "labels.example.org"
PASSWORD = "correct horse battery"
GIVEN = {"HOST": HOST, "POSTGRES_PASSWORD": "secret"}
VARIABLE = re.compile(r"\$\{(\w+)(?::\?[^}]*)?\}")


@pytest.fixture(scope="module")
def services() -> Mapping[str, Any]:
    return yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]


def filled(value: str) -> str:
    return VARIABLE.sub(lambda found: GIVEN[found[1]], value)


def test_every_setting_is_one(services: Mapping[str, Any]) -> None:
    from streamlit import config

    for name in ("app", "worker"):
        environment = {key: filled(value) for key, value in services[name]["environment"].items()}
        chosen = {
            key.removeprefix("WORKBENCH_").lower(): value
            for key, value in environment.items()
            if key.startswith("WORKBENCH_")
        }
        settings = Settings(**chosen)
        assert settings.url == "postgresql+psycopg://workbench:secret@db/workbench"
        assert set(chosen) <= set(Settings.model_fields)
        options = {option.env_var for option in config._config_options_template.values()}
        assert {key for key in environment if key.startswith("STREAMLIT_")} <= options
    assert services["app"]["volumes"] == services["worker"]["volumes"], "the home is one"


def test_the_host_of_the_public_address_is_let_in_and_large_files_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from streamlit import config
    from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

    monkeypatch.setattr(config, "_main_script_path", str(ROOT / "Home.py"))
    monkeypatch.setattr(config, "_config_options", None)
    monkeypatch.setenv("WORKBENCH_PUBLIC_URL", f"https://{HOST}:8443")
    monkeypatch.setenv("WORKBENCH_MAX_UPLOAD_MB", "1200")
    get_settings.cache_clear()
    try:
        assert not is_host_allowed(HOST)
        follow_settings()
        for _ in range(2):
            assert is_host_allowed(f"{HOST}:8443") and is_host_allowed("localhost:8501")
            assert not is_host_allowed("elsewhere.example.org")
            assert config.get_option("server.maxUploadSize") == 1200
            config.get_config_options(force_reparse=True)  # as when .streamlit/config.toml is edited
        config.get_config_options(force_reparse=True, options_from_flags={"server.maxUploadSize": 50})
        assert config.get_option("server.maxUploadSize") == 50, "it was told so itself"
    finally:
        get_settings.cache_clear()


def test_the_proxy_reaches_the_port_that_the_image_serves(services: Mapping[str, Any]) -> None:
    caddy = (ROOT / "deploy" / "Caddyfile").read_text()
    image = (ROOT / "Dockerfile").read_text()
    assert "reverse_proxy app:8501" in caddy
    assert "EXPOSE 8501" in image
    assert services["proxy"]["environment"] == {"HOST": "${HOST}"}
    assert "ports" not in services["app"], "nobody gets past the proxy"


def test_the_address_of_a_visitor_is_whom_the_proxy_names(
    services: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def address(request: Request) -> PlainTextResponse:
        assert request.client is not None
        return PlainTextResponse(request.client.host)

    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    for name, value in services["app"]["environment"].items():
        if not name.startswith("WORKBENCH_"):
            monkeypatch.setenv(name, value)
    config = uvicorn.Config(Starlette(routes=[Route("/", address)]), log_config=None)
    config.load()
    client = TestClient(
        config.loaded_app, client=("172.18.0.5", 1)
    )  # the proxy's, in the network of the containers
    assert client.get("/", headers={"X-Forwarded-For": "203.0.113.9"}).text == "203.0.113.9"


def test_what_the_images_copy_is_there_and_sent() -> None:
    image = (ROOT / "Dockerfile").read_text()
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {part for line in re.findall(r"^COPY (.+)$", image, re.MULTILINE) for part in line.split()[:-1]}
    assert copied == sent
    assert all((ROOT / name).exists() for name in copied)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for group in re.findall(r"\.\[([a-z,0-9]+)\]", image):
        assert set(group.split(",")) <= set(extras)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    if shutil.which("openssl") is None:
        missing("openssl", "there is no openssl on this machine")
    file = tmp_path / "host.pem"
    subject = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        file,
        "-out",
        f"{file}.crt",
    ]
    subprocess.run([*made, "-days", "2", *subject], check=True, capture_output=True)
    with file.open("a") as whole:
        whole.write(Path(f"{file}.crt").read_text())
    return file


@pytest.fixture
def proxy(certificate: Path) -> Iterator[Callable[[int], int]]:
    """Speaks TLS on a port of its own, and passes what it hears on to a port that does not."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    listening = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while heard := source.recv(65_536):
                target.sendall(heard)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def carry(client: socket.socket, port: int) -> None:
        with (
            suppress(OSError),
            client,
            context.wrap_socket(client, server_side=True) as outside,
            socket.create_connection(("127.0.0.1", port)) as inside,
        ):
            back = threading.Thread(target=pump, args=(inside, outside), daemon=True)
            back.start()
            pump(outside, inside)
            back.join()

    def accept(port: int) -> None:
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                threading.Thread(target=carry, args=(client, port), daemon=True).start()

    def start(port: int) -> int:
        threading.Thread(target=accept, args=(port,), daemon=True).start()
        return int(listening.getsockname()[1])

    yield start
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()


@pytest.mark.browser
def test_people_sign_in_at_the_host_behind_the_proxy(
    chromium: Browser,
    services: Mapping[str, Any],
    serve: Callable[..., ServedApp],
    proxy: Callable[[int], int],
    tmp_path: Path,
) -> None:
    opened = open_workbench(Settings(home=tmp_path / "home", database_url=None))
    opened.projects.create("first", "ner")
    opened.team.add_user("anna", "admin", PASSWORD)
    opened.close()
    here = {"WORKBENCH_HOME", "WORKBENCH_DATABASE_URL"}  # a folder and a database of this test's own
    environment = {
        key: filled(value) for key, value in services["app"]["environment"].items() if key not in here
    }
    app = serve(tmp_path / "home", WORKBENCH_SAMPLES="false", **environment)
    port = proxy(app.port)
    executable = next(path for path in map(shutil.which, NAMES) if path)
    rules = f"--host-resolver-rules=MAP {HOST} 127.0.0.1"
    browser = chromium.browser_type.launch(executable_path=executable, args=[*ARGUMENTS, rules])
    page = browser.new_context(ignore_https_errors=True).new_page()
    page.goto(f"https://{HOST}:{port}/?project=first")
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="first")).to_be_visible(timeout=120_000)
    browser.close()
