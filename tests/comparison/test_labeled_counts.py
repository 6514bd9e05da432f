"""What each split has to be measured on is counted once, and anew after every change."""

from __future__ import annotations

from tests.jobs.rows import add_examples, add_gold
from workbench.domain import Split
from workbench.services import Workbench


def test_counts_follow_what_is_accepted_and_withdrawn(workbench: Workbench) -> None:
    project = workbench.projects.create("news", "ner", ["PER", "LOC"])
    ids = add_examples(workbench, project, 6)
    assert workbench.evaluation.labeled(project) == {}
    add_gold(workbench, ids[:2])
    assert workbench.evaluation.labeled(project) == {Split.POOL: 2}
    assert workbench.evaluation.labeled(project) == {Split.POOL: 2}
    add_gold(workbench, ids[2:5])
    assert workbench.evaluation.labeled(project) == {Split.POOL: 5}
    with workbench.store.write() as tx:
        tx.connection.exec_driver_sql(f"DELETE FROM gold WHERE example_id = {ids[0]}")
    assert workbench.evaluation.labeled(project) == {Split.POOL: 4}
