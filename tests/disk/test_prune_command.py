"""``workbench prune`` says what goes and why the rest stays, and asks; ``train --again`` takes no other choice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.disk.versions import make_versions, with_files
from workbench.cli import load
from workbench.cli import prune as command
from workbench.cli.base import app
from workbench.config import get_settings
from workbench.domain import Project
from workbench.errors import InvalidInput, NotFound
from workbench.services import Workbench


@pytest.fixture
def home(sqlite_workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Workbench, Project]]:
    monkeypatch.setenv("WORKBENCH_HOME", str(sqlite_workbench.settings.home))
    monkeypatch.delenv("WORKBENCH_DATABASE_URL", raising=False)
    get_settings.cache_clear()
    load()
    yield sqlite_workbench, make_versions(sqlite_workbench, 4)
    get_settings.cache_clear()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_a_dry_run_says_everything_and_does_nothing(home: tuple[Workbench, Project]) -> None:
    wb, project = home
    said = " ".join(run("prune", "news", "--keep", "1", "--dry-run").stdout.split())
    assert "stays: the best by validation" in said and "the files of versions 2 and 3 may go: 0.0 MB" in said
    found = json.loads(run("prune", "news", "--keep", "1", "--dry-run", "--json").stdout)
    assert (found["pruned"], found["done"], found["freed"]) == ([2, 3], False, 2400)
    assert found["versions"][0]["stays_because"] == ["the best by validation"]
    assert [version["files"] for version in found["versions"]] == ["stay", "go", "go", "stay"]
    assert with_files(wb, project) == [1, 2, 3, 4]


def test_it_prunes_once_somebody_says_yes(
    home: tuple[Workbench, Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    wb, project = home
    asked: list[tuple[str, bool]] = []

    def no(question: str, yes: bool) -> None:
        asked.append((question, yes))
        if not yes:
            raise SystemExit(1)

    monkeypatch.setattr(command, "confirm", no)
    assert run("prune", "news", "--keep", "1").exit_code == 1
    assert "Remove the files of versions 2 and 3?" in asked[0][0]
    assert with_files(wb, project) == [1, 2, 3, 4]
    done = run("prune", "news", "--keep", "1", "--yes")
    assert done.exit_code == 0 and "Pruned the files of versions 2 and 3 (0.0 MB)." in done.stdout
    assert with_files(wb, project) == [1, 4]
    again = json.loads(run("prune", "news", "--keep", "1", "--yes", "--json").stdout)
    assert (again["done"], again["pruned"], len(asked)) == (False, [], 2)
    assert [version["files"] for version in again["versions"]] == ["stay", "pruned", "pruned", "stay"]
    assert [row["pruned_at"] is None for row in json.loads(run("models", "news", "--json").stdout)] == [
        True,
        False,
        False,
        True,
    ]
    assert "pruned" in run("models", "news").stdout


def test_how_many_to_keep_is_said_by_somebody(
    home: tuple[Workbench, Project], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert isinstance(run("prune", "news").exception, InvalidInput)
    assert isinstance(run("prune", "olds", "--keep", "1").exception, NotFound)
    monkeypatch.setenv("WORKBENCH_KEEP_MODELS", "2")
    get_settings.cache_clear()
    assert json.loads(run("prune", "news", "--dry-run", "--json").stdout)["pruned"] == [2]
    refused = run("train", "news", "--again", "2", "--epochs", "3", "--detach").exception
    assert isinstance(refused, InvalidInput) and "--epochs" in str(refused)
