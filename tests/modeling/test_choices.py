"""What a person may choose for a run beyond its length: early stopping, frozen layers, weights of classes, dropout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForTokenClassification

from tests.modeling.runs import Recorder, prepare, same, weights
from workbench.errors import Cancelled, InvalidInput
from workbench.modeling import loop
from workbench.modeling.data import class_weights
from workbench.modeling.dropout import Masks, QuickDropout, quick_dropout
from workbench.modeling.train import train
from workbench.reporting import SilentReporter


def scores(reporter: Recorder) -> list[tuple[int, float]]:
    return [
        (step, values["validation_f1"]) for step, _, values in reporter.points if "validation_f1" in values
    ]


def test_early_stopping_goes_back_to_the_best_weights(tmp_path: Path, tiny: Path):
    stopped, whole = tmp_path / "stopped", tmp_path / "whole"
    reporter = Recorder()
    changes = {"epochs": 10, "learning_rate": 2e-2}
    result = train(stopped, prepare(stopped, tiny, "ner", patience=2, **changes), reporter)
    seen = scores(reporter)
    best_step, best = max(seen, key=lambda pair: (pair[1], -pair[0]))
    assert seen[-1][0] == result["steps"] < 60
    assert len([step for step, _ in seen if step > best_step]) == 2
    assert result["metrics"]["validation"]["f1"] == best
    assert any("2 evaluations brought nothing better" in line for line in reporter.lines)
    assert f"Back to the weights after step {best_step}, the best on validation." in reporter.lines
    train(whole, prepare(whole, tiny, "ner", **changes), SilentReporter())
    assert not same(weights(stopped), weights(whole))


@pytest.mark.parametrize("stop_at", [8, 14, 20])
def test_early_stopping_survives_a_resume(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int
):
    changes = {"epochs": 10, "learning_rate": 2e-2, "patience": 2}
    whole, stopped, resumed = (tmp_path / name for name in ("whole", "stopped", "resumed"))
    expected = train(whole, prepare(whole, tiny, "ner", **changes), SilentReporter())
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    assert stop_at <= expected["steps"]
    with pytest.raises(Cancelled):
        train(stopped, prepare(stopped, tiny, "ner", **changes), Recorder(stop_at=stop_at))
    manifest = {**prepare(resumed, tiny, "ner", **changes), "resume_from": str(stopped / "checkpoint")}
    result = train(resumed, manifest, SilentReporter())
    assert same(weights(whole), weights(resumed))
    assert (result["metrics"], result["steps"]) == (expected["metrics"], expected["steps"])


def test_without_patience_the_last_weights_are_kept(tmp_path: Path, tiny: Path):
    folder = tmp_path / "run"
    reporter = Recorder()
    train(folder, prepare(folder, tiny, "ner"), reporter)
    assert not (folder / "checkpoint" / "best").exists()
    assert not any("best" in line for line in reporter.lines)


def test_frozen_layers_keep_their_weights(tmp_path: Path, tiny: Path):
    folder = tmp_path / "run"
    train(folder, prepare(folder, tiny, "ner", 16, freeze_layers=1), SilentReporter())
    before, after = load_file(tiny / "model.safetensors"), weights(folder)
    for name, tensor in after.items():
        old = before.get(name.removeprefix("bert."))
        if old is not None and old.is_floating_point():
            frozen = ".embeddings." in name or ".layer.0." in name
            assert torch.equal(old, tensor) is frozen, name


def test_more_frozen_layers_than_there_are_is_said(tmp_path: Path, tiny: Path):
    with pytest.raises(InvalidInput, match=r"2 layers can't be frozen: this model has 2 layers"):
        train(tmp_path, prepare(tmp_path, tiny, "ner", 8, freeze_layers=2), SilentReporter())


def test_weights_of_classes():
    targets = np.array([0] * 900 + [1] * 90 + [2] * 10)
    common, middle, rare, absent = class_weights(targets, 4)
    assert common == pytest.approx(np.sqrt(1000 / (3 * 900)))
    assert rare == 5.0 or rare == pytest.approx(np.sqrt(1000 / (3 * 10)))
    assert common < middle < rare <= 5.0 and absent == 1.0


def test_weights_of_classes_change_what_is_learned_and_not_the_scale_of_the_loss(tmp_path: Path, tiny: Path):
    plain, weighted = tmp_path / "plain", tmp_path / "weighted"
    heard = {}
    for folder, chosen in ((plain, False), (weighted, True)):
        reporter = Recorder()
        train(folder, prepare(folder, tiny, "ner", 16, epochs=1, class_weights=chosen), reporter)
        heard[chosen] = reporter.points[0][2]["loss"]
    assert not same(weights(plain), weights(weighted))
    assert heard[True] == pytest.approx(heard[False], rel=0.3)


def test_masks_have_their_share_and_follow_from_seed_and_step():
    masks = Masks(7)
    masks.at(3)
    first = masks.keep(torch.Size([200, 301]), 0.1)
    assert 1 - float(first.mean()) == pytest.approx(0.1, abs=0.01)
    assert not torch.equal(first, masks.keep(torch.Size([200, 301]), 0.1))
    masks.at(3)
    assert torch.equal(first, masks.keep(torch.Size([200, 301]), 0.1))
    masks.at(4)
    assert not torch.equal(first, masks.keep(torch.Size([200, 301]), 0.1))


def test_quick_dropout_keeps_the_mean_and_lets_gradients_through():
    layer = QuickDropout(0.25, Masks(1))
    states = torch.ones(400, 400, requires_grad=True)
    out = layer(states)
    assert float(out.detach().mean()) == pytest.approx(1.0, abs=0.02)
    assert sorted(out.detach().unique().tolist()) == pytest.approx([0.0, 4 / 3])
    out.sum().backward()
    assert torch.equal(states.grad, out.detach())
    assert torch.equal(layer.eval()(states), states)


def test_a_network_has_its_own_dropout_back(tiny: Path):
    network = AutoModelForTokenClassification.from_pretrained(tiny, num_labels=3)
    before = {name: type(module) for name, module in network.named_modules()}
    keys = list(network.state_dict())
    with quick_dropout(network, Masks(1)):
        kinds = {type(module) for module in network.modules()}
        assert QuickDropout in kinds and torch.nn.Dropout not in kinds
        assert list(network.state_dict()) == keys
    assert {name: type(module) for name, module in network.named_modules()} == before
