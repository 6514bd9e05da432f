"""What a pass leaves of each example for strategies that choose sets, against what torch says of the same."""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.modeling.conftest import LABELED, LABELS, people_in_places
from tests.modeling.runs import Recorder
from tests.modeling.tiny import write_attempt
from tests.tasks.examples import sentence
from workbench.acquisition import ARRAYS, Features
from workbench.domain import ExampleText
from workbench.errors import Cancelled
from workbench.featurefiles import FEATURES, FeatureStore, keep_part
from workbench.modeling import reading
from workbench.modeling.artifact import LoadedModel
from workbench.modeling.cold_start import base_model
from workbench.modeling.device import Device, choose_device
from workbench.modeling.encode_answers import encode_answers
from workbench.modeling.engine import model_inputs
from workbench.modeling.infer import infer
from workbench.modeling.predict import Predictor
from workbench.modeling.takeover import CHECKPOINT
from workbench.reporting import SilentReporter


def untrained(tiny: Path, task: str) -> LoadedModel:
    return base_model({"task": task, "labels": LABELS[task], "parameters": {"base_model": str(tiny)}})


def predictor(model: LoadedModel, **more: Any) -> Predictor:
    return Predictor(model, choose_device("cpu"), **more)


def sentences(count: int = 12) -> list[ExampleText]:
    """Short ones, one of a single word, and one that is longer than a window of 48."""
    rows = people_in_places(count, seed=5)
    rows[3], rows[4] = functools.reduce(operator.iadd, people_in_places(20), []), ["anna"]
    return [sentence(words) for words in rows]


def last_states(model: LoadedModel, example: ExampleText) -> torch.Tensor:
    ids = torch.tensor([model.tokenizer.hf.convert_tokens_to_ids([word.lower() for word in example.words])])
    special = torch.tensor([[model.tokenizer.cls_id]]), torch.tensor([[model.tokenizer.hf.sep_token_id]])
    return model.network.base_model(torch.cat([special[0], ids, special[1]], dim=1))[0][0, 1:-1]


@pytest.mark.parametrize("base", ["tiny", "tiny_xlnet"])
def test_an_embedding_is_the_mean_over_the_sub_words_whatever_stands_beside(
    base: str, request: pytest.FixtureRequest
) -> None:
    model = untrained(request.getfixturevalue(base), "ner")
    examples = sentences()
    found = predictor(model, max_length=48).tag(examples, features=True).features
    assert found is not None
    assert [len(getattr(found, name)) for name in ARRAYS] == [12] * 4
    alone = predictor(model).tag(examples[:1], features=True).features
    np.testing.assert_allclose(found.embeddings[0], alone.embeddings[0], atol=1e-5)
    np.testing.assert_allclose(found.gradients[0], alone.gradients[0], atol=1e-5)
    if base != "tiny_xlnet":  # whose special sub-words stand elsewhere
        with torch.inference_mode():
            expected = last_states(model, examples[0]).mean(dim=0)
        np.testing.assert_allclose(found.embeddings[0], expected, atol=1e-5)
    tagged = predictor(model, max_length=48).tag(examples, features=True)
    means = [
        tagged.probabilities[a:b].mean(0) for a, b in zip(tagged.offsets, tagged.offsets[1:], strict=False)
    ]
    np.testing.assert_allclose(found.classes, means, atol=1e-6)
    assert (found.doubts < found.classes).all()
    assert predictor(model).tag([], features=True).features.embeddings.shape == (0, 32)
    assert predictor(model).tag(examples).features is None


def test_a_text_longer_than_a_window_counts_each_sub_word_once(tiny: Path) -> None:
    """With attention to its own position alone a sub-word says the same in any window."""
    model = untrained(tiny, "ner")
    for layer in model.network.base_model.encoder.layer:
        torch.nn.init.zeros_(layer.attention.output.dense.weight)
    torch.nn.init.zeros_(model.network.base_model.embeddings.position_embeddings.weight)
    long = sentences()[3]
    whole = predictor(model, max_length=128).tag([long], features=True).features
    cut = predictor(model, max_length=24).tag([long], features=True).features
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(cut, name), getattr(whole, name), atol=1e-5)


@pytest.mark.parametrize("task", ["ner", "qa"])
def test_a_device_that_computes_in_half_precision_leaves_the_same_features(tiny: Path, task: str) -> None:
    """As graphics cards do; torch does it on any processor."""
    model = untrained(tiny, task)
    examples = [example for example, _ in LABELED[task](12, 3)]
    exact, halved = choose_device("cpu"), Device("cpu", "a card's stand-in", "bf16", 1024)

    def features(device: Device) -> Features:
        asked = Predictor(model, device)
        seen = (
            asked.answer(examples, features=True)
            if task == "qa"
            else asked.tag(examples, disagreement=True, features=True)
        )
        assert seen.features is not None
        return seen.features

    expected, found = features(exact), features(halved)
    for name in ARRAYS:
        assert getattr(found, name).dtype == np.float32
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=0.05)


def squares(rows: np.ndarray) -> np.ndarray:
    apart = ((rows[:, None] - rows[None]) ** 2).sum(axis=2)
    return apart[np.triu_indices(len(rows), 1)]


def test_sketches_of_taggers_keep_the_distances_of_the_gradients(tiny: Path) -> None:
    model = untrained(tiny, "ner")
    model.network.classifier.weight.data *= 20  # so that the model is sure of something
    examples = [example for index, example in enumerate(sentences(40)) if index != 3]
    found = predictor(model).tag(examples, features=True).features
    gradients = []
    for example in examples:
        states = last_states(model, example).detach()
        logits = model.network.classifier(states)
        loss = torch.nn.functional.cross_entropy(logits, logits.argmax(1))
        [gradient] = torch.autograd.grad(loss, [model.network.classifier.weight])
        gradients.append(gradient.flatten().numpy())
    exact, sketched = squares(np.array(gradients)), squares(found.gradients)
    assert np.corrcoef(exact, sketched)[0, 1] > 0.97
    assert np.median(sketched / exact) == pytest.approx(1.0, abs=0.25)


def test_sketches_of_answers_are_of_starts_and_ends(tiny: Path) -> None:
    model = untrained(tiny, "qa")
    model.network.qa_outputs.weight.data *= 20
    examples = [ExampleText(e.text, e.tokens, "who did ?") for e in sentences(30)]
    found = predictor(model, max_length=48).answer(examples, features=True).features
    assert found is not None and found.classes.shape == (30, 0)
    windows = encode_answers(model.tokenizer, examples, max_length=48, stride=model.info.stride)
    gradients = np.zeros((30, 64), dtype=np.float32)
    for row in range(len(windows)):
        output = model.network(**model_inputs(windows, np.array([row]), model.tokenizer))
        columns = torch.from_numpy(windows.columns[row])
        sides = [side[0, columns][None] for side in (output.start_logits, output.end_logits)]
        loss = sum(torch.nn.functional.cross_entropy(side, side.argmax(1)) for side in sides)
        [gradient] = torch.autograd.grad(loss, [model.network.qa_outputs.weight])
        shared = len(windows.windows_of(int(windows.example[row])))
        gradients[windows.example[row]] += gradient.flatten().numpy() / shared
    exact, sketched = squares(gradients), squares(found.gradients)
    assert np.corrcoef(exact, sketched)[0, 1] > 0.97


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Path:
    from workbench.modeling.artifact import save_model

    model = untrained(tiny, "ner")
    folder = tmp_path_factory.mktemp("trained") / "model"
    save_model(folder, model.network, model.tokenizer, model.info, {})
    return folder


def launch(folder: Path, model: Path, **more: Any) -> Mapping[str, Any]:
    rows = [("train" if index % 4 == 1 else "pool", *row) for index, row in enumerate(LABELED["ner"](20))]
    parameters = {"strategies": ["mnlp"], "device": "cpu", "features": True}
    return {
        **write_attempt(folder, "ner", rows, labels=LABELS["ner"], kind="score", model_dir=str(model)),
        "parameters": parameters,
        **more,
    }


def test_a_killed_pass_goes_on_behind_its_chunks_to_the_same_files(
    tmp_path: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "TAGGING_CHUNK", 6)
    whole = tmp_path / "whole"
    result = infer(whole, launch(whole, trained), SilentReporter())
    assert (result["examples"], result["embedded"]) == (15, 5)
    assert len((whole / "predictions.jsonl").read_text().splitlines()) == 15, "labeled ones are not predicted"
    first, second = tmp_path / "first", tmp_path / "second"
    with pytest.raises(Cancelled):
        infer(first, launch(first, trained), Recorder(stop_at=3))
    kept = sorted(path.name for path in (first / CHECKPOINT).glob("*.jsonl"))
    assert kept in (["000000.jsonl"], ["000000.jsonl", "000001.jsonl"])
    (first / CHECKPOINT / "000003.jsonl.part").write_text(
        "half"
    )  # what a kill in the middle of a write leaves
    read: list[int] = []
    tag = Predictor.tag

    def counting(self: Predictor, examples: Any, *given: Any, **more: Any) -> Any:
        read.append(len(examples))
        return tag(self, examples, *given, **more)

    monkeypatch.setattr(Predictor, "tag", counting)
    again = infer(second, launch(second, trained, resume_from=str(first / CHECKPOINT)), SilentReporter())
    assert sum(read) == 20 - 6 * len(kept)
    assert (again["examples"], again["tokens"]) == (15, result["tokens"])
    names = ["predictions.jsonl", *(f"{FEATURES}/{name}.npy" for name in ("ids", *ARRAYS))]
    assert all((whole / name).read_bytes() == (second / name).read_bytes() for name in names)
    read.clear()
    other = tmp_path / "other"
    given = launch(other, trained, resume_from=str(first / CHECKPOINT))
    infer(other, {**given, "parameters": {**given["parameters"], "strategies": ["margin"]}}, SilentReporter())
    assert sum(read) == 20, "chunks of other strategies are not taken over"


def test_a_base_model_leaves_embeddings_alone(tmp_path: Path, tiny: Path) -> None:
    given = launch(tmp_path / "run", tiny)
    manifest = {**given, "kind": "embed", "parameters": {"base_model": str(tiny), "device": "cpu"}}
    result = infer(tmp_path / "run", manifest, SilentReporter())
    assert (result["examples"], result["embedded"]) == (0, 20)
    assert not (tmp_path / "run" / "predictions.jsonl").exists()
    keep_part(tmp_path / "run" / FEATURES, tmp_path / "kept", 3, "tiny")
    store = FeatureStore(tmp_path / "kept")
    assert (store.of, store.columns("embeddings"), store.columns("gradients")) == ("tiny", 32, 0)
    assert len(store.ids()) == 20
