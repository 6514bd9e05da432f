"""Which parts of a network learn at which step, and that what rests costs nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.modeling.runs import prepare, weights
from workbench.modeling import loop
from workbench.modeling.artifact import load_network
from workbench.modeling.freezing import Rest, freeze
from workbench.modeling.train import train
from workbench.reporting import SilentReporter
from workbench.tasks import get_task


def _network(folder: Path) -> Any:
    task = get_task("ner")
    return load_network(folder, task, task.model_labels(("PER",)), strict=False)


def _learning(network: Any) -> set[str]:
    """Parts of a BERT that have a gradient after a step."""
    network.zero_grad(set_to_none=True)
    network(torch.tensor([[2, 7, 8, 3]])).logits.sum().backward()
    names = [name for name, p in network.named_parameters() if p.grad is not None]
    return {".".join(name.split(".")[:4]) if ".layer." in name else name.split(".")[-2] for name in names}


@pytest.mark.parametrize("embeddings", [True, False])
def test_layers_rest_from_the_lowest_up_and_the_head_learns_to_the_end(tiny: Path, embeddings: bool):
    network = _network(tiny)
    freeze(network, embeddings=embeddings, layers=0)
    rest = Rest(network, 10)
    lower, upper, head = {"bert.encoder.layer.0"}, {"bert.encoder.layer.1"}, {"classifier"}
    words = (
        set()
        if embeddings
        else {"word_embeddings", "position_embeddings", "token_type_embeddings", "LayerNorm"}
    )
    for step, expected in {
        7: words | lower | upper | head,
        8: upper | head,
        9: head,
    }.items():
        rest.at(step)
        assert _learning(network) == expected, step


def test_a_run_of_one_step_trains_every_layer(tiny: Path):
    network = _network(tiny)
    Rest(network, 1).at(0)
    assert {"bert.encoder.layer.0", "bert.encoder.layer.1"} <= _learning(network)


def test_a_network_whose_layers_cannot_be_told_never_rests(tiny: Path):
    network = _network(tiny)
    network.config.num_hidden_layers = 7
    Rest(network, 10).at(9)
    assert {"bert.encoder.layer.0", "bert.encoder.layer.1"} <= _learning(network)


@pytest.mark.parametrize(
    "asked, schedule, rests", [(True, "linear", True), (False, "linear", False), (True, "constant", False)]
)
def test_what_rests_keeps_the_weights_that_it_had(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: bool, schedule: str, rests: bool
):
    seen: list[torch.Tensor] = []
    original = loop.clip

    def spy(parameters: Any, device: Any) -> None:
        seen.append(next(p for p in parameters if p.shape == (32, 32)).detach().clone())
        original(parameters, device)

    monkeypatch.setattr(loop, "clip", spy)
    chosen = {"epochs": 2, "rest_layers": asked, "schedule": schedule}
    train(tmp_path, prepare(tmp_path, tiny, "ner", 40, **chosen), SilentReporter())
    assert len(seen) == 10
    last = weights(tmp_path)["bert.encoder.layer.0.attention.self.query.weight"]
    assert torch.equal(last, seen[8]) is rests
    assert not torch.equal(last, seen[7])
