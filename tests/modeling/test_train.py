"""Training: it learns what it is shown, repeats itself, tunes on validation data, with any tokenizer."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.modeling.conftest import LABELED, LABELS, labeled_ner, labeled_qa
from tests.modeling.runs import Recorder, prepare, same, weights
from tests.modeling.tiny import write_attempt
from workbench.domain import Answers, TrainParameters
from workbench.modeling.predict import load_predictor
from workbench.modeling.schedule import Schedule
from workbench.modeling.train import train
from workbench.reporting import SilentReporter


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


def test_frozen_word_embeddings_stay_and_others_move(tmp_path: Path, tiny: Path):
    name = "bert.embeddings.word_embeddings.weight"
    before = load_file(tiny / "model.safetensors")[name.removeprefix("bert.")]
    for freeze in (True, False):
        folder = tmp_path / str(freeze)
        train(folder, prepare(folder, tiny, "ner", 8, freeze_embeddings=freeze), SilentReporter())
        assert torch.equal(weights(folder)[name], before) is freeze


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


def test_the_learning_rate_rises_then_falls_to_nothing():
    schedule = Schedule.of(160, TrainParameters(epochs=2, warmup=0.1, min_steps=0), 1e-3)
    rates = [schedule.learning_rate(step) for step in range(schedule.total)]
    assert (schedule.per_epoch, schedule.total, schedule.warmup) == (10, 20, 2)
    assert rates[:2] == [5e-4, 1e-3]
    assert max(rates) == 1e-3
    assert math.isclose(rates[-1], 1e-3 / 18)
    assert rates[2:] == sorted(rates[2:], reverse=True)
    cosine, constant = (
        Schedule.of(160, TrainParameters(epochs=2, warmup=0.1, min_steps=0, schedule=fall), 1e-3)
        for fall in ("cosine", "constant")
    )
    curve = [cosine.learning_rate(step) for step in range(20)]
    assert curve[:3] == pytest.approx([5e-4, 1e-3, 1e-3])
    assert math.isclose(curve[11], 5e-4)  # half of the fall is half of the peak
    assert curve[5] > rates[5] and 0 < curve[-1] < rates[-1]
    assert [constant.learning_rate(step) for step in (0, 2, 11, 19)] == [5e-4, 1e-3, 1e-3, 1e-3]
    half = Schedule.of(160, TrainParameters(epochs=0.5, min_steps=0), 1e-3)
    assert half.total == 5
