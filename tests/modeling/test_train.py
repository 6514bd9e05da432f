"""Training: it learns, it resumes to the same weights, it goes on from a version, it says what is wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.modeling.conftest import LABELED, LABELS, PEOPLE, labeled_ner, labeled_qa
from tests.modeling.tiny import write_attempt
from tests.tasks.examples import sentence
from workbench.domain import Answers, Span, Spans, TrainParameters
from workbench.errors import Cancelled, InvalidInput, ModelUnavailable, RunFailed, WorkbenchError
from workbench.modeling import checkpoint, loop
from workbench.modeling.predict import load_predictor
from workbench.modeling.schedule import Schedule
from workbench.modeling.train import train
from workbench.reporting import SilentReporter


class Recorder(SilentReporter):
    """Keeps what it hears, and may stop the run at a step."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.lines: list[str] = []
        self.points: list[tuple[int, float, dict[str, float]]] = []
        self.last: dict[str, Any] = {}
        self.checks = 0
        self._stop_at = stop_at

    def log(self, message: str) -> None:
        self.lines.append(message)

    def metric(self, step: int, epoch: float, values: Mapping[str, float]) -> None:
        self.points.append((step, epoch, dict(values)))

    def progress(self, done: int, total: int, **numbers: float | str | None) -> None:
        self.last = {"done": done, "total": total, **numbers}

    def check(self) -> None:
        self.checks += 1
        if self._stop_at is not None and self.checks > self._stop_at:
            raise Cancelled("stopped")


def prepare(folder: Path, base: Path, task: str, count: int = 48, **parameters: Any) -> Mapping[str, Any]:
    rows = LABELED[task](count + 12)
    split = [("train", *row) for row in rows[:count]] + [("validation", *row) for row in rows[count:]]
    chosen = {"epochs": 2, "learning_rate": 5e-3, "batch_size": 8, "min_steps": 0, **parameters}
    return write_attempt(
        folder, task, split, labels=LABELS[task], base_model=str(base), kind="train", parameters=chosen
    )


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model" / "model.safetensors")


def same(a: Mapping[str, torch.Tensor], b: Mapping[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize(
    ("task", "metric", "least"), [("ner", "f1", 0.9), ("pos", "accuracy", 0.9), ("qa", "f1", 90.0)]
)
def test_it_learns_what_it_is_shown(tmp_path: Path, tiny: Path, task: str, metric: str, least: float):
    reporter = Recorder()
    result = train(tmp_path, prepare(tmp_path, tiny, task, epochs=12), reporter)
    validation = result["metrics"]["validation"]
    assert validation[metric] >= least
    assert validation["examples"] == 12
    assert result["examples"] == 48
    assert result["device"] == "cpu"
    assert result["steps"] == 72
    assert json.loads(json.dumps(result)) == result
    curves = {name for _, _, values in reporter.points for name in values}
    assert {"loss", "learning_rate", f"validation_{metric}"} <= curves
    assert reporter.last["done"] == reporter.last["total"] == 72
    assert reporter.checks > 72
    info = json.loads((tmp_path / "model" / "workbench.json").read_text())
    assert info["task"] == task
    assert info["labels"] == LABELS[task]


def test_the_config_names_the_classes_in_order(tmp_path: Path, tiny: Path):
    train(tmp_path, prepare(tmp_path, tiny, "ner", 8), SilentReporter())
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert config["id2label"] == {"0": "O", "1": "B-PER", "2": "I-PER", "3": "B-LOC", "4": "I-LOC"}
    assert config["label2id"]["I-LOC"] == 4
    assert not list((tmp_path / "model").glob("*.bin"))


def test_the_same_run_twice_gives_the_same_model(tmp_path: Path, tiny: Path):
    for name in ("a", "b"):
        train(tmp_path / name, prepare(tmp_path / name, tiny, "ner"), SilentReporter())
    train(tmp_path / "c", prepare(tmp_path / "c", tiny, "ner", seed=99), SilentReporter())
    assert same(weights(tmp_path / "a"), weights(tmp_path / "b"))
    assert not same(weights(tmp_path / "a"), weights(tmp_path / "c"))


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


def test_frozen_word_embeddings_stay_and_others_move(tmp_path: Path, tiny: Path):
    name = "bert.embeddings.word_embeddings.weight"
    before = load_file(tiny / "model.safetensors")[name.removeprefix("bert.")]
    for freeze in (True, False):
        folder = tmp_path / str(freeze)
        train(folder, prepare(folder, tiny, "ner", 8, freeze_embeddings=freeze), SilentReporter())
        assert torch.equal(weights(folder)[name], before) is freeze


def test_a_version_is_continued_and_its_classes_are_kept_by_name(tmp_path: Path, tiny: Path):
    first, second = tmp_path / "first", tmp_path / "second"
    train(first, prepare(first, tiny, "ner", epochs=8), SilentReporter())
    grown = {
        **prepare(second, tiny, "ner", 1, epochs=1, learning_rate=1e-9, warmup=0),
        "labels": ["LOC", "NEW", "PER"],
        "model_dir": str(first / "model"),
    }
    result = train(second, grown, SilentReporter())
    assert result["metrics"]["validation"]["f1"] > 0.9
    old, new = weights(first)["classifier.weight"], weights(second)["classifier.weight"]
    assert new.shape[0] == 7
    for before, after in ((0, 0), (3, 1), (4, 2), (1, 5), (2, 6)):  # O, LOC and PER have moved
        assert torch.allclose(old[before], new[after], atol=1e-6)
    assert json.loads((second / "model" / "workbench.json").read_text())["base_model"] == str(tiny)


def test_renamed_merged_and_split_labels_begin_with_the_weights_of_what_they_were(tmp_path: Path, tiny: Path):
    first = tmp_path / "first"
    train(first, prepare(first, tiny, "ner", epochs=2), SilentReporter())
    old = weights(first)["classifier.weight"]  # O, B-PER, I-PER, B-LOC, I-LOC

    def continued(name: str, labels: list[str], origins: dict[str, list[str]]) -> torch.Tensor:
        folder = tmp_path / name
        manifest = {
            **prepare(folder, tiny, "ner", 1, epochs=1, learning_rate=1e-9, warmup=0, min_steps=1),
            "labels": labels,
            "origins": origins,
            "model_dir": str(first / "model"),
        }
        train(folder, manifest, SilentReporter())
        return weights(folder)["classifier.weight"]

    renamed = continued("renamed", ["LOC", "PERSON"], {"PERSON": ["PER"]})
    assert torch.allclose(renamed, old[[0, 3, 4, 1, 2]], atol=1e-6)
    swapped = continued("swapped", ["PER", "LOC"], {"PER": ["LOC"], "LOC": ["PER"]})
    assert torch.allclose(swapped, old[[0, 3, 4, 1, 2]], atol=1e-6)
    merged = continued("merged", ["NAME"], {"NAME": ["PER", "LOC"]})
    assert torch.allclose(merged[1:], (old[1:3] + old[3:5]) / 2, atol=1e-6)
    split = continued("split", ["PER", "CITY", "RIVER"], {"CITY": ["LOC"], "RIVER": ["LOC"]})
    assert torch.allclose(split, old[[0, 1, 2, 3, 4, 3, 4]], atol=1e-6)


def test_a_version_of_another_task_is_refused(tmp_path: Path, tiny: Path):
    first = tmp_path / "first"
    train(first, prepare(first, tiny, "ner", 8), SilentReporter())
    manifest = {**prepare(tmp_path / "second", tiny, "pos", 8), "model_dir": str(first / "model")}
    with pytest.raises(ModelUnavailable, match="is for ner, not for pos"):
        train(tmp_path / "second", manifest, SilentReporter())


def test_the_no_answer_threshold_is_tuned_and_kept(tmp_path: Path, tiny: Path):
    result = train(tmp_path, prepare(tmp_path, tiny, "qa", epochs=8), SilentReporter())
    info = json.loads((tmp_path / "model" / "workbench.json").read_text())
    assert info["allow_no_answer"] is True
    assert result["metrics"]["validation"]["no_answer_accuracy"] is not None
    predictor = load_predictor(tmp_path / "model", "cpu")
    examples, gold = zip(*labeled_qa(60)[48:], strict=True)
    predicted = [prediction.payload for prediction in predictor.predict(examples)]
    task = predictor.model.task
    assert task.evaluate(gold, predicted, examples, []) == result["metrics"]["validation"]
    assert result["metrics"]["tuned"]["no_answer_threshold"] == info["no_answer_threshold"]


def test_a_temperature_is_fitted_and_changes_confidences_alone(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("workbench.modeling.validation.TOKENS_ENOUGH", 10)
    result = train(tmp_path, prepare(tmp_path, tiny, "ner", epochs=4), SilentReporter())
    temperature = result["metrics"]["tuned"]["temperature"]
    assert temperature != 1.0
    predictor = load_predictor(tmp_path / "model", "cpu")
    assert predictor.model.info.temperature == temperature
    examples = [example for example, _ in labeled_ner(20)]
    fitted = predictor.tag(examples)
    path = tmp_path / "model" / "workbench.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "temperature": 1.0}))
    plain = load_predictor(tmp_path / "model", "cpu").tag(examples)
    assert [each.payload for each in fitted.predictions] == [each.payload for each in plain.predictions]
    assert [each.confidence for each in fitted.predictions] != [each.confidence for each in plain.predictions]
    assert (fitted.probabilities == plain.probabilities).all()


def test_data_without_unanswerable_questions_always_gets_an_answer(tmp_path: Path, tiny: Path):
    rows = [("train", *row) for row in labeled_qa(12) if not isinstance(row[1], Answers) or row[1].answers]
    manifest = write_attempt(
        tmp_path, "qa", rows, labels=[], base_model=str(tiny), parameters={"epochs": 1, "min_steps": 0}
    )
    result = train(tmp_path, manifest, SilentReporter())
    assert result["metrics"] == {"validation": {}, "tuned": {"temperature": 1.0}}
    predictor = load_predictor(tmp_path / "model", "cpu")
    assert predictor.model.info.allow_no_answer is False
    assert all(p.payload.answers for p in predictor.predict([example for _, example, _ in rows]))


def test_few_examples_train_for_the_least_number_of_steps(tmp_path: Path, tiny: Path):
    reporter = Recorder()
    result = train(tmp_path, prepare(tmp_path, tiny, "ner", 4, min_steps=60), reporter)
    assert result["steps"] == 60
    assert result["epochs"] == 60.0
    evaluations = [step for step, _, values in reporter.points if "validation_f1" in values]
    assert len(evaluations) == 10
    assert evaluations[-1] == 60


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

    def cut(self: Any, resume_from: Path | None) -> tuple[int, int]:
        self._pieces = 3
        return begin(self, resume_from)

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


@pytest.mark.parametrize("base", ["tiny_xlnet", "tiny_roberta"])
@pytest.mark.parametrize("task", ["ner", "qa"])
def test_other_tokenizers_train_and_predict(
    tmp_path: Path, base: str, task: str, request: pytest.FixtureRequest
):
    folder = request.getfixturevalue(base)
    train(tmp_path, prepare(tmp_path, folder, task, 8, epochs=1), SilentReporter())
    predictor = load_predictor(tmp_path / "model", "cpu")
    examples = [example for example, _ in LABELED[task](5)]
    together = predictor.predict(examples)
    alone = [predictor.predict([example])[0] for example in examples]
    assert [p.payload for p in together] == [p.payload for p in alone]
    assert [p.confidence for p in together] == pytest.approx([p.confidence for p in alone], abs=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs is 0. Give a number above 0"),
        ({"learning_rate": -1.0}, "learning rate is -1.0"),
        ({"warmup": 2}, "warmup is 2"),
        ({"device": "cuda:7"}, "device 'cuda:7' is not on this machine. Use auto, or one of those here: cpu"),
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


def test_the_learning_rate_rises_then_falls_to_nothing():
    schedule = Schedule.of(160, TrainParameters(epochs=2, warmup=0.1, min_steps=0), 1e-3)
    rates = [schedule.learning_rate(step) for step in range(schedule.total)]
    assert (schedule.per_epoch, schedule.total, schedule.warmup) == (10, 20, 2)
    assert rates[:2] == [5e-4, 1e-3]
    assert max(rates) == 1e-3
    assert math.isclose(rates[-1], 1e-3 / 18)
    assert rates[2:] == sorted(rates[2:], reverse=True)
    half = Schedule.of(160, TrainParameters(epochs=0.5, min_steps=0), 1e-3)
    assert half.total == 5
