"""The attention of training gives what torch's own gives, forward and back."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import (
    BertConfig,
    BertForTokenClassification,
    DistilBertConfig,
    DistilBertForTokenClassification,
)

from workbench.modeling.attention import NAME, SHORT, quick_attention


def networks() -> list[Any]:
    torch.manual_seed(0)
    bert = BertConfig(
        vocab_size=50,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    distilled = DistilBertConfig(
        vocab_size=50, dim=32, n_layers=2, n_heads=2, hidden_dim=64, dropout=0.0, attention_dropout=0.0
    )
    return [BertForTokenClassification(bert).train(), DistilBertForTokenClassification(distilled).train()]


def gradients(network: Any, width: int, padded: int) -> list[torch.Tensor]:
    """Of one batch of four windows, one of which is padded by so many."""
    ids = torch.arange(4 * width).reshape(4, width) % 50
    mask = torch.ones_like(ids)
    mask[1, width - padded :] = 0
    network.zero_grad()
    logits = network(input_ids=ids, attention_mask=mask).logits
    (logits * mask[..., None]).square().sum().backward()
    return [logits.detach() * mask[..., None]] + [p.grad.clone() for p in network.parameters()]


@pytest.mark.parametrize("width, padded", [(5, 0), (12, 7), (SHORT, 1), (SHORT + 6, 3)])
@pytest.mark.parametrize("network", networks(), ids=["bert", "distilbert"])
def test_it_gives_what_the_fused_attention_gives(network: Any, width: int, padded: int):
    expected = gradients(network, width, padded)
    with quick_attention(network):
        assert network.config._attn_implementation == NAME
        found = gradients(network, width, padded)
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, atol=1e-5, rtol=1e-4)
    assert network.config._attn_implementation == "sdpa"
    assert NAME not in network.config.to_json_string()


def test_a_network_that_attends_otherwise_is_left_alone():
    network = networks()[0]
    network.set_attn_implementation("eager")
    with quick_attention(network):
        assert network.config._attn_implementation == "eager"
