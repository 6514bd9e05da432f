"""Train runs: from a frozen snapshot to a model's folder."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from workbench.domain import Answers, ExampleText, Payload, Split, TrainParameters, is_partial
from workbench.errors import InvalidInput
from workbench.modeling.adapt import TEXTS, adapt
from workbench.modeling.artifact import ModelInfo, answers_questions, save_model
from workbench.modeling.data import AnswerData, TaggingData, TrainingData, tagging_targets
from workbench.modeling.device import Device, choose_device
from workbench.modeling.encoded import Encoder
from workbench.modeling.engine import Windows
from workbench.modeling.freezing import freeze
from workbench.modeling.heads import Beginning, beginning, first_network
from workbench.modeling.inputs import Row, read_rows, train_parameters
from workbench.modeling.loop import Loop, Trained
from workbench.modeling.lora import adapt_low_rank, merge_low_rank
from workbench.modeling.schedule import Schedule
from workbench.modeling.takeover import take_over
from workbench.modeling.tokenizer import SubwordTokenizer, load_tokenizer, longest_window
from workbench.modeling.traincontext import TrainContext
from workbench.modeling.validation import Validation
from workbench.modeling.workers import workers
from workbench.reporting import Reporter
from workbench.tasks import AnswerTask, TaggingTask, Task, get_task

TAGGING_WINDOW = (256, 64)
ANSWER_WINDOW = (384, 128)
"""Default sub-words per window, and of those shared with the next."""


@dataclass(frozen=True, slots=True)
class Labeled:
    """Examples with their gold labels, side by side."""

    examples: list[ExampleText]
    payloads: list[Payload]

    @property
    def tokens(self) -> int:
        """Tokens of the examples; 0 for questions."""
        return sum(len(example.tokens) for example in self.examples)


def train(attempt: Path, manifest: Mapping[str, Any], reporter: Reporter) -> dict[str, Any]:
    """Train a model on a run's examples and write it to ``model/``.

    Args:
        attempt: The run's folder, with ``examples.jsonl``: those of split train are learned from, those of split
            validation measured on; and with ``texts.jsonl`` where the encoder is adapted to texts first.
        manifest: ``task``, ``labels``, ``parameters``, and ``base_model`` or ``model_dir`` (a version to continue
            from, its labels under other names by ``origins``); ``resume_from`` as ``take_over`` reads it,
            ``encoded`` a folder where encoded texts are kept for later runs.
        reporter: Hears of progress in optimizer steps, and of every curve.

    Returns:
        ``device``, ``precision``, ``seconds``, ``examples``, ``tokens``, ``steps``, ``epochs``,
        ``examples_per_second`` and ``metrics``: ``validation``, empty without validation examples, and ``tuned``
        on them, ``temperature`` and where questions may have no answer ``no_answer_threshold``. Nothing, and nothing
        is written, where another worker of the run leads (``workbench.modeling.workers``).

    Raises:
        InvalidInput: There is nothing to train on, or a parameter is out of range.
        ModelUnavailable: The model to begin with can't be had.
        Unavailable: The device is not here, or what LoRA takes is not installed.
        RunFailed: The loss became no number, memory does not suffice for a single window, or another worker of the
            run has ended.
        Cancelled: The run was told to stop.
    """
    begin = time.monotonic()
    reporter.check()
    parameters = train_parameters(manifest)
    task = get_task(str(manifest["task"]))
    device = choose_device(parameters.device)
    learn, measure = _read(attempt, task)
    start = beginning(manifest.get("base_model") or parameters.base_model, manifest.get("model_dir"), task)
    classes = task.model_labels(tuple(manifest.get("labels") or ()))
    if not classes and not answers_questions(task):
        raise InvalidInput("the label set is empty", remedy="add labels to the project")
    reporter.log(
        f"Training on {len(learn.examples)} examples, measuring on {len(measure.examples)}, "
        f"from {start.base_model}, on {device.description}."
    )
    network, tokenizer, info = _begin(task, manifest, start, classes, parameters, (learn, measure), reporter)
    network.to(device.torch_device)
    encoded = Path(manifest["encoded"]) if manifest.get("encoded") else None
    encoder = Encoder(tokenizer, info.max_length, info.stride, encoded, reporter.log, info.context)
    data = _encode(task, encoder, info, learn, parameters, reporter)
    validation = Validation(network, encoder, info, task, device, measure.examples, measure.payloads)
    schedule = Schedule.of(len(data.rows), parameters, parameters.learning_rate or start.learning_rate)
    kept = take_over(attempt, manifest)  # before there are other workers, who read it too
    with workers(parameters.workers, device, attempt, manifest) as group:
        context = TrainContext(
            attempt, parameters, device, reporter, group, _fingerprint(attempt, manifest), kept
        )
        if parameters.adapt_epochs:
            adapt(context, network, start.folder, tokenizer, info.max_length, schedule.peak)
        trained = _learn(context, network, data, schedule, validation, task)
    if not group.leads:
        return {}
    reporter.check()
    if parameters.lora_rank:
        merge_low_rank(network)
    tuned = _tune(validation, info)
    info = info.tuned(tuned.get("no_answer_threshold", info.no_answer_threshold), tuned["temperature"])
    network.eval()
    save_model(attempt / "model", network, tokenizer, info, {"seed": parameters.seed, "steps": trained.steps})
    seconds = time.monotonic() - begin
    reporter.log(f"Trained {trained.steps} steps in {seconds:.0f} s.")
    return _result(device, seconds, learn, schedule, trained, tuned)


def _learn(
    context: TrainContext,
    network: Any,
    data: TrainingData,
    schedule: Schedule,
    validation: Validation,
    task: Task,
) -> Trained:
    """Train the network on the labels."""
    if context.workers.count > 1:
        context.reporter.log(f"{context.workers.count} workers share each batch.")
    _choose_weights(network, context.parameters, context.reporter)
    torch.manual_seed(context.parameters.seed + context.workers.rank)
    loop = Loop(context, network, data, schedule, context.kept, validation, task.primary_metric)
    return loop.run()


def _begin(
    task: Task,
    manifest: Mapping[str, Any],
    start: Beginning,
    classes: tuple[str, ...],
    parameters: TrainParameters,
    data: tuple[Labeled, Labeled],
    reporter: Reporter,
) -> tuple[Any, SubwordTokenizer, ModelInfo]:
    """The network with its head; its tokenizer; and how its output is to be read."""
    torch.manual_seed(parameters.seed)
    network = first_network(start, task, classes, manifest.get("origins") or {})
    tokenizer = load_tokenizer(start.folder, for_words=not answers_questions(task))
    info = _describe(task, manifest, start, classes, parameters, *data)
    info = _fit_window(info, tokenizer, network, reporter)
    return network, tokenizer, info


def _choose_weights(network: Any, parameters: TrainParameters, reporter: Reporter) -> None:
    """Decide which weights learn."""
    if parameters.lora_rank:
        torch.manual_seed(parameters.seed)
        adapt_low_rank(network, parameters.lora_rank)
    freeze(network, embeddings=parameters.freeze_embeddings, layers=parameters.freeze_layers)
    if parameters.lora_rank:
        learning = sum(each.numel() for each in network.parameters() if each.requires_grad)
        share = learning / sum(each.numel() for each in network.parameters())
        reporter.log(f"LoRA of rank {parameters.lora_rank}: {learning:,} weights learn ({share:.1%} of all).")


def _tune(validation: Validation, info: ModelInfo) -> dict[str, float]:
    """What the validation data say of the trained network: a temperature, and where needed a threshold."""
    tuned = {"temperature": round(validation.tune(), 4)}
    if info.allow_no_answer:
        tuned["no_answer_threshold"] = round(validation.threshold, 6)
    return tuned


def _result(
    device: Device,
    seconds: float,
    learn: Labeled,
    schedule: Schedule,
    trained: Trained,
    tuned: Mapping[str, float],
) -> dict[str, Any]:
    return {
        "device": device.name,
        "precision": device.precision,
        "seconds": seconds,
        "examples": len(learn.examples),
        "tokens": learn.tokens,
        "steps": trained.steps,
        "epochs": trained.steps / schedule.per_epoch,
        "examples_per_second": trained.windows / trained.seconds if trained.seconds else 0.0,
        "metrics": {"validation": dict(trained.metrics), "tuned": dict(tuned)},
    }


def _read(attempt: Path, task: Task) -> tuple[Labeled, Labeled]:
    """Examples to learn from, and without partial labels to measure on. Raises InvalidInput with none to learn from."""
    rows = [row for row in read_rows(attempt / "examples.jsonl", task) if row.payload is not None]
    learn = _labeled([row for row in rows if row.split == Split.TRAIN], task)
    if not learn.examples:
        raise InvalidInput("there is no labeled example to train on", remedy="label some examples first")
    whole = [row for row in rows if row.split == Split.VALIDATION and not is_partial(row.payload)]
    return learn, _labeled(whole, task)


def _labeled(rows: Sequence[Row], task: Task) -> Labeled:
    """Those that a model can read: with tokens, or with a question."""
    usable = [row for row in rows if row.content.tokens or answers_questions(task)]
    return Labeled(
        [row.content for row in usable], [row.payload for row in usable if row.payload is not None]
    )


def _describe(
    task: Task,
    manifest: Mapping[str, Any],
    start: Beginning,
    classes: tuple[str, ...],
    parameters: TrainParameters,
    learn: Labeled,
    measure: Labeled,
) -> ModelInfo:
    length, stride = ANSWER_WINDOW if answers_questions(task) else TAGGING_WINDOW
    payloads = (*learn.payloads, *measure.payloads)
    return ModelInfo(
        task=task.name,
        labels=tuple(manifest.get("labels") or ()),
        classes=classes,
        max_length=parameters.max_length or length,
        stride=stride if parameters.stride is None else parameters.stride,
        base_model=start.base_model,
        base_license=start.license,
        label_all_subwords=parameters.label_all_subwords,
        context=0 if answers_questions(task) else parameters.context,
        allow_no_answer=any(isinstance(payload, Answers) and payload.no_answer for payload in payloads),
    )


def _fit_window(info: ModelInfo, tokenizer: SubwordTokenizer, network: Any, reporter: Reporter) -> ModelInfo:
    longest = longest_window(tokenizer.hf, network.config)
    if info.max_length <= longest:
        return info
    reporter.log(
        f"The model reads {longest} sub-words at once, so windows are {longest} long, not {info.max_length}."
    )
    return info.with_window(longest)


def _encode(
    task: Task,
    encoder: Encoder,
    info: ModelInfo,
    learn: Labeled,
    parameters: TrainParameters,
    reporter: Reporter,
) -> TrainingData:
    data: TrainingData
    windows: Windows
    if isinstance(task, AnswerTask):
        windows = questions = encoder.answers(learn.examples)
        data = AnswerData(questions, learn.payloads, learn.examples, encoder.tokenizer)
        if questions.shortened:
            reporter.log(
                f"{len(questions.shortened)} questions are longer than half a window and were cut to that."
            )
    else:
        assert isinstance(task, TaggingTask)
        windows = tokens = encoder.tagging(learn.examples)
        targets = tagging_targets(task, learn.payloads, learn.examples, info.classes)
        data = TaggingData(
            tokens,
            targets,
            encoder.tokenizer,
            info.classes,
            all_subwords=info.label_all_subwords,
            weighted=parameters.class_weights,
        )
    if not len(data.rows):
        raise InvalidInput(
            "no token of the training examples has a label", remedy="label some examples first"
        )
    longer = len(windows) - len(np.unique(windows.example))
    if longer:
        reporter.log(
            f"Texts longer than {info.max_length} sub-words are read in windows: {longer} more of them."
        )
    return data


def _fingerprint(attempt: Path, manifest: Mapping[str, Any]) -> str:
    """Of everything that decides a run's steps: another fingerprint's checkpoint is not taken up."""
    keys = ("task", "labels", "parameters", "base_model", "model_dir", "origins")
    digest = hashlib.sha256(json.dumps([manifest.get(key) for key in keys], sort_keys=True).encode())
    for path in (attempt / "examples.jsonl", attempt / TEXTS):
        if path.is_file():
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()
