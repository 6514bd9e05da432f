"""Splits by lot: shares kept, groups whole, the same for the same seed; splitting again where nothing forbids it."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.domain import Project, Split
from workbench.errors import InvalidInput, WrongState
from workbench.formats import Source
from workbench.services import Workbench
from workbench.services.annotation_items import Submission
from workbench.services.importing import ImportOptions
from workbench.services.splits import SplitPlan, assign, parse_ratios

SHARES = {Split.TRAIN: 0.8, Split.VALIDATION: 0.1, Split.TEST: 0.1}


def documents(number: int, sentences: int = 3) -> bytes:
    return "".join(
        "-DOCSTART- O\n\n" + "".join(f"d{doc} O\ns{one} O\n\n" for one in range(sentences))
        for doc in range(number)
    ).encode()


def where(workbench: Workbench, project: Project) -> dict[str, set[Split]]:
    """The splits of each document."""
    found: dict[str, set[Split]] = defaultdict(set)
    for example in workbench.datasets.browse(project, limit=10_000).items:
        found[example.content.text.split()[0]].add(example.split)
    return found


@given(
    st.lists(st.integers(0, 40).map(str), min_size=60, max_size=400),
    st.sampled_from([SHARES, {Split.POOL: 0.5, Split.TEST: 0.5}, {Split.TRAIN: 1.0}]),
    st.integers(0, 5),
)
def test_groups_are_whole_and_shares_kept(names: list[str], ratios: dict[Split, float], seed: int) -> None:
    largest = max(names.count(name) for name in set(names))
    if len(set(names)) < len(ratios):
        with pytest.raises(InvalidInput, match="splits can't be made"):
            assign(names, ratios, seed)
        return
    splits = assign(names, ratios, seed)
    assert splits == assign(names, ratios, seed)
    for name in set(names):
        assert len({split for other, split in zip(names, splits, strict=True) if other == name}) == 1
    for split, share in ratios.items():
        assert abs(splits.count(split) - share * len(names)) <= largest


def test_an_import_is_split_by_lot_and_documents_stay_whole(workbench: Workbench) -> None:
    project = workbench.projects.create("news", "ner", ["PER"])
    options = ImportOptions(plan=SplitPlan(ratios=SHARES, seed=13))
    preview = workbench.datasets.preview(project, [Source("a.conll", documents(50))], Split.POOL, options)
    report = workbench.datasets.import_sources(
        project, [Source("a.conll", documents(50))], Split.POOL, options
    )
    assert preview.report.splits == report.splits == {"test": 15, "train": 120, "validation": 15}
    found = where(workbench, project)
    assert all(len(splits) == 1 for splits in found.values())
    other = workbench.projects.create("other", "ner", ["PER"])
    workbench.datasets.import_sources(other, [Source("a.conll", documents(50))], Split.POOL, options)
    assert where(workbench, other) == found, "the same seed, the same splits"


def test_questions_on_one_context_stay_together(sqlite_workbench: Workbench) -> None:
    project = sqlite_workbench.projects.create("q", "qa")
    rows = "\n".join(
        f'{{"question": "what {i}?", "context": "context {i % 10}", "answers": []}}' for i in range(60)
    )
    plan = SplitPlan(ratios={Split.TRAIN: 0.5, Split.TEST: 0.5})
    sqlite_workbench.datasets.import_sources(
        project, [Source("a.jsonl", rows.encode())], Split.POOL, ImportOptions(plan=plan)
    )
    by_context: dict[str, set[Split]] = defaultdict(set)
    for example in sqlite_workbench.datasets.browse(project, limit=100).items:
        by_context[example.content.text].add(example.split)
    assert len(by_context) == 10 and all(len(splits) == 1 for splits in by_context.values())
    counts = sqlite_workbench.datasets.counts(project).examples
    assert (counts[Split.TRAIN], counts[Split.TEST]) == (30, 30)


def test_one_document_is_split_by_examples_with_equal_texts_together(sqlite_workbench: Workbench) -> None:
    project = sqlite_workbench.projects.create("p", "ner", ["PER"])
    text = "".join(f"w{i % 20} O\n\n" for i in range(60)).encode()
    plan = SplitPlan(ratios={Split.TRAIN: 0.5, Split.TEST: 0.5})
    report = sqlite_workbench.datasets.import_sources(
        project, [Source("a.conll", text)], Split.POOL, ImportOptions(plan=plan)
    )
    assert dict(report.splits) == {"test": 30, "train": 30} and report.leaks == ()
    with pytest.raises(InvalidInput, match="2 splits can't be made of 1 group"):
        other = sqlite_workbench.projects.create("o", "ner", ["PER"])
        whole = SplitPlan(ratios=plan.ratios, group="document")
        sqlite_workbench.datasets.import_sources(
            other, [Source("a.conll", text)], Split.POOL, ImportOptions(plan=whole)
        )


def test_a_project_is_split_again_until_something_stands_on_its_splits(workbench: Workbench) -> None:
    project = workbench.projects.create("news", "ner", ["PER"])
    workbench.datasets.import_sources(project, [Source("a.conll", documents(40))], Split.TRAIN)
    plan = SplitPlan(ratios=SHARES, seed=5)
    seen = workbench.splits.resplit(project, plan, dry_run=True)
    assert workbench.datasets.counts(project).examples[Split.TRAIN] == 120
    done = workbench.splits.resplit(project, plan)
    assert (
        done == seen and dict(done.counts) == {"test": 12, "train": 96, "validation": 12} and done.moved == 24
    )
    assert all(len(splits) == 1 for splits in where(workbench, project).values())
    assert workbench.splits.resplit(project, plan).moved == 0
    with workbench.store.write() as tx:
        user = tx.users.find_or_add("ann")
    example = workbench.datasets.browse(project).items[0]
    workbench.annotation.revise(
        project, user, Submission(example_id=example.id, client_id="x", payload={"spans": []})
    )
    with pytest.raises(WrongState, match="people have labeled its examples"):
        workbench.splits.resplit(project, plan)
    with pytest.raises(InvalidInput, match="no shares"):
        workbench.splits.resplit(project, SplitPlan())


def test_an_unknown_grouping_is_refused(sqlite_workbench: Workbench) -> None:
    project = sqlite_workbench.projects.create("p", "ner", ["PER"])
    sqlite_workbench.datasets.import_sources(project, [Source("b.conll", documents(4))], Split.TRAIN)
    with pytest.raises(InvalidInput, match="'x' is no grouping. Choose from auto, document"):
        sqlite_workbench.splits.resplit(project, SplitPlan(ratios=SHARES, group="x"))


def test_shares_are_read_and_checked() -> None:
    assert parse_ratios("train=0.8, validation=0.1,test=0.1") == SHARES
    assert parse_ratios("train=80%,validation=10,test=10") == SHARES
    for wrong in ("train", "train=1,train=0", "pool=x", "dev=1", "train=0.5", "train=-1,test=2", "train=nan"):
        with pytest.raises(InvalidInput):
            parse_ratios(wrong)
