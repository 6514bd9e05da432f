"""Imports: what they bring, that they are all there or not there, what they recognise."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from tests.formats.samples import SAMPLES
from workbench.domain import AnnotationStatus, Answer, Answers, Span, Spans, Split, Tags
from workbench.errors import AlreadyExists, FormatError, InvalidInput, NotFound, UnknownName, WorkbenchError
from workbench.formats import Source
from workbench.services import Workbench
from workbench.services.importing import ImportOptions
from workbench.services.importwatch import ImportWatch

CONLL = (
    "-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\n\nParis NNP I-NP I-LOC\n\n"
    "-DOCSTART- -X- O O\n\n. . O O\n"
)


def file(folder: Path, name: str, data: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def rows(workbench: Workbench, table: str) -> int:
    with workbench.store.read() as tx:
        return int(tx.connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def test_an_import_brings_documents_examples_labels_and_gold(workbench: Workbench, tmp_path: Path) -> None:
    project = workbench.projects.create("news", "ner", ["MISC"])
    report = workbench.datasets.import_files(project, [file(tmp_path, "a.conll", CONLL)], split=Split.TEST)
    assert (report.examples, report.documents, report.tokens, report.entities) == (3, 2, 4, 2)
    assert dict(report.labels) == {"ORG": 1, "LOC": 1}
    assert (report.skipped, report.repaired, report.duplicates, report.warnings) == (0, 0, 0, ())
    assert workbench.projects.get("news").label_names == ("MISC", "ORG", "LOC")
    page = workbench.datasets.browse(project)
    assert [example.content.text for example in page.items] == ["EU rejects", "Paris", "."]
    assert [example.position for example in page.items] == [0, 1, 2]
    assert page.items[0].content.tokens == ((0, 2), (3, 10))
    assert page.items[0].split is Split.TEST
    labels = workbench.datasets.labels_of(page.items)
    assert labels == {
        page.items[0].id: Spans((Span(0, 2, "ORG"),)),
        page.items[1].id: Spans((Span(0, 5, "LOC"),)),
        page.items[2].id: Spans(),
    }
    revision = workbench.annotation.history(project, page.items[0].id)[0]
    assert (revision.author, revision.revision, revision.status) == ("import", 1, AnnotationStatus.ACCEPTED)
    with workbench.store.read() as tx:
        author = tx.users.find("import")
    assert author is not None and author.system


def test_labels_kept_aside_are_nobodys_annotations(workbench: Workbench, tmp_path: Path) -> None:
    project = workbench.projects.create("news", "ner")
    workbench.datasets.import_files(
        project, [file(tmp_path, "a.conll", CONLL)], split=Split.POOL, unlabeled=True
    )
    page = workbench.datasets.browse(project)
    assert workbench.datasets.labels_of(page.items) == {}
    assert rows(workbench, "annotations") == 0
    with workbench.store.read() as tx:
        kept = tx.annotations.oracle([example.id for example in page.items])
    assert kept[page.items[1].id] == {"spans": [{"start": 0, "end": 5, "label": "LOC"}]}
    assert workbench.projects.get("news").label_names == ("ORG", "LOC")


def test_every_task(workbench: Workbench) -> None:
    for task, name, payload in (
        ("pos", "conllu", Tags(("AUX", "PART", "VERB", "PUNCT"))),
        ("qa", "squad", Answers((Answer(0, 3),))),
        ("ner", "jsonl", Spans((Span(0, 3, "PER"),))),
    ):
        project = workbench.projects.create(task, task)
        source = Source("file", SAMPLES[name, task].encode())
        report = workbench.datasets.import_sources(project, [source], Split.TRAIN)
        first = workbench.datasets.browse(project).items[0]
        assert workbench.datasets.labels_of([first]) == {first.id: payload}
        assert report.files[0].format == name
        assert (first.content.question is not None) == (task == "qa")


def test_a_bad_file_writes_nothing_not_even_of_the_good_one_beside_it(
    workbench: Workbench, tmp_path: Path
) -> None:
    project = workbench.projects.create("news", "ner")
    good, bad = file(tmp_path, "good.conll", CONLL), file(tmp_path, "bad.conll", CONLL + "half a\n")
    with pytest.raises(FormatError, match=r"bad\.conll, line 11"):
        workbench.datasets.import_files(project, [good, bad], split=Split.POOL)
    for table in ("imports", "sources", "documents", "examples", "labels", "annotations", "gold"):
        assert rows(workbench, table) == 0


def test_a_failure_while_writing_leaves_nothing(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.storage.examples import Examples

    project = workbench.projects.create("news", "ner")

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Examples, "set_counts", fail)
    with pytest.raises(KeyboardInterrupt):
        workbench.datasets.import_sources(project, [Source("a.conll", CONLL.encode())], Split.POOL)
    for table in ("imports", "sources", "documents", "examples", "labels", "annotations", "gold"):
        assert rows(workbench, table) == 0


def test_a_dry_run_and_a_preview_say_the_same_and_write_nothing(sqlite_workbench: Workbench) -> None:
    project = sqlite_workbench.projects.create("news", "ner")
    source = Source("a.conll", CONLL.encode())
    dry = sqlite_workbench.datasets.import_sources(project, [source], Split.POOL, dry_run=True)
    preview = sqlite_workbench.datasets.preview(project, [source], Split.POOL)
    assert dry.dry_run and preview.report == dry
    assert [example.content.text for example in preview.first] == ["EU rejects", "Paris", "."]
    assert preview.columns == ("0", "1", "2", "3")
    assert preview.rows[0] == ("EU", "NNP", "I-NP", "I-ORG")
    assert rows(sqlite_workbench, "examples") == 0
    wet = sqlite_workbench.datasets.import_sources(project, [source], Split.POOL)
    assert (wet.examples, wet.labels, wet.warnings) == (dry.examples, dry.labels, dry.warnings)


def test_the_same_file_is_recognised_in_any_split_and_under_any_name(workbench: Workbench) -> None:
    project = workbench.projects.create("news", "ner")
    workbench.datasets.import_sources(project, [Source("a.conll", CONLL.encode())], Split.POOL)
    with pytest.raises(AlreadyExists, match=r"b\.conll: .*'a\.conll' \(pool.*--force"):
        workbench.datasets.import_sources(project, [Source("b.conll", CONLL.encode())], Split.TEST)
    with pytest.raises(AlreadyExists, match="twice"):
        other = Source("c.conll", b"a B-X\n")
        workbench.datasets.import_sources(project, [other, other], Split.POOL)
    forced = workbench.datasets.import_sources(
        project, [Source("b.conll", CONLL.encode())], Split.TEST, ImportOptions(force=True)
    )
    assert forced.duplicates == 3
    assert "3 of these test examples also stand in pool" in forced.warnings[0].message
    assert rows(workbench, "sources") == 1
    assert len(workbench.datasets.imports(project)) == 2
    elsewhere = workbench.projects.create("other", "ner")
    workbench.datasets.import_sources(elsewhere, [Source("a.conll", CONLL.encode())], Split.POOL)
    assert rows(workbench, "sources") == 1


def test_duplicates_are_counted_within_and_across_files_and_imports(sqlite_workbench: Workbench) -> None:
    project = sqlite_workbench.projects.create("news", "ner")
    first = sqlite_workbench.datasets.import_sources(
        project,
        [Source("a.conll", b"a B-X\n\na B-X\n\nb B-X\n"), Source("b.conll", b"b O\n\nc B-X\n")],
        Split.POOL,
    )
    assert first.duplicates == 2
    assert first.warnings == ()
    second = sqlite_workbench.datasets.import_sources(
        project, [Source("c.conll", b"c B-X\n\nd B-X\n")], Split.TRAIN
    )
    assert (second.duplicates, second.warnings) == (1, ())
    test = sqlite_workbench.datasets.import_sources(
        project, [Source("d.conll", b"d B-X\n\ne B-X\n")], Split.TEST
    )
    assert "1 of these test examples also stand in train" in test.warnings[0].message


def test_repeated_ids_are_numbered_and_told(sqlite_workbench: Workbench) -> None:
    project = sqlite_workbench.projects.create("p", "ner")
    lines = '{"id": "x", "text": "a"}\n{"id": "x", "text": "b"}\n{"id": "x#2", "text": "c"}\n{"id": "x", "text": "d"}\n'
    report = sqlite_workbench.datasets.import_sources(
        project, [Source("a.jsonl", lines.encode())], Split.POOL
    )
    assert [example.external_id for example in sqlite_workbench.datasets.browse(project).items] == [
        "x",
        "x#2",
        "x#2#2",
        "x#3",
    ]
    assert "ids were given before" in report.warnings[0].message


def test_names_that_are_too_long_for_an_index_are_shortened(workbench: Workbench) -> None:
    project = workbench.projects.create("p", "ner")
    lines = "".join(f'{{"id": "{"é" * 5_000}{i}", "text": "a"}}\n' for i in range(2))
    workbench.datasets.import_sources(project, [Source("a.jsonl", lines.encode())], Split.POOL)
    names = {example.external_id for example in workbench.datasets.browse(project).items}
    assert len(names) == 2
    assert all(len(name) == 300 for name in names)


def test_whatever_json_brings_along_is_stored(workbench: Workbench) -> None:
    project = workbench.projects.create("p", "ner")
    meta = '{"big": 123456789012345678901234567890, "tiny": 1e-300, "s": "\\u2028"}'
    line = f'{{"text": "😀 \\ud83d\\ude00 \\u0001", "meta": {meta}}}'
    workbench.datasets.import_sources(project, [Source("a.jsonl", line.encode())], Split.POOL)
    example = workbench.datasets.browse(project).items[0]
    assert example.content.text == "😀 😀 \x01"
    assert example.meta["big"] == 123456789012345678901234567890


def test_files_in_gz_and_zip_are_unpacked(sqlite_workbench: Workbench, tmp_path: Path) -> None:
    project = sqlite_workbench.projects.create("news", "ner")
    packed = file(tmp_path, "a.conll.gz", gzip.compress(CONLL.encode()))
    report = sqlite_workbench.datasets.import_files(project, [packed], split=Split.POOL)
    assert report.files[0].name == "a.conll"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../../evil.conll", "x B-X\n")
        archive.writestr("__MACOSX/._a", "junk")
        archive.writestr("b/c.conll", "y B-X\n")
    report = sqlite_workbench.datasets.import_files(
        project, [file(tmp_path, "z.zip", buffer.getvalue())], split=Split.POOL
    )
    assert report.examples == 2
    out = tmp_path / "out" / "inner"
    sqlite_workbench.datasets.export_data(project, "source", out.parent / "deep" / "er")
    assert not (tmp_path / "evil.conll").exists()
    assert sorted(path.name for path in (out.parent / "deep" / "er").iterdir()) == [
        "a.conll",
        "c.conll",
        "evil.conll",
    ]


@pytest.mark.parametrize(
    "data", [b"\x1f\x8bjunk", b"PK\x03\x04junk", gzip.compress(b"x" * 100, mtime=0)[:-12]]
)
def test_damaged_archives_are_refused(sqlite_workbench: Workbench, tmp_path: Path, data: bytes) -> None:
    project = sqlite_workbench.projects.create("news", "ner")
    with pytest.raises(FormatError):
        sqlite_workbench.datasets.import_files(project, [file(tmp_path, "a.gz", data)], split=Split.POOL)


def test_bombs_and_files_that_are_too_large_are_refused(sqlite_workbench: Workbench) -> None:
    from workbench.formats.source import unpack

    bomb = gzip.compress(b"a" * 5_000_000)
    assert len(bomb) < 10_000
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(5):
            archive.writestr(f"{number}.txt", b"a" * 400_000)
    for data in (bomb, buffer.getvalue(), b"a" * 1_048_577):
        with pytest.raises(InvalidInput, match="WORKBENCH_MAX_UPLOAD_MB"):
            unpack("a.gz", data, 1_048_576)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_can_only_be_unpacked_as_a_whole_is_refused(method: int) -> None:
    from workbench.formats.source import unpack

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("a.txt", b"a" * 20_000_000)
    assert len(buffer.getvalue()) < 10_000
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match="Deflate"):
            unpack("a.zip", buffer.getvalue(), 1_048_576)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_what_can_not_be_imported_is_said_with_the_remedy(
    sqlite_workbench: Workbench, tmp_path: Path
) -> None:
    project = sqlite_workbench.projects.create("news", "ner")

    def refuse(kind: type[WorkbenchError], words: str, *paths: Path, **options: str) -> None:
        with pytest.raises(kind, match=words):
            sqlite_workbench.datasets.import_files(project, paths, split=Split.POOL, **options)  # type: ignore[arg-type]

    refuse(NotFound, "no such file", tmp_path / "none")
    refuse(InvalidInput, "is a folder", tmp_path)
    refuse(InvalidInput, "no file")
    refuse(FormatError, "is empty", file(tmp_path, "empty", b" \n"))
    refuse(UnknownName, "conll, conllu", file(tmp_path, "a", CONLL), format="word")
    refuse(FormatError, "looks like SQuAD", file(tmp_path, "q.json", SAMPLES["squad", "qa"]))
    refuse(
        InvalidInput,
        "holds no named entities",
        file(tmp_path, "q.json", SAMPLES["squad", "qa"]),
        format="squad",
    )
    refuse(FormatError, "UTF-16", file(tmp_path, "u", CONLL.encode("utf-16")))
    assert rows(sqlite_workbench, "imports") == 0


def test_many_rows_go_through_the_temporary_file(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.services import spool

    monkeypatch.setattr(spool, "IN_MEMORY", 10)
    monkeypatch.setattr(spool, "TOGETHER", 7)
    project = workbench.projects.create("news", "ner")
    data = "".join(f"w{i} B-X\nx O\n\n" for i in range(50))
    seen: list[int] = []
    workbench.datasets.import_sources(
        project,
        [Source("a.conll", data.encode())],
        Split.POOL,
        watch=ImportWatch(lambda watch: seen.append(watch.done)),
    )
    examples = workbench.datasets.browse(project, limit=100).items
    assert [example.content.text for example in examples] == [f"w{i} x" for i in range(50)]
    assert len(workbench.datasets.labels_of(examples)) == 50


def test_two_imports_follow_each_other_in_position(sqlite_workbench: Workbench) -> None:
    project = sqlite_workbench.projects.create("news", "ner")
    for name in "ab":
        source = Source(f"{name}.conll", f"{name} B-X\n\n{name}{name} O\n".encode())
        sqlite_workbench.datasets.import_sources(project, [source], Split.POOL)
    items = sqlite_workbench.datasets.browse(project).items
    assert [(item.position, item.content.text) for item in items] == [
        (0, "a"),
        (1, "aa"),
        (2, "b"),
        (3, "bb"),
    ]
