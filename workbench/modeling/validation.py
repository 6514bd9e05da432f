"""The task's metrics on the validation examples, while a model is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.domain import Answer, Answers, ExampleText, Payload
from workbench.modeling.artifact import ModelInfo
from workbench.modeling.device import Device
from workbench.modeling.encode import encode_tagging
from workbench.modeling.encode_answers import encode_answers
from workbench.modeling.engine import Engine
from workbench.modeling.predict import answer_logits, decode_tagging
from workbench.modeling.tokenizer import SubwordTokenizer
from workbench.tasks import AnswerTask, Task
from workbench.tasks.spans import candidates
from workbench.tasks.squad import best_threshold


class Validation:
    """Evaluates a network on gold labels, encoded once.

    Where the data has questions without an answer, each evaluation finds the no-answer threshold that scores highest
    on these examples (``threshold``) and reports the figures at it, so they flatter the model a little.
    """

    def __init__(
        self,
        network: Any,
        tokenizer: SubwordTokenizer,
        info: ModelInfo,
        task: Task,
        device: Device,
        examples: Sequence[ExampleText],
        gold: Sequence[Payload],
    ) -> None:
        self.threshold = info.no_answer_threshold
        self._engine = Engine(network, tokenizer, device)
        self._info = info
        self._task = task
        self._examples = examples
        self._gold = gold
        size = {"max_length": info.max_length, "stride": info.stride}
        self._answers = encode_answers(tokenizer, examples, **size) if isinstance(task, AnswerTask) else None
        self._tokens = None if self._answers else encode_tagging(tokenizer, examples, **size)

    def __call__(self) -> dict[str, Any]:
        """The task's metrics; empty where there are no examples."""
        if not self._examples:
            return {}
        predicted = self._answer() if isinstance(self._task, AnswerTask) else self._tag()
        return self._task.evaluate(self._gold, predicted, self._examples, self._info.labels)

    def _tag(self) -> list[Payload]:
        assert self._tokens is not None
        probabilities = self._engine.tagging(self._tokens, len(self._info.classes))
        found = decode_tagging(self._task, probabilities, self._examples, self._info.classes)
        return [prediction.payload for prediction in found]

    def _answer(self) -> list[Payload]:
        assert self._answers is not None
        best: list[Payload] = []
        margins: list[float] = []
        logits = answer_logits(self._answers, *self._engine.answers(self._answers))
        for found, example in zip(logits, self._examples, strict=True):
            answer = candidates(
                found.starts, found.ends, found.places, example.text, longest=self._info.max_answer_tokens
            )
            best.append(Answers((Answer(*answer.spans[0]),) if answer.spans else ()))
            margins.append(answer.margin)
        if not self._info.allow_no_answer:
            return best
        nothing = Answers()
        finite = np.nan_to_num(np.asarray(margins), posinf=1e6)
        self.threshold, _ = best_threshold(finite, self._primary(best), self._primary([nothing] * len(best)))
        return [
            nothing if margin > self.threshold else answer
            for margin, answer in zip(finite, best, strict=True)
        ]

    def _primary(self, predicted: Sequence[Payload]) -> list[float]:
        """The primary metric of each example by itself."""
        rows = [
            self._task.score_example(gold, guess, example)
            for gold, guess, example in zip(self._gold, predicted, self._examples, strict=True)
        ]
        columns = {key: np.array([row[key] for row in rows]) for key in rows[0]}
        return list(map(float, self._task.aggregate(columns)))
