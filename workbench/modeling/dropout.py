"""Dropout that costs little on a CPU.

torch draws each number of a mask with a Mersenne Twister, one after another: a twentieth of a small model's step.
SFC64 draws four 16-bit numbers at once. Dropout on attention probabilities is left out here, because with it
torch can't use its fused attention; dropout on the states, which regularises far more of them, stays.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

LEVELS = 1 << 16


class Masks:
    """Random bits for every mask of a step; the same for the same seed and step, so that a resumed run repeats them.

    Workers that share a batch draw different ones.
    """

    def __init__(self, seed: int, rank: int = 0) -> None:
        self._seed = seed
        self._rank = [rank] if rank else []
        self._bits = np.random.SFC64([seed, 0, *self._rank])

    def at(self, step: int) -> None:
        """Begin a step."""
        self._bits = np.random.SFC64([self._seed, step, *self._rank])

    def keep(self, shape: torch.Size, p: float) -> torch.Tensor:
        """Zeros with probability ``p`` (to 1/65536), ones else; float32."""
        count = shape.numel()
        drawn = self._bits.random_raw((count + 3) // 4).view(np.int16)[:count]
        threshold = round(p * LEVELS) - LEVELS // 2
        kept = torch.empty(count)
        # Written as floats at once: a comparison and a conversion of their own take seven times as long.
        torch.ge(torch.from_numpy(drawn), threshold, out=kept)
        return kept.view(shape)


class QuickDropout(torch.nn.Module):
    """``torch.nn.Dropout`` with masks of another generator."""

    def __init__(self, p: float, masks: Masks) -> None:
        super().__init__()
        self.p = p
        self._masks = masks

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Zero each number with probability ``p``, and scale the others so that the mean stays."""
        if not self.training or self.p <= 0:
            return states
        return states * self._masks.keep(states.shape, self.p).mul_(1 / (1 - self.p))


@contextlib.contextmanager
def quick_dropout(network: Any, masks: Masks) -> Iterator[None]:
    """Replace a network's dropout while it is trained on the CPU; afterwards it is what it was."""
    replaced: list[tuple[torch.nn.Module, str, torch.nn.Module]] = []
    for module in list(network.modules()):
        attends = type(module).__name__.endswith("SelfAttention")
        for name, child in list(module.named_children()):
            if type(child) is torch.nn.Dropout:
                replaced.append((module, name, child))
                setattr(module, name, QuickDropout(0.0 if attends else child.p, masks))
    try:
        yield
    finally:
        for module, name, child in replaced:
            setattr(module, name, child.train(module.training))
