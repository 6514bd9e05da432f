"""LoRA: few weights learn, and the model that comes out is an ordinary one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForTokenClassification

from tests.modeling.runs import Recorder, prepare, same, weights
from workbench.errors import Cancelled
from workbench.modeling import loop
from workbench.modeling.lora import adapt_low_rank, merge_low_rank
from workbench.modeling.predict import load_predictor
from workbench.modeling.train import train
from workbench.reporting import SilentReporter


def network(tiny: Path) -> torch.nn.Module:
    torch.manual_seed(1)
    return AutoModelForTokenClassification.from_pretrained(tiny, num_labels=3).eval()


def test_the_matrices_and_the_head_learn_and_nothing_else(tiny: Path):
    model = network(tiny)
    ids = torch.arange(5, 20)[None]
    before = model(ids).logits
    names = set(model.state_dict())
    adapt_low_rank(model, 4)
    torch.testing.assert_close(model(ids).logits, before)
    learning = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert all(".lora_" in name or name.startswith("classifier.") for name in learning)
    assert len(learning) == 2 * 6 * model.config.num_hidden_layers + 2
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if ".lora_B." in name:
                weight.normal_(0.0, 0.1)
    moved = model(ids).logits
    assert not torch.allclose(moved, before, atol=1e-3)
    merge_low_rank(model)
    torch.testing.assert_close(model(ids).logits, moved, atol=1e-5, rtol=1e-5)
    assert set(model.state_dict()) == names


def test_a_run_trains_by_it_and_its_model_loads_like_any_other(tmp_path: Path, tiny: Path):
    reporter = Recorder()
    result = train(tmp_path, prepare(tmp_path, tiny, "ner", lora_rank=4, epochs=12), reporter)
    assert any(line.startswith("LoRA of rank 4: ") for line in reporter.lines)
    plain = AutoModelForTokenClassification.from_pretrained(tmp_path / "model")
    assert set(weights(tmp_path)) == set(plain.state_dict())
    assert result["metrics"]["validation"]["f1"] > 0.5
    assert load_predictor(tmp_path / "model").labels


def test_frozen_layers_have_no_matrices_that_learn(tmp_path: Path, tiny: Path):
    from workbench.modeling.freezing import freeze

    model = network(tiny)
    adapt_low_rank(model, 2)
    freeze(model, embeddings=True, layers=1)
    learning = [name for name, weight in model.named_parameters() if weight.requires_grad]
    assert not any(".layer.0." in name for name in learning)
    assert any(".layer.1." in name for name in learning)


def test_a_run_that_was_stopped_ends_with_the_same_weights(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
):
    whole, stopped, resumed = (tmp_path / name for name in ("whole", "stopped", "resumed"))
    train(whole, prepare(whole, tiny, "ner", lora_rank=4), SilentReporter())
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(Cancelled):
        train(stopped, prepare(stopped, tiny, "ner", lora_rank=4), Recorder(stop_at=7))
    train(
        resumed,
        {**prepare(resumed, tiny, "ner", lora_rank=4), "resume_from": str(stopped / "checkpoint")},
        SilentReporter(),
    )
    assert same(weights(whole), weights(resumed))
