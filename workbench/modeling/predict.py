"""A trained model that says what it sees in examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.acquisition import Features
from workbench.domain import ExampleText, Prediction
from workbench.errors import InvalidInput
from workbench.modeling.artifact import LoadedModel, load_model
from workbench.modeling.device import Device, choose_device
from workbench.modeling.encode import encode_tagging
from workbench.modeling.encode_answers import AnswerWindows, encode_answers
from workbench.modeling.engine import Engine, OnBatch, nothing
from workbench.modeling.packed import can_pack, packed
from workbench.modeling.pooling import answer_features, tagging_features
from workbench.modeling.quantize import quantized
from workbench.modeling.ragged import bounds_of
from workbench.tasks import AnswerTask, TaggingTask
from workbench.tasks.calibration import tempered
from workbench.tasks.spans import softmax
from workbench.tasks.tagging import TaggingBase

TAGGING_CHUNK = 4096
ANSWER_CHUNK = 512
"""Examples that are encoded together: enough for batches of alike length, few enough to stream."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """What was seen in some examples.

    Attributes:
        predictions: One per example, in order.
        probabilities: Of every token, shape (tokens of all examples, classes), at temperature 1, as query strategies
            are defined.
        disagreement: Of the head under dropout, for each token, shape (tokens of all examples,); 0 where nobody asked.
        offsets: Example ``i`` has the rows ``offsets[i]:offsets[i + 1]``; shape (examples + 1,).
        features: One row per example, where they were asked for.
    """

    predictions: list[Prediction]
    probabilities: NDArray[np.float32]
    disagreement: NDArray[np.float32]
    offsets: NDArray[np.int64]
    features: Features | None = None


@dataclass(frozen=True, slots=True)
class AnswerLogits:
    """The windows of one example, as ``decode_answers`` takes them, and which positions are read in which."""

    starts: list[NDArray[np.float32]]
    ends: list[NDArray[np.float32]]
    places: list[NDArray[np.int64]]
    owned: list[NDArray[np.bool_]]

    def probabilities(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of starting and of ending at CLS, first, and at each sub-word of the context, once each.

        CLS has the lowest logit of the windows, as in decoding: one window that holds an answer decides.
        """
        return self._over_positions(self.starts), self._over_positions(self.ends)

    def _over_positions(self, logits: list[NDArray[np.float32]]) -> NDArray[np.float64]:
        cls = np.array([min(float(row[0]) for row in logits)])
        rest = [row[1:][own[1:]] for row, own in zip(logits, self.owned, strict=True)]
        return softmax(np.concatenate([cls, *rest]).astype(np.float64))


@dataclass(frozen=True, slots=True)
class Answered:
    """What was seen in some questions: one item (or row) per example, in order.

    Attributes:
        predictions: With the probabilities that are shown.
        untempered: The same at temperature 1, as query strategies are defined; ``predictions`` where nobody asked.
        logits: What they were decoded from.
        subwords: That were read.
        features: One row per example, where they were asked for.
    """

    predictions: list[Prediction]
    untempered: list[Prediction]
    logits: list[AnswerLogits]
    subwords: int
    features: Features | None = None


def answer_logits(
    windows: AnswerWindows, starts: NDArray[np.float32], ends: NDArray[np.float32]
) -> Iterator[AnswerLogits]:
    """The engine's output, example by example."""
    first = np.searchsorted(windows.example, np.arange(windows.examples + 1))
    bounds = windows.columns.bounds
    for index in range(windows.examples):
        parts = [slice(bounds[row], bounds[row + 1]) for row in range(first[index], first[index + 1])]
        yield AnswerLogits(
            [starts[part] for part in parts],
            [ends[part] for part in parts],
            [windows.places[part] for part in parts],
            [windows.owned[part] for part in parts],
        )


class Predictor:
    """A model on a device.

    Attributes:
        model: The model with its tokenizer and description.
        device: Where it runs.
        precision: ``int8``, or the device's own.
    """

    def __init__(
        self,
        model: LoadedModel,
        device: Device,
        *,
        max_length: int | None = None,
        precision: str | None = None,
    ) -> None:
        self.model = model
        self.device = device
        self.precision = precision or device.precision
        network = model.network.to(device.torch_device)
        if self.precision == "int8":
            network = quantized(network)
        elif self.precision == "fp32" and can_pack(device):
            network = packed(network)
        self._engine = Engine(network, model.tokenizer, device)
        self._max_length = min(max_length or model.info.max_length, model.info.max_length)

    @property
    def task(self) -> str:
        """Name of its task type."""
        return self.model.info.task

    @property
    def labels(self) -> tuple[str, ...]:
        """The label set that it was trained with."""
        return self.model.info.labels

    @property
    def context(self) -> int:
        """Sub-words of its document on either side that it reads with a sentence, where it is given them."""
        return self.model.info.context

    def predict(self, examples: Sequence[ExampleText]) -> list[Prediction]:
        """One prediction per example, in the order of the examples.

        Raises:
            InvalidInput: An example has no question, where the model answers questions.
        """
        asks = isinstance(self.model.task, AnswerTask)
        size = ANSWER_CHUNK if asks else TAGGING_CHUNK
        predictions: list[Prediction] = []
        for start in range(0, len(examples), size):
            part = examples[start : start + size]
            predictions += (self.answer(part) if asks else self.tag(part)).predictions
        return predictions

    def tag(
        self,
        examples: Sequence[ExampleText],
        on_batch: OnBatch = nothing,
        *,
        disagreement: bool = False,
        features: bool = False,
    ) -> Tagged:
        """Predictions and probabilities of some examples, encoded together. For tagging models.

        Args:
            examples: With tokens.
            on_batch: Hears of each batch.
            disagreement: Ask the head under several dropout masks too.
            features: Keep what strategies read that choose sets.
        """
        info, task = self.model.info, self.model.task
        windows = encode_tagging(
            self.model.tokenizer,
            examples,
            max_length=self._max_length,
            stride=info.stride,
            context=info.context,
        )
        pooling = self._engine.pooling(windows, len(info.classes)) if features else None
        probabilities, disagreed = self._engine.tagging(
            windows, len(info.classes), on_batch, disagreement=disagreement, pooling=pooling
        )
        confident = tempered(probabilities, info.temperature)
        return Tagged(
            decode_tagging(task, confident, examples, info.classes),
            probabilities,
            disagreed,
            windows.examples,
            tagging_features(pooling, windows, probabilities) if pooling else None,
        )

    def answer(
        self,
        examples: Sequence[ExampleText],
        on_batch: OnBatch = nothing,
        *,
        untempered: bool = False,
        features: bool = False,
    ) -> Answered:
        """Predictions and logits of some questions, encoded together. For models that answer questions.

        Args:
            examples: With questions.
            on_batch: Hears of each batch.
            untempered: Decode at temperature 1 too, for strategies that score.
            features: Keep what strategies read that choose sets.
        """
        info = self.model.info
        for example in examples:
            if not (example.question or "").strip():
                raise InvalidInput("an example has no question", remedy="give a question beside each context")
        windows = encode_answers(
            self.model.tokenizer, examples, max_length=self._max_length, stride=info.stride
        )
        pooling = self._engine.pooling(windows, 2) if features else None
        logits = list(answer_logits(windows, *self._engine.answers(windows, on_batch, pooling=pooling)))
        predictions = self._decoded(logits, examples, info.temperature)
        plain = predictions
        if untempered and info.temperature != 1.0:
            plain = self._decoded(logits, examples, 1.0)
        kept = answer_features(pooling, windows) if pooling else None
        return Answered(predictions, plain, logits, len(windows.ids.values), kept)

    def _decoded(
        self, logits: Sequence[AnswerLogits], examples: Sequence[ExampleText], temperature: float
    ) -> list[Prediction]:
        info, task = self.model.info, self.model.task
        assert isinstance(task, AnswerTask)
        return [
            task.decode_answers(
                found.starts,
                found.ends,
                found.places,
                example,
                no_answer_threshold=info.no_answer_threshold,
                allow_no_answer=info.allow_no_answer,
                max_answer_tokens=info.max_answer_tokens,
                temperature=temperature,
            )
            for found, example in zip(logits, examples, strict=True)
        ]


def decode_tagging(
    task: object, probabilities: NDArray[np.float32], examples: Sequence[ExampleText], classes: Sequence[str]
) -> list[Prediction]:
    """Predictions of several examples from the probabilities of all their tokens."""
    if isinstance(task, TaggingBase):
        return task.decode_many(probabilities, examples, classes)
    assert isinstance(task, TaggingTask)
    bounds = bounds_of([len(example.tokens) for example in examples])
    return [
        task.decode(probabilities[bounds[index] : bounds[index + 1]], example, classes)
        for index, example in enumerate(examples)
    ]


def load_predictor(model_dir: Path, device: str = "auto") -> Predictor:
    """A trained model from its folder.

    Args:
        model_dir: Written by training or by an export.
        device: auto, cpu, cuda, cuda:N or mps.

    Raises:
        ModelUnavailable: The folder is none of the workbench's, or not whole.
        InvalidInput, Unavailable: The device is no device's name, or not here.
    """
    return Predictor(load_model(Path(model_dir)), choose_device(device))
