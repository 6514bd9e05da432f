"""``workbench serve``: an exported model over HTTP, with FastAPI. Not part of the workbench's own server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, Protocol

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workbench.domain import ExampleText, Prediction
from workbench.errors import InvalidInput, ModelUnavailable, WorkbenchError, WrongState
from workbench.services.prediction import example_for, plain
from workbench.web.batching import Batcher
from workbench.web.servingdocs import docs_page

MOST_INPUTS = 64
"""Texts, or questions, of one request."""
LONGEST_TEXT = 100_000
LONGEST_QUESTION = 2_000
"""Code points."""
MOST_BYTES = 8 * 2**20
"""Of a request's body."""
BATCH = 64
MOST_WAITING = 512


class TextInput(BaseModel):
    """A text to label."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


class QuestionInput(BaseModel):
    """A question, and where its answer may stand."""

    question: Annotated[str, Field(min_length=1, max_length=LONGEST_QUESTION)]
    context: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


class Texts(BaseModel):
    """Texts to label."""

    inputs: Annotated[list[TextInput], Field(min_length=1, max_length=MOST_INPUTS)]


class Questions(BaseModel):
    """Questions to answer."""

    inputs: Annotated[list[QuestionInput], Field(min_length=1, max_length=MOST_INPUTS)]


class Place(BaseModel):
    """A stretch of the text: half-open, in code points; ``score`` runs from 0 to 1."""

    text: str
    start: int
    end: int
    score: float


class Entity(Place):
    """An entity."""

    label: str


class Token(Place):
    """A word with its part of speech."""

    tag: str


class Entities(BaseModel):
    """What was found in one text."""

    entities: list[Entity]


class Tokens(BaseModel):
    """One text, word by word."""

    tokens: list[Token]


class Answered(BaseModel):
    """An answer; empty, at 0, where the context has none."""

    answer: str
    start: int
    end: int
    score: float
    no_answer: bool


class ManyEntities(BaseModel):
    """One item per input, in order."""

    predictions: list[Entities]


class ManyTokens(BaseModel):
    """One item per input, in order."""

    predictions: list[Tokens]


class ManyAnswers(BaseModel):
    """One item per input, in order."""

    predictions: list[Answered]


class Health(BaseModel):
    """Whether the model can be asked, and what it does."""

    status: str
    task: str
    labels: list[str]


RESPONSES = {"ner": ManyEntities, "pos": ManyTokens, "qa": ManyAnswers}
STATUS: tuple[tuple[type[WorkbenchError], int], ...] = (
    (InvalidInput, 422),
    (WrongState, 503),
    (ModelUnavailable, 503),
)


class Model(Protocol):
    """What the service asks; ``services.standing.StandingModel`` is one."""

    task: str
    labels: tuple[str, ...]

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""

    def predict(self, examples: Sequence[ExampleText]) -> list[Prediction]:
        """One prediction per example, in order."""

    def close(self) -> None:
        """Give it up."""


def make_app(model: Model, *, waiting: int = MOST_WAITING, most_bytes: int = MOST_BYTES) -> FastAPI:
    """The service of a model, which is closed when the service ends.

    Args:
        model: What it asks.
        waiting: Most texts that wait for the model; beyond, requests get 503.
        most_bytes: Longest body; beyond, 413.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        model.close()

    batcher = Batcher(model.predict, batch=BATCH, waiting=waiting)
    app = FastAPI(
        title="Annotation Workbench model",
        description=f"Task: {model.task}.",
        lifespan=lifespan,
        docs_url=None,  # FastAPI's own pages load their scripts from a server elsewhere
        redoc_url=None,
    )
    app.add_middleware(BodyLimit, most_bytes=most_bytes)

    async def predicted(examples: list[ExampleText]) -> dict[str, Any]:
        found = await batcher.ask(examples)
        return {"predictions": [plain(one, said) for one, said in zip(examples, found, strict=True)]}

    async def label(given: Texts) -> Any:
        """Label texts."""
        return await predicted([example_for(model.task, one.text) for one in given.inputs])

    async def answer(given: Questions) -> Any:
        """Answer questions."""
        return await predicted([example_for(model.task, one.context, one.question) for one in given.inputs])

    async def failed(_request: Request, error: Exception) -> JSONResponse:
        status = next((code for kind, code in STATUS if isinstance(error, kind)), 500)
        headers = {"Retry-After": "1"} if status == 503 else None
        return JSONResponse({"detail": str(error)}, status, headers)

    async def refused(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        told = [{key: one[key] for key in ("type", "loc", "msg")} for one in error.errors()]
        return JSONResponse({"detail": told}, 422)  # without the text, which may be long

    async def health() -> Any:
        """Whether the model can be asked."""
        status = "ok" if model.alive else "model unavailable"
        told = {"status": status, "task": model.task, "labels": list(model.labels)}
        return JSONResponse(told, 200 if model.alive else 503)

    async def docs() -> str:
        return docs_page(
            model.task, model.labels, inputs=MOST_INPUTS, longest=LONGEST_TEXT, most_bytes=most_bytes
        )

    ask = answer if model.task == "qa" else label
    app.add_api_route("/predict", ask, methods=["POST"], response_model=RESPONSES.get(model.task))
    app.add_api_route("/health", health, methods=["GET"], response_model=Health)
    app.add_api_route("/docs", docs, response_class=HTMLResponse, include_in_schema=False)
    app.add_exception_handler(WorkbenchError, failed)
    app.add_exception_handler(RequestValidationError, refused)
    return app


class BodyLimit:
    """Answers 413 to a body that is too long, as soon as that much of it has arrived."""

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self._app = app
        self._most = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request whose body is short enough, read whole."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._most:
                said = JSONResponse({"detail": f"the request is longer than {self._most:,} bytes"}, 413)
                await said(scope, receive, send)
                return
        given: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return given.pop() if given else await receive()

        await self._app(scope, replay, send)
