"""brat stand-off: pairs, places, what refers to a span, what can't come in."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from tests.formats.helpers import labeled, patch, read, surfaces, write
from workbench.domain import ExampleText, Span, Spans
from workbench.errors import FormatError, InvalidInput
from workbench.formats import Labeled, Report, Source, WriteOptions, get_format
from workbench.formats.bundle import packed
from workbench.formats.source import paired, read_sources, unpack

TEXT = "Ada met Bob in Paris.\nShe wrote.\n"
MANY = 100_000_000


def bundle(text: str, annotations: str, **more: str) -> bytes:
    files = {"a.txt": text, "a.ann": annotations, **more}
    return packed({name: content.encode() for name, content in files.items()})


def members(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_a_sentence_a_line_with_its_spans() -> None:
    examples, report = read(
        "brat", bundle(TEXT, "T1\tPER 0 3\tAda\nT2\tLOC 15 20\tParis\nT3\tPER 22 25\tShe\n")
    )
    assert [example.content.text for example in examples] == ["Ada met Bob in Paris.", "She wrote."]
    assert [surfaces(example) for example in examples] == [
        [("Ada", "PER"), ("Paris", "LOC")],
        [("She", "PER")],
    ]
    assert [example.locator for example in examples] == [
        {"file": "a.txt", "line": 1, "start": 0},
        {"file": "a.txt", "line": 2, "start": 22},
    ]
    assert {example.document for example in examples} == {"a"}
    assert report.notices == []


def test_places_count_code_points_whatever_the_line_ends() -> None:
    text = "\U0001f4a9 Ada\r\nBob\r\n"
    examples, _ = read("brat", bundle(text, "T1\tPER 2 5\tAda\r\nT2\tPER 7 10\tBob\r\n"))
    assert [surfaces(example) for example in examples] == [[("Ada", "PER")], [("Bob", "PER")]]


def test_running_text_is_cut_into_sentences_but_never_inside_of_a_span() -> None:
    text = "He met Dr. X. Smith. Then he left. " * 30
    whole, _ = read("brat", bundle(text, ""), sentences="split")
    place = text.index("Smith")
    span = f"T1\tX {place} {place + 11}\t{text[place : place + 11]}\n"
    joined, report = read("brat", bundle(text, span), sentences="split")
    assert len(joined) == len(whole) - 1
    assert surfaces(joined[0]) == [("Smith. Then", "X")]
    assert report.notices == []
    across, _ = read(
        "brat", bundle(TEXT, f"T1\tX 15 25\t{TEXT[15:25]!r}\n".replace("'", "").replace("\\n", " "))
    )
    assert [example.content.text for example in across] == [TEXT.rstrip("\n")]


def test_a_text_without_annotations_is_unlabeled_and_an_empty_file_says_that_there_are_none() -> None:
    data = packed({"a.txt": b"Ada.\n", "a.ann": b"", "b.txt": b"Bob.\n"})
    assert [example.payload for example in read("brat", data)[0]] == [Spans(), None]


def test_what_else_brat_knows_stays_in_the_file_and_is_told() -> None:
    annotations = (
        "T1\tPER 0 3\tAda\nT2\tPER 8 11\tBob\nR1\tMet Arg1:T1 Arg2:T2\nE1\tMeeting:T1 Who:T2\nA1\tSure E1\n"
        "*\tEquiv T1 T2\nN1\tReference T2 wiki:T1 Bob\n#1\tAnnotatorNotes T2\tnot T1\nM2\tx T9\n"
    )
    examples, report = read("brat", bundle(TEXT, annotations))
    assert any("7 relations" in told for told in report.detected)
    after = Spans((Span(8, 11, "ORG"),))
    patched = members(patch("brat", bundle(TEXT, annotations), report, [(examples[0], after)]))
    # T1 goes with all that refers to it; T2 keeps its id, and what is said of it.
    assert patched["a.ann"] == (
        "T2\tORG 8 11\tBob\nN1\tReference T2 wiki:T1 Bob\n#1\tAnnotatorNotes T2\tnot T1\nM2\tx T9\n"
    )
    assert patched["a.txt"] == TEXT


def test_new_spans_take_new_ids_at_the_end() -> None:
    data = bundle(TEXT, "T7\tPER 0 3\tAda", **{"annotation.conf": "[entities]\nPER\n"})
    examples, report = read("brat", data)
    patched = members(patch("brat", data, report, [(examples[1], Spans((Span(0, 3, "PER"),)))]))
    assert patched["a.ann"] == "T7\tPER 0 3\tAda\nT8\tPER 22 25\tShe\n"
    assert patched["annotation.conf"] == "[entities]\nPER\n"
    assert members(patch("brat", data, report, [(examples[0], Spans())]))["a.ann"] == ""


def test_wrong_places_are_mended_and_what_can_not_come_in_is_told_with_its_line() -> None:
    annotations = (
        "T1\tPER 1 4\tAda\nT2\tPER 0 3;8 11\tAda Bob\nT3\tX 0 7\tAda met\nT4\tPER 900 903\tEve\nT5\tLOC 15 20\tLondon\n"
        "T6\tX 3 4\t \n"
    )
    examples, report = read("brat", bundle(TEXT, annotations))
    assert surfaces(examples[0]) == [("Ada met", "X"), ("Paris", "LOC")]
    assert (report.repaired, [notice.line for notice in report.notices]) == (1, [1, 2, 4, 5, 6, 1])
    assert report.notices[0].kind == "repaired"


@pytest.mark.parametrize("line", ["T1 PER 0 3 Ada", "T1\tPER x 3\tAda", "nonsense", "T1\tPER 0\tAda"])
def test_lines_that_are_no_annotation_are_refused_with_their_number(line: str) -> None:
    with pytest.raises(FormatError, match=r"a\.ann, line 2: .* no annotation of brat"):
        read("brat", bundle(TEXT, f"T1\tPER 0 3\tAda\n{line}\n"))


def test_what_is_not_utf8_is_refused_with_the_file_inside() -> None:
    data = packed({"a.txt": "Köln\n".encode("latin-1"), "a.ann": b""})
    with pytest.raises(FormatError, match=r"a\.txt, line 1: is not UTF-8"):
        read("brat", data)
    assert read("brat", data, encoding="latin-1")[0][0].content.text == "Köln"


def test_pairs_are_found_in_folders_in_archives_and_among_files(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    (folder / "inner").mkdir(parents=True)
    for name, text in (("a", "Ada.\n"), ("inner/b", "Bob.\n")):
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
        (folder / f"{name}.ann").write_text("", encoding="utf-8")
    (folder / "README").write_text("x", encoding="utf-8")
    (source,) = read_sources(folder, MANY)
    assert source.name == "corpus.zip"
    assert [example.document for example in read("brat", source.data)[0]] == ["a", "inner/b"]
    assert read_sources(folder, MANY)[0].sha256 == source.sha256
    (again,) = unpack("c.zip", source.data, MANY)
    assert again.data == source.data
    twins = [
        Source("x.txt", b"Ada.\n"),
        Source("x.ann", b""),
        Source("x.txt", b"Bob.\n"),
        Source("x.ann", b"#"),
    ]
    with pytest.raises(FormatError, match=r"x\.txt: comes twice.* folders"):
        paired(twins)
    loose = [Source("x.txt", b"Ada.\n"), Source("x.ann", b""), Source("y.conll", b"a O\n")]
    assert [one.name for one in paired(loose)] == ["x.zip", "y.conll"]
    with pytest.raises(FormatError, match=r"x\.ann: comes without its text. Give x\.txt"):
        paired(loose[1:])
    with pytest.raises(InvalidInput, match="larger than"):
        read_sources(folder, 5)
    with pytest.raises(InvalidInput, match="larger than"):
        unpack("c.zip", packed({"a.txt": b"a" * 2_000, "a.ann": b""}), 1_000)


def test_what_brat_can_not_hold_is_told_for_each_example() -> None:
    items = [
        Labeled("1", "d/1", ExampleText("Ada\nso", ((0, 3), (4, 6))), Spans((Span(0, 3, "A B"),))),
        Labeled("2", "d/1", ExampleText("a-b c", ((0, 1), (1, 3), (4, 5))), Spans()),
        Labeled("3", "d.1", ExampleText("x", ((0, 1),)), Spans((Span(0, 1, "X"),))),
    ]
    out, report = io.BytesIO(), Report()
    assert get_format("brat").write(items, out, WriteOptions("ner"), report) == 3
    files = members(out.getvalue())
    assert files == {
        "d_1.txt": "Ada so\na-b c\n", "d_1.ann": "T1\tA_B 0 3\tAda\n", "d.1.txt": "x\n", "d.1.ann": "T1\tX 0 1\tx\n",
    }  # fmt: skip
    assert report.lost == 3
    assert {notice.message.partition(":")[0] for notice in report.notices} == {"1", "2"}


def test_several_sentences_of_a_document_are_read_back() -> None:
    examples, _ = read("brat", bundle(TEXT, "T1\tPER 8 11\tBob\nT2\tPER 22 25\tShe\n"))
    again, report = read("brat", write("brat", labeled(examples), "ner"))
    assert [(e.content, e.payload, e.document) for e in again] == [
        (e.content, e.payload, "a") for e in examples
    ]
    assert report.notices == []
