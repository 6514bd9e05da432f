"""Monte Carlo dropout in the head alone: many opinions from one pass of the encoder.

Dropout is drawn on the last states, which is as if the head had as many weights: all opinions are one matrix product.
Each opinion keeps its mask for the whole pool, so that a score does not depend on what else is in the batch.
Gal and Ghahramani (2016), Dropout as a Bayesian approximation, ICML; one mask for all of a pool as in Kirsch, van
Amersfoort and Gal (2019), BatchBALD, NeurIPS.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from workbench.modeling.lanes import LastStates

OPINIONS = 10
DROPPED = 0.2
"""Share of the last states that an opinion leaves out. Twice what training drops: the head alone has to disagree."""

SEED = 13


class HeadOpinions:
    """A linear head under several dropout masks.

    Args:
        head: The linear layer over the last states.
    """

    def __init__(self, head: torch.nn.Linear) -> None:
        classes, width = head.weight.shape
        kept = np.random.default_rng(SEED).random((OPINIONS, 1, width)) >= DROPPED
        masks = torch.from_numpy(kept.astype(np.float32) / (1 - DROPPED)).to(head.weight)
        self._weight = (head.weight.detach() * masks).reshape(OPINIONS * classes, width)
        bias = torch.zeros(classes).to(head.weight) if head.bias is None else head.bias.detach()
        self._bias = bias.repeat(OPINIONS)
        self._classes = classes
        self._head = head
        self._last = LastStates()

    @property
    def states(self) -> torch.Tensor:
        """What the head was given last in this lane, shape (windows, sub-words, width)."""
        return self._last.of_batch

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Keep what the head is given: the last states, whatever the architecture does between them and the head."""

        def keep(_module: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> None:
            self._last.of_batch = given[0]

        handle = self._head.register_forward_pre_hook(keep)
        try:
            yield
        finally:
            handle.remove()
            self._last = LastStates()

    def disagreement(self, states: torch.Tensor) -> torch.Tensor:
        """Mutual information between each token's label and the opinion asked, in nats.

        Args:
            states: Last states of some tokens, shape (tokens, width).

        Returns:
            Shape (tokens,), 0 (all agree) to log(classes).
        """
        logits = torch.nn.functional.linear(states, self._weight, self._bias).float()
        log = logits.view(len(states), OPINIONS, self._classes).log_softmax(-1)
        probabilities = log.exp()
        each = -(probabilities * log).sum(-1).mean(-1)
        together = -torch.special.xlogy(probabilities.mean(1), probabilities.mean(1)).sum(-1)
        gained: torch.Tensor = (together - each).clamp_min(0.0)
        return gained


def head_opinions(network: Any) -> HeadOpinions | None:
    """The opinions of a token classifier whose head is one linear layer, as most have; else None."""
    head = getattr(network, "classifier", None)
    return HeadOpinions(head) if isinstance(head, torch.nn.Linear) else None
