"""The task's metrics on the validation examples, while a model is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.domain import Answer, Answers, ExampleText, Payload
from workbench.modeling.artifact import ModelInfo
from workbench.modeling.device import Device
from workbench.modeling.encoded import Encoder
from workbench.modeling.engine import Engine
from workbench.modeling.predict import answer_logits, decode_tagging
from workbench.tasks import AnswerTask, TaggingTask, Task
from workbench.tasks.base import IGNORE
from workbench.tasks.calibration import fit_choice_temperature, fit_temperature
from workbench.tasks.spans import Candidates, candidates
from workbench.tasks.squad import best_threshold

TOKENS_ENOUGH = 200
QUESTIONS_ENOUGH = 30
"""With fewer validation tokens or questions a fitted temperature would say more about chance than about the model."""


class Validation:
    """Evaluates a network on gold labels, encoded once.

    Where the data has questions without an answer, each evaluation finds the no-answer threshold that scores highest
    on these examples (``threshold``) and reports the figures at it, so they flatter the model a little.
    ``temperature`` is fitted at the last evaluation, where there are items enough; it changes no figure.
    """

    def __init__(
        self,
        network: Any,
        encoder: Encoder,
        info: ModelInfo,
        task: Task,
        device: Device,
        examples: Sequence[ExampleText],
        gold: Sequence[Payload],
    ) -> None:
        self.threshold = info.no_answer_threshold
        self._fit: Callable[[], float] | None = None
        self._engine = Engine(network, encoder.tokenizer, device)
        self._info = info
        self._task = task
        self._examples = examples
        self._gold = gold
        self._answers = encoder.answers(examples) if isinstance(task, AnswerTask) else None
        self._tokens = None if self._answers else encoder.tagging(examples)

    def __call__(self) -> dict[str, Any]:
        """The task's metrics; empty where there are no examples."""
        if not self._examples:
            return {}
        predicted = self._answer() if isinstance(self._task, AnswerTask) else self._tag()
        return self._task.evaluate(self._gold, predicted, self._examples, self._info.labels)

    def tune(self) -> float:
        """The temperature of the network as it was last evaluated; 1.0 where there is too little to fit it on.

        A network that was not evaluated here yet (its run was resumed behind the last evaluation) is so now.
        """
        if self._fit is None:
            self()
        return self._fit() if self._fit is not None else 1.0

    def _tag(self) -> list[Payload]:
        assert self._tokens is not None
        probabilities, _ = self._engine.tagging(self._tokens, len(self._info.classes))
        self._fit = partial(self._token_temperature, probabilities)
        found = decode_tagging(self._task, probabilities, self._examples, self._info.classes)
        return [prediction.payload for prediction in found]

    def _token_temperature(self, probabilities: NDArray[np.float32]) -> float:
        assert isinstance(self._task, TaggingTask)
        rows = [
            self._task.targets(payload, example, self._info.classes)
            for payload, example in zip(self._gold, self._examples, strict=True)
        ]
        targets = np.concatenate(rows)
        known = targets != IGNORE
        if known.sum() < TOKENS_ENOUGH:
            return 1.0
        logs = np.log(np.maximum(probabilities[known], np.finfo(np.float32).tiny))
        return fit_temperature(logs, targets[known])

    def _answer_temperature(self, found: Sequence[Candidates], given: Sequence[Payload]) -> float:
        if len(found) < QUESTIONS_ENOUGH:
            return 1.0
        scores = np.full((len(found), 1 + max(len(each.spans) for each in found)), -np.inf)
        for row, each in zip(scores, found, strict=True):
            row[1 : 1 + len(each.spans)] = each.scores
            if self._info.allow_no_answer or not each.spans:
                row[0] = each.null_score
        chosen = np.array([int(payload != Answers()) for payload in given])
        exact = [
            self._task.score_example(gold, payload, example)["exact_match"] >= 1.0
            for gold, payload, example in zip(self._gold, given, self._examples, strict=True)
        ]
        return fit_choice_temperature(scores, chosen, np.array(exact, dtype=bool))

    def _answer(self) -> list[Payload]:
        assert self._answers is not None
        best: list[Payload] = []
        margins: list[float] = []
        candidate_sets: list[Candidates] = []
        logits = answer_logits(self._answers, *self._engine.answers(self._answers))
        for found, example in zip(logits, self._examples, strict=True):
            answer = candidates(
                found.starts, found.ends, found.places, example.text, longest=self._info.max_answer_tokens
            )
            best.append(Answers((Answer(*answer.spans[0]),) if answer.spans else ()))
            margins.append(answer.margin)
            candidate_sets.append(answer)
        given = self._with_threshold(best, margins) if self._info.allow_no_answer else best
        self._fit = partial(self._answer_temperature, candidate_sets, given)
        return given

    def _with_threshold(self, best: Sequence[Payload], margins: Sequence[float]) -> list[Payload]:
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
