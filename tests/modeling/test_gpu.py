"""A graphics card is found where there is one, and what is trained on it is what is trained anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.modeling.conftest import LABELED
from tests.modeling.runs import Recorder, prepare
from workbench.modeling.artifact import load_model
from workbench.modeling.device import choose_device
from workbench.modeling.predict import Predictor
from workbench.modeling.train import train

CARDS = Path("/proc/driver/nvidia/gpus")
"""Where Linux lists them, whatever torch was built for."""


def test_a_card_is_found_where_there_is_one() -> None:
    cards = len(list(CARDS.iterdir())) if CARDS.is_dir() else 0
    found = choose_device("auto")
    if cards and torch.version.cuda:
        assert found.name == "cuda:0"
        assert found.precision == ("bf16" if torch.cuda.get_device_capability(0)[0] >= 8 else "fp32")
        assert found.title in found.description
        assert choose_device(f"cuda:{cards - 1}").kind == "cuda"
    else:
        assert found.kind == ("mps" if torch.backends.mps.is_available() else "cpu")
    assert choose_device("cpu").name == "cpu", "whoever asks for the processor gets it"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no graphics card here")
def test_a_run_on_a_card(tmp_path: Path, tiny: Path) -> None:
    reporter = Recorder()
    result = train(tmp_path, prepare(tmp_path, tiny, "ner", epochs=12), reporter)
    assert result["device"] == "cuda:0"
    assert result["metrics"]["validation"]["f1"] > 0.5
    assert reporter.last["memory_mb"] > 0
    examples = [example for example, _ in LABELED["ner"](20, 7)]
    model = load_model(tmp_path / "model")
    on_cpu = Predictor(model, choose_device("cpu")).predict(examples)
    on_card = Predictor(model, choose_device("auto")).predict(examples)
    assert Predictor(model, choose_device("auto")).tag(examples, disagreement=True, features=True).features
    same = sum(one.payload == other.payload for one, other in zip(on_cpu, on_card, strict=True))
    assert same >= 0.9 * len(examples)
