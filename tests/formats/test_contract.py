"""One contract for every registered format."""

from __future__ import annotations

import pytest

from tests.formats.helpers import labeled, patch, read, write
from tests.formats.samples import FILES, SAMPLES
from workbench.domain import Answer, Answers, NewExample, Span, Spans, Split, Tags
from workbench.errors import FormatError, InvalidInput
from workbench.formats import FORMATS, Report, Source, get_format
from workbench.formats.base import ALIASES
from workbench.services.importing import detect_format
from workbench.tasks import TASKS, get_task

PAIRS = [(name, task) for name, item in FORMATS.items() for task in sorted(item.tasks)]
TEXTUAL = list(SAMPLES)
"""Those that are text throughout."""
WITH_LABELS = [pair for pair in PAIRS if pair[0] not in ("text", "table", "parquet")]
"""Those that have a place for changed labels."""
SAMPLE_HAS_LABELS = [pair for pair in WITH_LABELS if pair != ("conllu", "ner")]
WRITTEN = [*SAMPLE_HAS_LABELS, *(pair for pair in PAIRS if pair[0] == "parquet")]


def other_labels(example: NewExample, task: str) -> Spans | Tags | Answers:
    """Labels that differ from those in the samples."""
    if task == "qa":
        return Answers((Answer(4, 9),))
    if task == "pos":
        return Tags(("NEW",) * len(example.content.tokens))
    start, end = example.content.tokens[-1]
    return Spans((Span(start, end, "NEW"),))


def test_every_format_and_task_has_a_sample() -> None:
    assert set(FILES) == set(PAIRS)


@pytest.mark.parametrize("name", list(FORMATS))
def test_a_format_says_what_it_is(name: str) -> None:
    item = FORMATS[name]
    assert item.name == name
    assert item.title and item.extension.startswith(".")
    assert item.tasks <= set(TASKS)


@pytest.mark.parametrize(("name", "task"), PAIRS)
def test_examples_keep_the_invariants(name: str, task: str) -> None:
    examples, report = read(name, FILES[name, task], task)
    assert examples
    assert report.detected
    for example in examples:
        assert example.content.text.strip()
        assert (example.content.question is None) == (task != "qa")
        last = 0
        for start, end in example.content.tokens:
            assert last <= start < end <= len(example.content.text)
            last = end
        if example.payload is not None:
            used = tuple(get_task(task).labels_in(example.payload))
            get_task(task).validate(example.payload, example.content, used)
    assert len({example.external_id for example in examples}) == len(examples)


@pytest.mark.parametrize(("name", "task"), PAIRS)
def test_reading_twice_gives_the_same(name: str, task: str) -> None:
    assert read(name, FILES[name, task], task)[0] == read(name, FILES[name, task], task)[0]


@pytest.mark.parametrize(("name", "task"), TEXTUAL)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_endings_and_byte_order_mark_change_nothing(name: str, task: str, ending: str) -> None:
    plain, _ = read(name, SAMPLES[name, task], task)
    marked, _ = read(name, "\ufeff" + SAMPLES[name, task].replace("\n", ending), task)
    assert [(e.content, e.payload) for e in marked] == [(e.content, e.payload) for e in plain]


@pytest.mark.parametrize(("name", "task"), TEXTUAL)
def test_an_untouched_file_comes_back_byte_for_byte(name: str, task: str) -> None:
    data = ("\ufeff" + SAMPLES[name, task]).rstrip("\n")
    _, report = read(name, data, task)
    assert patch(name, data, report, []) == data.encode()


@pytest.mark.parametrize(("name", "task"), [pair for pair in PAIRS if pair not in TEXTUAL])
def test_an_untouched_packed_file_comes_back_byte_for_byte(name: str, task: str) -> None:
    _, report = read(name, FILES[name, task], task)
    assert patch(name, FILES[name, task], report, []) == FILES[name, task]


@pytest.mark.parametrize(("name", "task"), WITH_LABELS)
def test_changed_labels_are_read_back_from_the_patched_file(name: str, task: str) -> None:
    examples, report = read(name, FILES[name, task], task)
    after = other_labels(examples[0], task)
    patched = patch(name, FILES[name, task], report, [(examples[0], after)])
    again, _ = read(name, patched, task)
    assert [example.content for example in again] == [example.content for example in examples]
    assert again[0].payload == after
    assert [example.payload for example in again[1:]] == [example.payload for example in examples[1:]]


@pytest.mark.parametrize(("name", "task"), SAMPLE_HAS_LABELS)
def test_a_patch_that_is_taken_back_gives_the_original(name: str, task: str) -> None:
    examples, report = read(name, FILES[name, task], task)
    after = other_labels(examples[0], task)
    patched = patch(name, FILES[name, task], report, [(examples[0], after)])
    again, second = read(name, patched, task)
    assert patched != FILES[name, task]
    back = patch(name, patched, second, [(again[0], examples[0].payload)])
    assert [e.payload for e in read(name, back, task)[0]] == [e.payload for e in examples]


@pytest.mark.parametrize(("name", "task"), WRITTEN)
def test_what_is_written_reads_back_equal(name: str, task: str) -> None:
    examples, _ = read(name, FILES[name, task], task)
    given = [example for example in examples if example.payload is not None]
    labels = tuple(dict.fromkeys(label for e in given for label in get_task(task).labels_in(e.payload)))  # type: ignore[arg-type]
    again, _ = read(name, write(name, labeled(given), task, labels), task)
    assert [e.payload for e in again] == [e.payload for e in given]
    assert [e.content for e in again] == [e.content for e in given]
    assert len({e.document for e in again}) == len({e.document for e in given})


@pytest.mark.parametrize(("name", "task"), [pair for pair in WRITTEN if pair[0] in ("jsonl", "parquet")])
def test_the_split_that_is_written_is_read_back(name: str, task: str) -> None:
    examples, _ = read(name, FILES[name, task], task)
    given = [example for example in examples if example.payload is not None]
    labels = tuple(dict.fromkeys(label for e in given for label in get_task(task).labels_in(e.payload)))  # type: ignore[arg-type]
    again, _ = read(name, write(name, labeled(given), task, labels), task)
    assert {example.split for example in again} == {Split.TRAIN}


@pytest.mark.parametrize(("name", "task"), PAIRS)
def test_the_format_recognises_its_own_files(name: str, task: str) -> None:
    file = {"conll": "a.conll", "text": "a.txt", "table": "a.csv"}.get(name, "a")
    assert detect_format(Source(file, FILES[name, task]), task).name == name


@pytest.mark.parametrize(
    ("data", "file", "name"),
    [
        ("Ada lives in Paris .\n", "a.txt", "text"),
        ("Ada lives in Paris .\nBob lives in Rome .\n", "a.txt", "text"),
        ("Ada lives in Paris\n", "a", "text"),
        ("[12:30] Ada: hi\n{so}\n", "a.txt", "text"),
        ("Ada B-PER\n", "a", "conll"),
        ("Ada\tPER\n", "a", "conll"),
    ],
)
def test_a_sentence_is_no_row_of_columns(data: str, file: str, name: str) -> None:
    assert detect_format(Source(file, data.encode()), "ner").name == name


@pytest.mark.parametrize("data", ['[{"text": "Ada"}]', '[\n {\n  "text": "Ada"\n }\n]\n', '[["Ada", {}]]'])
def test_a_list_in_json_is_no_text(data: str) -> None:
    with pytest.raises(FormatError, match="looks like no format"):
        detect_format(Source("a.json", data.encode()), "ner")


@pytest.mark.parametrize("name", sorted({name for name, _ in TEXTUAL}))
def test_nul_is_refused_with_its_line(name: str) -> None:
    with pytest.raises(FormatError, match=r"file, line 2: .*NUL"):
        read(name, b"a O\nb\0 O\n", sorted(FORMATS[name].tasks)[0])


@pytest.mark.parametrize("name", sorted({name for name, _ in TEXTUAL}))
def test_what_is_not_utf8_is_refused_with_its_line_and_the_remedy(name: str) -> None:
    with pytest.raises(FormatError, match=r"line 2: is not UTF-8 .*0xE9.*Latin-1"):
        read(name, b"a O\ncaf\xe9 O\n", sorted(FORMATS[name].tasks)[0])


@pytest.mark.parametrize("name", list(FORMATS))
def test_unknown_columns_and_encodings_are_refused(name: str) -> None:
    task = sorted(FORMATS[name].tasks)[0]
    with pytest.raises(InvalidInput):
        read(name, FILES[name, task], task, encoding="klingon")
    with pytest.raises(InvalidInput):
        read(name, FILES[name, task], task, {"tga": 1})


@pytest.mark.parametrize("alias", list(ALIASES))
def test_aliases_lead_to_formats(alias: str) -> None:
    assert get_format(alias).name == ALIASES[alias]


def test_an_empty_report_has_no_notices_and_a_full_one_counts_the_rest() -> None:
    report = Report()
    assert report.notices == []
    for number in range(1_000):
        report.warn("odd", number)
    assert len(report.notices) == 201
    assert "800" in report.notices[-1].message
