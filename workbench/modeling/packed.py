"""Matrix products on a CPU with weights laid out for it beforehand: sooner, and the same numbers but for rounding.

torch multiplies by a layer's weights as they lie in memory. oneDNN, which comes with it, multiplies faster by weights
that were put into blocks of the processor's own width once, and applies the GELU of a feed-forward layer while the
product is still in the cache.
"""

from __future__ import annotations

import copy
import platform
from collections.abc import Callable, Iterator
from typing import Any

import torch

from workbench.modeling.device import Device

FEED_FORWARD = (("dense", "intermediate_act_fn"), ("lin1", "activation"))
"""How architectures name a product and the activation that follows it: those of BERT's kin, and DistilBERT."""

ROWS = 1024
"""Sub-words of a batch that the layout is chosen for; any other number works."""


class PackedLinear(torch.nn.Module):
    """``torch.nn.Linear`` in float32 for one kind of processor, with or without a GELU behind it; not trained."""

    def __init__(self, linear: torch.nn.Linear, *, gelu: bool = False) -> None:
        super().__init__()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), ROWS)
        self._bias = None if linear.bias is None else linear.bias.detach()
        self._then = ("gelu", "none") if gelu else ("none", "")

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """States of shape (…, width in) to (…, width out)."""
        name, kind = self._then
        product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
            states, self._weight, self._bias, name, [], kind
        )
        return product


def can_pack(device: Device) -> bool:
    """Whether torch was built with what this takes, for this processor."""
    return (
        device.kind == "cpu"
        and platform.machine().lower() in ("x86_64", "amd64")
        and torch._C._has_mkldnn
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )


def packed(network: Any) -> Any:
    """A copy of a network in which the encoder's products are packed; the network itself stays as it is.

    Args:
        network: Of transformers, on the CPU in float32, in evaluation mode.
    """
    return with_products(network, PackedLinear)


def with_products(network: Any, product: Callable[..., torch.nn.Module]) -> Any:
    """A copy of a network whose encoder multiplies in another way; the network itself stays as it is.

    Args:
        network: Of transformers, on the CPU in float32, in evaluation mode.
        product: Makes what takes a linear layer's place; with ``gelu=True`` what applies the GELU behind it as well.
    """
    copied, encoder = _sharing_copy(network)
    for module, name, linear in linear_layers(encoder):
        activation = dict(FEED_FORWARD).get(name, "")
        gelu = _is_gelu(getattr(module, activation, None))
        setattr(module, name, product(linear, gelu=gelu))
        if gelu:
            setattr(module, activation, torch.nn.Identity())
    return copied


def _sharing_copy(network: Any) -> tuple[Any, torch.nn.Module]:
    """A copy whose layers can be replaced, and the encoder in it; the weights are those of the network, uncopied."""
    shared = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    copied = copy.deepcopy(network, shared)
    return copied, getattr(copied, copied.base_model_prefix)


def linear_layers(encoder: torch.nn.Module) -> Iterator[tuple[torch.nn.Module, str, torch.nn.Linear]]:
    """Every linear layer that is nothing more than that, with the module that has it and its name there."""
    for module in list(encoder.modules()):
        for name, child in list(module.named_children()):
            if type(child) is torch.nn.Linear:
                yield module, name, child


def _is_gelu(module: torch.nn.Module | None) -> bool:
    """Whether it is the GELU by the error function, which is the one that oneDNN applies."""
    from transformers.activations import GELUActivation

    return isinstance(module, GELUActivation) and module.act is torch.nn.functional.gelu
