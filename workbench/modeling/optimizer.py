"""What a step does with its gradient: AdamW, and a limit to its length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from workbench.domain import TrainParameters
from workbench.modeling.device import Device
from workbench.modeling.lora import PART

LONGEST = 1.0
"""Norm of the gradient of all weights, at most."""

NEW_RATE = 10.0
"""The head begins with random weights, the encoder with good ones: the head learns so many times faster
(discriminative fine-tuning, Howard and Ruder 2018). So do the matrices of LoRA, which are new as well."""


def clip(parameters: Sequence[torch.nn.Parameter], device: Device) -> None:
    """Scale the gradient of some parameters to the norm ``LONGEST`` where it is longer."""
    norm = get_total_norm([p.grad for p in parameters if p.grad is not None])
    # A factor of one is not worth writing each number again; to know of it, a card would have to be waited for.
    if device.kind != "cpu" or not norm <= LONGEST:
        clip_grads_with_norm_(parameters, LONGEST, norm)


def adamw(
    network: Any, parameters: TrainParameters, learning_rate: float, device: Device
) -> torch.optim.AdamW:
    """AdamW; biases and the weights of norms, which have one dimension, are not decayed; what is new learns
    faster."""
    prefix = f"{network.base_model_prefix}."
    groups: dict[tuple[float, float], list[torch.Tensor]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            known = name.startswith(prefix) and PART not in name
            scale = 1.0 if known else NEW_RATE
            decay = parameters.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((scale, decay), []).append(parameter)
    settings = [
        {"params": members, "weight_decay": decay, "scale": scale}
        for (scale, decay), members in groups.items()
    ]
    return torch.optim.AdamW(settings, lr=learning_rate, fused=device.kind in ("cpu", "cuda"))
