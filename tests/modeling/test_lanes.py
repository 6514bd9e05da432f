"""Batches side by side: what is seen is what one lane sees, and an end is an end for all of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import FunnelConfig, FunnelForTokenClassification

from tests.modeling.conftest import LABELED, LABELS
from workbench.acquisition import ARRAYS
from workbench.domain import ExampleText
from workbench.errors import Cancelled
from workbench.modeling.artifact import LoadedModel
from workbench.modeling.cold_start import base_model
from workbench.modeling.device import Device, choose_device
from workbench.modeling.lanes import BUDGET, FEWEST, MOST, Bystander, lanes_for, side_by_side
from workbench.modeling.predict import Predictor

THREADS = 4
MAIN = threading.main_thread().name


@pytest.fixture
def threads() -> Iterator[int]:
    """As on a machine with several cores; what was is restored by the fixture of the folder."""
    torch.set_num_threads(THREADS)
    yield THREADS
    assert torch.get_num_threads() == THREADS


@pytest.fixture(params=["ner", "qa"])
def model(tiny: Path, request: pytest.FixtureRequest) -> LoadedModel:
    task = request.param
    return base_model({"task": task, "labels": LABELS[task], "parameters": {"base_model": str(tiny)}})


def pool(task: str, count: int = 1200) -> list[ExampleText]:
    """Enough for all lanes."""
    return [example for example, _ in LABELED[task](count, 7)]


def seen(model: LoadedModel, examples: list[ExampleText], on_batch: Any = lambda _: None) -> list[np.ndarray]:
    """Everything that a pass tells, as arrays."""
    asked = Predictor(model, choose_device("cpu"))
    if model.info.task == "qa":
        answered = asked.answer(examples, on_batch, features=True)
        told = [np.concatenate([*found.starts, *found.ends]) for found in answered.logits]
        features = answered.features
    else:
        tagged = asked.tag(examples, on_batch, disagreement=True, features=True)
        told = [tagged.probabilities, tagged.disagreement]
        features = tagged.features
    assert features is not None
    return [*told, *(getattr(features, name) for name in ARRAYS)]


def listening(model: LoadedModel, heard: list[str]) -> Any:
    """Write down in which thread each batch is computed, and wait a little, so that no lane does all of them."""
    ready = threading.Event()

    def write(*_: Any) -> None:
        heard.append(threading.current_thread().name)
        ready.wait(0.02)

    # Embeddings are what a copy of the network shares with it.
    return model.network.base_model.embeddings.register_forward_pre_hook(write)


def test_lanes_see_what_one_sees(model: LoadedModel, threads: int) -> None:
    examples = pool(model.info.task)
    names: list[str] = []
    handle = listening(model, names)
    side = seen(model, examples)
    lanes = set(names)
    names.clear()
    torch.set_num_threads(1)
    alone = seen(model, examples)
    torch.set_num_threads(threads)
    handle.remove()
    assert lanes == {MAIN, *(f"lane_{number}" for number in range(threads))}
    assert set(names) == {MAIN}
    for one, other in zip(side, alone, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_network_that_remembers_a_batch_has_one_lane(tiny: Path, threads: int) -> None:
    model = base_model({"task": "ner", "labels": LABELS["ner"], "parameters": {"base_model": str(tiny)}})

    def remember(module: torch.nn.Module, given: tuple[Any, ...], _output: Any) -> None:
        module.length = given[0].shape[1]

    memory = model.network.base_model.encoder.register_forward_hook(remember)
    names: list[str] = []
    handle = listening(model, names)
    seen(model, pool("ner"))
    handle.remove()
    memory.remove()
    assert set(names) == {MAIN}


@pytest.mark.parametrize(("lengths", "changes"), [((9, 9), [False, False]), ((9, 4), [False, True])])
def test_funnel_transformers_keep_tables_of_the_length_that_was_last(
    lengths: tuple[int, int], changes: list[bool]
) -> None:
    config = FunnelConfig(vocab_size=20, block_sizes=[1, 1], d_model=32, n_head=2, d_head=16, d_inner=64)
    network = FunnelForTokenClassification(config).eval()
    with torch.inference_mode():
        network(input_ids=torch.ones(2, 9, dtype=torch.int64))
        bystander, told = Bystander(network), []
        for length in lengths:
            network(input_ids=torch.ones(2, length, dtype=torch.int64))
            bystander.look()
            told.append(bystander.saw_a_change)
    assert told == changes


def test_who_listens_hears_of_every_window_here_and_may_end_it(model: LoadedModel, threads: int) -> None:
    examples = pool(model.info.task)
    heard: list[tuple[str, int]] = []
    seen(model, examples, lambda windows: heard.append((threading.current_thread().name, windows)))
    assert sum(windows for _, windows in heard) == len(examples)
    assert {name for name, _ in heard} == {MAIN}

    ran: list[str] = []
    handle = listening(model, ran)

    def stop(_windows: int) -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        seen(model, examples, stop)
    handle.remove()
    assert len(ran) < len(heard)


def test_what_goes_wrong_in_a_lane_is_raised_here(threads: int) -> None:
    begun: list[int] = []
    done: list[int] = []
    broken = threading.Event()

    def work(batch: int) -> None:
        begun.append(batch)
        if batch == 2:
            broken.set()
            raise ValueError("no such batch")
        broken.wait(5)
        time.sleep(0.01)

    with pytest.raises(ValueError, match="no such batch"):
        side_by_side(work, range(1000), done.append, 3)
    assert len(begun) < 1000
    assert not any(thread.name.startswith("lane") for thread in threading.enumerate())


@pytest.mark.parametrize("lanes", [1, 3])
def test_every_batch_is_done_once(lanes: int, threads: int) -> None:
    worked: list[int] = []
    done: list[int] = []
    shares: set[int] = set()

    def work(batch: int) -> None:
        worked.append(batch)
        shares.add(torch.get_num_threads())

    side_by_side(work, range(50), done.append, lanes)
    assert sorted(worked) == sorted(done) == list(range(50))
    assert shares == {threads // lanes}


def test_lanes_are_for_many_batches_on_the_cores_of_a_cpu(threads: int) -> None:
    cpu, card = choose_device("cpu"), Device("cuda:0", "a card", "bf16", 32768)
    enough = FEWEST * threads * BUDGET
    assert [lanes_for(cpu, subwords) for subwords in (0, enough - 1, enough)] == [1, 1, threads]
    assert lanes_for(card, 10 * enough) == 1
    counts = []
    for count in (1, MOST, MOST + 5):
        torch.set_num_threads(count)
        counts.append(lanes_for(cpu, 100 * enough))
    torch.set_num_threads(threads)
    assert counts == [1, MOST, MOST]
