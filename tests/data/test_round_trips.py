"""Import, export, import again: equal, over every kind of export; whose labels, where they come from, what is lost."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.data.test_export import annotate
from tests.formats.helpers import read
from workbench.domain import (
    Answers,
    ExampleText,
    Payload,
    Project,
    Role,
    Span,
    Spans,
    Split,
    Tags,
    User,
)
from workbench.errors import InvalidInput, NotFound
from workbench.formats import Labeled, Report, Source, WriteOptions, get_format
from workbench.services import Workbench
from workbench.services.exportkinds import EXPORTS, FOLDER, SOURCE
from workbench.tasks import get_task

NER = (
    "-DOCSTART- -X- -X- O\n\nAda NNP B-NP B-PER\nLovelace NNP I-NP I-PER\nBob NNP B-NP B-PER\nmet VBD B-VP O\n\n"
    "Zo\u00eb-Ann NNP B-NP B-PER\n\U0001f4a9 SYM O O\n\n-DOCSTART- -X- -X- O\n\nParis NNP B-NP B-LOC\n. . O O\n\n"
)
POS = "-DOCSTART- -X- -X- O\n\nAda NNP _ _\n's POS _ _\n\n-DOCSTART- -X- -X- O\n\n\U0001f4a9 SYM _ _\nran VBD _ _\n\n"
QA = json.dumps(
    {
        "version": "v2.0",
        "data": [
            {
                "title": "T",
                "paragraphs": [
                    {
                        "context": "\U0001f4a9 Ada met Ada.",
                        "qas": [
                            {
                                "id": "q1",
                                "question": "Who?",
                                "answers": [
                                    {"text": "Ada", "answer_start": 10},
                                    {"text": "Ada met", "answer_start": 2},
                                ],
                                "is_impossible": False,
                            },
                            {"id": "q2", "question": "Why?", "answers": [], "is_impossible": True},
                        ],
                    }
                ],
            }
        ],
    }
)
SAMPLES = {"ner": NER, "pos": POS, "qa": QA}
PAIRS = [(name, task) for name, export in EXPORTS.items() for task in SAMPLES if export.holds(task)]
LOSES = {("squad-v1", "qa")}
"""Those that can't hold all of the sample."""


def contents(workbench: Workbench, project: Project) -> list[tuple[ExampleText, Payload | None]]:
    items = workbench.datasets.browse(project, limit=100).items
    labels = workbench.datasets.labels_of(items)
    return [(item.content, labels.get(item.id)) for item in items]


def filled(workbench: Workbench, task: str, name: str = "p") -> Project:
    project = workbench.projects.create(name, task)
    workbench.datasets.import_sources(project, [Source("file", SAMPLES[task].encode())], Split.TRAIN)
    return project


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "task"), PAIRS)
def test_what_goes_out_comes_in_equal(
    sqlite_workbench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, task: str
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    project = filled(sqlite_workbench, task)
    before = contents(sqlite_workbench, project)
    out = tmp_path / f"out{'' if name in (SOURCE, FOLDER) else get_format(EXPORTS[name].format).extension}"
    report = sqlite_workbench.datasets.export_data(project, name, out, strict=(name, task) not in LOSES)
    again = sqlite_workbench.projects.create("again", task)
    sqlite_workbench.datasets.import_files(again, [out], split=Split.TRAIN)
    after = contents(sqlite_workbench, again)
    if (name, task) in LOSES:
        assert report.lost == report.skipped == 1
        before = [item for item in before if isinstance(item[1], Answers) and not item[1].no_answer]
    assert after == before
    assert report.examples == len(before)
    if name != SOURCE:
        assert (
            sqlite_workbench.datasets.counts(again).documents
            == sqlite_workbench.datasets.counts(project).documents
        )


@pytest.mark.parametrize("scheme", ["IOB1", "IOB2", "BIOES", "BILOU"])
def test_columns_keep_parts_of_speech_and_chunks_in_every_scheme(
    sqlite_workbench: Workbench, tmp_path: Path, scheme: str
) -> None:
    project = filled(sqlite_workbench, "ner")
    sqlite_workbench.datasets.export_data(project, "conll2003", tmp_path / "out", scheme=scheme)
    written = (tmp_path / "out").read_text(encoding="utf-8")
    rows = [line.split(" ") for line in written.splitlines() if line]
    assert [row[:3] for row in rows] == [line.split(" ")[:3] for line in NER.splitlines() if line]
    assert read("conll", written)[1].mapping["scheme"] == scheme
    if scheme == "IOB2":
        assert written == NER


def test_conllu_keeps_its_other_columns_comments_ranges_and_empty_nodes(
    sqlite_workbench: Workbench, tmp_path: Path
) -> None:
    from tests.formats.samples import SAMPLES as FORMATS

    data = FORMATS["conllu", "pos"]
    project = sqlite_workbench.projects.create("p", "pos")
    sqlite_workbench.datasets.import_sources(project, [Source("a.conllu", data.encode())], Split.TRAIN)
    sqlite_workbench.datasets.export_data(project, "conllu", tmp_path / "out")
    assert (tmp_path / "out").read_text(encoding="utf-8") == data
    example = sqlite_workbench.datasets.browse(project).items[0]
    annotate(sqlite_workbench, project, example.id, Tags(("AUX", "PART", "NOUN", "PUNCT")))
    sqlite_workbench.datasets.export_data(project, "conllu", tmp_path / "out")
    assert (tmp_path / "out").read_text(encoding="utf-8") == data.replace("go\tVERB", "go\tNOUN")


@pytest.mark.parametrize(
    ("corpus", "task", "export"),
    [("ud_ewt/en_ewt-ud-dev.conllu", "pos", "conllu"), ("conll2003/eng.testa", "ner", "conll2003")],
)
def test_the_beginning_of_corpora_in_their_own_format_without_the_source(
    sqlite_workbench: Workbench, data_dir: Path, tmp_path: Path, corpus: str, task: str, export: str
) -> None:
    project = sqlite_workbench.projects.create("p", task)
    original = b"\n\n".join((data_dir / corpus).read_bytes().split(b"\n\n")[:400]) + b"\n\n"
    sqlite_workbench.datasets.import_sources(project, [Source(Path(corpus).name, original)], Split.POOL)
    sqlite_workbench.datasets.export_data(project, export, tmp_path / "out", scheme="IOB1")
    if export == "conll2003":  # the marks of documents are written anew: theirs have a malformed tag
        original = original.replace(b"-DOCSTART- -X- O O\n", b"-DOCSTART- -X- -X- O\n")
        original = original.replace(b"-DOCSTART- -X- OO O\n", b"-DOCSTART- -X- -X- O\n")
    assert (tmp_path / "out").read_bytes() == original


# --- whose labels, and where they come from -----------------------------------------------------------


def person(workbench: Workbench, name: str) -> User:
    with workbench.store.write() as tx:
        return tx.users.add(name, Role.ANNOTATOR)


def label(
    workbench: Workbench, project: Project, example_id: int, user: User, payload: Payload, mark: str
) -> None:
    from workbench.domain import AnnotationStatus

    with workbench.store.write() as tx:
        stored = get_task(project.task).dump(payload)
        tx.annotations.add(example_id, user.id, AnnotationStatus.ACCEPTED, stored, mark, seconds=2.5)


@pytest.fixture
def team(workbench: Workbench) -> tuple[Workbench, Project]:
    """Two people who disagree on the first example; the second is labeled by one of them, twice."""
    project = filled(workbench, "ner")
    first, second, *_ = workbench.datasets.browse(project).items
    anna, ben = person(workbench, "anna"), person(workbench, "ben")
    label(workbench, project, first.id, anna, Spans((Span(0, 3, "PER"),)), "1")
    label(workbench, project, first.id, ben, Spans((Span(0, 3, "LOC"),)), "2")
    label(workbench, project, second.id, ben, Spans(), "3")
    label(workbench, project, second.id, ben, Spans((Span(0, 7, "LOC"),)), "4")
    return workbench, project


def test_every_annotators_own_labels_with_where_they_come_from(
    team: tuple[Workbench, Project], tmp_path: Path
) -> None:
    workbench, project = team
    out = tmp_path / "out"
    report = workbench.datasets.export_data(project, "jsonl", out, per_annotator=True, provenance=True)
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [(row["annotator"], [span["label"] for span in row["spans"]]) for row in rows] == [
        ("anna", ["PER"]), ("ben", ["LOC"]), ("ben", ["LOC"]),
    ]  # fmt: skip
    assert (report.examples, report.skipped) == (3, 1)
    told = rows[2]["provenance"]
    assert (told["annotator"], told["revision"], told["seconds"]) == ("ben", 3, 2.5)
    assert told["labeled_at"].endswith("+00:00") and "accepted_at" not in told
    workbench.datasets.export_data(project, "csv", out, per_annotator=True, provenance=True)
    table = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"), newline="")))
    assert [row["annotator"] for row in table] == ["anna", "ben", "ben"]
    assert table[2]["revision"] == "3" and table[2]["accepted_by"] == ""
    workbench.datasets.export_data(project, "label-studio", out, per_annotator=True, provenance=True)
    tasks = json.loads(out.read_text(encoding="utf-8"))
    assert [[one["created_username"] for one in task["annotations"]] for task in tasks] == [
        ["anna", "ben"],
        ["ben"],
    ]
    assert tasks[0]["annotations"][0]["lead_time"] == 2.5
    for name in ("spacy", "doccano"):
        workbench.datasets.export_data(project, name, out, per_annotator=True)
        assert out.read_text(encoding="utf-8").count('"annotator": "ben"') == 2


def test_parquet_says_where_labels_come_from_in_columns(
    team: tuple[Workbench, Project], tmp_path: Path
) -> None:
    import pyarrow.parquet as pq

    workbench, project = team
    workbench.datasets.export_data(project, "parquet", tmp_path / "out", per_annotator=True, provenance=True)
    rows: list[dict[str, Any]] = pq.read_table(tmp_path / "out").to_pylist()
    assert [(row["annotator"], row["revision"], row["split"]) for row in rows] == [
        ("anna", 2, "train"), ("ben", 3, "train"), ("ben", 3, "train"),
    ]  # fmt: skip
    workbench.datasets.export_data(project, "parquet", tmp_path / "gold", provenance=True)
    rows = pq.read_table(tmp_path / "gold").to_pylist()
    assert {row["annotator"] for row in rows} == {"import"}
    assert all(row["accepted_at"] for row in rows)


def test_one_annotators_labels_go_into_any_format(team: tuple[Workbench, Project], tmp_path: Path) -> None:
    workbench, project = team
    workbench.datasets.export_data(project, "conll2003", tmp_path / "out", annotator="anna")
    assert "Ada NNP B-NP B-PER\nLovelace NNP I-NP O\n" in (tmp_path / "out").read_text(encoding="utf-8")
    assert workbench.datasets.annotators(project) == ["anna", "ben", "import"]
    with pytest.raises(NotFound, match=r"nobody called 'eve'.*anna, ben, import"):
        workbench.datasets.export_data(project, "jsonl", tmp_path / "out", annotator="eve")


def test_formats_without_a_place_for_annotators_say_so(sqlite_workbench: Workbench, tmp_path: Path) -> None:
    project = filled(sqlite_workbench, "ner")
    for options in ({"per_annotator": True}, {"provenance": True}):
        with pytest.raises(InvalidInput, match=r"no place for who labeled what.*jsonl, spacy"):
            sqlite_workbench.datasets.export_data(project, "conll2003", tmp_path / "out", **options)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="exclude each other"):
        sqlite_workbench.datasets.export_data(
            project, "jsonl", tmp_path / "out", per_annotator=True, annotator="import"
        )
    with pytest.raises(InvalidInput, match="as they came"):
        sqlite_workbench.datasets.export_data(project, SOURCE, tmp_path / "out", annotator="import")


# --- what a format can't hold -------------------------------------------------------------------------

OVERLAPPING = Spans((Span(0, 5, "A"), Span(2, 7, "B")))
CONTENT = ExampleText("a b c d", ((0, 1), (2, 3), (4, 5), (6, 7)))


@pytest.mark.parametrize("name", ["conll2003", "conllu", "spacy", "parquet", "brat"])
def test_overlapping_spans_are_told_and_the_first_stays(name: str) -> None:
    out, report = io.BytesIO(), Report()
    item = Labeled("doc:7", "d", CONTENT, OVERLAPPING)
    options = WriteOptions("ner", ("A", "B"), variant=name)
    assert get_format(EXPORTS[name].format).write([item], out, options, report) == 1
    assert [(notice.kind, notice.message) for notice in report.notices] == [
        ("lost", "doc:7: B from 2 to 7 overlaps another; left out")
    ]
    again, _ = read(EXPORTS[name].format, out.getvalue())
    assert again[0].payload == Spans((Span(0, 5, "A"),))


@pytest.mark.parametrize("name", ["jsonl", "doccano", "csv", "label-studio"])
def test_formats_of_free_spans_hold_overlapping_ones(name: str) -> None:
    out, report = io.BytesIO(), Report()
    item = Labeled("doc:7", "d", CONTENT, OVERLAPPING)
    get_format(EXPORTS[name].format).write([item], out, WriteOptions("ner", ("A", "B"), variant=name), report)
    assert report.lost == 0
    assert out.getvalue().count(b"B") >= 1


def test_strict_refuses_what_is_lost_and_leaves_no_file(sqlite_workbench: Workbench, tmp_path: Path) -> None:
    project = filled(sqlite_workbench, "qa")
    out = tmp_path / "out"
    with pytest.raises(InvalidInput, match=r"SQuAD 1\.1 can't hold everything: q2: has no answer"):
        sqlite_workbench.datasets.export_data(project, "squad-v1", out, strict=True)
    assert list(tmp_path.glob("out*")) == []
    report = sqlite_workbench.datasets.export_data(project, "squad-v1", out)
    assert [(notice.kind, notice.message[:3]) for notice in report.warnings] == [("lost", "q2:")]
    assert json.loads(out.read_text(encoding="utf-8"))["version"] == "1.1"
    sqlite_workbench.datasets.export_data(project, "squad-v2", out, strict=True)
    assert json.loads(out.read_text(encoding="utf-8"))["version"] == "v2.0"


def test_strict_refuses_labels_that_a_source_has_no_place_for(
    sqlite_workbench: Workbench, tmp_path: Path
) -> None:
    project = sqlite_workbench.projects.create("p", "ner", ["X"])
    sqlite_workbench.datasets.import_sources(project, [Source("a.txt", b"Ada wrote it.\n")], Split.POOL)
    example = sqlite_workbench.datasets.browse(project).items[0]
    annotate(sqlite_workbench, project, example.id, Spans((Span(0, 3, "X"),)))
    with pytest.raises(InvalidInput, match="no place for labels"):
        sqlite_workbench.datasets.export_data(project, SOURCE, tmp_path / "out", strict=True)
    assert not (tmp_path / "out").exists()


def test_a_folder_of_texts_with_annotations_comes_back_with_a_changed_label(
    workbench: Workbench, tmp_path: Path
) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "a.txt").write_text("Ada met Bob.\n", encoding="utf-8")
    (folder / "a.ann").write_text("T1\tPER 0 3\tAda\nA1\tSure T1\n", encoding="utf-8")
    project = workbench.projects.create("p", "ner")
    workbench.datasets.import_files(project, [folder], split=Split.POOL)
    workbench.datasets.export_data(project, SOURCE, tmp_path / "same.zip")
    annotate(workbench, project, workbench.datasets.browse(project).items[0].id, Spans((Span(8, 11, "PER"),)))
    report = workbench.datasets.export_data(project, SOURCE, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "same.zip") as same, zipfile.ZipFile(tmp_path / "out.zip") as out:
        assert same.read("a.ann").decode() == "T1\tPER 0 3\tAda\nA1\tSure T1\n"
        assert out.read("a.ann").decode() == "T2\tPER 8 11\tBob\n"
    assert "1 lines that refer to a span" in report.warnings[0].message
