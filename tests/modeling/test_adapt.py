"""An encoder that reads texts before it learns labels: what is hidden, that it learns, that it can be resumed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertForMaskedLM

from tests.modeling.runs import Recorder, prepare, same, weights
from workbench.errors import Cancelled, InvalidInput
from workbench.modeling import loop
from workbench.modeling.masked import MaskedData, text_windows
from workbench.modeling.tokenizer import load_tokenizer
from workbench.modeling.train import train
from workbench.reporting import SilentReporter

TEXTS = [
    f"{who} went to {where} in May" for who in ("Anna", "Bo", "Cy") for where in ("Paris", "Rome", "Oslo")
]


def prepared(folder: Path, base: Path, task: str = "ner", **changes: Any) -> Mapping[str, Any]:
    manifest = prepare(folder, base, task, 16, **{"epochs": 1, "adapt_epochs": 2.0, **changes})
    (folder / "texts.jsonl").write_text("".join(json.dumps(text) + "\n" for text in TEXTS))
    return manifest


@pytest.fixture(scope="module")
def masked(tiny: Path) -> tuple[MaskedData, Any, Any]:
    tokenizer = load_tokenizer(tiny, for_words=True)
    torch.manual_seed(1)
    network = BertForMaskedLM(BertConfig.from_pretrained(tiny)).eval()
    windows = text_windows(TEXTS, tokenizer, 48)
    return MaskedData(windows, tokenizer, network, 3, 5), network, windows


def test_what_is_hidden_follows_from_seed_and_row_and_differs_between_passes(tiny: Path, masked: Any):
    data, _, windows = masked
    count, rows = len(windows), data.rows
    assert len(rows) == 3 * count
    first, again = data.inputs(rows), data.inputs(rows)
    assert all(torch.equal(first[name], again[name]) for name in first)
    ids = first["input_ids"].numpy()
    truth = windows.padded(np.tile(np.arange(count), 3), 0)
    assert not np.array_equal(ids[:count], ids[count : 2 * count])
    tokenizer = load_tokenizer(tiny, for_words=True)
    special = np.isin(truth, [tokenizer.cls_id, tokenizer.hf.sep_token_id]) | (
        first["attention_mask"].numpy() == 0
    )
    assert (ids[special] == truth[special]).all()
    assert 0 < (ids != truth).sum() <= data.weight(rows)
    assert (ids == tokenizer.hf.mask_token_id).sum() > 0.5 * data.weight(rows)


def test_the_head_reads_hidden_sub_words_alone_and_says_what_it_would_have_said(masked: Any):
    data, network, windows = masked
    rows = np.arange(len(windows))
    inputs = data.inputs(rows)
    with torch.inference_mode():
        picked = network(**inputs)
        loss = float(data.loss(picked, rows))
        places, targets = data._places, data._targets
        network.base_model._forward_hooks.clear()
        whole = network(**inputs).logits[places[0], places[1]]
    assert len(targets) == data.weight(rows) == len(picked.logits)
    torch.testing.assert_close(picked.logits, whole)
    assert loss == pytest.approx(
        float(torch.nn.functional.cross_entropy(whole, targets, reduction="sum")), rel=1e-5
    )
    expected = windows.padded(rows, 0)[places[0], places[1]]
    assert (targets.numpy() == expected).all()


def test_long_texts_are_read_in_windows_and_short_ones_left_out(tiny: Path):
    tokenizer = load_tokenizer(tiny, for_words=True)
    windows = text_windows(["Anna " * 100, "Anna", ""], tokenizer, 48)
    assert len(windows) > 1
    assert windows.lengths.max() == 48
    assert windows.lengths.min() > 3


@pytest.mark.parametrize("task", ["ner", "qa"])
def test_a_run_reads_the_texts_first_and_then_learns(tmp_path: Path, tiny: Path, task: str):
    plain, adapted = tmp_path / "plain", tmp_path / "adapted"
    train(plain, prepare(plain, tiny, task, 16, epochs=1), SilentReporter())
    reporter = Recorder()
    train(adapted, prepared(adapted, tiny, task, adapt_epochs=40.0), reporter)
    curve = [values["adapting_loss"] for _, _, values in reporter.points if "adapting_loss" in values]
    assert np.mean(curve[-5:]) < 0.8 * np.mean(curve[:5])
    before, after = weights(plain), weights(adapted)
    assert before.keys() == after.keys()
    assert not same(before, after)
    assert any(
        line.startswith("Adapting the encoder to 9 windows of text, 40 times") for line in reporter.lines
    )
    assert any("validation_" in key for _, _, values in reporter.points for key in values)


@pytest.mark.parametrize(
    "stop_at", [3, 6]
)  # of three steps of adapting and two of learning, with a look between
def test_a_run_that_was_stopped_in_either_phase_ends_with_the_same_weights(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int
):
    whole, stopped, resumed = (tmp_path / name for name in ("whole", "stopped", "resumed"))
    train(whole, prepared(whole, tiny), SilentReporter())
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(Cancelled):
        train(stopped, prepared(stopped, tiny), Recorder(stop_at=stop_at))
    kept = stopped / "checkpoint"
    assert (kept / "adapted").is_dir() is (stop_at == 6)
    assert (kept / "adapting").is_dir() is (stop_at == 3)
    reporter = Recorder()
    train(resumed, {**prepared(resumed, tiny), "resume_from": str(stopped / "checkpoint")}, reporter)
    assert same(weights(whole), weights(resumed))
    assert any("adapted to the texts by the earlier attempt" in line for line in reporter.lines) is (
        stop_at == 6
    )


def test_without_any_text_it_says_so(tmp_path: Path, tiny: Path):
    manifest = prepared(tmp_path, tiny)
    (tmp_path / "texts.jsonl").write_text('"Anna"\n')
    with pytest.raises(InvalidInput, match="no text to adapt"):
        train(tmp_path, manifest, SilentReporter())
