"""Eight-bit matrix products on a CPU, for passes over a pool: faster, and nearly the same ranking.

Weights become 8-bit integers with one scale per output channel, states with one scale per product, found as they come
(dynamic quantisation: no calibration data). One scale for a whole weight matrix costs a few hundredths of rank
correlation more. The head stays in fp32: it is small, and its errors would go straight into the probabilities.
Jacob et al. (2018), Quantization and training of neural networks for efficient integer-arithmetic-only inference.
"""

from __future__ import annotations

import math
import time
import warnings
from typing import Any

import torch

from workbench.errors import InvalidInput, RunFailed
from workbench.modeling.device import Device
from workbench.modeling.packed import can_pack, with_products

PRECISIONS = ("auto", "fp32", "int8")

LARGEST = 63
"""Of a weight's integers. Processors without VNNI add pairs of products in 16 bits with saturation, and a pair stays
below that up to 63; with larger ones evenly spread weights come out wrong by half."""

TRIAL = (1024, 384, 1536)
"""Sub-words, width in and width out of the product that is timed: a batch in a small encoder's feed-forward."""

REPEATS = 5
MARGIN = 1.1


class Int8Linear(torch.nn.Module):
    """``torch.nn.Linear`` with 8-bit weights, with or without a GELU behind it; shapes and dtype (float32) of in- and
    output stay."""

    def __init__(self, linear: torch.nn.Linear, *, gelu: bool = False) -> None:
        super().__init__()
        weight = linear.weight.detach().float()
        self._scales = weight.abs().amax(dim=1).clamp_min(torch.finfo(torch.float32).tiny * LARGEST) / LARGEST
        self._zeros = torch.zeros(len(weight), dtype=torch.int64)
        integers = (weight / self._scales[:, None]).round().to(torch.int8)
        self._weight = torch.ops.onednn.qlinear_prepack(integers, None)
        self._bias = None if linear.bias is None else linear.bias.detach().float()
        self._then = ("gelu", "none") if gelu else ("none", "")
        with warnings.catch_warnings():
            # torch says once in a process that it means to move these to another package one day: here, aside.
            warnings.filterwarnings(
                "ignore", message=".*quantized tensor creation functions", category=UserWarning
            )
            torch.quantize_per_tensor(torch.zeros(1), 1.0, 0, torch.quint8)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """States of shape (…, width in) to (…, width out)."""
        name, kind = self._then
        integers, scale, zero = in_eight_bits(states)
        product: torch.Tensor = torch.ops.onednn.qlinear_pointwise(
            integers, scale, zero, self._weight, self._scales, self._zeros, self._bias,
            1.0, 0, torch.float32, name, [], kind,
        )  # fmt: skip
        return product


def in_eight_bits(states: torch.Tensor) -> tuple[torch.Tensor, float, int]:
    """States as integers from 0 to 255, their scale, and the integer that stands for zero.

    All 8 bits: a bit is worth more in the states than in the weights. Raises RunFailed where they are no numbers.
    """
    if not states.numel():
        return states.to(torch.uint8), 1.0, 0
    lowest, highest = (float(each) for each in torch.aminmax(states))
    if not (math.isfinite(lowest) and math.isfinite(highest)):
        raise RunFailed("the network's numbers overflow", remedy="score in fp32, or train the model again")
    lowest, highest = min(0.0, lowest), max(0.0, highest)
    scale = max((highest - lowest) / 255, torch.finfo(torch.float32).tiny)
    zero = round(-lowest / scale)
    rounded = torch.quantize_per_tensor(states, scale, zero, torch.quint8)
    # The integers where they lie: int_repr() copies them, which takes longer than rounding does.
    integers = torch.empty(0, dtype=torch.uint8)
    integers.set_(rounded.untyped_storage(), 0, rounded.size(), rounded.stride())
    return integers, scale, zero


def quantized(network: Any) -> Any:
    """A copy of a network in which the encoder's products are 8-bit; the network itself stays as it is.

    Args:
        network: Of transformers, on the CPU in float32, in evaluation mode.
    """
    return with_products(network, Int8Linear)


def choose_precision(wanted: str, device: Device) -> str:
    """In what to compute a pass over a pool: ``int8``, or the device's own precision.

    Args:
        wanted: ``auto`` takes int8 on a CPU that is faster in it; ``fp32`` never does; ``int8`` insists on it.
        device: Where the pass runs.

    Raises:
        InvalidInput: There is no such precision, or int8 is asked of something other than a CPU.
    """
    if wanted not in PRECISIONS:
        raise InvalidInput(f"{wanted!r} is no precision", remedy=f"choose from {', '.join(PRECISIONS)}")
    if wanted == "int8" and (device.kind != "cpu" or not _has_int8()):
        raise InvalidInput(f"int8 does not run on {device.name} here", remedy="leave the precision at auto")
    if wanted == "int8" or (wanted == "auto" and device.kind == "cpu" and int8_is_faster()):
        return "int8"
    return device.precision


def _has_int8() -> bool:
    return can_pack(Device("cpu", "", "fp32", 1)) and hasattr(torch.ops.onednn, "qlinear_pointwise")


def int8_is_faster() -> bool:
    """Whether this processor multiplies faster in 8 bits than in fp32, by a tenth at least: tried, in some 30 ms."""
    if not _has_int8():
        return False
    tokens, inside, outside = TRIAL
    linear = torch.nn.Linear(inside, outside)
    states = torch.rand(tokens, inside)
    return _fastest(linear, states) > MARGIN * _fastest(Int8Linear(linear), states)


def _fastest(module: torch.nn.Module, states: torch.Tensor) -> float:
    seconds = []
    with torch.inference_mode():
        module(states)
        for _ in range(REPEATS):
            begin = time.perf_counter()
            module(states)
            seconds.append(time.perf_counter() - begin)
    return min(seconds)
