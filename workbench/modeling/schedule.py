"""How many steps a training run takes, how fast it learns at each, and when it is measured."""

from __future__ import annotations

import math
from dataclasses import dataclass

from workbench.domain import Fall, TrainParameters

EVALUATIONS = 10
"""Evaluations of a run, at most, however short its epochs."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Steps of a run, counted from 0.

    Attributes:
        per_epoch: Steps of one epoch.
        total: Steps of the run.
        warmup: Steps over which the learning rate rises.
        peak: The highest learning rate.
        fall: How it goes on from the peak.
    """

    per_epoch: int
    total: int
    warmup: int
    peak: float
    fall: Fall = Fall.LINEAR

    @classmethod
    def of(cls, windows: int, parameters: TrainParameters, learning_rate: float) -> Schedule:
        """For a number of windows."""
        per_epoch = math.ceil(windows / parameters.batch_size)
        total = max(math.ceil(parameters.epochs * per_epoch - 1e-9), parameters.min_steps, 1)
        warmup = round(total * parameters.warmup)
        return cls(per_epoch, total, warmup, learning_rate, Fall(parameters.schedule))

    def learning_rate(self, step: int) -> float:
        """Of one step: rising to the peak, then as ``fall`` says.

        Linear and cosine reach zero one step after the last, so that every step learns. Cosine is the one of SGDR
        (Loshchilov and Hutter 2017) without restarts.
        """
        if step < self.warmup:
            return self.peak * (step + 1) / self.warmup
        left = (self.total - step) / max(1, self.total - self.warmup)
        match self.fall:
            case Fall.LINEAR:
                return self.peak * left
            case Fall.COSINE:
                return self.peak * (1 - math.cos(math.pi * left)) / 2
            case Fall.CONSTANT:
                return self.peak

    def evaluates(self, done: int) -> bool:
        """Whether an evaluation follows after ``done`` steps: at ends of epochs, not too often, and at the end."""
        if done == self.total:
            return True
        epochs = math.ceil(self.total / EVALUATIONS / self.per_epoch)
        return done % (self.per_epoch * epochs) == 0
