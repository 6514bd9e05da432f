"""Reported figures, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tasks.examples import sentence
from workbench.domain import Answer, Answers, Span, Spans, Tags
from workbench.tasks import get_task
from workbench.tasks.base import TaggingTask

PEOPLE = sentence(["Anna", "Lee", "met", "Bob"])


def test_ner_figures():
    gold = Spans((Span(0, 8, "PER"), Span(13, 16, "PER")))
    guess = Spans((Span(0, 4, "PER"), Span(13, 16, "PER")))
    metrics = get_task("ner").evaluate([gold], [guess], [PEOPLE], ["PER", "ORG"])
    assert metrics["precision"] == metrics["recall"] == metrics["f1"] == 0.5
    assert metrics["accuracy"] == 0.75
    assert metrics["per_label"] == {"PER": {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}}
    assert metrics["strict"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "scheme": "IOB2"}


def test_pos_figures_leave_out_tokens_that_nobody_tagged():
    gold, guess = Tags(("NNP", "NNP", "VBD", None)), Tags(("NNP", "NN", "VBD", "NN"))
    metrics = get_task("pos").evaluate([gold], [guess], [PEOPLE], ["NN", "NNP", "VBD"])
    assert metrics["accuracy"] == pytest.approx(2 / 3)
    assert metrics["tokens"] == 3
    assert metrics["per_tag"]["NNP"] == {
        "precision": 1.0,
        "recall": 0.5,
        "f1": pytest.approx(2 / 3),
        "support": 2,
    }
    assert metrics["per_tag"]["NN"]["support"] == 0
    assert metrics["macro_f1"] == pytest.approx((0 + 2 / 3 + 1) / 3)


def test_pos_noun_is_a_tag_and_no_entity():
    metrics = get_task("pos").evaluate([Tags(("NOUN",) * 4)], [Tags(("NOUN",) * 4)], [PEOPLE], ["NOUN"])
    assert list(metrics["per_tag"]) == ["NOUN"]
    assert metrics["accuracy"] == metrics["macro_f1"] == 1.0


def test_qa_figures_by_part():
    context = sentence(["the", "Denver", "Broncos", "won"])
    gold = [Answers((Answer(4, 18),)), Answers(), Answers((Answer(4, 10), Answer(11, 18))), Answers()]
    guess = [Answers((Answer(0, 18),)), Answers(), Answers((Answer(4, 18),)), Answers((Answer(4, 10),))]
    metrics = get_task("qa").evaluate(gold, guess, [context] * 4, [])
    assert metrics["exact_match"] == 50.0
    assert metrics["f1"] == pytest.approx(100 * (1 + 1 + 2 / 3) / 4)
    assert metrics["has_answer_exact_match"] == 50.0
    assert metrics["has_answer_f1"] == pytest.approx(100 * (1 + 2 / 3) / 2)
    assert metrics["no_answer_accuracy"] == 50.0


def test_qa_parts_that_do_not_occur_are_none():
    context = sentence(["won"])
    task = get_task("qa")
    assert task.evaluate([Answers((Answer(0, 3),))], [Answers()], [context], [])["no_answer_accuracy"] is None
    assert task.evaluate([Answers()], [Answers()], [context], [])["has_answer_f1"] is None


def test_a_span_without_its_beginning_is_read_as_one():
    task = get_task("ner")
    assert isinstance(task, TaggingTask)
    classes = task.model_labels(["PER"])
    p = np.array([[0.1, 0.3, 0.6], [0.1, 0.1, 0.8], [1, 0, 0], [0.2, 0.7, 0.1]], dtype=np.float32)
    prediction = task.decode(p, PEOPLE, classes)
    assert prediction.payload == Spans((Span(0, 8, "PER"), Span(13, 16, "PER")))
    assert prediction.confidences == pytest.approx((0.7, 0.7))
    assert prediction.confidence == pytest.approx(0.6)
    assert prediction.alternatives[0] == (("PER", pytest.approx(0.9)), ("O", pytest.approx(0.1)))


def test_a_retired_labels_tokens_give_no_loss():
    task = get_task("ner")
    assert isinstance(task, TaggingTask)
    gold = Spans((Span(0, 8, "OLD"), Span(13, 16, "PER")))
    assert task.targets(gold, PEOPLE, task.model_labels(["PER"])).tolist() == [-100, -100, 0, 1]
