"""The front end's files come from memory, exactly as they are on disk, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from workbench.web.frontend import FrontEnd

ROOT = Path(streamlit.__file__).parent / "static"


@pytest.fixture
def client() -> TestClient:
    return TestClient(FrontEnd(PlainTextResponse("Streamlit's")))


@pytest.mark.parametrize(("folder", "kind"), [("js", "javascript"), ("css", "text/css"), ("media", "font/")])
def test_a_file_is_itself_for_a_year(client: TestClient, folder: str, kind: str) -> None:
    for path in sorted((ROOT / "static" / folder).glob("*.js" if folder == "js" else "*.[cw]*"))[:5]:
        for _ in range(2):
            found = client.get(f"/static/{folder}/{path.name}")
            assert found.content == path.read_bytes()
        assert kind in found.headers["content-type"]
        assert found.headers["cache-control"] == "public, immutable, max-age=31536000"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/static/",
        "/static/js",
        "/static/js/none.js",
        "/static/js/%2e%2e/%2e%2e/index.html",
        "/static/js/../../index.html",
    ],
)
def test_all_else_is_streamlits(client: TestClient, path: str) -> None:
    assert client.get(path).text == "Streamlit's"


def test_only_reading_is_answered(client: TestClient) -> None:
    name = next((ROOT / "static" / "js").glob("index.*.js")).name
    assert client.post(f"/static/js/{name}").text == "Streamlit's"
