"""Exports: bytes back, changed labels in their places, other formats, all or nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.formats.samples import FILES, SAMPLES
from tests.formats.test_contract import WITH_LABELS, other_labels
from workbench.domain import AnnotationStatus, Project, Span, Spans, Split, User
from workbench.errors import InvalidInput, UnknownName
from workbench.formats import Source
from workbench.services import Workbench, labelchanges
from workbench.services.exportkinds import EXPORTS, SOURCE
from workbench.services.importing import ImportOptions
from workbench.services.splits import SplitPlan
from workbench.tasks import get_task

CORPORA = [
    ("conll2003/eng.testa", "ner", {}),
    ("conll2003/eng.testa", "pos", {"tag": 1}),
    ("wnut17/emerging.dev.conll", "ner", {}),
    ("wnut17/wnut17train.conll", "ner", {}),
    ("ud_ewt/en_ewt-ud-dev.conllu", "pos", {"tag": "xpos"}),
    ("xquad/xquad.en.json", "qa", {}),
    ("policyqa/policyqa.json", "qa", {}),
    ("covidqa/covidqa.json", "qa", {}),
]


def annotate(workbench: Workbench, project: Project, example_id: int, payload: object) -> None:
    """A person's label, accepted."""
    user: User = workbench.team.solo_user()
    with workbench.store.write() as tx:
        stored = get_task(project.task).dump(payload)  # type: ignore[arg-type]
        seen = len(tx.annotations.history(example_id))
        added = tx.annotations.add(
            example_id, user.id, AnnotationStatus.ACCEPTED, stored, f"test-{example_id}-{seen}"
        )
        tx.annotations.set_gold(example_id, added.id, user.id)


@pytest.mark.parametrize(("name", "task", "columns"), CORPORA)
def test_an_untouched_corpus_comes_back_byte_for_byte(
    sqlite_workbench: Workbench,
    data_dir: Path,
    tmp_path: Path,
    name: str,
    task: str,
    columns: dict[str, str | int],
) -> None:
    project = sqlite_workbench.projects.create("p", task)
    sqlite_workbench.datasets.import_files(project, [data_dir / name], split=Split.POOL, columns=columns)
    report = sqlite_workbench.datasets.export_data(project, SOURCE, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == (data_dir / name).read_bytes()
    assert report.changed == 0


def test_an_untouched_import_comes_back_from_both_databases(workbench: Workbench, tmp_path: Path) -> None:
    for (name, task), sample in SAMPLES.items():
        project = workbench.projects.create(f"{name}-{task}", task)
        data = ("\ufeff" + sample.replace("\n", "\r\n")).encode()
        extension = ".txt" if name == "text" else ".csv" if name == "table" else ""
        workbench.datasets.import_sources(project, [Source(f"f{extension}", data)], Split.POOL)
        out = tmp_path / f"{name}-{task}"
        workbench.datasets.export_data(project, SOURCE, out)
        assert out.read_bytes() == data, (name, task)


@pytest.mark.parametrize("unlabeled", [False, True])
def test_changed_labels_and_nothing_else_are_written_into_the_file(
    workbench: Workbench, tmp_path: Path, unlabeled: bool
) -> None:
    for name, task in WITH_LABELS:
        project = workbench.projects.create(f"{name}-{task}", task)
        data = FILES[name, task]
        source = Source("f", data)
        changed = other_labels(workbench.datasets.preview(project, [source], Split.POOL).first[0], task)
        workbench.datasets.import_sources(project, [source], Split.POOL, ImportOptions(unlabeled=unlabeled))
        first = workbench.datasets.browse(project).items[0]
        before = workbench.datasets.labels_of([first])
        annotate(workbench, project, first.id, changed)
        out = tmp_path / f"{name}-{task}"
        assert workbench.datasets.export_data(project, SOURCE, out).changed == 1
        again = workbench.projects.create(f"{name}-{task}-again", task)
        workbench.datasets.import_files(again, [out], split=Split.POOL)
        items = workbench.datasets.browse(again).items
        assert workbench.datasets.labels_of(items)[items[0].id] == changed
        if before:
            annotate(workbench, project, first.id, before[first.id])
            assert workbench.datasets.export_data(project, SOURCE, out).changed == 0
            assert out.read_bytes() == data


def test_changes_of_labels_are_written_into_the_file(workbench: Workbench, tmp_path: Path) -> None:
    data = b"EU B-ORG\nrejects O\n\nParis B-LOC\nand O\nOslo B-GPE\n"
    project = workbench.projects.create("p", "ner")
    workbench.datasets.import_sources(project, [Source("a.conll", data)], Split.POOL)
    workbench.labelsets.apply(project, labelchanges.rename("ORG", "COMPANY"))
    workbench.labelsets.apply(project, labelchanges.merge(["GPE"], "LOC"))
    out = tmp_path / "out"
    for changed, written in (
        (2, data.replace(b"ORG", b"COMPANY").replace(b"GPE", b"LOC")),
        (1, data.replace(b"ORG", b"COMPANY")),
        (0, data),
    ):
        assert workbench.datasets.export_data(project, SOURCE, out).changed == changed
        assert out.read_bytes() == written
        if changed:
            workbench.labelsets.undo(project)


def test_every_format_reads_back_what_it_wrote(workbench: Workbench, tmp_path: Path) -> None:
    for task, sample in (("ner", "conll"), ("pos", "conllu"), ("qa", "squad")):
        project = workbench.projects.create(task, task)
        workbench.datasets.import_sources(project, [Source("f", SAMPLES[sample, task].encode())], Split.TRAIN)
        items = workbench.datasets.browse(project).items
        labels = [workbench.datasets.labels_of(items)[item.id] for item in items]
        for name in [name for name, other in WITH_LABELS if other == task]:
            out = tmp_path / f"{name}-{task}"
            report = workbench.datasets.export_data(project, name, out)
            assert (report.examples, report.skipped) == (len(items), 0)
            again = workbench.projects.create(f"{task}-{name}", task)
            workbench.datasets.import_files(again, [out], split=Split.TRAIN)
            found = workbench.datasets.browse(again).items
            assert [workbench.datasets.labels_of(found)[item.id] for item in found] == labels
            assert [item.content.words for item in found] == [item.content.words for item in items]


def test_splits_schemes_and_several_files(workbench: Workbench, tmp_path: Path) -> None:
    project = workbench.projects.create("p", "ner")
    for split, text in ((Split.TRAIN, "a B-X\nb I-X\n"), (Split.TEST, "c B-X\n"), (Split.POOL, "d\n")):
        workbench.datasets.import_sources(project, [Source("same.conll", text.encode())], split)
    workbench.datasets.export_data(project, "conll2003", tmp_path / "train", Split.TRAIN, scheme="BILOU")
    assert (tmp_path / "train").read_text() == "-DOCSTART- -X- -X- O\n\na _ _ B-X\nb _ _ L-X\n\n"
    report = workbench.datasets.export_data(project, "jsonl", tmp_path / "all.jsonl")
    assert (report.examples, report.skipped) == (2, 1)
    assert [json.loads(line)["split"] for line in (tmp_path / "all.jsonl").read_text().splitlines()] == [
        "train",
        "test",
    ]
    report = workbench.datasets.export_data(project, SOURCE, tmp_path / "folder")
    assert sorted(path.name for path in report.files) == ["same-2.conll", "same-3.conll", "same.conll"]
    workbench.datasets.export_data(project, SOURCE, tmp_path / "one", Split.TEST)
    assert (tmp_path / "one").read_text() == "c B-X\n"


def test_a_file_of_several_splits_goes_out_whole_and_says_so(workbench: Workbench, tmp_path: Path) -> None:
    project = workbench.projects.create("p", "ner")
    data = "".join(f"w{number} B-X\n\n" for number in range(20)).encode()
    halves = ImportOptions(plan=SplitPlan({Split.TRAIN: 0.5, Split.TEST: 0.5}))
    workbench.datasets.import_sources(project, [Source("mixed.conll", data)], Split.POOL, halves)
    workbench.datasets.import_sources(project, [Source("own.conll", b"own B-X\n")], Split.TEST)
    train = workbench.datasets.export_data(project, SOURCE, tmp_path / "train", Split.TRAIN)
    assert (tmp_path / "train").read_bytes() == data
    assert [notice.message for notice in train.warnings] == [
        "mixed.conll goes out whole: it also holds examples of test"
    ]
    test = workbench.datasets.export_data(project, SOURCE, tmp_path / "test", Split.TEST)
    assert {path.name: path.read_bytes() for path in test.files} == {
        "mixed.conll": data,
        "own.conll": b"own B-X\n",
    }
    with pytest.raises(InvalidInput, match="nothing was imported as pool"):
        workbench.datasets.export_data(project, SOURCE, tmp_path / "pool", Split.POOL)


def test_labels_of_a_file_without_a_place_for_them_are_told(
    sqlite_workbench: Workbench, tmp_path: Path
) -> None:
    project = sqlite_workbench.projects.create("p", "ner", ["X"])
    sqlite_workbench.datasets.import_sources(project, [Source("a.txt", b"Ada wrote it.\n")], Split.POOL)
    annotate(
        sqlite_workbench,
        project,
        sqlite_workbench.datasets.browse(project).items[0].id,
        Spans((Span(0, 3, "X"),)),
    )
    report = sqlite_workbench.datasets.export_data(project, SOURCE, tmp_path / "out")
    assert "no place for labels" in report.warnings[0].message
    assert (tmp_path / "out").read_bytes() == b"Ada wrote it.\n"


def test_an_export_is_there_complete_or_not_at_all(
    sqlite_workbench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.formats.jsonl import JsonlFormat

    project = sqlite_workbench.projects.create("p", "ner")
    out = tmp_path / "folder" / "out.jsonl"
    with pytest.raises(InvalidInput, match="no gold label"):
        sqlite_workbench.datasets.export_data(project, "jsonl", out)
    with pytest.raises(InvalidInput, match="nothing was imported"):
        sqlite_workbench.datasets.export_data(project, SOURCE, out)
    sqlite_workbench.datasets.import_sources(project, [Source("a.conll", b"a B-X\n")], Split.POOL)
    out.write_text("old")

    def half(_self: object, items: object, file: object, *_: object) -> int:
        file.write(b"half")  # type: ignore[attr-defined]
        raise RuntimeError

    with monkeypatch.context() as patched, pytest.raises(RuntimeError):
        patched.setattr(JsonlFormat, "write", half)
        sqlite_workbench.datasets.export_data(project, "jsonl", out)
    assert out.read_text() == "old"
    assert [path.name for path in out.parent.iterdir()] == ["out.jsonl"]


def test_what_can_not_be_exported_is_said(sqlite_workbench: Workbench, tmp_path: Path) -> None:
    project = sqlite_workbench.projects.create("p", "ner")
    sqlite_workbench.datasets.import_sources(project, [Source("a.conll", b"a B-X\n")], Split.POOL)
    with pytest.raises(UnknownName):
        sqlite_workbench.datasets.export_data(project, "word", tmp_path / "out")
    with pytest.raises(InvalidInput, match="can't hold"):
        sqlite_workbench.datasets.export_data(project, "squad", tmp_path / "out")
    with pytest.raises(InvalidInput, match="is a folder"):
        sqlite_workbench.datasets.export_data(project, "jsonl", tmp_path)
    blocked = tmp_path / "file"
    blocked.write_text("x")
    with pytest.raises(InvalidInput, match="can't be written"):
        sqlite_workbench.datasets.export_data(project, "jsonl", blocked / "out")
    assert EXPORTS


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("task", "sample"), [("ner", "conll"), ("pos", "conll"), ("qa", "squad")])
def test_datasets_loads_the_folder_with_the_labels_by_name(
    sqlite_workbench: Workbench, tmp_path: Path, task: str, sample: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from datasets import load_dataset

    service = sqlite_workbench.datasets
    project = sqlite_workbench.projects.create("p", task)
    data = SAMPLES[sample, task]
    service.import_sources(project, [Source("a", data.encode())], Split.TRAIN)
    service.import_sources(project, [Source("b", data.encode() + b"\n")], Split.POOL)
    report = service.export_data(project, "hf", tmp_path / "out")
    assert report.examples == service.counts(project).total
    loaded = load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert set(loaded) == {"train", "pool"}
    row = loaded["train"][0]
    if task == "qa":
        assert row["answers"] == {"text": ["Ada"], "answer_start": [0]}
        assert loaded["train"][1]["answers"] == {"text": [], "answer_start": []}
    else:
        column = f"{task}_tags"
        names = loaded["train"].features[column].feature
        tags = [names.int2str(number) for number in row[column]]
        assert dict(zip(row["tokens"], tags, strict=True))["Lovelace"] == (
            "I-PER" if task == "ner" else "NNP"
        )
    with pytest.raises(InvalidInput, match="is there already"):
        service.export_data(project, "hf", tmp_path / "out")
