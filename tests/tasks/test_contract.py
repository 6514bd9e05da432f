"""What every registered task type keeps to."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tasks.examples import sentence
from workbench.domain import Answer, Answers, ExampleText, Payload, Prediction, Span, Spans, Tags
from workbench.errors import InvalidPayload, UnknownName
from workbench.tasks import (
    IGNORE,
    TASKS,
    AnswerTask,
    TaggingTask,
    dump_prediction,
    get_task,
    load_prediction,
)

LABELS = ("PER", "ORG", "LOC")
WORDS = ("Zoë", "lives", "in", "👩‍👩‍👧", "Åsgård", "e\u0301t\u00e9", ".")


@st.composite
def example_texts(draw: st.DrawFn, *, least: int = 1) -> ExampleText:
    words = draw(st.lists(st.sampled_from(WORDS), min_size=least, max_size=8))
    return sentence(words, space=draw(st.sampled_from([" ", "", "  "])), question="Who?")


@st.composite
def payloads(draw: st.DrawFn, task: str, example: ExampleText) -> Payload:
    if task == "pos":
        return Tags(tuple(draw(st.sampled_from([None, *LABELS])) for _ in example.tokens))
    if task == "ner":
        spans, at = [], 0
        while at < len(example.tokens) and draw(st.booleans()):
            first = draw(st.integers(at, len(example.tokens) - 1))
            last = draw(st.integers(first, len(example.tokens) - 1))
            start, end = example.tokens[first][0], example.tokens[last][1]
            spans.append(Span(start, end, draw(st.sampled_from(LABELS))))
            at = last + 1
        return Spans(tuple(spans))
    said = [token for token in example.tokens if example.text[slice(*token)] != "."]  # no word, for SQuAD
    tokens = draw(st.lists(st.sampled_from(said), max_size=2)) if said else []
    return Answers(tuple(Answer(*token) for token in tokens))


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, list[ExampleText], list[Payload], list[Payload]]:
    task = draw(st.sampled_from(sorted(TASKS)))
    examples = draw(st.lists(example_texts(), min_size=1, max_size=5))
    gold = [draw(payloads(task, example)) for example in examples]
    return task, examples, gold, [draw(payloads(task, example)) for example in examples]


@given(cases())
def test_payloads_survive_their_json_form_and_are_valid(case):
    name, examples, gold, _ = case
    task = get_task(name)
    for example, payload in zip(examples, gold, strict=True):
        task.validate(payload, example, LABELS)
        assert task.load(json.loads(json.dumps(task.dump(payload)))) == payload
        assert set(task.labels_in(payload)) <= set(LABELS)


@given(cases())
def test_summed_statistics_give_the_reported_metric(case):
    name, examples, gold, predicted = case
    task = get_task(name)
    reported = task.evaluate(gold, predicted, examples, LABELS)
    rows = [task.score_example(*row) for row in zip(gold, predicted, examples, strict=True)]
    sums = {key: np.array([sum(row[key] for row in rows)] * 2) for key in rows[0]}
    aggregated = task.aggregate(sums)
    assert aggregated.shape == (2,)
    assert aggregated[0] == pytest.approx(reported[task.primary_metric])
    assert 0 <= reported[task.primary_metric] <= task.metric_scale
    assert reported["examples"] == len(examples)
    json.dumps(reported)


@given(cases())
def test_gold_against_itself_is_perfect(case):
    name, examples, gold, _ = case
    task = get_task(name)
    metrics = task.evaluate(gold, gold, examples, LABELS)
    says_something = any(task.labels_in(payload) for payload in gold) or name == "qa"
    assert metrics[task.primary_metric] == pytest.approx(task.metric_scale if says_something else 0.0)


@pytest.mark.parametrize("name", sorted(TASKS))
def test_a_task_says_what_it_is(name: str):
    task = get_task(name)
    assert task.name == name
    assert task.title
    assert isinstance(task, TaggingTask) != isinstance(task, AnswerTask)
    assert task.evaluate([], [], [], LABELS)["examples"] == 0
    with pytest.raises(UnknownName, match="ner, pos, qa"):
        get_task("nope")


@pytest.mark.parametrize("name", sorted(TASKS))
@pytest.mark.parametrize(
    "data", [{}, {"spans": 1, "tags": 1, "answers": 1}, {"spans": [1], "tags": [1], "answers": [1]}]
)
def test_other_shapes_are_refused(name: str, data: dict):
    with pytest.raises(InvalidPayload):
        get_task(name).load(data)


@pytest.mark.parametrize("name", [n for n in sorted(TASKS) if isinstance(TASKS[n], TaggingTask)])
@given(data=st.data())
def test_targets_decode_to_the_payload_they_came_from(name: str, data: st.DataObject):
    task = get_task(name)
    assert isinstance(task, TaggingTask)
    example = data.draw(example_texts())
    payload = data.draw(payloads(name, example))
    classes = task.model_labels(LABELS)
    targets = task.targets(payload, example, classes)
    assert targets.shape == (len(example.tokens),)
    if (targets == IGNORE).any():
        return
    prediction = task.decode(np.eye(len(classes), dtype=np.float32)[targets], example, classes)
    assert prediction.payload == payload
    assert prediction.confidence == 1.0
    assert set(prediction.uncertainty) <= {0.0}


@pytest.mark.parametrize("name", [n for n in sorted(TASKS) if isinstance(TASKS[n], TaggingTask)])
@given(data=st.data())
def test_decoding_gives_one_figure_per_thing(name: str, data: st.DataObject):
    task = get_task(name)
    assert isinstance(task, TaggingTask)
    example = data.draw(example_texts(least=0))
    classes = task.model_labels(data.draw(st.sampled_from([LABELS, LABELS[:1]])))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    p = rng.dirichlet(np.full(len(classes), 0.3), size=len(example.tokens)).astype(np.float32)
    prediction = task.decode(p, example, classes)
    task.validate(prediction.payload, example, LABELS)
    assert len(prediction.uncertainty) == len(prediction.alternatives) == len(example.tokens)
    assert all(0 <= value <= 1 for value in (*prediction.uncertainty, *prediction.confidences))
    assert len(prediction.confidences) == len(task.labels_in(prediction.payload))
    for row in prediction.alternatives:
        assert 1 <= len(row) <= 3
        assert [chance for _, chance in row] == sorted((chance for _, chance in row), reverse=True)
    stored = json.loads(json.dumps(dump_prediction(name, prediction)))
    assert load_prediction(task, stored) == prediction


def test_a_stored_prediction_of_another_shape_is_refused():
    with pytest.raises(InvalidPayload, match="Score the examples again"):
        load_prediction("ner", {"payload": {"spans": []}})


def make(task: str, *answers: tuple[int, int]) -> Prediction:
    return Prediction(Answers(tuple(Answer(*answer) for answer in answers)), 0.5, alternatives=((0, 4, 0.5),))


def test_an_answers_prediction_survives_its_json_form():
    prediction = make("qa", (0, 4))
    assert load_prediction("qa", json.loads(json.dumps(dump_prediction("qa", prediction)))) == prediction


def invalid() -> Sequence[tuple[str, Payload, str]]:
    return [
        ("ner", Spans((Span(0, 4, "GPE"),)), "'GPE' is not in the label set"),
        ("ner", Spans((Span(0, 3, "PER"),)), "does not start and end where tokens do"),
        ("ner", Spans((Span(0, 99, "PER"),)), "does not start and end where tokens do"),
        ("ner", Spans((Span(4, 4, "PER"),)), "does not start and end where tokens do"),
        ("ner", Spans((Span(5, 8, "PER"), Span(0, 4, "PER"))), "out of order"),
        ("ner", Spans((Span(0, 8, "PER"), Span(5, 8, "PER"))), "overlaps"),
        ("ner", Tags(("PER",)), "these labels are Tags, not Spans"),
        ("pos", Tags(("PER",)), "1 tags for 2 tokens"),
        ("pos", Tags(("PER", "GPE")), "'GPE' is not in the label set"),
        ("qa", Answers((Answer(0, 99),)), "lies outside the context"),
        ("qa", Answers((Answer(4, 5),)), "nothing but white space"),
    ]


@pytest.mark.parametrize(("name", "payload", "message"), invalid())
def test_labels_that_do_not_fit_are_refused_with_the_reason(name: str, payload: Payload, message: str):
    with pytest.raises(InvalidPayload, match=message):
        get_task(name).validate(payload, sentence(["Anna", "sat"]), LABELS)
