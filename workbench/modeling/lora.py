"""Low-rank adaptation: instead of a weight matrix W, train two narrow ones whose product is added to it.

The encoder keeps its weights, and each of its linear layers multiplies by ``W + 2 B A`` with A of shape (r, width in)
and B of shape (width out, r), B zero at first: for a large encoder a hundredth of the gradients and of the optimizer's
memory. Afterwards the product is added to W once: the model has no trace of it, and loads without peft.
Hu et al. (2022), LoRA: Low-rank adaptation of large language models, ICLR; Mangrulkar et al. (2022), PEFT.
"""

from __future__ import annotations

from typing import Any

import torch

from workbench.errors import Unavailable
from workbench.modeling.packed import linear_layers

PART = ".lora_"
"""What the names of the narrow matrices have in them, and no other weight's."""


def adapt_low_rank(network: Any, rank: int) -> None:
    """Put narrow matrices beside every linear layer of the encoder; they and the head alone learn from now on.

    Args:
        network: With a head. It is changed in place.
        rank: Width of the matrices, 1 or more.

    Raises:
        Unavailable: The extra ``[lora]`` is not installed.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise Unavailable(
            f"LoRA needs peft, which is not installed here ({error})",
            remedy="run pip install -e '.[lora]' in the workbench's folder, or train without LoRA",
        ) from error
    prefix = network.base_model_prefix
    names = {module: name for name, module in network.named_modules()}
    layers = [f"{names[owner]}.{name}" for owner, name, _ in linear_layers(getattr(network, prefix))]
    settings = LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules=layers)
    inject_adapter_in_model(settings, network)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(PART in name or not name.startswith(f"{prefix}."))


def merge_low_rank(network: Any) -> None:
    """Add each product to the weights beside it, and leave the network as it was built; changed in place."""
    from peft.tuners.lora import LoraLayer

    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, LoraLayer):
                with torch.no_grad():
                    child.merge()
                setattr(module, name, child.get_base_layer())
    vars(network).pop("peft_config", None)
