"""Partial labels in files: JSON lines say it there and back; no other format can, and exports say so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.data.test_export import annotate
from workbench.domain import Payload, Project, Span, Spans, Split
from workbench.errors import InvalidInput
from workbench.services import Workbench
from workbench.services.exportkinds import EXPORTS, SOURCE

TEXT = "Ada met Bob"
ADA, BOB = Span(0, 3, "PER"), Span(8, 11, "PER")
LINES = [
    {"id": "a", "text": TEXT, "spans": [{"start": 0, "end": 3, "label": "PER"}], "partial": True},
    {"id": "b", "text": TEXT, "spans": [{"start": 8, "end": 11, "label": "PER"}]},
    {"id": "c", "tokens": ["Ada", "ran"], "tags": ["B-PER", "O"], "partial": True},
    {"id": "d", "text": TEXT, "spans": [], "partial": True},
    {"id": "e", "text": TEXT, "spans": [{"start": 0, "end": 3, "label": "PER"}], "partial": "perhaps"},
]
CONLL = "Ada B-PER\nmet O\nBob B-PER\n\nAda B-PER\nran O\n\n"
NER = [name for name, export in EXPORTS.items() if export.holds("ner") and name != SOURCE]


def imported(workbench: Workbench, path: Path, text: str, name: str = "p") -> Project:
    path.write_text(text, encoding="utf-8")
    project = workbench.projects.create(name, "ner")
    workbench.datasets.import_files(project, [path], split=Split.TRAIN)
    return workbench.projects.get(name)


def labels(workbench: Workbench, project: Project) -> dict[str, tuple[Payload | None, object]]:
    with workbench.store.read() as tx:
        examples = list(tx.examples.iter_split(project.id, None))
        found = tx.annotations.gold_of([one.id for one in examples])
    return {
        one.external_id: (found[one.id][0].payload if one.id in found else None, one.meta) for one in examples
    }


@pytest.fixture
def project(workbench: Workbench, tmp_path: Path) -> Project:
    return imported(workbench, tmp_path / "in.jsonl", "".join(json.dumps(line) + "\n" for line in LINES))


def test_json_lines_come_back_as_they_went(workbench: Workbench, project: Project, tmp_path: Path) -> None:
    found = labels(workbench, project)
    assert found == {
        "a": (Spans((ADA,), partial=True), {}),
        "b": (Spans((BOB,)), {}),
        "c": (Spans((ADA,), partial=True), {}),
        "d": (None, {}),
        "e": (Spans((ADA,)), {"partial": "perhaps"}),
    }
    report = workbench.datasets.export_data(project, "jsonl", tmp_path / "out.jsonl")
    assert (report.examples, report.partial, report.lost) == (4, 0, 0)
    again = imported(workbench, tmp_path / "again.jsonl", (tmp_path / "out.jsonl").read_text(), "again")
    assert labels(workbench, again) == {key: value for key, value in found.items() if key != "d"}


def test_no_other_format_can_say_it_and_the_export_says_how_many(
    sqlite_workbench: Workbench, tmp_path: Path
) -> None:
    text = "".join(json.dumps(line) + "\n" for line in LINES)
    project = imported(sqlite_workbench, tmp_path / "in.jsonl", text)
    for name in NER:
        if name == "jsonl":
            continue
        report = sqlite_workbench.datasets.export_data(project, name, tmp_path / name)
        assert (report.examples, report.partial, report.lost) == (2, 2, 2), name
        assert [notice.message[:2] for notice in report.warnings if notice.kind == "lost"] == ["a:", "c:"], (
            name
        )
        with pytest.raises(InvalidInput, match="can't say that labels are partial"):
            sqlite_workbench.datasets.export_data(project, name, tmp_path / f"strict-{name}", strict=True)
    alone = imported(sqlite_workbench, tmp_path / "alone.jsonl", json.dumps(LINES[0]) + "\n", "alone")
    with pytest.raises(InvalidInput, match=r"all of the labels are partial \(1\).*JSON lines"):
        sqlite_workbench.datasets.export_data(alone, "csv", tmp_path / "alone.csv")


def test_a_file_of_its_own_layout_says_it_where_it_can(
    workbench: Workbench, project: Project, tmp_path: Path
) -> None:
    before = (tmp_path / "in.jsonl").read_text()
    report = workbench.datasets.export_data(project, SOURCE, tmp_path / "same.jsonl")
    assert (tmp_path / "same.jsonl").read_text() == before and report.changed == 0
    with workbench.store.read() as tx:
        ids = {one.external_id: one.id for one in tx.examples.iter_split(project.id, None)}
    annotate(workbench, project, ids["a"], Spans((ADA,)))
    annotate(workbench, project, ids["b"], Spans((BOB,), partial=True))
    report = workbench.datasets.export_data(project, SOURCE, tmp_path / "out.jsonl")
    assert (report.changed, report.partial) == (2, 0)
    again = imported(workbench, tmp_path / "again.jsonl", (tmp_path / "out.jsonl").read_text(), "again")
    wanted = {"a": Spans((ADA,)), "b": Spans((BOB,), partial=True), "c": Spans((ADA,), partial=True)}
    assert {key: labels(workbench, again)[key][0] for key in wanted} == wanted
    assert (tmp_path / "out.jsonl").read_text().splitlines()[2:] == before.splitlines()[2:]


def test_a_column_file_keeps_what_it_said(workbench: Workbench, tmp_path: Path) -> None:
    project = imported(workbench, tmp_path / "in.conll", CONLL)
    with workbench.store.read() as tx:
        first, second = (one.id for one in tx.examples.iter_split(project.id, None))
    annotate(workbench, project, first, Spans((ADA,), partial=True))
    annotate(workbench, project, second, Spans())
    report = workbench.datasets.export_data(project, SOURCE, tmp_path / "out.conll")
    assert (report.changed, report.partial, report.lost) == (1, 1, 1)
    assert (tmp_path / "out.conll").read_text() == CONLL.replace("Ada B-PER\nran", "Ada O\nran")
    assert "the file keeps what it said" in report.warnings[0].message
