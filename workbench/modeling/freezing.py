"""Parts of a network that keep their weights: no gradient, no optimizer step, and less to compute."""

from __future__ import annotations

import math
from typing import Any

import torch

from workbench.errors import InvalidInput

RESTS_FROM = 0.8
"""Share of the steps after which the lowest layer rests, where layers rest one by one."""


def freeze(network: Any, *, embeddings: bool, layers: int) -> None:
    """Keep the embeddings, the lowest encoder layers, or both as they are.

    Args:
        network: With a head.
        embeddings: The whole block of embeddings: words, positions, their norm.
        layers: So many encoder layers, counted from the input. Takes the embeddings with it when above 0: what
            lies below a frozen layer would need the gradient that freezing saves.

    Raises:
        InvalidInput: The encoder has fewer layers, or all would be frozen, or its layers can't be told.
    """
    if layers:
        stack = _layers(network)
        if stack is None or layers >= len(stack):
            have = f"has {len(stack)} layers" if stack is not None else "does not show its layers"
            raise InvalidInput(
                f"{layers} layers can't be frozen: this model {have}",
                remedy="freeze fewer, or none" if stack is not None else "freeze none",
            )
        for layer in stack[:layers]:
            layer.requires_grad_(False)
    if embeddings or layers:
        _embeddings(network).requires_grad_(False)


class Rest:
    """Encoder layers that stop learning one after another, the lowest first, while the learning rate falls.

    Of n layers, layer i (from 0) learns for the share ``0.8 + 0.2 i / n`` of the steps; the embeddings stop with the
    lowest, and the head learns to the end. What rests costs no gradient and no optimizer step, and had little left to
    learn: the steps that the lowest layer misses hold a twentieth of all learning rates, those of the others less
    (FreezeOut, Brock et al. 2017, with a straight fall).

    Args:
        network: With a head. One whose layers can't be told never rests.
        total: Steps of the run.
    """

    def __init__(self, network: Any, total: int) -> None:
        stack = list(_layers(network) or ())
        self._parts = [[layer] for layer in stack]
        if stack:
            self._parts[0].append(_embeddings(network))
        shares = [RESTS_FROM + (1 - RESTS_FROM) * index / len(stack) for index in range(len(stack))]
        self._ends = [math.ceil(share * total) for share in shares]
        self._resting = 0

    def at(self, step: int) -> None:
        """Before a step, counted from 0: let those rest whose time has come."""
        while self._resting < len(self._parts) and step >= self._ends[self._resting]:
            for part in self._parts[self._resting]:
                part.requires_grad_(False)
            self._resting += 1


def _embeddings(network: Any) -> torch.nn.Module:
    base = getattr(network, network.base_model_prefix, network)
    block: torch.nn.Module = getattr(base, "embeddings", None) or network.get_input_embeddings()
    return block


def _layers(network: Any) -> torch.nn.ModuleList | None:
    count = getattr(network.config, "num_hidden_layers", None)
    for module in getattr(network, network.base_model_prefix, network).modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == count:
            return module
    return None
