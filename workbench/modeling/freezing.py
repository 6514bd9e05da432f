"""Parts of a network that keep their weights: no gradient, no optimizer step, and less to compute."""

from __future__ import annotations

from typing import Any

import torch

from workbench.errors import InvalidInput


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
    base = getattr(network, network.base_model_prefix, network)
    if layers:
        stack = _layers(base, network.config)
        if stack is None or layers >= len(stack):
            have = f"has {len(stack)} layers" if stack is not None else "does not show its layers"
            raise InvalidInput(
                f"{layers} layers can't be frozen: this model {have}",
                remedy="freeze fewer, or none" if stack is not None else "freeze none",
            )
        for layer in stack[:layers]:
            layer.requires_grad_(False)
    if embeddings or layers:
        block = getattr(base, "embeddings", None) or network.get_input_embeddings()
        block.requires_grad_(False)


def _layers(base: Any, config: Any) -> torch.nn.ModuleList | None:
    count = getattr(config, "num_hidden_layers", None)
    for module in base.modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == count:
            return module
    return None
