"""How the examples of a pass are read, a chunk at a time: here, or by others who read chunks side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from workbench.acquisition import STRATEGIES, Features, score_answers, score_tagging_batch, single_pass
from workbench.domain import Prediction, RunKind, Split
from workbench.errors import ModelUnavailable
from workbench.modeling.artifact import LoadedModel, load_model
from workbench.modeling.cold_start import base_model
from workbench.modeling.device import Device, choose_device
from workbench.modeling.engine import OnBatch
from workbench.modeling.inputs import Row
from workbench.modeling.predict import ANSWER_CHUNK, TAGGING_CHUNK, Predictor
from workbench.modeling.quantize import choose_precision
from workbench.reporting import Reporter
from workbench.tasks import AnswerTask, dump_prediction

Said: TypeAlias = tuple[Prediction, dict[str, float]]
"""A prediction, and scores by strategy."""
SECONDS_BETWEEN_REPORTS = 0.5


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a pass is computed, and in what precision: one for all of it."""

    device: Device
    precision: str

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Machine:
        """What a run's parameters choose on this machine. Raises InvalidInput, Unavailable."""
        device = choose_device(str(parameters.get("device") or "auto"))
        wanted = parameters.get("precision")
        return cls(device, choose_precision(str(wanted), device) if wanted else device.precision)


class Readers(Protocol):
    """Others who read chunks of a pass side by side."""

    def machine(self, check: Callable[[], None]) -> Machine:
        """What each of them computes on; ``check`` as in ``read``."""

    def read(
        self, texts: Iterator[tuple[int, str]], precision: str, check: Callable[[], None]
    ) -> Iterator[tuple[int, bytes, bytes]]:
        """The two files of each chunk, in whatever order they come.

        Args:
            texts: Number of a chunk, and its lines of ``examples.jsonl``.
            precision: To compute in.
            check: Called while nothing comes; may raise Cancelled.
        """


@dataclass(frozen=True, slots=True)
class Pass:
    """What a run wants of its examples.

    Attributes:
        model: Who reads.
        names: Strategies that score.
        features: Whether they are kept.
        predicts: The splits that are predicted; None: all of them.
        max_length: Sub-words of a window; None: the model's own.
    """

    model: LoadedModel
    names: tuple[str, ...]
    features: bool
    predicts: frozenset[Split] | None
    max_length: int | None

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Pass:
        """What the manifest of a run says. Raises ModelUnavailable, UnknownName."""
        parameters = manifest.get("parameters") or {}
        kind = str(manifest.get("kind"))
        length = parameters.get("max_length")
        if kind == "embed":
            return cls(base_model(manifest), (), features=True, predicts=frozenset(), max_length=length)
        model = trained_model(manifest)
        names = strategy_names(model.info.task, kind, parameters.get("strategies"))
        features = bool(parameters.get("features"))
        # What is labeled stands in a pass of scores as of split train, for its features alone.
        predicts = frozenset(Split) - {Split.TRAIN} if kind == RunKind.SCORE else None
        return cls(model, names, features, predicts, length)

    @property
    def size(self) -> int:
        """Examples of a chunk."""
        return ANSWER_CHUNK if isinstance(self.model.task, AnswerTask) else TAGGING_CHUNK


def trained_model(manifest: Mapping[str, Any]) -> LoadedModel:
    """The model version that a run names. Raises ModelUnavailable."""
    if not manifest.get("model_dir"):
        raise ModelUnavailable(
            "this run names no model", remedy="train a version first, then launch the run again"
        )
    return load_model(Path(manifest["model_dir"]))


def strategy_names(task: str, kind: str, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """The strategies to score: those wanted that read a model, or by default those of one pass.

    Raises:
        UnknownName: There is no such strategy.
    """
    if wanted is None:
        return single_pass(task) if kind == "score" else ()
    return tuple(name for name in wanted if STRATEGIES[name].scores_examples)


class ChunkReader:
    """Reads chunks on one device."""

    def __init__(self, wanted: Pass, machine: Machine) -> None:
        self._wanted = wanted
        machine.device.keep_memory()
        self._predictor = Predictor(
            wanted.model, machine.device, max_length=wanted.max_length, precision=machine.precision
        )

    def read(
        self, rows: Sequence[Row], on_batch: OnBatch
    ) -> tuple[list[dict[str, Any]], list[int], Features | None, int]:
        """What ``Chunks.put`` takes of some examples, in their order."""
        answers = isinstance(self._wanted.model.task, AnswerTask)
        said, features, tokens = self._answer(rows, on_batch) if answers else self._tag(rows, on_batch)
        predicts = self._wanted.predicts
        if features is not None and predicts == frozenset():
            features = features.only("embeddings")  # the head means nothing
        task = self._wanted.model.task
        lines = [
            {"id": row.id, **dump_prediction(task, prediction), "scores": scores}
            for row, (prediction, scores) in zip(rows, said, strict=True)
            if predicts is None or row.split in predicts
        ]
        return lines, [row.id for row in rows], features, tokens

    def _tag(self, rows: Sequence[Row], on_batch: OnBatch) -> tuple[list[Said], Features | None, int]:
        names = self._wanted.names
        found = self._predictor.tag(
            [row.content for row in rows],
            on_batch,
            disagreement=any(STRATEGIES[name].reads_disagreement for name in names),
            features=self._wanted.features,
        )
        columns = {
            name: scores.tolist()
            for name, scores in score_tagging_batch(
                names, found.probabilities, found.offsets, found.disagreement
            ).items()
        }
        said: list[Said] = [
            (prediction, {name: scores[index] for name, scores in columns.items()})
            for index, prediction in enumerate(found.predictions)
        ]
        return said, found.features, len(found.probabilities)

    def _answer(self, rows: Sequence[Row], on_batch: OnBatch) -> tuple[list[Said], Features | None, int]:
        names = self._wanted.names
        contents = [row.content for row in rows]
        found = self._predictor.answer(
            contents, on_batch, untempered=bool(names), features=self._wanted.features
        )
        said: list[Said] = [
            (prediction, score_answers(names, plain, *logits.probabilities()) if names else {})
            for prediction, plain, logits in zip(
                found.predictions, found.untempered, found.logits, strict=True
            )
        ]
        return said, found.features, found.subwords


class Pace:
    """How far a pass is, and how fast: what its reporter hears.

    Args:
        reporter: Hears it.
        total: Examples of the pass.
        there: Of them, kept from an earlier attempt.
        device: Where it is computed.
        here: Whether that is this process.
    """

    def __init__(self, reporter: Reporter, total: int, there: int, device: Device, *, here: bool) -> None:
        self._reporter = reporter
        self._total = total
        self._there = there
        self._device = device
        self._here = here
        self._begin = time.monotonic()
        self._reported = 0.0
        self._computed = 0
        self._chunk = 0
        self._within = 0

    def begin_chunk(self, examples: int) -> None:
        """So many are read next."""
        self._chunk, self._within = examples, 0

    def on_batch(self, windows: int) -> None:
        """A batch of the chunk is read. Raises Cancelled."""
        self._reporter.check()
        self._within += windows  # an example has one window or more
        self._report(self._computed + min(self._within, self._chunk))

    def end_chunk(self, examples: int) -> None:
        """So many have been read."""
        self._computed += examples
        self._report(self._computed, last=self._there + self._computed >= self._total)

    @property
    def examples_per_second(self) -> float:
        """Of those read in this attempt."""
        return self._computed / max(time.monotonic() - self._begin, 1e-9)

    def _report(self, computed: int, *, last: bool = False) -> None:
        now = time.monotonic()
        if not last and now - self._reported < SECONDS_BETWEEN_REPORTS:
            return
        self._reported = now
        speed = computed / max(now - self._begin, 1e-9)
        done = self._there + computed
        self._reporter.progress(
            done,
            self._total,
            phase="reading",
            examples_per_second=speed,
            seconds_left=(self._total - done) / speed if computed else None,
            memory_mb=self._device.memory_mb() if self._here else None,
            device=self._device.name,
        )
