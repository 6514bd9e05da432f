"""A pass over a pool: in eight bits near to fp32 and only where asked for; opinions of the head beside it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.modeling.conftest import LABELED, LABELS
from tests.modeling.tiny import write_attempt
from workbench.errors import InvalidInput, RunFailed
from workbench.modeling import quantize
from workbench.modeling.device import Device, choose_device
from workbench.modeling.disagreement import DROPPED, OPINIONS, SEED, HeadOpinions
from workbench.modeling.infer import infer
from workbench.modeling.predict import Predictor, load_model
from workbench.modeling.quantize import Int8Linear, choose_precision, in_eight_bits, quantized
from workbench.modeling.train import train
from workbench.reporting import SilentReporter

CARD = Device("cuda:0", "a card", "bf16", 32768)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Path:
    folder = tmp_path_factory.mktemp("model")
    rows = [("train", *row) for row in LABELED["ner"](32)]
    parameters = {"epochs": 4, "learning_rate": 3e-3, "min_steps": 0, "max_length": 48, "stride": 16}
    train(
        folder,
        write_attempt(folder, "ner", rows, labels=LABELS["ner"], base_model=str(tiny), parameters=parameters),
        SilentReporter(),
    )
    return folder / "model"


def test_a_scale_for_each_channel_keeps_small_ones_from_vanishing() -> None:
    torch.manual_seed(1)
    linear = torch.nn.Linear(64, 32)
    with torch.no_grad():
        linear.weight[0] *= 1000
        linear.weight[1] = 0
    states = torch.randn(7, 64)
    with torch.inference_mode():
        expected, found = linear(states), Int8Linear(linear)(states)
    error = (found - expected).abs().mean(0) / expected.abs().mean(0)
    assert float(error.max()) < 0.05


@pytest.mark.parametrize("gelu", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_a_product_in_eight_bits_is_the_plain_one_nearly(gelu: bool, bias: bool) -> None:
    torch.manual_seed(1)
    linear = torch.nn.Linear(48, 80, bias=bias)
    rough = Int8Linear(linear, gelu=gelu)
    for shape in ((3, 5, 48), (1, 1, 48), (0, 48), (2000, 48)):
        for states in (torch.randn(shape), torch.rand(shape) + 3, -torch.rand(shape) - 3, torch.zeros(shape)):
            with torch.inference_mode():
                plain = linear(states)
                expected = torch.nn.functional.gelu(plain) if gelu else plain
                found = rough(states)
            assert found.shape == expected.shape
            assert found.dtype is torch.float32
            if len(found):
                assert float((found - expected).abs().max()) < 0.08


def test_states_in_eight_bits_keep_zero_and_are_off_by_half_a_step_at_most() -> None:
    torch.manual_seed(1)
    for states in (torch.randn(40, 8), torch.rand(40, 8) + 3, -torch.rand(40, 8), torch.zeros(40, 8)):
        integers, scale, zero = in_eight_bits(states)
        assert integers.dtype is torch.uint8
        back = (integers.float() - zero) * scale
        assert float((back - states).abs().max()) <= 0.501 * scale
        assert 0 <= zero <= 255


def test_states_beyond_numbers_are_said_to_be_so() -> None:
    for wrong in (float("inf"), -float("inf"), float("nan")):
        with pytest.raises(RunFailed, match="overflow"):
            in_eight_bits(torch.tensor([[1.0, wrong]]))


def test_a_quantized_copy_says_nearly_the_same_and_leaves_the_network_alone(model: Path) -> None:
    examples = [example for example, _ in LABELED["ner"](40, 9)]
    loaded, device = load_model(model), choose_device("cpu")
    before = {name: tensor.clone() for name, tensor in loaded.network.state_dict().items()}
    exact = Predictor(loaded, device).tag(examples).probabilities
    rough = Predictor(loaded, device, precision="int8").tag(examples).probabilities
    assert not np.array_equal(exact, rough)
    assert np.abs(exact - rough).max() < 0.1
    assert (exact.argmax(1) == rough.argmax(1)).mean() >= 0.97
    after = loaded.network.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    kinds = [type(module) for module in quantized(loaded.network).modules()]
    assert kinds.count(torch.nn.Linear) == 1  # the head
    assert kinds.count(Int8Linear) == 6 * loaded.network.config.num_hidden_layers
    assert (
        kinds.count(torch.nn.Identity) == loaded.network.config.num_hidden_layers
    )  # a GELU that products apply


def test_a_run_computes_in_the_precision_that_it_was_given(tmp_path: Path, model: Path) -> None:
    rows = [("pool", example, None) for example, _ in LABELED["ner"](6, 3)]
    lines = {}
    for precision in ("fp32", "int8", None):
        folder = tmp_path / str(precision)
        manifest = write_attempt(folder, "ner", rows, kind="score")
        parameters = {"device": "cpu"} | ({"precision": precision} if precision else {})
        manifest = {**manifest, "model_dir": str(model), "parameters": parameters}
        result = infer(folder, manifest, SilentReporter())
        assert result["precision"] == (precision or "fp32")
        text = (folder / "predictions.jsonl").read_text()
        lines[precision] = [json.loads(line)["scores"]["mnlp"] for line in text.splitlines()]
    assert lines["fp32"] == lines[None]
    assert lines["fp32"] != lines["int8"]


def test_int8_is_taken_where_it_is_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = choose_device("cpu")
    for faster, chosen in ((True, "int8"), (False, "fp32")):
        monkeypatch.setattr(quantize, "int8_is_faster", lambda faster=faster: faster)
        assert choose_precision("auto", cpu) == chosen
        assert choose_precision("auto", CARD) == "bf16"
        assert choose_precision("fp32", cpu) == "fp32"
    with pytest.raises(InvalidInput, match="does not run on cuda:0"):
        choose_precision("int8", CARD)
    with pytest.raises(InvalidInput, match="'int4' is no precision"):
        choose_precision("int4", cpu)


def test_opinions_of_the_head_come_from_the_same_pass_and_from_no_neighbour(model: Path) -> None:
    examples = [example for example, _ in LABELED["ner"](24, 4)]
    predictor = Predictor(load_model(model), choose_device("cpu"))
    plain, asked = predictor.tag(examples), predictor.tag(examples, disagreement=True)
    np.testing.assert_array_equal(plain.probabilities, asked.probabilities)
    assert not plain.disagreement.any()
    assert asked.disagreement.shape == (len(asked.probabilities),)
    assert asked.disagreement.min() >= 0
    assert 0 < asked.disagreement.max() < np.log(asked.probabilities.shape[1])
    alone = predictor.tag(examples[7:8], disagreement=True).disagreement
    mine = asked.disagreement[asked.offsets[7] : asked.offsets[8]]
    np.testing.assert_allclose(alone, mine, atol=1e-5)
    assert not predictor.model.network.classifier._forward_pre_hooks


def test_the_disagreement_is_that_of_heads_asked_one_by_one() -> None:
    torch.manual_seed(3)
    head, states = torch.nn.Linear(16, 5), torch.randn(9, 16)
    opinions = HeadOpinions(head)
    kept = np.random.default_rng(SEED).random((OPINIONS, 1, 16)) >= DROPPED
    with torch.inference_mode():
        each = [head(states * torch.from_numpy(mask / (1 - DROPPED)).float()) for mask in kept]
        found = opinions.disagreement(states).numpy()
    said = torch.stack(each).softmax(-1).double().numpy()
    entropy = lambda p: -(p * np.log(p)).sum(-1)  # noqa: E731
    np.testing.assert_allclose(found, entropy(said.mean(0)) - entropy(said).mean(0), atol=1e-5)
