"""An encoder is adapted to a project's texts before it learns labels: it learns to fill in what is hidden in them.

Gururangan et al. (2020), Don't stop pretraining: adapt language models to domains and tasks, ACL (their TAPT).
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

from workbench.errors import InvalidInput, ModelUnavailable
from workbench.modeling.artifact import write_json
from workbench.modeling.checkpoint import apart
from workbench.modeling.freezing import freeze
from workbench.modeling.loop import Loop, Trained
from workbench.modeling.masked import MaskedData, text_windows
from workbench.modeling.quiet import quiet_transformers
from workbench.modeling.ragged import Ragged
from workbench.modeling.saving import system_errors
from workbench.modeling.schedule import Schedule
from workbench.modeling.tokenizer import SubwordTokenizer
from workbench.modeling.traincontext import TrainContext
from workbench.reporting import Reporter

TEXTS = "texts.jsonl"
"""In a run's folder: one JSON string a line."""

ADAPTING, ADAPTED = "adapting", "adapted"
"""In its folder of checkpoints: those of the adaptation, and the encoder at its end."""

WEIGHTS, STATE = "encoder.safetensors", "state.json"


class Adapting:
    """Tells of the adaptation as a phase of its own, with a curve of its own."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self.log, self.check = reporter.log, reporter.check

    def progress(self, done: int, total: int, **numbers: float | str | None) -> None:
        """Under another phase's name."""
        self._reporter.progress(done, total, **{**numbers, "phase": "adapting to the texts"})

    def metric(self, step: int, epoch: float, values: Mapping[str, float]) -> None:
        """The loss alone, as ``adapting_loss``."""
        self._reporter.metric(step, epoch, {"adapting_loss": values["loss"]})


def adapt(
    context: TrainContext,
    network: Any,
    start: Path,
    tokenizer: SubwordTokenizer,
    max_length: int,
    learning_rate: float,
) -> None:
    """Let a network's encoder read a run's texts; it is changed in place, its head is not.

    Args:
        context: Of the run, with ``texts.jsonl`` in its folder and ``adapt_epochs`` among its parameters; batch size,
            seed, warm-up, schedule and what is frozen hold here too.
        network: With the head that will learn labels, on its device.
        start: Folder of the model that it begins with.
        tokenizer: The network's.
        max_length: Sub-words of a window.
        learning_rate: Its peak.

    Raises:
        InvalidInput: The model knows no mask, or there is no text.
        ModelUnavailable: The model can't be read as a masked language model.
        RunFailed, Cancelled: As of ``Loop``.
    """
    encoder, leads = network.base_model, context.workers.leads
    if _take_up(context.kept / ADAPTED, encoder, context.fingerprint):
        context.reporter.log("The encoder was adapted to the texts by the earlier attempt.")
        return
    windows = text_windows(_texts(context.attempt / TEXTS), tokenizer, max_length)
    if not len(windows):
        raise InvalidInput(
            "there is no text to adapt the model to", remedy="set the passes over the texts to 0"
        )
    masked = _masked_model(start).to(context.device.torch_device)
    trained = _fill_in(context, masked, windows, tokenizer, learning_rate)
    context.reporter.log(
        f"Adapted in {trained.steps} steps and {trained.seconds:.0f} s; loss {trained.loss:.2f} at the end."
    )
    encoder.load_state_dict(masked.base_model.state_dict(), strict=False)
    if leads:
        _keep(context.kept / ADAPTED, encoder, context.fingerprint)
        shutil.rmtree(context.kept / ADAPTING, ignore_errors=True)


def _fill_in(
    context: TrainContext,
    masked: Any,
    windows: Ragged,
    tokenizer: SubwordTokenizer,
    learning_rate: float,
) -> Trained:
    """Teach the model what is hidden, from where an earlier attempt was."""
    parameters = context.parameters
    freeze(masked, embeddings=parameters.freeze_embeddings, layers=parameters.freeze_layers)
    passes = math.ceil(parameters.adapt_epochs)
    data = MaskedData(windows, tokenizer, masked, passes, parameters.seed)
    context.reporter.log(
        f"Adapting the encoder to {len(windows):,} windows of text, {parameters.adapt_epochs:g} times over."
    )
    epochs = parameters.adapt_epochs / passes
    own = replace(
        context,
        parameters=replace(parameters, epochs=epochs, min_steps=1, patience=0, rest_layers=False),
        reporter=Adapting(context.reporter),
    )
    schedule = Schedule.of(len(data.rows), own.parameters, learning_rate)
    return Loop(own, masked, data, schedule, context.kept / ADAPTING).run()


def _texts(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _masked_model(folder: Path) -> Any:
    from transformers import AutoModelForMaskedLM

    with quiet_transformers():
        try:
            return AutoModelForMaskedLM.from_pretrained(
                str(folder),
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                dtype="float32",
            )
        except Exception as error:  # transformers raises whatever the files made it raise
            raise ModelUnavailable(
                f"the model in {folder} can't fill in words ({type(error).__name__}), so it can't be adapted",
                remedy="set the passes over the texts to 0, or choose another base model",
            ) from error


def _keep(folder: Path, encoder: Any, fingerprint: str) -> None:
    """Keep the encoder for an attempt that goes on from here: whole, or not at all."""
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        with system_errors():
            save_file(apart(encoder.state_dict()), part / WEIGHTS)
        write_json(part / STATE, {"fingerprint": fingerprint})
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def _take_up(folder: Path, encoder: Any, fingerprint: str) -> bool:
    """Give the encoder the weights that an earlier attempt kept; False where there are none."""
    try:
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if state.get("fingerprint") != fingerprint:
        return False
    encoder.load_state_dict(load_file(folder / WEIGHTS), strict=False)
    return True
