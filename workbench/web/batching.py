"""Requests that arrive while the model computes wait, and are then computed together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from workbench.domain import ExampleText, Prediction
from workbench.errors import WrongState

Predict = Callable[[Sequence[ExampleText]], list[Prediction]]


@dataclass(frozen=True, slots=True)
class _Waiting:
    examples: Sequence[ExampleText]
    answer: asyncio.Future[list[Prediction]]


class Batcher:
    """Collects examples of several requests for one call of a model.

    Nothing is held back to wait for more: an idle model is asked at once, and what comes meanwhile forms the next
    batch.

    Args:
        predict: The model; one call at a time.
        batch: Most examples of one call (one request that has more is not cut).
        waiting: Most examples that wait.
    """

    def __init__(self, predict: Predict, *, batch: int, waiting: int) -> None:
        self._predict = predict
        self._batch = batch
        self._most = waiting
        self._queue: list[_Waiting] = []
        self._worker: asyncio.Task[None] | None = None

    async def ask(self, examples: Sequence[ExampleText]) -> list[Prediction]:
        """Predictions of a request's examples, in order.

        Raises:
            WrongState: Too many examples wait already.
            WorkbenchError: What the model raises.
        """
        if sum(len(one.examples) for one in self._queue) + len(examples) > self._most:
            raise WrongState("too many texts wait to be read", remedy="ask again in a second")
        answer: asyncio.Future[list[Prediction]] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(examples, answer))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        while self._queue:
            batch = self._take()
            try:
                found = await run_in_threadpool(
                    self._predict, [example for one in batch for example in one.examples]
                )
            except Exception as error:
                for one in batch:
                    if not one.answer.done():
                        one.answer.set_exception(error)
                continue
            start = 0
            for one in batch:
                end = start + len(one.examples)
                if not one.answer.done():  # who asked may have gone
                    one.answer.set_result(found[start:end])
                start = end

    def _take(self) -> list[_Waiting]:
        taken = [self._queue.pop(0)]
        count = len(taken[0].examples)
        while self._queue and count + len(self._queue[0].examples) <= self._batch:
            taken.append(self._queue.pop(0))
            count += len(taken[-1].examples)
        return taken
