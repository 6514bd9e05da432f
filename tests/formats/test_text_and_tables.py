"""Plain text, CSV and TSV, and the tokenizer that they need."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.formats.helpers import labeled, patch, read, write
from workbench.domain import Answer, Answers, ExampleText, NewExample, Span, Spans
from workbench.errors import FormatError, InvalidInput
from workbench.formats.tokenizer import aligned, cut_at, joined, sentences, tokenize


def words(text: str) -> list[str]:
    return [text[start:end] for start, end in tokenize(text)]


def test_one_sentence_a_line() -> None:
    examples, report = read("text", "Ada wrote it.\n\n  Paris is big. Very big.  \n")
    assert [example.content.text for example in examples] == ["Ada wrote it.", "  Paris is big. Very big.  "]
    assert [example.external_id for example in examples] == ["file:1", "file:3"]
    assert report.mapping["sentences"] == "lines"


def test_a_text_is_written_on_one_line_as_it_is() -> None:
    texts = ["Ada\u2028wrote\u2029it\x85.", "two\r\nlines\n"]
    written = write(
        "text", labeled(NewExample(ExampleText(text, ()), None, "1", "d") for text in texts), "ner"
    )
    assert written.decode() == f"{texts[0]}\ntwo lines\n"
    assert read("text", written)[0][0].content.text == texts[0]


def test_running_text_is_cut_into_sentences() -> None:
    examples, _ = read("text", "Dr. Ada wrote it. It ran!\nParis?\n", sentences="split")
    assert [example.content.text for example in examples] == ["Dr. Ada wrote it.", "It ran!", "Paris?"]
    assert examples[1].locator == {"line": 1, "start": 18}
    long = "One sentence of a long line ends here. " * 20
    assert len(read("text", long)[0]) == 20


def test_an_unknown_way_to_find_sentences_is_refused() -> None:
    with pytest.raises(InvalidInput, match="lines, split"):
        read("text", "a", sentences="verses")


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_tables_by_their_header(delimiter: str) -> None:
    data = 'id,text,kind\n7,"Ada, ""B""\nwrote",mail\n\n8, ,x\n'.replace(",", delimiter)
    examples, report = read("table", data)
    assert [example.content.text for example in examples] == [f'Ada{delimiter} "B"\nwrote']
    assert examples[0].external_id == "7"
    assert examples[0].meta == {"kind": "mail"}
    assert (report.skipped, report.warnings[0].line) == (1, 5)
    assert report.columns == ["id", "text", "kind"]


def test_table_columns_can_be_told_by_name_and_number() -> None:
    data = "a,b\nx,y\n"
    assert read("table", data, columns={"text": "b"})[0][0].content.text == "y"
    assert read("table", data, columns={"text": -1})[0][0].content.text == "y"
    for wrong in ({"text": "c"}, {"text": 2}, {}, {"body": "a"}):
        with pytest.raises(InvalidInput):
            read("table", data, columns=wrong)


def test_questions_in_tables() -> None:
    data = "question,context,answer,answer_start\nWho?,Ada met Ada,Ada,7\nWho?,Ada,Bob,\nWho?,Ada,,\n"
    examples, report = read("table", data, "qa")
    assert [example.payload for example in examples] == [Answers((Answer(8, 11),)), None, None]
    assert report.repaired == 1
    assert [(notice.line, notice.kind) for notice in report.warnings] == [(2, "repaired"), (3, "warning")]


def test_a_quotation_mark_that_never_ends_is_refused_with_its_line() -> None:
    with pytest.raises(FormatError, match="is no table"):
        read("table", 'id,text\n1,"a\n2,b\n')


def test_tables_are_written_with_labels_as_json() -> None:
    examples, _ = read("jsonl", '{"text": "Ada, so", "spans": [{"start": 0, "end": 3, "label": "P"}]}\n')
    rows = list(csv.reader(io.StringIO(write("table", labeled(examples), "ner").decode())))
    assert rows[0] == ["id", "document", "split", "text", "tokens", "labels"]
    assert rows[1][3] == "Ada, so"
    assert '"label": "P"' in rows[1][5]


@pytest.mark.parametrize(("name", "data"), [("text", "a b\n"), ("table", "id,text\n1,a b\n")])
def test_files_without_a_place_for_labels_come_back_as_they_are(name: str, data: str) -> None:
    examples, report = read(name, data)
    assert patch(name, data, report, [(examples[0], Spans((Span(0, 1, "X"),)))]) == data.encode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dr. Lovelace's 3.50 (pounds)...", ["Dr.", "Lovelace", "'s", "3.50", "(", "pounds", ")", "..."]),
        ("See http://a.org/b?c=1, ok@b.co!", ["See", "http://a.org/b?c=1", ",", "ok@b.co", "!"]),
        ("U.S. state-of-the-art #tag @me", ["U.S.", "state-of-the-art", "#tag", "@me"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("cafe\u0301 😀x", ["cafe\u0301", "😀", "x"]),
        ("  ", []),
    ],
)
def test_words_of_plain_text(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_sentences_end_where_people_end_them() -> None:
    text = 'He met Dr. No at 5 p.m. on Jan. 3. "Why?" Nobody said. Then…\n\nnew'
    assert [text[a:b] for a, b in sentences(text)][1:] == ['"Why?"', "Nobody said.", "Then…", "new"]


@pytest.mark.parametrize(
    "text", ["+" * 50_000, "." * 50_000, "\n " * 25_000, "a@" * 25_000, ". " * 25_000, '."' * 25_000]
)
def test_no_text_makes_the_tokenizer_crawl(text: str) -> None:
    assert len(tokenize(text)) <= len(text)
    assert len(sentences(text)) <= len(text)


def test_tokens_are_cut_joined_and_aligned() -> None:
    assert cut_at([(0, 4), (5, 9)], [2, 5, 7, 8, 20]) == ((0, 2), (2, 4), (5, 7), (7, 8), (8, 9))
    assert joined(["a", "bc"]) == ("a bc", ((0, 1), (2, 4)))
    assert aligned(["a", "bc"], " a\nbc ") == ((1, 2), (3, 5))
    assert aligned(["a", "b"], "a x b") is None
    assert aligned(["a"], "a b") is None
    assert aligned(["\u00a0", "a"], "\u00a0 a") == ((0, 1), (2, 3))


@pytest.mark.parametrize("text", ["=1+1", "+a", "-a b", "@SUM(A1)", "'=x", "''-x", "'s", "'", "a=b"])
def test_nothing_in_a_written_table_is_computed_and_all_of_it_comes_back(text: str) -> None:
    line = json.dumps({"id": text, "text": text, "document": text, "spans": []})
    examples, _ = read("jsonl", line + "\n")
    written = write("table", labeled(examples), "ner").decode()
    for cell in list(csv.reader(io.StringIO(written)))[1]:
        assert cell[:1] not in tuple("=+-@\t\r")
    back, _ = read("table", written)
    assert (back[0].content.text, back[0].external_id, back[0].document) == (text, text, text)


def test_a_table_of_somebody_else_is_read_as_it_is() -> None:
    examples, _ = read("table", "id,text\n1,'=x\n")
    assert examples[0].content.text == "'=x"
