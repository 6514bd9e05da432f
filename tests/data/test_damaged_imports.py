"""Damaged files through the whole import: refused with a place, or all there; never a half, never a traceback."""

from __future__ import annotations

import os
import random

import pytest

from tests.formats.samples import FILES
from tests.formats.test_contract import PAIRS
from tests.formats.test_mutations import mutated
from workbench.domain import Split
from workbench.errors import WorkbenchError
from workbench.services import Workbench
from workbench.services.importing import ImportOptions

SHORT = 3
LONG = int(os.environ.get("WORKBENCH_MUTATIONS", "10000")) // 20
TABLES = ("imports", "sources", "documents", "examples", "annotations", "gold", "loads")


def rows(workbench: Workbench) -> list[int]:
    with workbench.store.read() as tx:
        return [
            int(tx.connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())
            for table in TABLES
        ]


def run(workbench: Workbench, seeds: range) -> tuple[int, int]:
    """Import damaged samples of every format; how many came in and how many were refused."""
    fine = refused = 0
    projects = {task: workbench.projects.create(task, task) for task in sorted({task for _, task in PAIRS})}
    for name, task in PAIRS:
        for seed in seeds:
            data = mutated(FILES[name, task], random.Random(f"import {name} {task} {seed}"))
            before = rows(workbench)
            options = ImportOptions(format="auto" if seed % 3 == 0 else name, force=True)
            try:
                sources = workbench.datasets.together(workbench.datasets.uploaded("file", data))
                dry = workbench.datasets.import_sources(
                    projects[task], sources, Split.POOL, options, dry_run=True
                )
                assert rows(workbench) == before, (name, task, seed)
                wet = workbench.datasets.import_sources(projects[task], sources, Split.POOL, options)
            except WorkbenchError as error:
                refused += 1
                assert "\n" not in str(error)
                assert rows(workbench) == before, (name, task, seed)
                continue
            except Exception as error:
                raise AssertionError(f"{name} {task} seed {seed}: {data!r}") from error
            fine += 1
            assert (wet.examples, wet.labels) == (dry.examples, dry.labels)
            assert rows(workbench)[3] == before[3] + wet.examples
    return fine, refused


def test_damaged_files_come_in_whole_or_not_at_all(sqlite_workbench: Workbench) -> None:
    fine, refused = run(sqlite_workbench, range(SHORT))
    assert fine and refused


@pytest.mark.proof
def test_damaged_files_come_in_whole_or_not_at_all_the_long_form(workbench: Workbench) -> None:
    run(workbench, range(SHORT, SHORT + LONG))
