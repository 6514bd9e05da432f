"""The training loop: AdamW, a linear rise and fall of the learning rate, batches of windows of alike length.

The order of the batches follows from the seed and the epoch alone, and everything else that a step depends on is in
the checkpoint: on the CPU, a run that is resumed ends with the very weights of one that was never stopped.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.domain import Fall
from workbench.errors import RunFailed
from workbench.modeling.attention import quick_attention
from workbench.modeling.best import Best
from workbench.modeling.checkpoint import (
    Position,
    load_checkpoint,
    newest_checkpoint,
    read_position,
    save_checkpoint,
)
from workbench.modeling.data import TrainingData
from workbench.modeling.device import out_of_memory
from workbench.modeling.dropout import Masks, quick_dropout
from workbench.modeling.freezing import Rest
from workbench.modeling.optimizer import adamw, clip
from workbench.modeling.ragged import training_batches
from workbench.modeling.schedule import Schedule
from workbench.modeling.traincontext import TrainContext

CHECKPOINT_SECONDS = 60.0
"""A checkpoint is written at least so often, and at the end of an epoch if the last is a sixth of it old."""

REPORT_SECONDS = 0.5
POINTS = 200
"""Points of a curve, at most."""


@dataclass(frozen=True, slots=True)
class Trained:
    """How a loop ended.

    Attributes:
        steps: Optimizer steps taken, those before it was resumed included.
        seconds: Spent here on steps.
        windows: Trained on here.
        loss: Mean of the last steps.
        metrics: What the last evaluation gave.
    """

    steps: int
    seconds: float
    windows: int
    loss: float
    metrics: Mapping[str, Any]


class Loop:
    """Trains one network on some windows.

    Args:
        context: Of the run. Batch size, weight decay, seed and patience are read from its parameters.
        network: On its device.
        data: Windows with targets.
        schedule: Steps and learning rates.
        folder: Where checkpoints go, and where one is that an earlier attempt has left.
        evaluate: Gives the metrics on the validation examples, whole; empty where there are none.
        primary: Name of the metric that early stopping goes by.
    """

    def __init__(
        self,
        context: TrainContext,
        network: Any,
        data: TrainingData,
        schedule: Schedule,
        folder: Path,
        evaluate: Callable[[], Mapping[str, Any]] = dict,
        primary: str = "",
    ) -> None:
        parameters, workers = context.parameters, context.workers
        self._network = network
        self._data = data
        self._parameters = parameters
        self._schedule = schedule
        self._device = context.device
        self._reporter = context.reporter
        self._evaluate = evaluate
        self._primary = primary
        self._best = Best(folder, parameters.patience)
        self._workers = workers
        self._masks = Masks(parameters.seed, workers.rank)
        # A rate that does not fall leaves the lowest layers as much to learn at the end as before.
        rests = parameters.rest_layers and parameters.schedule != Fall.CONSTANT
        self._rest = Rest(network, schedule.total) if rests else None
        self._folder = folder
        self._fingerprint = context.fingerprint
        self._trainable = [p for p in network.parameters() if p.requires_grad]
        self._optimizer = adamw(network, parameters, schedule.peak, context.device)
        self._lengths = data.lengths[data.rows]
        self._pieces = 1
        self._step = 0
        self._windows = 0
        self._seconds = 0.0
        self._drawn = (0, 0.0)  # windows and seconds at the last point of the curves
        self._reported = 0.0
        self._saved = time.monotonic()
        self._losses: list[torch.Tensor] = []
        self._loss = math.nan
        self._metrics: Mapping[str, Any] = {}
        self._exhausted = False

    def run(self) -> Trained:
        """Train to the end of the schedule, from the beginning or from the newest checkpoint that is there.

        With patience, the end may come sooner, and the network is then as it was at its best.
        """
        self._device.keep_memory()
        epoch, batch = self._resume()
        with contextlib.ExitStack() as stack:
            if self._device.kind == "cpu":
                stack.enter_context(quick_dropout(self._network, self._masks))
                stack.enter_context(quick_attention(self._network))
            self._train(epoch, batch)
        lead = self._workers.leads
        if lead and self._best.step not in (None, self._step) and self._best.restore(self._network):
            self._reporter.log(f"Back to the weights after step {self._best.step}, the best on validation.")
            self._metrics = self._evaluate()
        return Trained(self._step, self._seconds, self._windows, self._loss, self._metrics)

    def _train(self, epoch: int, batch: int) -> None:
        while self._step < self._schedule.total and not self._exhausted:
            for rows in self._batches(epoch)[batch:]:
                self._reporter.check()
                begin = time.monotonic()
                self._take(rows)
                batch += 1
                self._step += 1
                self._seconds += time.monotonic() - begin
                self._windows += len(rows)
                self._report(epoch, batch)
                if self._schedule.evaluates(self._step):
                    self._validate()
                if self._step >= self._schedule.total or self._exhausted:
                    break
                self._maybe_save(epoch, batch)
            epoch, batch = epoch + 1, 0
        if self._step < self._schedule.total:
            patience = self._parameters.patience
            self._reporter.log(
                f"Stopped after step {self._step}: {patience} evaluations brought nothing better."
            )

    def _batches(self, epoch: int) -> list[NDArray[np.int64]]:
        rng = np.random.default_rng([self._parameters.seed, epoch])
        return [
            self._data.rows[batch]
            for batch in training_batches(self._lengths, self._parameters.batch_size, rng)
        ]

    # --- one step -----------------------------------------------------------------------------------

    def _take(self, rows: NDArray[np.int64]) -> None:
        """One optimizer step, in as many pieces as memory asks for."""
        while True:
            try:
                loss = self._gradients(self._workers.share(rows), self._data.weight(rows))
                break
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
                fits = self._pieces < len(self._workers.share(rows))
                message = f"{len(rows)} windows at {self._pieces} to a batch"
                del error
            self._optimizer.zero_grad(set_to_none=True)
            self._device.free_memory()
            if not fits:
                raise RunFailed(
                    f"a single window does not fit into the memory of {self._device.name} ({message})",
                    remedy="use a smaller max length, a smaller base model or another device",
                )
            self._pieces *= 2
            self._reporter.log(
                f"The memory of {self._device.name} did not suffice: each batch is now computed in "
                f"{self._pieces} parts, with the same result."
            )
        loss = self._workers.add_up(self._trainable, loss)
        clip(self._trainable, self._device)
        rate = self._schedule.learning_rate(self._step)
        for group in self._optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._losses.append(loss)

    def _gradients(self, rows: NDArray[np.int64], weight: float) -> torch.Tensor:
        self._network.train()
        self._masks.at(self._step)
        if self._rest is not None:
            self._rest.at(self._step)
        total = torch.zeros((), device=self._device.torch_device)
        for part in np.array_split(rows, min(self._pieces, len(rows))) if len(rows) else ():
            inputs = self._data.inputs(part)
            with self._device.precise():
                output = self._network(**{k: v.to(self._device.torch_device) for k, v in inputs.items()})
            loss = self._data.loss(output, part) / weight
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.detach()
        return total

    # --- what others hear and what is kept ----------------------------------------------------------

    def _report(self, epoch: int, batch: int) -> None:
        at = epoch + batch / self._schedule.per_epoch
        last = self._step == self._schedule.total
        if last or self._step % max(1, self._schedule.total // POINTS) == 0:
            self._loss = float(torch.stack(self._losses).mean())
            self._losses.clear()
            self._check_loss()
            rate = self._schedule.learning_rate(self._step - 1)
            numbers = {"loss": self._loss, "learning_rate": rate, "examples_per_second": self._recent_speed()}
            memory = self._device.memory_mb()
            self._reporter.metric(self._step, at, numbers | ({} if memory is None else {"memory_mb": memory}))
        now = time.monotonic()
        if not last and now - self._reported < REPORT_SECONDS:
            return
        self._reported = now
        speed = self._windows / max(self._seconds, 1e-9)
        left = (self._schedule.total - self._step) * self._parameters.batch_size
        self._reporter.progress(
            self._step,
            self._schedule.total,
            phase="training",
            epoch=round(at, 3),
            loss=None if math.isnan(self._loss) else self._loss,
            learning_rate=self._schedule.learning_rate(self._step - 1),
            examples_per_second=speed,
            seconds_left=left / speed,
            memory_mb=self._device.memory_mb(),
            device=self._device.name,
        )

    def _recent_speed(self) -> float:
        """Windows per second since the last point of the curves."""
        windows, seconds = self._drawn
        self._drawn = (self._windows, self._seconds)
        return (self._windows - windows) / max(self._seconds - seconds, 1e-9)

    def _check_loss(self) -> None:
        if not math.isfinite(self._loss):
            raise RunFailed(
                f"the loss is no number any more at step {self._step}",
                remedy="launch it again with a lower learning rate",
            )

    def _validate(self) -> None:
        if self._workers.leads:
            self._metrics = self._evaluate()
            self._best.see(self._metrics.get(self._primary), self._step, self._network)
        self._exhausted = bool(self._workers.agree(self._best.exhausted))
        numbers = {
            f"validation_{name}": float(value)
            for name, value in self._metrics.items()
            if isinstance(value, float)
        }
        if numbers:
            self._reporter.metric(self._step, self._step / self._schedule.per_epoch, numbers)

    def _maybe_save(self, epoch: int, batch: int) -> None:
        old = time.monotonic() - self._saved
        ended = batch == self._schedule.per_epoch
        if not self._workers.leads or old < (CHECKPOINT_SECONDS / 6 if ended else CHECKPOINT_SECONDS):
            return
        position = Position(self._step, epoch, batch, self._pieces, self._fingerprint)
        save_checkpoint(self._folder, self._network, self._optimizer, position, self._device)
        self._saved = time.monotonic()

    def _resume(self) -> tuple[int, int]:
        """Epoch and batch to go on with.

        Raises:
            RunFailed: The workers have found different checkpoints.
        """
        at = self._take_up()
        if self._workers.agree(self._step) != self._step:
            raise RunFailed("the workers of this run go on from different steps", remedy="resume the run")
        self._exhausted = bool(self._workers.agree(self._best.exhausted))
        return at

    def _take_up(self) -> tuple[int, int]:
        found = newest_checkpoint(self._folder)
        if found is None:
            return 0, 0
        position = read_position(found)
        if position is None or position.fingerprint != self._fingerprint:
            why = "is of other data" if position else "can't be read"
            self._reporter.log(
                f"Nothing to resume from: the earlier attempt's checkpoint {why}. Starting anew."
            )
            return 0, 0
        load_checkpoint(found, self._network, self._optimizer, self._device)
        self._step, self._pieces = position.step, position.pieces
        self._best.resume(position.step)
        self._reporter.log(f"Resumed after step {position.step} of {self._schedule.total}.")
        return position.epoch, position.batch
