"""CoNLL-U: texts, multiword ranges, empty nodes, columns, entities in MISC."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.formats.helpers import labeled, patch, read, surfaces, write
from workbench.domain import ExampleText, Span, Spans, Tags
from workbench.errors import FormatError, InvalidInput
from workbench.formats import Labeled, Source
from workbench.services.exportrows import SourceLines
from workbench.services.importing import detect_format


def row(number: str | int, form: str, upos: str = "_", xpos: str = "_", misc: str = "_") -> str:
    return f"{number}\t{form}\t_\t{upos}\t{xpos}\t_\t_\t_\t_\t{misc}\n"


WORDS = row(1, "Go", "VERB", "VB", "SpaceAfter=No") + row(2, "!", "PUNCT", ".") + "\n"


def test_the_text_of_the_comment_is_kept_where_the_words_fit_it() -> None:
    examples, report = read("conllu", "# text = Go !\n" + WORDS, "pos")
    assert examples[0].content == ExampleText("Go !", ((0, 2), (3, 4)))
    assert report.warnings == []


def test_else_it_is_put_together_by_space_after() -> None:
    examples, report = read("conllu", "# text = Stop!\n" + WORDS, "pos")
    assert examples[0].content == ExampleText("Go!", ((0, 2), (2, 3)))
    assert "1 sentences" in report.warnings[0].message
    assert read("conllu", WORDS, "pos")[1].warnings == []


def test_words_of_a_multiword_token_lie_inside_of_it_where_they_make_it_up() -> None:
    data = row("1-2", "don't") + row(1, "do") + row(2, "n't") + row(3, "go", "VERB") + "\n"
    examples, _ = read("conllu", data, "pos")
    assert examples[0].content == ExampleText("don't go", ((0, 2), (2, 5), (6, 8)))
    assert examples[0].locator == {"line": 2}


def test_words_of_a_multiword_token_stand_apart_where_they_do_not() -> None:
    data = (
        "# text = du pain\n" + row("1-2", "du") + row(1, "de") + row(2, "le") + row(3, "pain", "NOUN") + "\n"
    )
    examples, report = read("conllu", data, "pos")
    assert examples[0].content.text == "de le pain"
    assert examples[0].content.words == ["de", "le", "pain"]
    assert report.warnings


def test_empty_nodes_and_ranges_inside_a_sentence_keep_their_lines() -> None:
    data = row(1, "a", "X") + row("1.1", "b") + row(2, "c", "X") + "\n"
    examples, report = read("conllu", data, "pos")
    assert examples[0].locator == {"lines": [1, 3]}
    patched = patch("conllu", data, report, [(examples[0], Tags(("X", "Y")))]).decode()
    assert patched == row(1, "a", "X") + row("1.1", "b") + row(2, "c", "Y") + "\n"


@pytest.mark.parametrize(
    ("column", "tags"), [("upos", ("VERB", "PUNCT")), ("xpos", ("VB", ".")), (4, ("VB", "."))]
)
def test_the_tag_column_is_chosen(column: str | int, tags: tuple[str, ...]) -> None:
    assert read("conllu", WORDS, "pos", {"tag": column})[0][0].payload == Tags(tags)


def test_upos_is_taken_first_and_xpos_where_there_is_no_upos() -> None:
    assert read("conllu", WORDS, "pos")[0][0].payload == Tags(("VERB", "PUNCT"))
    assert read("conllu", row(1, "a", xpos="NN"), "pos")[0][0].payload == Tags(("NN",))
    assert read("conllu", row(1, "a"), "pos")[0][0].payload is None
    assert read("conllu", WORDS, "pos", {"tag": "none"})[0][0].payload is None


@pytest.mark.parametrize("columns", [{"tag": "lemma"}, {"tag": "misc"}, {"token": "lemma"}, {"text": "form"}])
def test_other_columns_are_refused(columns: dict[str, str | int]) -> None:
    with pytest.raises(InvalidInput):
        read("conllu", WORDS, "pos", columns)


def test_entities_stand_in_misc() -> None:
    data = row(1, "Ada", misc="NER=B-PER|SpaceAfter=No") + row(2, "'s") + "\n"
    examples, report = read("conllu", data, "ner")
    assert surfaces(examples[0]) == [("Ada", "PER")]
    patched = patch("conllu", data, report, [(examples[0], Spans((Span(3, 5, "X"),)))]).decode()
    assert patched == row(1, "Ada", misc="SpaceAfter=No") + row(2, "'s", misc="NER=B-X") + "\n"


def test_documents_and_names() -> None:
    data = (
        "# sent_id = s0\n" + WORDS + "# newdoc id = D\n# sent_id = s1\n" + WORDS + "# sent_id = s2\n" + WORDS
        + "# newdoc\n" + WORDS
    )  # fmt: skip
    examples, _ = read("conllu", data, "pos")
    assert [example.external_id for example in examples] == ["s0", "s1", "s2", "file:15"]
    documents = [example.document for example in examples]
    assert documents[1] == documents[2] == "D"
    assert len(set(documents)) == 3


def test_a_file_of_one_word_is_conllu_too() -> None:
    assert detect_format(Source("a.conllu", row(1, "Go", "VERB").encode()), "pos").name == "conllu"


def test_documents_stay_apart_where_the_sentence_that_begins_one_is_left_out() -> None:
    data = f"# newdoc id = A\n{WORDS}# newdoc id = B\n{WORDS}# sent_id = s2\n{WORDS}# sent_id = s3\n{WORDS}"
    examples, report = read("conllu", data, "pos")
    lines = SourceLines(Source("file", data.encode()), "conllu", report.mapping)
    items = [
        replace(item, rows=rows, layout=layout)
        for item, (rows, layout) in zip(
            labeled(examples), [lines.of(item.locator, 2) for item in examples], strict=True
        )
    ]
    assert write("conllu", items, "pos").decode() == data
    written = write("conllu", [items[0], *items[2:]], "pos")
    assert [item.document for item in read("conllu", written, "pos")[0]] == ["A", "B", "B"]
    assert written.decode().count("newdoc") == 2


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (row(1, "a") + "2\tb\n", 2, "has 2 columns separated by tabs"),
        (row(1, "a") + row(3, "c"), 2, "has ID 3 where 2 is expected"),
        (row("x", "a"), 1, "is no ID"),
        ("# c\n" + row(1, " "), 2, "has no word"),
        (row(1, "a", "A" * 300), 1, "can't be a tag"),
    ],
)
def test_what_is_no_conllu_is_refused_with_its_line(data: str, line: int, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        read("conllu", data, "pos")
    assert caught.value.line == line


def test_universal_tags_are_written_to_upos_and_others_to_xpos() -> None:
    examples, _ = read("conllu", "# text = Go!\n" + WORDS, "pos")
    assert write("conllu", labeled(examples), "pos", ("VERB", "PUNCT")).decode() == (
        "# newdoc id = file 1\n# sent_id = file:2\n# text = Go!\n" + row(1, "Go", "VERB", misc="SpaceAfter=No")
        + row(2, "!", "PUNCT") + "\n"
    )  # fmt: skip
    item = Labeled("1", "d", ExampleText("a", ((0, 1),)), Tags(("NNP",)))
    assert row(1, "a", xpos="NNP").encode() in write("conllu", [item], "pos", ("NNP",))
