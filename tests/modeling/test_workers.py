"""Several processes train one network, as one would."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from safetensors.torch import load_file

from tests.modeling.runs import Recorder, prepare, same, weights
from workbench.errors import Cancelled, InvalidInput, RunFailed
from workbench.modeling import loop
from workbench.modeling.device import Device
from workbench.modeling.train import train
from workbench.modeling.workers import workers
from workbench.reporting import SilentReporter


def others() -> list[psutil.Process]:
    """The processes that this one has started to train with."""
    return [one for one in psutil.Process().children() if _trains(one)]


def _trains(process: psutil.Process) -> bool:
    try:
        return "workbench.modeling.workers" in process.cmdline()
    except psutil.Error:  # another test's, which has ended since
        return False


@pytest.fixture
def still(tiny: Path, tmp_path: Path) -> Path:
    """The tiny model without dropout, which workers draw each for its own part of a batch."""
    folder = tmp_path / "still"
    folder.mkdir()
    for path in tiny.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(autouse=True)
def nobody_is_left() -> Iterator[None]:
    yield
    assert others() == []


@pytest.mark.parametrize("task", ["ner", "qa"])
def test_two_workers_give_the_model_of_one(tmp_path: Path, still: Path, task: str):
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    settings = {"batch_size": 9, "learning_rate": 1e-3}  # of nine rows one gets five, the other four
    expected = train(alone, prepare(alone, still, task, **settings), SilentReporter())
    reporter = Recorder()
    result = train(shared, prepare(shared, still, task, workers=2, **settings), reporter)
    first = {f"bert.{name}": value for name, value in load_file(still / "model.safetensors").items()}
    one, two = weights(alone), weights(shared)
    learned = [name for name in one if name.startswith("bert.encoder")]
    moved = sum(float((one[name] - first[name]).square().sum()) for name in learned)
    apart = sum(float((one[name] - two[name]).square().sum()) for name in learned)
    # Sums in another order; AdamW makes the most of it where a gradient is nearly zero.
    assert apart < 1e-3 * moved
    assert result["steps"] == expected["steps"]
    assert reporter.last["done"] == result["steps"]


def test_it_goes_on_from_a_checkpoint_with_the_same_weights(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
):
    whole, stopped, resumed = (tmp_path / name for name in ("whole", "stopped", "resumed"))
    train(whole, prepare(whole, tiny, "ner", workers=2), SilentReporter())
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(Cancelled):
        train(stopped, prepare(stopped, tiny, "ner", workers=2), Recorder(stop_at=6))
    assert others() == []
    manifest = {**prepare(resumed, tiny, "ner", workers=2), "resume_from": str(stopped / "checkpoint")}
    reporter = Recorder()
    train(resumed, manifest, reporter)
    assert "Resumed after step 5 of 12." in reporter.lines
    assert same(weights(whole), weights(resumed))


def test_a_worker_that_dies_ends_the_run_and_says_so(tmp_path: Path, tiny: Path):
    class Killer(Recorder):
        def check(self) -> None:
            super().check()
            if self.checks == 5:
                others()[0].kill()

    with pytest.raises(RunFailed, match="another worker of this run has ended"):
        train(tmp_path, prepare(tmp_path, tiny, "ner", workers=2, min_steps=500), Killer())
    assert not (tmp_path / "model").exists()


def test_a_worker_that_never_begins_is_not_waited_for(tmp_path: Path, tiny: Path):
    manifest = prepare(tmp_path, tiny, "ner", workers=2)
    killed = threading.Event()

    def kill() -> None:
        while not killed.is_set():
            for one in others():
                one.kill()
                killed.set()

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        with pytest.raises(RunFailed, match="before it began"):
            train(tmp_path, manifest, SilentReporter())
    finally:
        killed.set()
        thread.join()


def test_more_workers_than_cards_are_refused(tmp_path: Path):
    card = Device("cuda:1", "a card", "bf16", 1)
    with pytest.raises(InvalidInput, match="2 workers need 2 cards"), workers(2, card, tmp_path, {}):
        pass
