"""Score and evaluate runs: one pass over the examples gives predictions, confidences and every single-pass score."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from workbench.acquisition import STRATEGIES, Features, score_answers, score_tagging_batch, single_pass
from workbench.domain import Prediction, Split
from workbench.errors import ModelUnavailable
from workbench.modeling.artifact import LoadedModel, load_model
from workbench.modeling.chunks import Chunks
from workbench.modeling.cold_start import base_model
from workbench.modeling.device import choose_device
from workbench.modeling.inputs import Row, chunked, count_lines, read_rows
from workbench.modeling.predict import ANSWER_CHUNK, TAGGING_CHUNK, Predictor
from workbench.modeling.quantize import choose_precision
from workbench.modeling.trials import fingerprint
from workbench.reporting import Reporter
from workbench.tasks import AnswerTask, dump_prediction

Said: TypeAlias = tuple[Prediction, dict[str, float]]
"""A prediction, and scores by strategy."""
SECONDS_BETWEEN_REPORTS = 0.5


def infer(attempt: Path, manifest: Mapping[str, Any], reporter: Reporter) -> dict[str, Any]:
    """Read every example of a run in one pass.

    Writes ``predictions.jsonl``, in the order of ``examples.jsonl`` (without the examples of split train, which are
    there for their features alone), and ``features/``. What an earlier attempt has on disk is not computed again.

    Args:
        attempt: The run's folder.
        manifest: ``kind``, ``model_dir`` and ``parameters`` (``strategies``, ``device``, ``max_length``,
            ``precision``, by default the device's own, ``features``: whether they are kept). A run of kind score
            computes every single-pass strategy of the task unless it names some; another kind computes those that it
            names. One of kind embed has no model: it keeps the features of the base model that ``parameters`` name.
            ``resume_from`` is the folder of an earlier attempt's chunks.
        reporter: Hears of progress, in examples.

    Returns:
        ``device``, ``precision``, ``seconds``, ``examples`` (predicted), ``embedded`` (without a prediction),
        ``tokens`` (sub-words for questions), ``examples_per_second``, ``metrics``.

    Raises:
        ModelUnavailable: The model can't be loaded.
        InvalidInput, Unavailable: A strategy or a device is not what it should be.
        Cancelled: The run was told to stop.
    """
    begin = time.monotonic()
    reporter.check()
    parameters = manifest.get("parameters") or {}
    device = choose_device(str(parameters.get("device") or "auto"))
    embeds = manifest.get("kind") == "embed"
    model = base_model(manifest) if embeds else trained_model(manifest)
    names = (
        ()
        if embeds
        else strategy_names(model.info.task, str(manifest.get("kind")), parameters.get("strategies"))
    )
    features = embeds or bool(parameters.get("features"))
    examples = attempt / "examples.jsonl"
    total = count_lines(examples)
    chunks = Chunks(attempt, fingerprint(attempt, manifest, ("kind", "model_dir")))
    earlier = manifest.get("resume_from")
    wanted = parameters.get("precision")
    precision = choose_precision(str(wanted), device) if wanted else device.precision
    precision = chunks.begin(precision, earlier)
    found = chunks.adopt(earlier)
    if found:
        reporter.log(
            f"An earlier attempt has left {found} chunk{'s' if found > 1 else ''} of examples that need no reading."
        )
    predictor = Predictor(model, device, max_length=parameters.get("max_length"), precision=precision)
    reporter.log(f"Reading {total} examples on {device.name} ({device.title}, {precision}).")
    work = _Work(predictor, names, reporter, total, features=features, predicts=not embeds)
    size = ANSWER_CHUNK if isinstance(model.task, AnswerTask) else TAGGING_CHUNK
    count = 0
    for number, rows in enumerate(chunked(read_rows(examples, model.task), size)):
        work.chunk(number, rows, chunks)
        count = number + 1
    chunks.assemble(count, features=features)
    computing = max(time.monotonic() - work.begin, 1e-9)
    return {
        "device": device.name,
        "precision": precision,
        "seconds": time.monotonic() - begin,
        "examples": work.predicted,
        "embedded": work.done - work.predicted,
        "tokens": work.tokens,
        "examples_per_second": work.computed / computing,
        "metrics": {},
    }


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


class _Work:
    """One pass: what is computed with, and how far it is."""

    def __init__(
        self,
        predictor: Predictor,
        names: Sequence[str],
        reporter: Reporter,
        total: int,
        *,
        features: bool,
        predicts: bool,
    ) -> None:
        self._predictor = predictor
        self._names = names
        self._reporter = reporter
        self._total = total
        self._answers = isinstance(predictor.model.task, AnswerTask)
        self._features = features
        self._predicts = predicts
        self.begin = time.monotonic()
        self.done = 0
        self.predicted = 0
        self.computed = 0
        self.tokens = 0
        self._reported = 0.0
        self._within = 0
        self._rows = 0

    def chunk(self, number: int, rows: Sequence[Row], chunks: Chunks) -> None:
        """Read some examples and keep what is said of them, unless it is kept already."""
        asked = [self._predicts and row.split != Split.TRAIN for row in rows]
        if number not in chunks:
            self._within, self._rows = 0, len(rows)
            before = self.tokens
            said, features = self._answer(rows) if self._answers else self._tag(rows)
            if features is not None and not self._predicts:
                features = features.only("embeddings")  # the head means nothing
            task = self._predictor.model.task
            lines = [
                {"id": row.id, **dump_prediction(task, prediction), "scores": scores}
                for row, wanted, (prediction, scores) in zip(rows, asked, said, strict=True)
                if wanted
            ]
            chunks.put(number, lines, [row.id for row in rows], features, self.tokens - before)
            self.computed += len(rows)
        else:
            self.tokens += chunks.tokens(number)
        self.done += len(rows)
        self.predicted += sum(asked)
        self._report(self.done, last=self.done >= self._total)

    def _tag(self, rows: Sequence[Row]) -> tuple[list[Said], Features | None]:
        opinions = any(STRATEGIES[name].reads_disagreement for name in self._names)
        found = self._predictor.tag(
            [row.content for row in rows], self._on_batch, disagreement=opinions, features=self._features
        )
        self.tokens += len(found.probabilities)
        columns = {
            name: scores.tolist()
            for name, scores in score_tagging_batch(
                self._names, found.probabilities, found.offsets, found.disagreement
            ).items()
        }
        said: list[Said] = [
            (prediction, {name: scores[index] for name, scores in columns.items()})
            for index, prediction in enumerate(found.predictions)
        ]
        return said, found.features

    def _answer(self, rows: Sequence[Row]) -> tuple[list[Said], Features | None]:
        contents = [row.content for row in rows]
        found = self._predictor.answer(contents, self._on_batch, features=self._features)
        self.tokens += found.subwords
        said: list[Said] = [
            (
                prediction,
                score_answers(self._names, prediction, *logits.probabilities()) if self._names else {},
            )
            for prediction, logits in zip(found.predictions, found.logits, strict=True)
        ]
        return said, found.features

    def _on_batch(self, windows: int) -> None:
        self._reporter.check()
        self._within += windows  # an example has one window or more
        self._report(self.done + min(self._within, self._rows), self.computed + min(self._within, self._rows))

    def _report(self, done: int, computed: int | None = None, *, last: bool = False) -> None:
        now = time.monotonic()
        if not last and now - self._reported < SECONDS_BETWEEN_REPORTS:
            return
        self._reported = now
        computed = self.computed if computed is None else computed
        speed = computed / max(now - self.begin, 1e-9)
        self._reporter.progress(
            done,
            self._total,
            phase="reading",
            examples_per_second=speed,
            seconds_left=(self._total - done) / speed if computed else None,
            memory_mb=self._predictor.device.memory_mb(),
            device=self._predictor.device.name,
        )
