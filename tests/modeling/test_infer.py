"""Scoring: one line per example in their order, the same whatever stands beside an example."""

from __future__ import annotations

import functools
import json
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.modeling.conftest import LABELED, LABELS, people_in_places
from tests.modeling.runs import Recorder
from tests.modeling.tiny import write_attempt
from tests.tasks.examples import sentence
from workbench.acquisition import single_pass
from workbench.domain import ExampleText
from workbench.errors import Cancelled, InvalidInput, ModelUnavailable, UnknownName
from workbench.jobs.attempt import AttemptFolder, write_json
from workbench.jobs.depot import Depot
from workbench.jobs.parcel import send_inputs
from workbench.jobs.raydata import ChunkActor
from workbench.modeling import reading
from workbench.modeling.artifact import load_model
from workbench.modeling.asking import Pool, read_pool
from workbench.modeling.device import choose_device
from workbench.modeling.infer import infer
from workbench.modeling.inputs import Row
from workbench.modeling.predict import Predictor, load_predictor
from workbench.modeling.reading import ChunkReader, Machine, Pass
from workbench.modeling.train import train
from workbench.reporting import SilentReporter
from workbench.tasks import load_prediction

TASKS = ["ner", "pos", "qa"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Mapping[str, Path]:
    """One model per task, trained a little."""
    found = {}
    for task in TASKS:
        folder = tmp_path_factory.mktemp("models") / task
        rows = [("train", *row) for row in LABELED[task](32)]
        parameters = {"epochs": 4, "learning_rate": 3e-3, "min_steps": 0, "max_length": 48, "stride": 16}
        train(
            folder,
            write_attempt(
                folder, task, rows, labels=LABELS[task], base_model=str(tiny), parameters=parameters
            ),
            SilentReporter(),
        )
        found[task] = folder / "model"
    return found


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "predictions.jsonl").read_text().splitlines()]


def varied(task: str) -> list[ExampleText]:
    """Short and long examples, some much longer than a window, in no order."""
    rows = people_in_places(40, seed=5)
    mixed = [functools.reduce(operator.iadd, rows[: n + 1], []) if n % 7 == 3 else rows[n] for n in range(24)]
    return [sentence(words, question="who did ?" if task == "qa" else None) for words in mixed]


@pytest.mark.parametrize("task", TASKS)
def test_every_example_gets_its_line_in_order(
    tmp_path: Path, models: Mapping[str, Path], task: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(reading, "TAGGING_CHUNK", 10)
    monkeypatch.setattr(reading, "ANSWER_CHUNK", 10)
    monkeypatch.setattr(reading, "SECONDS_BETWEEN_REPORTS", 0.0)
    examples = varied(task)
    manifest = write_attempt(
        tmp_path,
        task,
        [("pool", example, None) for example in examples],
        kind="score",
        model_dir=str(models[task]),
        parameters={"strategies": None, "device": "cpu"},
    )
    reporter = Recorder()
    result = infer(tmp_path, manifest, reporter)
    rows = lines(tmp_path)
    assert [row["id"] for row in rows] == [100 + n for n in range(len(examples))]
    assert result["examples"] == len(examples)
    assert result["tokens"] > 0
    assert reporter.last["done"] == reporter.last["total"] == len(examples)
    assert not (tmp_path / "predictions.jsonl.part").exists()
    predictor = load_predictor(models[task], "cpu")
    for row, example in zip(rows, examples, strict=True):
        alone = predictor.predict([example])[0]
        assert load_prediction(task, row).payload == alone.payload
        assert row["confidence"] == pytest.approx(alone.confidence, abs=1e-3)
        assert set(row["scores"]) == set(single_pass(task))
        assert all(np.isfinite(value) for value in row["scores"].values())
        assert len(row["uncertainty"]) == (0 if task == "qa" else len(example.tokens))


def test_evaluating_scores_nothing_and_named_strategies_alone_are_scored(
    tmp_path: Path, models: Mapping[str, Path]
):
    rows = [("test", *row) for row in LABELED["ner"](3)]
    for kind, wanted, expected in (
        ("evaluate", None, set()),
        ("score", ["mnlp", "random"], {"mnlp"}),
        ("score", [], set()),
    ):
        parameters = {"strategies": wanted} if wanted is not None else {}
        manifest = write_attempt(
            tmp_path, "ner", rows, kind=kind, model_dir=str(models["ner"]), parameters=parameters
        )
        infer(tmp_path, manifest, SilentReporter())
        assert all(set(row["scores"]) == expected for row in lines(tmp_path))


@pytest.mark.parametrize(("kind", "predicted"), [("evaluate", [100, 101, 102]), ("score", [102])])
def test_what_was_learned_from_can_be_measured_on_and_is_not_scored(
    kind: str, predicted: list[int], tmp_path: Path, models: Mapping[str, Path]
):
    splits = ("train", "train", "pool")
    rows = [(split, *row) for split, row in zip(splits, LABELED["ner"](3), strict=True)]
    manifest = write_attempt(tmp_path, "ner", rows, kind=kind, model_dir=str(models["ner"]), parameters={})
    result = infer(tmp_path, manifest, SilentReporter())
    assert [row["id"] for row in lines(tmp_path)] == predicted
    assert (result["examples"], result["embedded"]) == (len(predicted), 3 - len(predicted))


@pytest.mark.parametrize("task", ["ner", "pos"])
def test_windows_merge_to_what_a_model_says_that_reads_the_whole(models: Mapping[str, Path], task: str):
    """With attention to its own position alone a model says the same in any window."""
    model = load_model(models[task])
    for layer in model.network.base_model.encoder.layer:
        torch.nn.init.zeros_(layer.attention.output.dense.weight)
    torch.nn.init.zeros_(model.network.base_model.embeddings.position_embeddings.weight)
    long = sentence([word for words in people_in_places(40) for word in words])
    predictor = Predictor(model, choose_device("cpu"))
    short = predictor.tag([sentence([word]) for word in long.words])
    assert len(long.tokens) > 96
    merged = predictor.tag([long])
    assert merged.probabilities == pytest.approx(short.probabilities, abs=1e-5)


def test_a_short_example_says_the_same_in_a_window_and_without(models: Mapping[str, Path]):
    example = sentence(people_in_places(6)[0])
    predictor = load_predictor(models["ner"], "cpu")
    narrow = Predictor(predictor.model, predictor.device, max_length=16)
    assert narrow.predict([example]) == predictor.predict([example])


def test_batches_and_order_do_not_change_what_is_said(models: Mapping[str, Path]):
    predictor = load_predictor(models["ner"], "cpu")
    examples = varied("ner")
    straight = predictor.tag(examples)
    back = predictor.tag(examples[::-1])
    for index in range(len(examples)):
        mirror = len(examples) - 1 - index
        a = straight.probabilities[straight.offsets[index] : straight.offsets[index + 1]]
        b = back.probabilities[back.offsets[mirror] : back.offsets[mirror + 1]]
        assert a == pytest.approx(b, abs=1e-5)
        assert a.sum(axis=1) == pytest.approx(np.ones(len(a)), abs=1e-5)


def test_answer_probabilities_cover_each_place_once(models: Mapping[str, Path]):
    predictor = load_predictor(models["qa"], "cpu")
    example = sentence([word for words in people_in_places(20) for word in words], question="who did ?")
    found = predictor.answer([example])
    assert len(found.logits[0].starts) > 2
    for probabilities in found.logits[0].probabilities():
        assert len(probabilities) == 1 + len(example.tokens)
        assert probabilities.sum() == pytest.approx(1)


@pytest.mark.parametrize("allowed", [True, False])
def test_scores_of_questions_are_the_same_at_any_temperature(models: Mapping[str, Path], allowed: bool):
    model = load_model(models["qa"])
    rows = [Row(index, "pool", *row) for index, row in enumerate(LABELED["qa"](12, 3))]
    contents, device = [row.content for row in rows], choose_device("cpu")
    pool = Pool(contents, np.ones(len(rows), dtype=np.int64), [""] * len(rows))
    scores, shown = [], []
    for temperature in (1.0, 0.3, 4.0):
        info = replace(model.info, temperature=temperature, allow_no_answer=allowed)
        tempered = replace(model, info=info)
        names = single_pass("qa")
        wanted = Pass(tempered, names, features=False, predicts=None, max_length=None)
        found, *_ = ChunkReader(wanted, Machine(device, device.precision)).read(rows, lambda _: None)
        seen = read_pool(Predictor(tempered, device), pool, [], names, SilentReporter())
        scores.append(np.array([[line["scores"][name] for line in found] for name in names]))
        replayed = np.array([seen.scores[name] for name in names])
        assert replayed == pytest.approx(scores[-1], abs=1e-4), "simulations score as projects do"
        shown.append([line["confidence"] for line in found])
    assert scores[1] == pytest.approx(scores[0]) and scores[2] == pytest.approx(scores[0])
    assert sum(shown[2]) < sum(shown[0]) < sum(shown[1])


@pytest.mark.parametrize("task", TASKS)
def test_odd_examples(models: Mapping[str, Path], task: str):
    odd = [
        sentence(["\u200b"]),
        sentence(["👩‍👩‍👧", "e\u0301te\u0301"]),
        sentence(["x" * 500, "anna"]),
        sentence([] if task != "qa" else ["."]),
    ]
    examples = [ExampleText(e.text, e.tokens, "who ?" if task == "qa" else None) for e in odd]
    predictor = load_predictor(models[task], "cpu")
    for example, prediction in zip(examples, predictor.predict(examples), strict=True):
        predictor.model.task.validate(prediction.payload, example, predictor.labels)
        assert 0 <= prediction.confidence <= 1
    assert predictor.predict([]) == []


def test_too_little_memory_splits_a_batch(models: Mapping[str, Path], monkeypatch: pytest.MonkeyPatch):
    predictor = load_predictor(models["ner"], "cpu")
    examples = varied("ner")
    expected = [prediction.payload for prediction in predictor.predict(examples)]
    forward = type(predictor.model.network).forward

    def limited(self: Any, input_ids: torch.Tensor, **more: Any) -> Any:
        if len(input_ids) > 3:
            raise RuntimeError("MPS backend out of memory")
        return forward(self, input_ids=input_ids, **more)

    monkeypatch.setattr(type(predictor.model.network), "forward", limited)
    assert [prediction.payload for prediction in predictor.predict(examples)] == expected


def test_a_run_that_is_told_to_stop_leaves_no_predictions(tmp_path: Path, models: Mapping[str, Path]):
    rows = [("pool", *row) for row in LABELED["ner"](3)]
    manifest = write_attempt(tmp_path, "ner", rows, kind="score", model_dir=str(models["ner"]), parameters={})
    with pytest.raises(Cancelled):
        infer(tmp_path, manifest, Recorder(stop_at=1))
    assert not (tmp_path / "predictions.jsonl").exists()


def test_what_can_not_be_scored_is_said_in_one_line(tmp_path: Path, models: Mapping[str, Path]):
    rows = [("pool", *row) for row in LABELED["ner"](1)]
    manifest = write_attempt(tmp_path, "ner", rows, kind="score", model_dir=str(models["ner"]))
    with pytest.raises(UnknownName, match="'nope'"):
        infer(tmp_path, {**manifest, "parameters": {"strategies": ["nope"]}}, SilentReporter())
    with pytest.raises(ModelUnavailable, match="names no model"):
        infer(tmp_path, {**manifest, "model_dir": None}, SilentReporter())
    (tmp_path / "examples.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(InvalidInput, match="examples.jsonl, line 1: this is no example"):
        infer(tmp_path, manifest, SilentReporter())
    with pytest.raises(InvalidInput, match="has no question"):
        load_predictor(models["qa"], "cpu").predict([sentence(["anna"])])


def spoil(folder: Path, name: str, change: Any) -> None:
    data = json.loads((folder / name).read_text())
    data.update(change)
    (folder / name).write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "workbench.json").unlink(), "workbench.json is missing"),
        (lambda f: (f / "config.json").unlink(), "config.json is missing"),
        (lambda f: (f / "model.safetensors").unlink(), "holds no safetensors file"),
        (lambda f: (f / "workbench.json").write_text("{"), "can't be read"),
        (lambda f: spoil(f, "workbench.json", {"format": 9}), "is of format 9"),
        (lambda f: spoil(f, "workbench.json", {"classes": ["O", "X"]}), "are not those in workbench.json"),
        (lambda f: (f / "model.safetensors").write_bytes(b"nothing"), "can't be loaded"),
        (lambda f: (f / "tokenizer.json").write_text("{}"), "tokenizer in"),
    ],
)
def test_a_damaged_model_is_refused_with_one_line(
    tmp_path: Path, models: Mapping[str, Path], damage: Any, message: str
):
    folder = tmp_path / "model"
    folder.mkdir()
    for path in models["ner"].iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    damage(folder)
    with pytest.raises(ModelUnavailable) as caught:
        load_predictor(folder, "cpu")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_that_lacks_its_head_is_refused(tmp_path: Path, models: Mapping[str, Path]):
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "model"
    folder.mkdir()
    for path in models["ner"].iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    tensors = load_file(folder / "model.safetensors")
    del tensors["classifier.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelUnavailable, match=r"is not whole: classifier\.weight"):
        load_predictor(folder, "cpu")


def test_the_pipeline_of_transformers_sees_the_same(models: Mapping[str, Path]):
    from transformers import pipeline

    predictor = load_predictor(models["ner"], "cpu")
    pipe = pipeline("token-classification", model=str(models["ner"]), aggregation_strategy="simple")
    for words in people_in_places(10, seed=9):
        example = sentence(words)
        ours = predictor.predict([example])[0].payload
        theirs = [(row["start"], row["end"], row["entity_group"]) for row in pipe(example.text)]
        assert [(s.start, s.end, s.label) for s in ours.spans] == theirs


class SideBySide:
    """Actors of a cluster, called in this process: two of them, the last chunk first."""

    def __init__(self, depot: Depot) -> None:
        self._depot = depot
        self.asked: list[int] = []

    def machine(self, check: Callable[[], None]) -> Machine:
        return Machine(choose_device("cpu"), "fp32")

    def read(
        self, texts: Iterator[tuple[int, str]], precision: str, check: Callable[[], None]
    ) -> Iterator[tuple[int, bytes, bytes]]:
        actors = [ChunkActor(self._depot.url, precision) for _ in range(2)]
        for index, (number, text) in enumerate(reversed(list(texts))):
            check()
            self.asked.append(number)
            found = actors[index % 2]({"number": number, "text": text})
            yield found["number"], found["lines"], found["arrays"]


@pytest.mark.parametrize("task", TASKS)
def test_several_readers_find_what_one_does(
    task: str, models: Mapping[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "TAGGING_CHUNK", 10)
    monkeypatch.setattr(reading, "ANSWER_CHUNK", 10)
    monkeypatch.chdir(tmp_path)  # an actor leaves for its own folder
    alone, shared, later = (tmp_path / name for name in ("alone", "shared", "later"))
    rows = [("pool", example, None) for example in varied(task)]
    more = {
        "kind": "score",
        "model_dir": str(models[task]),
        "parameters": {"features": True, "device": "cpu"},
    }
    for folder in (alone, shared, later):
        manifest = write_attempt(folder, task, rows, labels=LABELS[task], **more)
    write_json(shared / "manifest.json", manifest)
    said = infer(alone, manifest, SilentReporter())
    depot = Depot(str(tmp_path / "depot"))
    send_inputs(depot, AttemptFolder(shared))
    readers = SideBySide(depot)
    heard = Recorder()
    told = infer(shared, manifest, heard, readers)
    assert heard.last["done"] == heard.last["total"] == len(rows)
    assert readers.asked == [*reversed(range(-(-len(rows) // 10)))]
    assert lines(shared) == lines(alone)
    for name in ("examples", "embedded", "tokens", "device", "precision"):
        assert told[name] == said[name]
    for path in sorted((alone / "features").iterdir()):
        assert path.read_bytes() == (shared / "features" / path.name).read_bytes()

    (shared / "checkpoint" / "000001.jsonl").unlink()
    again = SideBySide(depot)
    infer(later, {**manifest, "resume_from": str(shared / "checkpoint")}, SilentReporter(), again)
    assert again.asked == [1], "the other chunks are there"
    assert lines(later) == lines(alone)
    with pytest.raises(Cancelled):
        infer(shared, manifest, Recorder(stop_at=1), SideBySide(depot))
