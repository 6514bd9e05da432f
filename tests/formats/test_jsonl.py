"""JSON lines of every tool."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.formats.helpers import labeled, patch, read, surfaces, write
from workbench.domain import Answer, Answers, Span, Spans, Tags
from workbench.errors import FormatError

ADA = "Ada wrote to Bob."


def lines(*records: Any) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


@pytest.mark.parametrize(
    ("record", "tool"),
    [
        ({"text": ADA, "spans": [{"start": 0, "end": 3, "label": "PER"}]}, "Prodigy"),
        ({"text": ADA, "entities": [[0, 3, "PER"]]}, "spaCy"),
        ({"text": ADA, "label": [[0, 3, "PER"]]}, "doccano"),
        ({"text": ADA, "labels": [[0, 3, "PER"]]}, "doccano 2"),
        (
            {
                "id": 7,
                "text": ADA,
                "entities": [{"id": 1, "label": "PER", "start_offset": 0, "end_offset": 3}],
            },
            "doccano 3",
        ),
        ({"tokens": ["Ada", "wrote"], "ner_tags": ["B-PER", "O"]}, "Hugging Face"),
        ({"words": ["Ada", "wrote"], "tags": ["PER", "O"]}, "bare tags"),
        ({"tokens": ["Ada", "wrote"], "labels": ["S-PER", "O"]}, "BIOES"),
    ],
)
def test_entities_as_each_tool_writes_them(record: dict[str, Any], tool: str) -> None:
    data = lines(record)
    examples, report = read("jsonl", data)
    assert surfaces(examples[0]) == [("Ada", "PER")], tool
    start, end = examples[0].content.tokens[1]
    after = Spans((Span(start, end, "X"),))
    again, _ = read("jsonl", patch("jsonl", data, report, [(examples[0], after)]))
    assert again[0].payload == after


def test_prodigys_tokens_are_kept_and_spans_inside_of_them_cut_them() -> None:
    record = {
        "text": "Ada-Bob",
        "tokens": [{"text": "Ada-Bob", "start": 0, "end": 7, "id": 0}],
        "spans": [{"start": 4, "end": 7, "label": "PER"}],
    }
    examples, report = read("jsonl", lines(record))
    assert examples[0].content.tokens == ((0, 4), (4, 7))
    assert "cut" in report.warnings[0].message
    assert report.warnings[0].line == 1


def test_spans_that_overlap_or_cover_nothing_are_told_and_left_out() -> None:
    spans = [[0, 9, "A"], [4, 9, "B"], [90, 99, "C"], [3, 4, "D"], [10, 13, "E"]]
    examples, report = read("jsonl", lines({"text": ADA, "label": spans}))
    assert surfaces(examples[0]) == [("Ada wrote", "A"), ("to", "E")]
    assert report.repaired == 1
    assert len(report.warnings) == 4


def test_words_are_placed_in_the_text_where_they_fit_it() -> None:
    examples, _ = read(
        "jsonl", lines({"text": "a  b", "tokens": ["a", "b"]}, {"text": "x", "tokens": ["a", "b"]})
    )
    assert examples[0].content.tokens == ((0, 1), (3, 4))
    assert examples[1].content.text == "a b"


def test_places_stay_places_in_the_text_where_the_tokens_do_not_make_it_up() -> None:
    tokens = ["Ada", "wrote", "``", "Bob", "''"]
    placed = {
        "text": 'Ada wrote "Bob"',
        "tokens": tokens,
        "spans": [{"start": 11, "end": 14, "label": "PER"}],
    }
    tagged = {"text": 'Ada wrote "Bob"', "tokens": tokens, "ner_tags": ["O", "O", "O", "B-PER", "O"]}
    examples, report = read("jsonl", lines(placed, tagged))
    assert [example.content.text for example in examples] == ['Ada wrote "Bob"', "Ada wrote `` Bob ''"]
    assert [surfaces(example) for example in examples] == [[("Bob", "PER")]] * 2
    assert [(notice.line, "don't make up" in notice.message) for notice in report.warnings] == [
        (1, True),
        (2, True),
    ]


@pytest.mark.parametrize("key", ["tags", "pos_tags", "upos", "xpos"])
def test_parts_of_speech(key: str) -> None:
    data = lines({"tokens": ["a", "b"], key: ["X", None]})
    examples, report = read("jsonl", data, "pos")
    assert examples[0].payload == Tags(("X", None))
    patched = patch("jsonl", data, report, [(examples[0], Tags(("X", "Y")))])
    assert json.loads(patched) == {"tokens": ["a", "b"], key: ["X", "Y"]}


@pytest.mark.parametrize("where", ["tags", "tokens"])
def test_tokens_of_white_space_are_no_words_and_take_their_tags_along(where: str) -> None:
    tags = ["NNP", "_SP", "VBD"]
    tokens: list[dict[str, Any]] = [{"start": a, "end": b} for a, b in ((0, 3), (4, 5), (5, 8))]
    record: dict[str, Any] = {"text": "Ada  ran", "tokens": tokens}
    if where == "tags":
        record["tags"] = tags
    else:
        record["tokens"] = [{**token, "tag": tag} for token, tag in zip(tokens, tags, strict=True)]
    data = lines(record)
    examples, report = read("jsonl", data, "pos")
    assert examples[0].content.words == ["Ada", "ran"]
    assert examples[0].payload == Tags(("NNP", "VBD"))
    patched = patch("jsonl", data, report, [(examples[0], Tags(("NNP", "X")))])
    assert json.loads(patched)["tags"] == ["NNP", None, "X"]
    assert read("jsonl", patched, "pos")[0][0].payload == Tags(("NNP", "X"))


def test_entities_reach_across_tokens_of_white_space() -> None:
    tokens = [{"start": a, "end": b} for a, b in ((0, 3), (4, 5), (5, 8))]
    examples, _ = read("jsonl", lines({"text": "Ada  Lee", "tokens": tokens, "tags": ["B-P", "I-P", "I-P"]}))
    assert surfaces(examples[0]) == [("Ada  Lee", "P")]
    with pytest.raises(FormatError, match="2 tags for 3 tokens"):
        read("jsonl", lines({"text": "Ada  Lee", "tokens": tokens, "tags": ["B-P", "I-P"]}))


@pytest.mark.parametrize(
    "answers",
    [
        [{"text": "Bob", "answer_start": 13}],
        {"text": ["Bob"], "answer_start": [13]},
        [{"start": 13, "end": 16}],
        ["Bob"],
        "Bob",
        {"text": "Bob", "answer_start": 13},
    ],
)
def test_questions(answers: Any) -> None:
    data = lines({"question": "Who?", "context": ADA, "answers": answers})
    examples, report = read("jsonl", data, "qa")
    assert examples[0].payload == Answers((Answer(13, 16),))
    patched = patch("jsonl", data, report, [(examples[0], Answers((Answer(0, 3),)))])
    assert read("jsonl", patched, "qa")[0][0].payload == Answers((Answer(0, 3),))


def test_questions_without_answers() -> None:
    base = {"question": "Who?", "context": ADA}
    examples, _ = read(
        "jsonl",
        lines(base, base | {"answers": []}, base | {"is_impossible": True}, base | {"answers": ["Eve"]}),
        "qa",
    )
    assert [example.payload for example in examples] == [None, Answers(), Answers(), None]


def test_rejected_and_bare_texts_are_unlabeled() -> None:
    examples, _ = read(
        "jsonl",
        lines({"text": ADA}, {"text": ADA, "spans": [], "answer": "reject"}, {"text": ADA, "spans": []}),
    )
    assert [example.payload for example in examples] == [None, None, Spans()]


@pytest.mark.parametrize("answer", ["reject", "ignore"])
def test_labels_given_to_a_rejected_text_are_no_longer_rejected(answer: str) -> None:
    data = lines({"text": ADA, "answer": answer})
    examples, report = read("jsonl", data)
    after = Spans((Span(0, 3, "PER"),))
    patched = patch("jsonl", data, report, [(examples[0], after)])
    assert json.loads(patched)["answer"] == "accept"
    assert read("jsonl", patched)[0][0].payload == after


def test_keys_can_be_told() -> None:
    data = lines({"body": ADA, "found": [[0, 3, "PER"]], "nr": 5})
    examples, _ = read("jsonl", data, columns={"text": "body", "spans": "found", "id": "nr"})
    assert surfaces(examples[0]) == [("Ada", "PER")]
    assert examples[0].external_id == "5"


def test_other_keys_are_kept_as_meta() -> None:
    record = {"text": ADA, "source": "mail", "meta": {"page": 3}, "_score": 0.5}
    examples, _ = read("jsonl", lines(record))
    assert examples[0].meta == {"source": "mail", "page": 3, "_score": 0.5}


def test_labels_of_another_kind_are_kept_as_meta() -> None:
    record = {"tokens": ["Ada"], "ner_tags": ["B-P"], "pos_tags": ["NNP"], "label": "sport", "labels": []}
    examples, _ = read("jsonl", lines(record))
    assert surfaces(examples[0]) == [("Ada", "P")]
    assert examples[0].meta == {"pos_tags": ["NNP"], "label": "sport"}
    again, _ = read("jsonl", write("jsonl", labeled(examples), "ner"))
    assert (again[0].payload, again[0].meta) == (examples[0].payload, examples[0].meta)
    assert read("jsonl", lines(record), "pos")[0][0].meta == {"ner_tags": ["B-P"], "label": "sport"}


def test_a_patch_touches_nothing_but_the_labels_of_its_line() -> None:
    data = '{"text":"caf\\u00e9 Bob" , "label" : [[0,4,"X"]],  "n": 1.50}\r\n\r\n{"text": "b"}'
    examples, report = read("jsonl", data)
    patched = patch("jsonl", data, report, [(examples[0], Spans()), (examples[1], Spans((Span(0, 1, "Y"),)))])
    assert patched.decode().startswith(
        '{"text":"caf\\u00e9 Bob" , "label" : [],  "n": 1.50}\r\n\r\n{"text": "b", "spans": [{'
    )


def test_what_is_written_is_what_the_annotate_command_and_other_tools_read() -> None:
    examples, _ = read("jsonl", lines({"text": ADA, "spans": [{"start": 13, "end": 16, "label": "PER"}]}))
    record = json.loads(write("jsonl", labeled(examples), "ner"))
    assert record["spans"] == [{"start": 13, "end": 16, "token_start": 3, "token_end": 3, "label": "PER"}]
    assert [token["text"] for token in record["tokens"]] == ["Ada", "wrote", "to", "Bob", "."]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("[1]", "an object is expected"),
        ("{", "no valid JSON"),
        ('{"a": 1}', "neither a text nor tokens"),
        ('{"text": 5}', "a text at 'text'"),
        ('{"tokens": ["a"], "ner_tags": [3]}', "numbers for ner_tags"),
        ('{"tokens": ["a"], "ner_tags": ["O", "O"]}', "2 ner_tags for 1 tokens"),
        ('{"tokens": ["a", " "]}', "token without a character"),
        ('{"tokens": ["a"], "ner_tags": ["B-"]}', "not a chunk tag"),
        ('{"text": "a", "label": [[0, 1]]}', "neither"),
        ('{"text": "a", "label": [["0", 1, "X"]]}', "a span's start"),
        ('{"text": "a", "label": [[0, 1, ""]]}', "a label is expected"),
        ('{"text": "a\\u0000"}', "NUL"),
        ('{"text": "a", "meta": {"x": 1e999}}', "too large"),
        ('{"text": "a", "tokens": [{"start": 0, "end": 5}]}', "leaves the text"),
        ('{"text": "a", "meta": ' + "[" * 90 + "]" * 90 + "}", "nested deeper"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(second: str, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        read("jsonl", '{"text": "fine"}\n' + second + "\n")
    assert caught.value.line == 2


def test_lines_without_text_are_skipped_and_told() -> None:
    examples, report = read("jsonl", lines({"text": " "}, {"text": "a"}))
    assert (len(examples), report.skipped, report.warnings[0].line) == (1, 1, 1)
