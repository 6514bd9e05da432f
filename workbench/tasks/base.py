"""What a task type is: one file that answers these questions, registered by name.

Everything here is plain Python and NumPy: how labels are checked, turned into a model's targets, read back
from its probabilities, and measured. ``docs/extend.md`` shows a new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from workbench.domain import ExampleText, Json, Payload, Prediction
from workbench.registry import Registry

IGNORE = -100
"""Target of a position that gives no loss."""


class Task(Protocol):
    """The part that every task type has."""

    name: str
    title: str
    primary_metric: str
    """Key of ``evaluate``'s result that versions are ranked by; higher is better."""
    metric_scale: float
    """The primary metric's maximum: 1.0 or 100.0."""

    def validate(self, payload: Payload, example: ExampleText, labels: Sequence[str]) -> None:
        """Raise InvalidPayload unless the labels fit the example and the label set."""

    def load(self, data: Mapping[str, Any]) -> Payload:
        """A payload from its stored JSON form. Raises InvalidPayload on any other shape."""

    def dump(self, payload: Payload) -> dict[str, Any]:
        """The stored JSON form of a payload; ``load(dump(p)) == p``."""

    def labels_in(self, payload: Payload) -> list[str]:
        """Every label that it uses, once per use (empty for QA)."""

    def model_labels(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Classes of the model's head for a label set, class 0 first (``O, B-PER, I-PER, …``); empty for QA."""

    def evaluate(
        self,
        gold: Sequence[Payload],
        predicted: Sequence[Payload],
        examples: Sequence[ExampleText],
        labels: Sequence[str],
    ) -> dict[str, Any]:
        """Metrics over aligned sequences: the keys of the command-line contract, plus ``examples``."""

    def score_example(self, gold: Payload, predicted: Payload, example: ExampleText) -> dict[str, float]:
        """Sufficient statistics of one example (counts), summable over examples and read by ``aggregate``."""

    def aggregate(self, statistics: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """The primary metric from summed statistics; vectorised over leading axes, for the bootstrap."""


@runtime_checkable
class TaggingTask(Task, Protocol):
    """A task whose model gives each token a class (head: token classification)."""

    def targets(self, payload: Payload, example: ExampleText, classes: Sequence[str]) -> NDArray[np.int64]:
        """Class of each token, shape (tokens,); IGNORE where the payload says nothing."""

    def decode(
        self, probabilities: NDArray[np.float32], example: ExampleText, classes: Sequence[str]
    ) -> Prediction:
        """The prediction that class probabilities of shape (tokens, classes) amount to."""


@runtime_checkable
class AnswerTask(Task, Protocol):
    """A task whose model marks the start and end of an answer (head: question answering)."""

    def decode_answers(
        self,
        start_logits: Sequence[NDArray[np.float32]],
        end_logits: Sequence[NDArray[np.float32]],
        offsets: Sequence[NDArray[np.int64]],
        example: ExampleText,
        *,
        no_answer_threshold: float = 0.0,
        allow_no_answer: bool = True,
        n_best: int = 20,
        max_answer_tokens: int = 30,
        temperature: float = 1.0,
    ) -> Prediction:
        """The best answer over all windows of one example.

        Args:
            start_logits: One array per window, shape (sub-words,).
            end_logits: The same.
            offsets: One array per window, shape (sub-words, 2): code points into the context; (-1, -1) for
                sub-words outside the context; position 0 is the CLS position, whose score means "no answer".
            example: The example.
            no_answer_threshold: "No answer" wins when its score exceeds the best answer's by more than this.
            allow_no_answer: Whether the data has unanswerable questions at all.
            n_best: Candidates kept.
            max_answer_tokens: Longest answer, in sub-words.
            temperature: Divides the scores before they become probabilities; which answer wins stays.
        """


TASKS: Registry[Task] = Registry("task type")


def get_task(name: str) -> Task:
    """The registered task type. Raises UnknownName."""
    return TASKS[name]


__all__ = ["IGNORE", "TASKS", "AnswerTask", "Json", "TaggingTask", "Task", "get_task"]
