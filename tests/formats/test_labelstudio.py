"""Label Studio's JSON: tasks, cancelled annotations, tokens that travel along."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.formats.helpers import labeled, read, surfaces, write
from workbench.domain import Answers, ExampleText, Spans, Tags
from workbench.errors import FormatError
from workbench.formats import Labeled


def task(text: str, *spans: tuple[int, int, str], **data: Any) -> dict[str, Any]:
    results = [
        {"type": "labels", "value": {"start": start, "end": end, "labels": [label]}}
        for start, end, label in spans
    ]
    return {"data": {"text": text, **data}, "annotations": [{"result": results}]}


def test_places_are_code_points() -> None:
    examples, _ = read("label-studio", json.dumps([task("\U0001f4a9 Ada", (2, 5, "PER"))]))
    assert surfaces(examples[0]) == [("Ada", "PER")]


def test_cancelled_annotations_and_other_controls_do_not_count() -> None:
    cancelled = {"data": {"text": "a"}, "annotations": [{"was_cancelled": True, "result": []}]}
    choice = {
        "data": {"text": "a"},
        "annotations": [{"result": [{"type": "choices", "value": {"choices": ["x"]}}]}],
    }
    bare = {"data": {"text": "a"}, "predictions": []}
    examples, _ = read("label-studio", json.dumps([cancelled, choice, bare]))
    assert [example.payload for example in examples] == [None, Spans(), None]


def test_tokens_travel_along() -> None:
    content = ExampleText("a-b c", ((0, 1), (1, 3), (4, 5)))
    for name, payload in (("ner", Spans()), ("pos", Tags(("X", None, "Y")))):
        data = write("label-studio", [Labeled("1", "d", content, payload)], name)
        assert [(e.content, e.payload, e.external_id) for e in read("label-studio", data, name)[0]] == [
            (content, payload, "1")
        ]


def test_questions_and_meta() -> None:
    data = json.dumps([task("Ada wrote.", (0, 3, "Answer"), (5, 90, "Answer"), question="Who?", page=7)])
    examples, report = read("label-studio", data, "qa")
    assert examples[0].meta == {"page": 7}
    assert report.warnings[0].line is None and report.warnings[0].message.startswith(
        "[0]: the answer 5 to 90"
    )
    again, _ = read("label-studio", write("label-studio", labeled(examples), "qa"), "qa")
    assert [(e.content, e.payload, e.meta) for e in again] == [
        (e.content, e.payload, e.meta) for e in examples
    ]
    assert read("label-studio", json.dumps([task("Ada", question="Who?")]), "qa")[0][0].payload == Answers()


def test_a_question_that_loses_its_answers_is_not_one_without_an_answer() -> None:
    data = json.dumps([task("Ada wrote.", (5, 90, "Answer"), question="Who?")])
    examples, report = read("label-studio", data, "qa")
    assert examples[0].payload is None
    assert "covers no text" in report.warnings[0].message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("{}", "a list of tasks"),
        ('[{"data": {}}]', r"a text at \[0\].data.text"),
        ('[{"data": {"text": "a"}}, 3]', r"an object at \[1\]"),
        (json.dumps([task("a", ("0", 1, "X"))]), r"\[0\]: a span's start"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_task_is_refused_with_its_index(data: str, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        read("label-studio", data)
    assert caught.value.line is None
