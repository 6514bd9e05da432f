"""An exported model over HTTP: what it answers, what it refuses, how requests share a batch."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.export.conftest import Made
from workbench.domain import Answer, Answers, ExampleText, Prediction, Span, Spans
from workbench.errors import ModelUnavailable, WrongState
from workbench.web.batching import Batcher
from workbench.web.serving import LONGEST_TEXT, MOST_INPUTS, make_app


class FirstWord:
    """A model that finds the first token, or answers with it."""

    labels = ("PER",)

    def __init__(self, task: str = "ner") -> None:
        self.task = task
        self.alive = True
        self.calls: list[int] = []
        self.goes_on = threading.Event()
        self.goes_on.set()

    def predict(self, examples: Sequence[ExampleText]) -> list[Prediction]:
        self.calls.append(len(examples))
        self.goes_on.wait(10)
        if not self.alive:
            raise ModelUnavailable("the model's process ended")
        end = len("anna")
        if self.task == "qa":
            return [Prediction(Answers((Answer(0, end),)), 0.9, (0.9,)) for _ in examples]
        return [Prediction(Spans((Span(0, end, "PER"),)), 0.9, (0.9,)) for _ in examples]

    def close(self) -> None:
        self.alive = False


def test_what_it_answers_and_documents() -> None:
    model = FirstWord()
    with TestClient(make_app(model)) as client:
        said = client.post("/predict", json={"inputs": [{"text": "anna left"}, {"text": "anna"}]})
        entity = {"text": "anna", "start": 0, "end": 4, "score": 0.9, "label": "PER"}
        assert said.status_code == 200 and said.json() == {"predictions": [{"entities": [entity]}] * 2}
        assert client.get("/health").json() == {"status": "ok", "task": "ner", "labels": ["PER"]}
        document = client.get("/openapi.json").json()
        assert set(document["paths"]) == {"/predict", "/health"}
        assert document["components"]["schemas"]["Entity"]["required"] == [
            "text",
            "start",
            "end",
            "score",
            "label",
        ]
        page = client.get("/docs")
        assert page.status_code == 200 and "Labels: PER." in page.text and "64" in page.text
        assert "://" not in page.text.replace("http://localhost:8080", ""), "nothing is loaded from elsewhere"
        model.alive = False
        assert client.get("/health").status_code == 503
        refused = client.post("/predict", json={"inputs": [{"text": "anna"}]})
        assert refused.status_code == 503 and refused.json() == {"detail": "the model's process ended"}
    with TestClient(make_app(FirstWord("qa"))) as client:
        said = client.post("/predict", json={"inputs": [{"question": "who?", "context": "anna left"}]})
        assert said.json()["predictions"][0]["answer"] == "anna"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"inputs": []}, 422),
        ({"inputs": [{"text": ""}]}, 422),
        ({"inputs": [{"text": "  "}]}, 422),
        ({"inputs": [{"text": "a" * (LONGEST_TEXT + 1)}]}, 422),
        ({"inputs": [{"text": "a"}] * (MOST_INPUTS + 1)}, 422),
        ({"texts": ["a"]}, 422),
        ({"inputs": [{"text": "a" * 3_000}]}, 413),
    ],
)
def test_what_it_refuses(body: object, status: int) -> None:
    model = FirstWord()
    with TestClient(make_app(model, most_bytes=2_000 if status == 413 else 8 * 2**20)) as client:
        assert client.post("/predict", json=body).status_code == status
    assert model.calls == []


def test_requests_that_arrive_meanwhile_are_read_together() -> None:
    model = FirstWord()

    async def asked() -> None:
        batcher = Batcher(model.predict, batch=4, waiting=6)
        example = ExampleText("anna", ((0, 4),))
        model.goes_on.clear()
        first = asyncio.create_task(batcher.ask([example]))
        while not model.calls:
            await asyncio.sleep(0.01)
        others = [asyncio.create_task(batcher.ask([example] * 2)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(WrongState, match="wait"):
            await batcher.ask([example])
        model.goes_on.set()
        assert [len(found) for found in await asyncio.gather(first, *others)] == [1, 2, 2, 2]

    # In a thread of its own: a browser test of the same process may have left this one with a running loop.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(asked())).result()
    assert model.calls == [1, 4, 2]


@pytest.mark.proof
def test_the_command_serves(exports: dict[str, Made], tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["workbench", "serve", str(exports["qa"].folder), "--port", str(port)]
    program = "import sys; from workbench.cli import main; sys.argv = sys.argv[1:]; main()"
    command = [sys.executable, "-c", program, *words]
    with (tmp_path / "log").open("w") as log, subprocess.Popen(command, stderr=log) as server:
        try:
            body = {"inputs": [{"question": "who did ?", "context": "anna visited rome ."}]}
            said = _ask(f"http://127.0.0.1:{port}/predict", body, server)
        finally:
            server.send_signal(signal.SIGINT)
    found = said["predictions"][0]
    assert found["answer"] == "anna visited rome ."[found["start"] : found["end"]]


def _ask(address: str, body: object, server: subprocess.Popen[bytes]) -> dict[str, list[dict[str, object]]]:
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    for _ in range(600):
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.URLError:
            time.sleep(0.1)
    raise AssertionError("no answer within a minute")
