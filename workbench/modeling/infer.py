"""Score and evaluate runs: one pass over the examples gives predictions, confidences and every single-pass score."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from workbench.acquisition import STRATEGIES, score_answers, score_tagging_batch, single_pass
from workbench.errors import ModelUnavailable
from workbench.modeling.artifact import load_model
from workbench.modeling.device import choose_device
from workbench.modeling.inputs import Row, chunked, count_lines, read_rows
from workbench.modeling.predict import ANSWER_CHUNK, TAGGING_CHUNK, Predictor
from workbench.modeling.quantize import choose_precision
from workbench.reporting import Reporter
from workbench.tasks import AnswerTask, dump_prediction

SECONDS_BETWEEN_REPORTS = 0.5


def infer(attempt: Path, manifest: Mapping[str, Any], reporter: Reporter) -> dict[str, Any]:
    """Predict every example of a run and write ``predictions.jsonl``, in the order of ``examples.jsonl``.

    Args:
        attempt: The run's folder.
        manifest: ``kind``, ``model_dir`` and ``parameters`` (``strategies``, ``device``, ``max_length``,
            ``precision``, by default the device's own). A run of kind score computes every single-pass strategy of
            the task unless it names some; another kind computes those that it names.
        reporter: Hears of progress, in examples.

    Returns:
        ``device``, ``precision``, ``seconds``, ``examples``, ``tokens`` (sub-words for questions),
        ``examples_per_second``, ``metrics``.

    Raises:
        ModelUnavailable: The model can't be loaded.
        InvalidInput, Unavailable: A strategy or a device is not what it should be.
        Cancelled: The run was told to stop.
    """
    begin = time.monotonic()
    reporter.check()
    if not manifest.get("model_dir"):
        raise ModelUnavailable(
            "this run names no model", remedy="train a version first, then launch the run again"
        )
    parameters = manifest.get("parameters") or {}
    device = choose_device(str(parameters.get("device") or "auto"))
    model = load_model(Path(manifest["model_dir"]))
    wanted = parameters.get("precision")
    precision = choose_precision(str(wanted), device) if wanted else device.precision
    predictor = Predictor(model, device, max_length=parameters.get("max_length"), precision=precision)
    names = strategy_names(model.info.task, str(manifest.get("kind")), parameters.get("strategies"))
    examples = attempt / "examples.jsonl"
    total = count_lines(examples)
    reporter.log(f"Predicting {total} examples on {device.name} ({device.title}, {precision}).")
    work = _Work(predictor, names, reporter, total, time.monotonic())
    size = ANSWER_CHUNK if isinstance(model.task, AnswerTask) else TAGGING_CHUNK
    part = attempt / "predictions.jsonl.part"
    with part.open("w", encoding="utf-8") as file:
        for rows in chunked(read_rows(examples, model.task), size):
            work.chunk(rows, file)
    part.replace(attempt / "predictions.jsonl")
    computing = max(time.monotonic() - work.begin, 1e-9)
    return {
        "device": device.name,
        "precision": precision,
        "seconds": time.monotonic() - begin,
        "examples": work.done,
        "tokens": work.tokens,
        "examples_per_second": work.done / computing,
        "metrics": {},
    }


def strategy_names(task: str, kind: str, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """The strategies to score: those wanted that read a model, or by default those of one pass.

    Raises:
        UnknownName: There is no such strategy.
    """
    if wanted is None:
        return single_pass(task) if kind == "score" else ()
    return tuple(name for name in wanted if STRATEGIES[name].needs_model)


class _Work:
    """One pass: what is computed with, and how far it is."""

    def __init__(
        self, predictor: Predictor, names: Sequence[str], reporter: Reporter, total: int, begin: float
    ) -> None:
        self._predictor = predictor
        self._names = names
        self._reporter = reporter
        self._total = total
        self._answers = isinstance(predictor.model.task, AnswerTask)
        self.begin = begin
        self.done = 0
        self.tokens = 0
        self._reported = 0.0
        self._within = 0
        self._rows = 0

    def chunk(self, rows: Sequence[Row], file: TextIO) -> None:
        """Predict some examples and append their lines."""
        self._within, self._rows = 0, len(rows)
        predicted = self._answer(rows) if self._answers else self._tag(rows)
        task = self._predictor.model.task
        for row, (prediction, scores) in zip(rows, predicted, strict=True):
            line = {"id": row.id, **dump_prediction(task, prediction), "scores": scores}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        file.flush()
        self.done += len(rows)
        self._report(self.done, last=self.done >= self._total)

    def _tag(self, rows: Sequence[Row]) -> list[tuple[Any, dict[str, float]]]:
        opinions = any(STRATEGIES[name].reads_disagreement for name in self._names)
        found = self._predictor.tag([row.content for row in rows], self._on_batch, disagreement=opinions)
        self.tokens += len(found.probabilities)
        columns = {
            name: scores.tolist()
            for name, scores in score_tagging_batch(
                self._names, found.probabilities, found.offsets, found.disagreement
            ).items()
        }
        return [
            (prediction, {name: scores[index] for name, scores in columns.items()})
            for index, prediction in enumerate(found.predictions)
        ]

    def _answer(self, rows: Sequence[Row]) -> list[tuple[Any, dict[str, float]]]:
        found = self._predictor.answer([row.content for row in rows], self._on_batch)
        self.tokens += found.subwords
        return [
            (
                prediction,
                score_answers(self._names, prediction, *logits.probabilities()) if self._names else {},
            )
            for prediction, logits in zip(found.predictions, found.logits, strict=True)
        ]

    def _on_batch(self, windows: int) -> None:
        self._reporter.check()
        self._within += windows  # an example has one window or more
        self._report(self.done + min(self._within, self._rows))

    def _report(self, done: int, *, last: bool = False) -> None:
        now = time.monotonic()
        if not last and now - self._reported < SECONDS_BETWEEN_REPORTS:
            return
        self._reported = now
        speed = done / max(now - self.begin, 1e-9)
        self._reporter.progress(
            done,
            self._total,
            phase="predicting",
            examples_per_second=speed,
            seconds_left=(self._total - done) / speed if done else None,
            memory_mb=self._predictor.device.memory_mb(),
            device=self._predictor.device.name,
        )
