"""Counts that are kept hold for as long as they are true, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.jobs.rows import add_examples, add_gold
from tests.selection.pool import add_scores, add_version
from workbench.domain import Project, Split
from workbench.services import Workbench
from workbench.services.splits import SplitPlan
from workbench.storage.kept import MOST, Kept
from workbench.storage.sizes import SplitCounts
from workbench.storage.store import Transaction


@pytest.fixture
def project(workbench: Workbench) -> Project:
    return workbench.projects.create("news", "ner", ["PER", "LOC"])


def counts(wb: Workbench, project: Project) -> dict[Split, tuple[int, int]]:
    """Examples and golds, kept ones, which must be those that are counted anew."""
    with wb.store.read() as tx:
        found = tx.sizes.counts(project.id)
        assert found == Transaction(tx.connection).sizes.counts(project.id)
        assert tx.sizes.pool(project.id) == found.get(Split.POOL, SplitCounts()).examples
    return {split: (number.examples, number.gold) for split, number in found.items()}


def test_counts_follow_imports_labels_and_splits(workbench: Workbench, project: Project) -> None:
    assert counts(workbench, project) == {}
    ids = add_examples(workbench, project, 12)
    assert counts(workbench, project) == {Split.POOL: (12, 0)}
    add_examples(workbench, workbench.projects.create("other", "ner"), 3)
    workbench.splits.resplit(project, SplitPlan({Split.POOL: 0.5, Split.TEST: 0.5}, group="example"))
    assert counts(workbench, project) == {Split.POOL: (6, 0), Split.TEST: (6, 0)}
    workbench.splits.resplit(project, SplitPlan({Split.TRAIN: 0.5, Split.POOL: 0.5}, seed=2, group="example"))
    assert counts(workbench, project) == {Split.POOL: (6, 0), Split.TRAIN: (6, 0)}
    add_gold(workbench, ids[:5])
    assert sum(golds for _, golds in counts(workbench, project).values()) == 5
    add_examples(workbench, project, 2, split=Split.VALIDATION)
    assert counts(workbench, project)[Split.VALIDATION] == (2, 0)


def test_scores_are_counted_again_when_there_are_more(workbench: Workbench, project: Project) -> None:
    pool, test = add_examples(workbench, project, 6), add_examples(workbench, project, 4, split=Split.TEST)
    version = add_version(workbench, project)

    def scored() -> int:
        with workbench.store.read() as tx:
            return tx.sizes.scored(project.id, version, "mnlp")

    assert scored() == 0
    add_scores(workbench, version, dict.fromkeys([*pool[:4], *test], 0.5))
    assert scored() == 4
    add_scores(workbench, version, dict.fromkeys(pool[4:], 0.5))
    assert scored() == 6


def test_what_is_written_and_taken_back_is_not_kept(workbench: Workbench, project: Project) -> None:
    add_examples(workbench, project, 3)
    with pytest.raises(ZeroDivisionError), workbench.store.write() as tx:
        run = tx.connection.exec_driver_sql
        run(f"UPDATE examples SET split = 'test' WHERE project_id = {project.id}")
        assert tx.sizes.pool(project.id) == 0
        raise ZeroDivisionError
    assert counts(workbench, project) == {Split.POOL: (3, 0)}


def test_the_oldest_go_and_threads_may_ask() -> None:
    kept, asked = Kept(), []

    def count(key: int) -> int:
        return kept.get(key, "same", lambda: asked.append(key) or key)  # type: ignore[func-returns-value]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(count, range(2 * MOST))) == list(range(2 * MOST))
    before = len(asked)
    assert count(2 * MOST - 1) == 2 * MOST - 1
    assert len(asked) == before
    assert count(0) == 0
    assert len(asked) == before + 1
    assert kept.get(0, "another", lambda: 7) == 7
