"""The sample projects are whole, split by document, and their pool is unlabeled with answers kept aside."""

from __future__ import annotations

import pytest

from workbench.domain import Split
from workbench.errors import AlreadyExists, UnknownName
from workbench.services import Workbench
from workbench.services.samples import ensure_samples, load_sample


@pytest.mark.parametrize(
    ("task", "total", "label"), [("ner", 320, "PER"), ("pos", 320, "NNP"), ("qa", 202, None)]
)
def test_a_sample_is_a_project(sqlite_workbench: Workbench, task: str, total: int, label: str | None) -> None:
    project = load_sample(sqlite_workbench, task)
    assert project.name == f"sample-{task}" and project.guidelines
    assert label is None or label in project.label_names
    counts = sqlite_workbench.datasets.counts(project)
    assert counts.total == total
    assert counts.gold.get(Split.POOL, 0) == 0
    for split in (Split.VALIDATION, Split.TEST):
        assert counts.gold[split] == counts.examples[split] >= 15
    assert counts.examples[Split.POOL] > total / 2
    documents: dict[str, set[Split]] = {}
    for split in (Split.POOL, Split.VALIDATION, Split.TEST):
        for example in sqlite_workbench.datasets.browse(project, split=split, limit=1000).items:
            documents.setdefault(example.content.text[:30], set()).add(split)
    assert all(len(splits) == 1 for splits in documents.values())
    pool = sqlite_workbench.datasets.browse(project, split=Split.POOL, limit=5).items
    with sqlite_workbench.store.read() as tx:
        assert len(tx.annotations.oracle([example.id for example in pool])) == len(pool)


def test_a_sample_under_another_name(sqlite_workbench: Workbench) -> None:
    assert load_sample(sqlite_workbench, "ner", "mine").name == "mine"
    with pytest.raises(AlreadyExists):
        load_sample(sqlite_workbench, "ner", "mine")
    with pytest.raises(UnknownName):
        load_sample(sqlite_workbench, "chess")


def test_only_a_workbench_without_projects_gets_the_samples(sqlite_workbench: Workbench) -> None:
    loaded = ensure_samples(sqlite_workbench)
    assert {project.name for project in loaded} == {"sample-ner", "sample-pos", "sample-qa"}
    assert ensure_samples(sqlite_workbench) == ()
