"""Column files: separators, columns, schemes, documents, comments, and what is refused."""

from __future__ import annotations

import pytest

from tests.formats.helpers import labeled, patch, read, surfaces, write
from workbench.domain import ExampleText, Span, Spans, Tags
from workbench.errors import FormatError, InvalidInput, UnknownName
from workbench.formats import Labeled

FOUR = "-DOCSTART- -X- OO O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\n\nParis NNP I-NP I-LOC\n\n"


def test_text_is_the_words_joined_by_single_spaces_and_offsets_are_recorded() -> None:
    examples, report = read("conll", FOUR)
    assert examples[0].content == ExampleText("EU rejects", ((0, 2), (3, 10)))
    assert surfaces(examples[0]) == [("EU", "ORG")]
    assert examples[0].locator == {"line": 3}
    assert report.mapping["columns"] == {"token": 0, "tag": 3}
    assert any("column 3" in sentence for sentence in report.detected)


@pytest.mark.parametrize("separator", [" ", "\t", "  ", " \t ", "\t\t"])
def test_any_separator(separator: str) -> None:
    examples, _ = read("conll", FOUR.replace(" ", separator).replace(f"-DOCSTART-{separator}", "-DOCSTART- "))
    assert [surfaces(example) for example in examples] == [[("EU", "ORG")], [("Paris", "LOC")]]
    assert examples[0].content.text == "EU rejects"


def test_tabs_let_words_hold_spaces_and_columns_be_empty() -> None:
    examples, report = read("conll", "New York\t\tB-LOC\nis\tx\tO\n")
    assert examples[0].content.words == ["New York", "is"]
    assert surfaces(examples[0]) == [("New York", "LOC")]
    assert report.warnings == []


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("IOB1", "I-A I-A B-A O I-B"),
        ("IOB2", "B-A I-A B-A O B-B"),
        ("BIOES", "B-A E-A S-A O S-B"),
        ("BILOU", "B-A L-A U-A O U-B"),
    ],
)
def test_schemes_are_found_out_and_said(scheme: str, tags: str) -> None:
    data = "".join(f"w{i} {tag}\n" for i, tag in enumerate(tags.split())) + "\n"
    examples, report = read("conll", data)
    assert surfaces(examples[0]) == [("w0 w1", "A"), ("w2", "A"), ("w4", "B")]
    assert report.mapping["scheme"] == scheme
    assert f"tags are {scheme}" in report.detected


def test_io_tags_with_and_without_prefixes() -> None:
    examples, report = read("conll", "a PER\nb PER\nc O\nd LOC\ne O\n")
    assert surfaces(examples[0]) == [("a b", "PER"), ("d", "LOC")]
    assert report.mapping["layout"]["bare"] and report.mapping["scheme"] == "IO"
    patched = patch(
        "conll", "a PER\nb PER\nc O\nd LOC\ne O\n", report, [(examples[0], Spans((Span(2, 3, "ORG"),)))]
    )
    assert patched == b"a O\nb ORG\nc O\nd O\ne O\n"


def test_the_scheme_can_be_told_and_must_be_known() -> None:
    assert read("conll", "a I-X\n", scheme="IOB1")[1].mapping["scheme"] == "IOB1"
    with pytest.raises(UnknownName, match="IOB1, IOB2"):
        read("conll", "a I-X\n", scheme="XYZ")


def test_tags_that_break_their_scheme_are_read_leniently_and_told_with_the_line() -> None:
    good = "".join(f"w{i} B-A\nv{i} I-A\n\n" for i in range(20))
    examples, report = read("conll", good + "x O\ny I-A\n")
    assert surfaces(examples[-1]) == [("y", "A")]
    assert [notice.line for notice in report.warnings] == [61]


def test_columns_by_number_from_either_end_and_by_name() -> None:
    assert surfaces(read("conll", FOUR, columns={"tag": 2})[0][0]) == [("EU", "NP"), ("rejects", "VP")]
    assert surfaces(read("conll", FOUR, columns={"tag": -1})[0][0]) == [("EU", "ORG")]
    assert surfaces(read("conll", FOUR, columns={"tag": "3"})[0][0]) == [("EU", "ORG")]
    named = "word\tpos\tentity\nEU\tNNP\tB-ORG\nrejects\tVBZ\tO\n"
    examples, report = read("conll", named, columns={"token": "word", "tag": "entity"})
    assert surfaces(examples[0]) == [("EU", "ORG")]
    assert report.columns == ["word", "pos", "entity"]
    assert examples[0].locator == {"line": 2}


def test_no_tag_column_on_request_and_where_there_is_none() -> None:
    assert read("conll", FOUR, columns={"tag": "none"})[0][0].payload is None
    examples, report = read("conll", "EU\nrejects\n\nParis\n")
    assert [example.payload for example in examples] == [None, None]
    assert report.warnings == []
    _, report = read("conll", "EU x9!\nrejects y8?\n")
    assert "no column looks like labels" in report.warnings[0].message


@pytest.mark.parametrize("columns", [{"tag": 4}, {"tag": -5}, {"token": 9}, {"tag": "colour"}, {"word": 0}])
def test_columns_that_are_not_there_are_refused(columns: dict[str, str | int]) -> None:
    with pytest.raises(InvalidInput):
        read("conll", FOUR, columns=columns)


def test_words_may_stand_behind_numbers_and_behind_tags() -> None:
    assert read("conll", "1\tEU\tB-ORG\n2\trejects\tO\n")[0][0].content.text == "EU rejects"
    assert read("conll", "B-ORG\tEU\nO\trejects\n")[0][0].content.text == "EU rejects"


def test_pos_takes_the_column_that_looks_like_tags() -> None:
    examples, report = read("conll", FOUR, "pos")
    assert examples[0].payload == Tags(("NNP", "VBZ"))
    assert report.mapping["columns"]["tag"] == 1
    own = "".join(f"w{i} {'KLM'[i % 3]}\n" for i in range(30))
    assert read("conll", own, "pos")[0][0].payload == Tags(tuple("KLM"[i % 3] for i in range(30)))


def test_an_underscore_is_no_tag_and_a_sentence_of_them_is_unlabeled() -> None:
    examples, _ = read("conll", "a NN\nb _\n\nc _\n", "pos", {"tag": 1})
    assert [example.payload for example in examples] == [Tags(("NN", None)), None]


def test_documents_begin_at_their_mark() -> None:
    marked = "-DOCSTART- O\n\na O\n\nb O\n\n-DOCSTART- O\n-DOCSTART- O\n\nc B-X\n"
    documents = [example.document for example in read("conll", marked)[0]]
    assert documents[0] == documents[1] != documents[2]
    before = [example.document for example in read("conll", "a O\n\n-DOCSTART- O\n\nb B-X\n")[0]]
    assert before[0] != before[1]


def test_a_mark_ends_a_sentence_even_without_a_blank_line() -> None:
    assert [e.content.text for e in read("conll", "a O\n-DOCSTART- O\nb B-X\n")[0]] == ["a", "b"]


@pytest.mark.parametrize(
    ("data", "task"),
    [
        ("word\tpos\nAda\tNNP\nmet\tVBD\n", "pos"),
        ("Token NER\nAda PER\nmet O\n", "ner"),
        ("token\tlemma\tner_tags\n\nAda\tAda\tB-PER\nmet\tmeet\tO\n", "ner"),
    ],
)
def test_a_first_row_of_names_is_no_word(data: str, task: str) -> None:
    examples, report = read("conll", data, task)
    assert [example.content.words for example in examples] == [["Ada", "met"]]
    assert report.columns == data.partition("\n")[0].split()
    assert "named by the first row" in report.detected[0]
    assert read("conll", "word NN\npos NN\n", "pos")[0][0].content.words == ["word", "pos"]


@pytest.mark.parametrize("blank", ["", " ", "\t", " \t ", "\u00a0", "\u3000"])
def test_blank_lines_may_hold_white_space(blank: str) -> None:
    assert [e.content.text for e in read("conll", f"a\tO\n{blank}\nb\tB-X\n")[0]] == ["a", "b"]


def test_comments_before_a_sentence_are_none_of_its_words() -> None:
    data = "# id 7 domain=news split=train\n# text = a b\na X Y O\n# X Y B-T\nb X Y O\n\n# sent_id = 3\nc X Y B-T\n"
    examples, report = read("conll", data)
    assert [example.content.text for example in examples] == ["a # b", "c"]
    assert examples[0].locator == {"line": 3}
    assert report.warnings == []


def test_a_hash_sign_is_a_word_where_it_has_a_tag() -> None:
    assert read("conll", "#\tO\n#tag\tB-X\n")[0][0].content.words == ["#", "#tag"]


def test_lines_that_lack_a_column_are_refused_with_their_line() -> None:
    with pytest.raises(
        FormatError, match=r"file, line 4: has 1 column, and the label is expected in column 1"
    ):
        read("conll", "a O\nb B-X\nc O\nd\ne O\n")


def test_lines_with_more_columns_are_told() -> None:
    examples, report = read("conll", "a x O\nb x B-X\nc x O y\n")
    assert len(examples[0].content.tokens) == 3
    assert [(notice.line, notice.message) for notice in report.warnings] == [
        (3, "4 columns where the others have 3")
    ]


def test_a_tag_that_is_none_is_refused_with_its_line() -> None:
    rows = "w B-X\n" + "".join(f"w{i} O\n" for i in range(39))
    with pytest.raises(FormatError, match=r"line 41: 'nonsense' is not a chunk tag"):
        read("conll", rows + "x nonsense\n")


def test_a_line_without_a_word_is_left_out_and_labels_still_find_their_lines() -> None:
    data = "a\tO\n\tO\nb\tB-X\n"
    examples, report = read("conll", data)
    assert examples[0].content.words == ["a", "b"]
    assert examples[0].locator == {"lines": [1, 3]}
    assert report.warnings[0].line == 2
    assert patch("conll", data, report, [(examples[0], Spans((Span(0, 1, "Y"),)))]) == b"a\tB-Y\n\tO\nb\tO\n"


def test_a_patch_touches_nothing_but_the_changed_tags() -> None:
    data = "\ufeffa  x I-A  \r\nb  x\tI-A\r\n \r\nc  x   O"
    examples, report = read("conll", data)
    after = Spans((Span(0, 1, "A"), Span(2, 3, "A")))
    assert patch("conll", data, report, [(examples[0], after)]).decode() == (
        "\ufeffa  x I-A  \r\nb  x\tB-A\r\n \r\nc  x   O"
    )


def test_a_patch_keeps_the_scheme_of_the_file() -> None:
    data = "a S-A\nb O\nc B-A\nd E-A\n"
    examples, report = read("conll", data)
    after = Spans((Span(0, 3, "A"), Span(4, 7, "B")))
    assert patch("conll", data, report, [(examples[0], after)]) == b"a B-A\nb E-A\nc B-B\nd E-B\n"


def test_an_ill_formed_neighbour_is_written_anew_where_it_would_swallow_the_change() -> None:
    good = "".join(f"w{i} B-A\nv{i} I-A\n\n" for i in range(5))
    data = good + "x O\ny I-A\n"
    examples, report = read("conll", data)
    after = Spans((Span(0, 1, "A"), Span(2, 3, "A")))
    patched = patch("conll", data, report, [(examples[-1], after)])
    assert read("conll", patched)[0][-1].payload == after


def test_labels_of_a_file_without_a_tag_column_are_told() -> None:
    examples, report = read("conll", "a\nb\n")
    assert patch("conll", "a\nb\n", report, [(examples[0], Spans((Span(0, 1, "X"),)))]) == b"a\nb\n"


def test_latin_1_is_read_when_told_and_comes_back() -> None:
    data = "Köln B-LOC\nist O\n".encode("latin-1")
    examples, report = read("conll", data, encoding="latin-1")
    assert surfaces(examples[0]) == [("Köln", "LOC")]
    assert patch("conll", data, report, [(examples[0], Spans())]) == "Köln O\nist O\n".encode("latin-1")
    with pytest.raises(InvalidInput, match="encoding"):
        patch("conll", data, report, [(examples[0], Spans((Span(0, 4, "Ω"),)))])


@pytest.mark.parametrize("scheme", ["IOB1", "IOB2", "BIOES", "BILOU"])
def test_conll2003_is_written_in_the_scheme_chosen(scheme: str) -> None:
    examples, _ = read("conll", FOUR)
    data = write("conll", labeled(examples), "ner", scheme=scheme)
    assert data.startswith(b"-DOCSTART- -X- -X- O\n\nEU _ _ ")
    assert all(len(line.split(b" ")) == 4 for line in data.splitlines() if line)
    assert [e.payload for e in read("conll", data)[0]] == [e.payload for e in examples]


@pytest.mark.parametrize("nothing", ["\u00a0", "\u3000", ""])
def test_a_word_of_nothing_but_white_space_is_told_and_left_out(nothing: str) -> None:
    data = f"1\tAda\tB-PER\n2\t{nothing}\tI-PER\n3\tLee\tI-PER\n"
    examples, report = read("conll", data)
    assert (examples[0].content.text, surfaces(examples[0])) == ("Ada Lee", [("Ada Lee", "PER")])
    assert [(notice.line, "no word" in notice.message) for notice in report.warnings] == [(2, True)]
    patched = patch("conll", data, report, [(examples[0], Spans())])
    assert patched.decode() == f"1\tAda\tO\n2\t{nothing}\tI-PER\n3\tLee\tO\n"
    for name in ("jsonl", "conllu", "parquet"):
        assert (
            read(name, write(name, labeled(examples), "ner", ("PER",)))[0][0].payload == examples[0].payload
        )


def test_words_with_white_space_and_examples_without_labels_are_told_when_written() -> None:
    content = ExampleText("New York", ((0, 8),))
    data = write("conll", [Labeled("1", "d", content, Spans()), Labeled("2", "d", content, None)], "ner")
    assert data.splitlines()[2:] == [b"New_York _ _ O", b""]


def test_a_file_of_nothing_but_blank_lines_is_refused() -> None:
    with pytest.raises(FormatError, match="no words"):
        read("conll", "\n \n\t\n")


@pytest.mark.parametrize("separator", [" ", "\t", "\t\t", "   "])
@pytest.mark.parametrize("width", range(2, 21))
def test_two_to_twenty_columns(width: int, separator: str) -> None:
    rows = [["Ada", "B-PER"], ["wrote", "O"], ["it", "O"]]
    filled = [[word, *(f"x{word}{i}" for i in range(width - 2)), tag] for word, tag in rows]
    examples, report = read("conll", "".join(separator.join(row) + "\n" for row in filled))
    assert surfaces(examples[0]) == [("Ada", "PER")]
    assert report.mapping["columns"] == {"token": 0, "tag": width - 1}
    assert len(report.columns) == width


def test_every_irregularity_at_once() -> None:
    data = "\ufeffAda  B-PER\r\nwrote\t O\r\n \t\r\n-DOCSTART- O\r\n\r\nBob   B-PER"
    examples, report = read("conll", data, separator="spaces")
    assert [surfaces(example) for example in examples] == [[("Ada", "PER")], [("Bob", "PER")]]
    assert len({example.document for example in examples}) == 2
    assert patch("conll", data, report, []) == data.encode()


@pytest.mark.parametrize("scheme", ["BIOES", "IOBES", "iobes"])
def test_two_names_of_one_scheme(scheme: str) -> None:
    assert read("conll", "a S-X\nb B-X\nc E-X\n", scheme=scheme)[1].mapping["scheme"] == "BIOES"


def test_an_encoding_is_a_question_with_the_readings_of_the_line() -> None:
    from workbench.errors import UndecodableText

    with pytest.raises(UndecodableText) as caught:
        read("conll", b"a O\nK\xf6ln\x80 B-LOC\n")
    assert caught.value.line == 2
    assert caught.value.readings == {"latin-1": "K\xf6ln\x80 B-LOC", "cp1252": "K\xf6ln\u20ac B-LOC"}
    assert "--encoding latin-1 or --encoding cp1252" in str(caught.value)
