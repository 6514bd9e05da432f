"""Browsing: pages, filters, search, neighbours, counts."""

from __future__ import annotations

import pytest

from workbench.domain import Project, Split
from workbench.errors import NotFound
from workbench.formats import Source
from workbench.services import Workbench


@pytest.fixture
def project(workbench: Workbench) -> Project:
    made = workbench.projects.create("news", "ner")
    pool = "-DOCSTART- O\n\nÄrger O\n\nin O\nParis B-LOC\n\n100% O\n\n-DOCSTART- O\n\na_b O\n"
    workbench.datasets.import_sources(made, [Source("pool.conll", pool.encode())], Split.POOL)
    workbench.datasets.import_sources(
        made, [Source("t.jsonl", b'{"id": "T-1", "text": "Test in Rome"}\n')], Split.TEST
    )
    return made


def texts(workbench: Workbench, project: Project, **options: object) -> list[str]:
    return [item.content.text for item in workbench.datasets.browse(project, **options).items]  # type: ignore[arg-type]


def test_pages_and_filters(workbench: Workbench, project: Project) -> None:
    page = workbench.datasets.browse(project, offset=1, limit=2)
    assert ([item.content.text for item in page.items], page.total) == (["in Paris", "100%"], 5)
    assert texts(workbench, project, split=Split.TEST) == ["Test in Rome"]
    assert texts(workbench, project, labeled=False) == ["Test in Rome"]
    assert len(texts(workbench, project, labeled=True)) == 4
    first = workbench.datasets.browse(project).items[0]
    assert texts(workbench, project, document_id=first.document_id) == ["Ärger", "in Paris", "100%"]


def test_search_is_literal_and_blind_to_case(workbench: Workbench, project: Project) -> None:
    for query, found in (
        ("PARIS", ["in Paris"]),
        ("ärger", ["Ärger"]),
        (" in ", ["in Paris", "Test in Rome"]),
        ("%", ["100%"]),
        ("a_b", ["a_b"]),
        ("t-1", ["Test in Rome"]),
        ("\\", []),
        ("' OR 1=1", []),
    ):
        assert texts(workbench, project, query=query) == found, query


def test_neighbours_stay_in_the_document(workbench: Workbench, project: Project) -> None:
    items = workbench.datasets.browse(project).items
    before, after = workbench.datasets.neighbours(items[2], 1, 5)
    assert [item.content.text for item in before] == ["in Paris"]
    assert after == []
    before, after = workbench.datasets.neighbours(items[0], 5, 1)
    assert (before, [item.content.text for item in after]) == ([], ["in Paris"])


def test_counts(workbench: Workbench, project: Project) -> None:
    counts = workbench.datasets.counts(project)
    assert counts.examples == {Split.POOL: 4, Split.TRAIN: 0, Split.VALIDATION: 0, Split.TEST: 1}
    assert counts.gold[Split.POOL] == 4
    assert (counts.annotated, counts.documents, counts.words, counts.total) == (4, 3, 8, 5)


def test_an_example_belongs_to_its_project(workbench: Workbench, project: Project) -> None:
    other = workbench.projects.create("other", "ner")
    first = workbench.datasets.browse(project).items[0]
    assert workbench.datasets.example(project, first.id) == first
    for wrong, number in ((other, first.id), (project, 10**12)):
        with pytest.raises(NotFound):
            workbench.datasets.example(wrong, number)


def test_examples_by_ids_splits_and_names(workbench: Workbench, project: Project) -> None:
    items = workbench.datasets.browse(project).items
    with workbench.store.read() as tx:
        assert tx.examples.by_ids([items[3].id, items[0].id, 10**12]) == [items[3], items[0]]
        assert list(tx.examples.iter_split(project.id, Split.POOL)) == list(items[:4])
        assert list(tx.examples.iter_split(project.id)) == list(items)
        assert tx.examples.by_external_id(project.id, "T-1") == [items[4]]
        assert tx.examples.count(project.id) == 5
        assert tx.examples.count(project.id, Split.TEST) == 1
        assert tx.examples.text_search(project.id, "rome") == [items[4]]


def test_an_import_can_be_taken_back_with_its_source(workbench: Workbench, project: Project) -> None:
    record = workbench.datasets.imports(project)[1]
    with workbench.store.write() as tx:
        tx.examples.delete_import(record.id)
    assert workbench.datasets.counts(project).examples[Split.TEST] == 0
    with workbench.store.read() as tx, pytest.raises(NotFound):
        tx.examples.source(record.sha256)
