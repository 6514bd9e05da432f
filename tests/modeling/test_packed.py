"""Packed products: the same numbers but for rounding, the network itself untouched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import DistilBertConfig, DistilBertForQuestionAnswering

from tests.modeling.conftest import LABELED, LABELS
from tests.modeling.tiny import write_attempt
from workbench.modeling.artifact import load_model
from workbench.modeling.device import Device, choose_device
from workbench.modeling.encode import encode_tagging
from workbench.modeling.engine import Engine
from workbench.modeling.packed import PackedLinear, can_pack, packed
from workbench.modeling.predict import Predictor
from workbench.modeling.train import train
from workbench.reporting import SilentReporter

pytestmark = pytest.mark.skipif(
    not can_pack(choose_device("cpu")), reason="this processor has no packed products"
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Path:
    folder = tmp_path_factory.mktemp("model")
    rows = [("train", *row) for row in LABELED["ner"](16)]
    parameters = {"epochs": 2, "learning_rate": 3e-3, "max_length": 48, "stride": 16}
    train(
        folder,
        write_attempt(folder, "ner", rows, labels=LABELS["ner"], base_model=str(tiny), parameters=parameters),
        SilentReporter(),
    )
    return folder / "model"


@pytest.mark.parametrize("gelu", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_a_packed_product_is_the_plain_one(gelu: bool, bias: bool) -> None:
    torch.manual_seed(1)
    linear = torch.nn.Linear(48, 80, bias=bias)
    for shape in ((3, 5, 48), (1, 1, 48), (0, 48), (2000, 48)):
        states = torch.randn(shape)
        with torch.inference_mode():
            plain = linear(states)
            expected = torch.nn.functional.gelu(plain) if gelu else plain
            torch.testing.assert_close(
                PackedLinear(linear, gelu=gelu)(states), expected, atol=1e-5, rtol=1e-5
            )


def test_a_predictor_packs_and_says_the_same(model: Path) -> None:
    examples = [example for example, _ in LABELED["ner"](40, 9)]
    loaded, device = load_model(model), choose_device("cpu")
    before = {name: tensor.clone() for name, tensor in loaded.network.state_dict().items()}
    seen = Predictor(loaded, device).tag(examples, disagreement=True, features=True)
    info = loaded.info
    windows = encode_tagging(loaded.tokenizer, examples, max_length=info.max_length, stride=info.stride)
    plain = Engine(loaded.network, loaded.tokenizer, device)
    probabilities, disagreed = plain.tagging(windows, len(info.classes), disagreement=True)
    np.testing.assert_allclose(seen.probabilities, probabilities, atol=1e-5)
    np.testing.assert_allclose(seen.disagreement, disagreed, atol=1e-5)
    after = loaded.network.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    kinds = [type(module) for module in packed(loaded.network).modules()]
    assert kinds.count(torch.nn.Linear) == 1  # the head
    assert kinds.count(PackedLinear) == 6 * loaded.network.config.num_hidden_layers
    assert kinds.count(torch.nn.Identity) == loaded.network.config.num_hidden_layers


@pytest.mark.parametrize(("activation", "fused"), [("gelu", 2), ("relu", 0)])
def test_an_activation_is_taken_over_only_where_it_is_gelu(activation: str, fused: int) -> None:
    torch.manual_seed(2)
    config = DistilBertConfig(
        vocab_size=50, dim=32, n_heads=2, n_layers=2, hidden_dim=64, activation=activation
    )
    network = DistilBertForQuestionAnswering(config).eval()
    ids = torch.randint(0, 50, (3, 11))
    copied = packed(network)
    with torch.inference_mode():
        torch.testing.assert_close(copied(ids).start_logits, network(ids).start_logits, atol=1e-5, rtol=1e-5)
    assert [type(module) for module in copied.modules()].count(torch.nn.Identity) == fused


def test_a_card_packs_nothing() -> None:
    assert not can_pack(Device("cuda:0", "a card", "bf16", 32768))
