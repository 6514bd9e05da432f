"""Attention that costs little on a CPU where windows are short.

torch's fused attention works through blocks of 32 queries and 512 keys, and computes the weights anew on the way back:
right for long texts. A sentence of 20 sub-words fills a fragment of a block, and two batched products with a softmax
between them take half the time, forward and back.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

SHORT = 64
"""Sub-words up to which the products are quicker than the fused attention, in batches as training has them."""

NAME = "short_windows"


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **more: Any,
) -> tuple[torch.Tensor, None]:
    """Attention as transformers asks for it, by products where it is short and plain, by torch's own where not.

    Args:
        module: That asks.
        query: Shape (windows, heads, sub-words, width of a head); so are ``key`` and ``value``.
        key: What queries are compared with.
        value: What is averaged.
        attention_mask: True where a query may look, shape broadcastable to (windows, heads, queries, keys).
        dropout: Of the weights.
        scaling: Factor of the products; by default one over the root of a head's width.
        **more: Whatever else an architecture asks for: torch's own gets it.

    Returns:
        Shape (windows, sub-words, heads, width of a head), and no weights.
    """
    plain = (
        module.training  # batches of a validation are many times larger, and the fused attention is quicker in those
        and query.shape[-2] <= SHORT
        and query.shape == key.shape
        and not dropout
        and not getattr(module, "is_causal", True)
        and more.get("position_bias") is None
        and not more.get("is_causal")
    )
    if not plain:
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        fused: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout, scaling, **more
        )
        return fused
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    likeness = torch.matmul(query * scale, key.transpose(-1, -2))
    if attention_mask is not None:
        likeness = likeness.masked_fill(~attention_mask, torch.finfo(likeness.dtype).min)
    return torch.matmul(likeness.softmax(-1), value).transpose(1, 2).contiguous(), None


@contextlib.contextmanager
def quick_attention(network: Any) -> Iterator[None]:
    """Let a network attend by ``attend`` while it is trained on the CPU; afterwards it is what it was.

    One that doesn't attend by torch's fused attention stays as it is.
    """
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    was = network.config._attn_implementation
    if was != "sdpa" or not network._can_set_attn_implementation():
        yield
        return
    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    network.set_attn_implementation(NAME)
    try:
        yield
    finally:
        network.set_attn_implementation(was)
