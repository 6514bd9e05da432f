"""SQuAD: versions, extra keys, wrong places, impossible questions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.formats.helpers import labeled, patch, read, write
from workbench.domain import Answer, Answers
from workbench.errors import FormatError
from workbench.formats.answers import nearest

CONTEXT = "Ada met Ada in Paris."


def squad(*questions: dict[str, Any], version: str | None = None, **paragraph: Any) -> str:
    root: dict[str, Any] = {
        "data": [{"title": "T", "paragraphs": [{"context": CONTEXT, "qas": list(questions), **paragraph}]}]
    }
    return json.dumps(root | ({"version": version} if version else {}))


def question(*answers: tuple[str, Any], **extra: Any) -> dict[str, Any]:
    items = [{"text": text, "answer_start": start} for text, start in answers]
    return {"id": "q", "question": "Who?", "answers": items, **extra}


@pytest.mark.parametrize("version", [None, "1.1", "v2.0"])
def test_every_version(version: str | None) -> None:
    examples, report = read("squad", squad(question(("Ada", 0)), version=version), "qa")
    assert examples[0].payload == Answers((Answer(0, 3),))
    assert examples[0].content.question == "Who?"
    assert examples[0].external_id == "q"
    assert len(report.detected) == 1


def test_several_answers_are_kept_once_each() -> None:
    examples, _ = read("squad", squad(question(("Ada", 8), ("Ada", 0), ("Ada", 8))), "qa")
    assert examples[0].payload == Answers((Answer(8, 11), Answer(0, 3)))


@pytest.mark.parametrize(
    ("start", "place"), [(1, 0), (7, 8), (9, 8), (999, 8), (-5, 0), (None, 0), ("x", 0), (8.5, 0), (True, 0)]
)
def test_wrong_places_move_to_the_nearest_occurrence_and_are_counted(start: Any, place: int) -> None:
    examples, report = read("squad", squad(question(("Ada", start))), "qa")
    assert examples[0].payload == Answers((Answer(place, place + 3),))
    assert report.repaired == 1


@pytest.mark.parametrize("start", ["8", " 8.0", 8.0])
def test_places_as_tables_and_other_tools_write_them_are_taken_at_their_word(start: Any) -> None:
    taken = Answers((Answer(8, 11),))
    examples, report = read("squad", squad(question(("Ada", start))), "qa")
    assert (examples[0].payload, report.repaired) == (taken, 0)
    record = {"question": "Who?", "context": CONTEXT}
    for answers in ([{"text": "Ada", "answer_start": start}], {"text": ["Ada"], "answer_start": [start]}):
        examples, _ = read("jsonl", json.dumps({**record, "answers": answers}) + "\n", "qa")
        assert examples[0].payload == taken
    examples, report = read("table", f"question,text,answer,start\nWho?,{CONTEXT},Ada,{start}\n", "qa")
    assert (examples[0].payload, report.repaired) == (taken, 0)


def test_answers_that_are_nowhere_are_listed_and_left_out() -> None:
    examples, report = read("squad", squad(question(("Bob", 0), ("Paris", 15)), question(("Bob", 3))), "qa")
    assert [example.payload for example in examples] == [Answers((Answer(15, 20),))]
    assert report.skipped == 1
    assert sum("'Bob' is nowhere" in notice.message for notice in report.warnings) == 2


def test_impossible_and_unanswered_questions() -> None:
    impossible = question(is_impossible=True)
    flagless = {"id": "x", "question": "Why?", "answers": []}
    bare = {"id": "y", "question": "Why?"}
    assert [e.payload for e in read("squad", squad(impossible, flagless, bare), "qa")[0]] == [
        Answers(),
        Answers(),
        None,
    ]
    assert [e.payload for e in read("squad", squad(flagless, bare), "qa")[0]] == [None, None]
    assert [e.payload for e in read("squad", squad(flagless, version="v2.0"), "qa")[0]] == [Answers()]
    examples, report = read("squad", squad(question(("Ada", 0), is_impossible=True)), "qa")
    assert examples[0].payload == Answers((Answer(0, 3),))
    assert report.warnings


def test_extra_keys_survive_the_way_through() -> None:
    data = squad(question(("Ada", 0), type="person"), index=7)
    examples, _ = read("squad", data, "qa")
    assert examples[0].meta == {"title": "T", "paragraph": {"index": 7}, "extra": {"type": "person"}}
    written = json.loads(write("squad", labeled(examples), "qa"))
    assert written["data"] == json.loads(data)["data"]
    assert written["version"] == "1.1"


@pytest.mark.parametrize("value", [7, "seven", [7], None])
def test_columns_of_another_file_are_no_keys_of_squad(value: Any) -> None:
    row = {"question": "Who?", "context": CONTEXT, "answers": {"text": ["Ada"], "answer_start": [0]}}
    examples, _ = read("jsonl", json.dumps({**row, "paragraph": value, "extra": value}) + "\n", "qa")
    paragraph = json.loads(write("squad", labeled(examples), "qa"))["data"][0]["paragraphs"][0]
    assert set(paragraph) == {"context", "qas"}
    taken = {"context": "another", "qas": 1, "question": "Why?", "id": 1, "answers": 1, "is_impossible": 1}
    meta = {"paragraph": {**taken, "index": 1}, "extra": {**taken, "type": "person"}}
    examples, _ = read("jsonl", json.dumps({**row, **meta}) + "\n", "qa")
    paragraph = json.loads(write("squad", labeled(examples), "qa"))["data"][0]["paragraphs"][0]
    assert (paragraph["context"], paragraph["index"], len(paragraph["qas"])) == (CONTEXT, 1, 1)
    asked = paragraph["qas"][0]
    assert (asked["question"], asked["answers"][0]["text"], asked["type"]) == ("Who?", "Ada", "person")


def test_version_2_is_written_where_a_question_has_no_answer() -> None:
    examples, _ = read("squad", squad(question(("Ada", 0)), question(is_impossible=True)), "qa")
    written = json.loads(write("squad", labeled(examples), "qa"))
    assert written["version"] == "v2.0"
    assert [qa["is_impossible"] for qa in written["data"][0]["paragraphs"][0]["qas"]] == [False, True]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_patch_touches_nothing_but_the_answers(indent: int | None) -> None:
    root = json.loads(squad(question(("Ada", 0), type="é"), question(("Ada", 8), is_impossible=False)))
    data = json.dumps(root, indent=indent, ensure_ascii=False)
    examples, report = read("squad", data, "qa")
    patched = patch(
        "squad", data, report, [(examples[0], Answers((Answer(15, 20),))), (examples[1], Answers())]
    )
    root["data"][0]["paragraphs"][0]["qas"][0]["answers"] = [{"text": "Paris", "answer_start": 15}]
    root["data"][0]["paragraphs"][0]["qas"][1] |= {"answers": [], "is_impossible": True}
    assert json.loads(patched) == root
    assert "é".encode() in patched


def test_a_question_without_answers_gets_them_patched_in() -> None:
    data = squad({"id": "y", "question": "Why?"})
    examples, report = read("squad", data, "qa")
    patched = json.loads(patch("squad", data, report, [(examples[0], Answers())]))
    assert patched["data"][0]["paragraphs"][0]["qas"][0] == {
        "id": "y", "question": "Why?", "answers": [], "is_impossible": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("[]", "an object with a key 'data' is expected"),
        ('{"data": 3}', "a list at 'data'"),
        ('{"data": [3]}', r"an object at data\[0\]"),
        ('{"data": [{"paragraphs": [{"qas": []}]}]}', r"a text at data\[0\].paragraphs\[0\].context"),
        ('{"data": [{"paragraphs": [{"context": "x", "qas": [{"id": 1}]}]}]}', "question"),
        ('{"data": [\n{"paragraphs": [}]}', "line 2: is no valid JSON"),
        ('{"data": ' + "[" * 100_000, "nested too deep"),
        ('{"data": [NaN]}', "NaN"),
        (squad(question(("Ada", 0))).replace("Who?", "Who\\u0000"), "NUL"),
        (squad(question(("Ada", 0))).replace("Who?", "Who\\ud800"), "surrogate"),
    ],
)
def test_what_is_no_squad_is_refused_with_the_place(data: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read("squad", data, "qa")


def test_empty_contexts_and_questions_are_skipped_and_told() -> None:
    data = squad(question(("Ada", 0))).replace("Who?", " ")
    examples, report = read("squad", data, "qa")
    assert (examples, report.skipped) == ([], 1)
    examples, report = read("squad", squad(question(("Ada", 0))).replace(CONTEXT, " "), "qa")
    assert (examples, report.skipped) == ([], 1)


def test_the_nearest_occurrence_is_the_earlier_of_two_at_the_same_distance() -> None:
    assert nearest("a..a", "a", 1) == 0
    assert nearest("a.a", "a", 1) == 0
    assert nearest("..a", "a", 0) == 2
    assert nearest("a..", "a", 99) == 0
    assert nearest("abc", "x", 1) is None
