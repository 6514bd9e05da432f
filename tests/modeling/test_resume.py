"""A run that was stopped goes on from its newest whole checkpoint, and ends with the same weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.modeling.runs import Recorder, prepare, same, weights
from workbench.errors import Cancelled
from workbench.modeling import checkpoint, loop
from workbench.modeling.train import train
from workbench.reporting import SilentReporter


@pytest.mark.parametrize("task", ["ner", "qa"])
@pytest.mark.parametrize("stop_at", [3, 6, 7, 11])
def test_a_run_that_was_stopped_and_resumed_ends_with_the_same_weights(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch, task: str, stop_at: int
):
    whole = tmp_path / "whole"
    expected = train(whole, prepare(whole, tiny, task), SilentReporter())
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    stopped, resumed = tmp_path / "stopped", tmp_path / "resumed"
    with pytest.raises(Cancelled):
        train(stopped, prepare(stopped, tiny, task), Recorder(stop_at=stop_at))
    assert not (stopped / "model").exists()
    reporter = Recorder()
    manifest = {**prepare(resumed, tiny, task), "resume_from": str(stopped / "checkpoint")}
    result = train(resumed, manifest, reporter)
    assert f"Resumed after step {stop_at - 1} of 12." in reporter.lines
    assert same(weights(whole), weights(resumed))
    assert result["metrics"] == expected["metrics"]
    assert result["steps"] == expected["steps"]


def test_a_torn_checkpoint_is_passed_over(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    stopped, resumed = tmp_path / "stopped", tmp_path / "resumed"
    with pytest.raises(Cancelled):
        train(stopped, prepare(stopped, tiny, "ner"), Recorder(stop_at=5))
    kept = sorted((stopped / "checkpoint").iterdir())
    assert [path.name for path in kept] == ["00000004"]
    assert not [path for path in kept[0].iterdir() if path.suffix not in (".json", ".safetensors")]
    (stopped / "checkpoint" / "00000005.part").mkdir()
    (stopped / "checkpoint" / "00000006").mkdir()
    assert checkpoint.newest_checkpoint(stopped) == kept[0]
    manifest = {**prepare(resumed, tiny, "ner"), "resume_from": str(stopped)}
    reporter = Recorder()
    train(resumed, manifest, reporter)
    assert "Resumed after step 4 of 12." in reporter.lines


def test_another_runs_checkpoint_is_not_taken_up(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    stopped, other = tmp_path / "stopped", tmp_path / "other"
    with pytest.raises(Cancelled):
        train(stopped, prepare(stopped, tiny, "ner"), Recorder(stop_at=5))
    reporter = Recorder()
    train(other, {**prepare(other, tiny, "ner", seed=2), "resume_from": str(stopped)}, reporter)
    assert any("is of other data. Starting anew" in line for line in reporter.lines)
