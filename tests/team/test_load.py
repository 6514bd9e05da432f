"""Many people at once: nobody is refused, nothing is lost or stored twice, no item goes to too many."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.team.load import check, run_load
from workbench.services import Workbench


def test_people_label_beside_an_import_and_a_run(workbench: Workbench, tmp_path: Path) -> None:
    project, outcome = run_load(
        workbench, people=8, items=10, processes=2, imported=1_500, folder=tmp_path / "told"
    )
    assert outcome.errors == []
    assert len(outcome.stored) == 80
    check(workbench, project, outcome)


@pytest.mark.proof
def test_people_label_beside_an_import_and_a_run_the_long_form(workbench: Workbench, tmp_path: Path) -> None:
    project, outcome = run_load(
        workbench, people=50, items=100, processes=5, imported=100_000, folder=tmp_path / "told"
    )
    assert outcome.errors == []
    assert len(outcome.stored) == 5_000
    check(workbench, project, outcome)
