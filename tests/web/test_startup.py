"""What pages count first is counted before the server answers."""

from __future__ import annotations

import pytest

from tests.jobs.rows import add_examples, add_gold
from workbench.services import Workbench, overlaps
from workbench.storage.candidates import Candidates
from workbench.web.startup import count_ahead, prepare


def test_pages_find_it_counted(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    project = workbench.projects.create("news", "ner", ["PER"])
    add_gold(workbench, add_examples(workbench, project, 6))
    count_ahead(workbench)
    before = workbench.selection.candidates(project), workbench.datasets.overlap(project)

    def again(*_: object, **__: object) -> None:
        raise AssertionError("counted again")

    monkeypatch.setattr(Candidates, "accepted", again)
    monkeypatch.setattr(overlaps, "_search", again)
    assert (workbench.selection.candidates(project), workbench.datasets.overlap(project)) == before


def test_what_cannot_be_counted_stops_no_server(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    workbench.projects.create("news", "ner", ["PER"])
    asked = []

    def broken(*_: object, **__: object) -> None:
        asked.append(1)
        raise RuntimeError("a table is gone")

    monkeypatch.setattr(Candidates, "accepted", broken)
    count_ahead(workbench)
    assert asked


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("SESSION_HOURS", "soon", "'soon' can't be used"),
        ("HOME", "/dev/null/home", "the folder /dev/null/home can't be made"),
    ],
)
def test_a_variable_that_cannot_be_used_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str,
    words: str,
) -> None:
    monkeypatch.setenv(f"WORKBENCH_{variable}", value)
    prepare()
    said = capsys.readouterr().err
    assert said.startswith(f"error: WORKBENCH_{variable}: {words}") and said.count("\n") == 1
