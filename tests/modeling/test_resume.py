"""A run that was stopped goes on from its newest whole checkpoint, and ends with the same weights."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.modeling.runs import Recorder, prepare, same, weights
from workbench.errors import Cancelled
from workbench.modeling import checkpoint, loop
from workbench.modeling.takeover import take_over
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
    assert checkpoint.newest_checkpoint(stopped / "checkpoint") == kept[0]
    manifest = {**prepare(resumed, tiny, "ner"), "resume_from": str(stopped / "checkpoint")}
    reporter = Recorder()
    train(resumed, manifest, reporter)
    assert "Resumed after step 4 of 12." in reporter.lines


def test_another_runs_checkpoint_is_not_taken_up(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    stopped, other = tmp_path / "stopped", tmp_path / "other"
    with pytest.raises(Cancelled):
        train(stopped, prepare(stopped, tiny, "ner"), Recorder(stop_at=5))
    reporter = Recorder()
    train(
        other, {**prepare(other, tiny, "ner", seed=2), "resume_from": str(stopped / "checkpoint")}, reporter
    )
    assert any("is of other data. Starting anew" in line for line in reporter.lines)


@pytest.mark.parametrize("patience", [0, 2])
def test_an_attempt_that_is_stopped_before_its_own_first_checkpoint_hides_none(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch, patience: int
):
    whole, first, second, third = (tmp_path / name for name in ("whole", "first", "second", "third"))
    train(whole, prepare(whole, tiny, "ner", patience=patience), SilentReporter())
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(Cancelled):
        train(first, prepare(first, tiny, "ner", patience=patience), Recorder(stop_at=7))
    monkeypatch.undo()
    again = {**prepare(second, tiny, "ner", patience=patience), "resume_from": str(first / "checkpoint")}
    with pytest.raises(Cancelled):
        train(second, again, Recorder(stop_at=3))
    reporter = Recorder()
    last = {**prepare(third, tiny, "ner", patience=patience), "resume_from": str(second / "checkpoint")}
    train(third, last, reporter)
    assert "Resumed after step 6 of 12." in reporter.lines
    assert same(weights(whole), weights(third))


def test_what_is_left_of_an_attempt_is_taken_over_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    earlier, later = tmp_path / "earlier", tmp_path / "later"
    (earlier / "00000004").mkdir(parents=True)
    for name in ("00000004/state.json", "00000004/weights.safetensors", "000000.npz"):
        (earlier / name).write_text(name)
    (earlier / "best.part").mkdir()
    link, linked = os.link, []

    def killed(source: str, target: str) -> None:
        linked.append(source)
        if len(linked) == 2:
            raise KeyboardInterrupt
        link(source, target)

    monkeypatch.setattr(os, "link", killed)
    with pytest.raises(KeyboardInterrupt):
        take_over(later, {"resume_from": str(earlier)})
    assert not (later / "checkpoint").exists()

    def refused(source: str, target: str) -> None:
        raise OSError(errno.EPERM, "this file system knows no links")

    monkeypatch.setattr(os, "link", refused)
    kept = take_over(later, {"resume_from": str(earlier)})
    assert sorted(path.name for path in kept.rglob("*")) == [
        "000000.npz",
        "00000004",
        "state.json",
        "weights.safetensors",
    ]
    (kept / "000000.npz").write_text("its own")
    take_over(later, {"resume_from": str(earlier)})
    assert (kept / "000000.npz").read_text() == "its own", "what is there stays"
    assert not take_over(tmp_path / "first", {}).exists()
