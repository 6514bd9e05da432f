"""Too little memory, texts longer than a window, and what can not be trained at all."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.modeling.conftest import PEOPLE, labeled_ner
from tests.modeling.runs import Recorder, prepare, weights
from tests.modeling.tiny import write_attempt
from tests.tasks.examples import sentence
from workbench.domain import Span, Spans
from workbench.errors import InvalidInput, RunFailed, WorkbenchError
from workbench.modeling import loop
from workbench.modeling.predict import load_predictor
from workbench.modeling.train import train
from workbench.reporting import SilentReporter


def test_too_little_memory_halves_the_batch_and_says_so(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
):
    from transformers import BertForTokenClassification

    forward = BertForTokenClassification.forward

    def limited(self: Any, input_ids: torch.Tensor, **more: Any) -> Any:
        if self.training and len(input_ids) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return forward(self, input_ids=input_ids, **more)

    monkeypatch.setattr(BertForTokenClassification, "forward", limited)
    reporter = Recorder()
    result = train(tmp_path, prepare(tmp_path, tiny, "ner", 16, epochs=1), reporter)
    assert result["steps"] == 2
    assert [line for line in reporter.lines if "did not suffice" in line][-1].endswith(
        "in 4 parts, with the same result."
    )


def test_pieces_of_a_batch_have_the_gradient_of_the_whole(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
):
    config = json.loads((tiny / "config.json").read_text())
    calm = tmp_path / "calm"
    calm.mkdir()
    for path in tiny.iterdir():
        (calm / path.name).write_bytes(path.read_bytes())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (calm / "config.json").write_text(json.dumps(config))
    train(tmp_path / "whole", prepare(tmp_path / "whole", calm, "ner", 16), SilentReporter())
    begin = loop.Loop._resume

    def cut(self: Any) -> tuple[int, int]:
        self._pieces = 3
        return begin(self)

    monkeypatch.setattr(loop.Loop, "_resume", cut)
    train(tmp_path / "cut", prepare(tmp_path / "cut", calm, "ner", 16), SilentReporter())
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert all(torch.allclose(whole[name], parts[name], atol=1e-4) for name in whole)


def test_a_window_that_fits_nowhere_is_said_in_one_line(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
):
    from transformers import BertForTokenClassification

    def never(self: Any, **_more: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(BertForTokenClassification, "forward", never)
    with pytest.raises(RunFailed, match="a single window does not fit"):
        train(tmp_path, prepare(tmp_path, tiny, "ner", 16), SilentReporter())


def test_long_examples_are_trained_on_whole_in_windows(tmp_path: Path, tiny: Path):
    words = [word for example, _ in labeled_ner(30) for word in example.words]
    example = sentence(words)
    people = [token for token, word in zip(example.tokens, words, strict=True) if word in PEOPLE]
    spans = Spans(tuple(Span(*token, "PER") for token in people))
    reporter = Recorder()
    manifest = write_attempt(
        tmp_path,
        "ner",
        [("train", example, spans)],
        labels=["PER"],
        base_model=str(tiny),
        parameters={"max_length": 32, "stride": 8, "epochs": 60, "learning_rate": 5e-3, "min_steps": 0},
    )
    train(tmp_path, manifest, reporter)
    assert any("are read in windows" in line for line in reporter.lines)
    predictor = load_predictor(tmp_path / "model", "cpu")
    predicted = predictor.predict([example])[0].payload
    counts = predictor.model.task.score_example(spans, predicted, example)
    assert counts["correct"] > 0.9 * counts["gold"]
    assert predicted.spans[-1].start > len(example.text) * 0.9


def test_a_window_longer_than_the_model_is_shortened_and_said_so(tmp_path: Path, tiny: Path):
    reporter = Recorder()
    train(tmp_path, prepare(tmp_path, tiny, "ner", 4, max_length=999), reporter)
    assert any("reads 128 sub-words at once" in line for line in reporter.lines)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs is 0. Give a number above 0"),
        ({"learning_rate": -1.0}, "learning rate is -1.0"),
        ({"warmup": 2}, "warmup is 2"),
        ({"schedule": "steep"}, "schedule is 'steep'. Give one of linear, cosine, constant"),
        (
            {"device": "cuda:99"},
            "device 'cuda:99' is not on this machine. Use auto, or one of those here: cpu",
        ),
        ({"device": "tpu"}, "'tpu' is no device. Use auto, cpu, cuda, cuda:0 or mps"),
    ],
)
def test_what_can_not_be_trained_is_said_in_one_line(tmp_path: Path, tiny: Path, changes: dict, message: str):
    with pytest.raises(WorkbenchError) as caught:
        train(tmp_path, prepare(tmp_path, tiny, "ner", 4, **changes), SilentReporter())
    assert str(caught.value).startswith(message)
    assert not (tmp_path / "model").exists()


def test_nothing_to_train_on(tmp_path: Path, tiny: Path):
    rows = [("train", example, None) for example, _ in labeled_ner(2)]
    manifest = write_attempt(tmp_path, "ner", rows, labels=["PER"], base_model=str(tiny), parameters={})
    with pytest.raises(InvalidInput, match="no labeled example"):
        train(tmp_path, manifest, SilentReporter())


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch):
    from workbench.modeling.data import TaggingData

    loss = TaggingData.loss
    monkeypatch.setattr(TaggingData, "loss", lambda *given: loss(*given) * math.nan)
    with pytest.raises(RunFailed, match="no number any more at step 1"):
        train(tmp_path, prepare(tmp_path, tiny, "ner", 8), SilentReporter())
