"""Partial labels in training: silence is no target, and a model learns from them beside others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.modeling.conftest import LABELS, labeled_ner
from tests.modeling.runs import Recorder
from tests.modeling.tiny import write_attempt
from tests.tasks.examples import sentence
from workbench.domain import ExampleText, Payload, Span, Spans
from workbench.evidence.confident import UNKNOWN
from workbench.modeling.data import TaggingData, class_weights, tagging_targets
from workbench.modeling.doubts import TokenJudge
from workbench.modeling.encode import encode_tagging
from workbench.modeling.inputs import Row
from workbench.modeling.tokenizer import load_tokenizer
from workbench.modeling.train import train
from workbench.tasks import get_task

NER = get_task("ner")
CLASSES = NER.model_labels(LABELS["ner"])
EXAMPLE = sentence(["Annabel", "Xu", "visited", "Timbuktu", "yesterday", "."])
PERSON = Span(0, 10, "PER")


def data_of(tiny: Path, payload: Payload, *, window: int = 32, example: ExampleText = EXAMPLE, **how: bool):
    tokenizer = load_tokenizer(tiny, for_words=True)
    windows = encode_tagging(tokenizer, [example], max_length=window, stride=0)
    targets = tagging_targets(NER, [payload], [example], CLASSES)  # type: ignore[arg-type]
    return windows, TaggingData(windows, targets, tokenizer, CLASSES, **({"all_subwords": True} | how))


@pytest.mark.parametrize("all_subwords", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_loss_and_gradients_come_from_the_spans_alone(tiny: Path, all_subwords: bool, weighted: bool):
    how = {"all_subwords": all_subwords, "weighted": weighted}
    windows, data = data_of(tiny, Spans((PERSON,), partial=True), **how)
    inside = np.isin(windows.owner, (0, 1))
    logits = torch.randn(1, len(windows.owner), len(CLASSES), requires_grad=True)
    loss = data.loss(SimpleNamespace(logits=logits), data.rows)
    loss.backward()
    loss = loss.detach()
    moved = logits.grad[0].abs().sum(-1).numpy() > 0
    assert not moved[~inside].any() and moved.sum() == (inside.sum() if all_subwords else 2)
    other = logits.detach().clone()
    other[0, ~inside] = torch.randn(int((~inside).sum()), len(CLASSES))
    assert float(data.loss(SimpleNamespace(logits=other), data.rows)) == float(loss)
    # Of the whole text the same words give loss, and every other one does too.
    _, whole = data_of(tiny, Spans((PERSON,)), **how)
    assert float(whole.loss(SimpleNamespace(logits=logits.detach()), whole.rows)) > float(loss)


def test_windows_in_which_nothing_is_known_are_not_trained_on(tiny: Path):
    example = sentence([*["anna", "visited"], *["the"] * 20, *["rome", "."]])
    first, last = Span(*example.tokens[0], "PER"), Span(*example.tokens[-2], "LOC")
    windows, data = data_of(tiny, Spans((first, last), partial=True), window=10, example=example)
    assert len(windows) > 2 and data.rows.tolist() == [0, len(windows) - 1]
    assert [data.weight(data.rows[[place]]) for place in (0, 1)] == [1.0, 1.0]


def test_class_weights_count_what_is_known(tiny: Path):
    _, data = data_of(tiny, Spans((PERSON,), partial=True), all_subwords=False, weighted=True)
    known = class_weights(np.array([CLASSES.index("B-PER"), CLASSES.index("I-PER")]), len(CLASSES))
    assert data.weight(data.rows) == pytest.approx(2 * known[CLASSES.index("B-PER")])


def test_confident_learning_judges_the_spans_and_nothing_else():
    row = Row(1, "train", EXAMPLE, Spans((PERSON,), partial=True))
    judge = TokenJudge(NER, LABELS["ner"])  # type: ignore[arg-type]
    assert judge._labels(row).tolist() == [1, 1, *[UNKNOWN] * 4]
    sure = np.full((6, 3), 0.01)
    sure[:, 2] = 0.98  # a model that says LOC everywhere
    rows = [row, replace(row, payload=Spans((Span(0, 10, "LOC"),)))]
    found, _ = judge.doubt(rows, {"p": np.concatenate([sure, sure])})
    doubted = [(item["start"], item["end"]) for each in found if each.place == 0 for item in each.items]
    assert doubted == [(0, 10)]


def test_a_model_learns_from_a_mix(tmp_path: Path, tiny: Path):
    """Three quarters of the texts say who is a person and nothing of the places, which are no outside for that."""
    rows: list[tuple[str, ExampleText, Payload | None]] = []
    for place, (example, payload) in enumerate(labeled_ner(60)):
        assert isinstance(payload, Spans)
        known = Spans(tuple(span for span in payload.spans if span.label == "PER"), partial=True)
        rows.append(("train", example, known if place % 4 and known.spans else payload))
    whole = labeled_ner(20, seed=1)
    rows += [("validation", example, payload) for example, payload in whole]
    rows.append(("validation", whole[0][0], Spans(whole[0][1].spans[:1], partial=True)))  # type: ignore[union-attr]
    parameters = {"epochs": 10, "learning_rate": 5e-3, "device": "cpu", "min_steps": 0, "batch_size": 8}
    manifest = write_attempt(
        tmp_path,
        "ner",
        rows,
        labels=LABELS["ner"],
        base_model=str(tiny),
        parameters={"base_model": str(tiny), **parameters},
    )
    result = train(tmp_path, manifest, Recorder())
    validation = result["metrics"]["validation"]
    assert (result["examples"], validation["examples"]) == (60, 20), "nothing is measured on partial labels"
    assert validation["per_label"]["LOC"]["recall"] >= 0.8 and validation["f1"] >= 0.8
