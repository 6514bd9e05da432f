"""The how-to pages can be followed: every command is one, and those that an operator's data hang on are run."""

from __future__ import annotations

import itertools
import re
import shlex
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer

from tests.conftest import execute
from workbench import cli
from workbench.cli.base import app
from workbench.config import Settings, get_settings
from workbench.services import open_workbench

DOCS = Path(__file__).parents[2] / "docs"
SHELL = {">", ">>", "|", "&", "&&"}
"""Where a command ends and the shell's own words begin."""
PAGES = [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))]


def lines_of(page: Path) -> Iterator[str]:
    """The lines of a page's shell blocks, continued ones as one."""
    for block in re.findall(r"^ *```sh\n(.*?)^ *```", page.read_text(encoding="utf-8"), flags=re.M | re.S):
        yield from (line.strip() for line in block.replace("\\\n", " ").splitlines())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.stem))
def test_every_command_of_a_page_is_understood(page: Path) -> None:
    cli.load()
    for line in lines_of(page):
        words = list(itertools.takewhile(lambda word: word not in SHELL, shlex.split(line, comments=True)))
        if words[:1] != ["workbench"]:
            continue
        command, name, rest = typer.main.get_command(app), "workbench", words[1:]
        while hasattr(command, "get_command") and rest:
            found = command.get_command(click.Context(command), rest[0])
            assert found is not None, f"{page.name}: there is no command {rest[0]!r} in: {line}"
            command, name, rest = found, rest[0], rest[1:]
        command.make_context(name, rest)  # wrong usage raises, and says what is wrong


@pytest.fixture(autouse=True)
def quick_device(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The device is asked for in a process that imports torch; another test does so."""
    monkeypatch.setattr("workbench.services.maintenance.run_python", lambda arguments: "cpu (a test, fp32)\n")
    yield
    get_settings.cache_clear()


def follow(page: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **said: str) -> Iterator[str]:
    """Run a page's lines in a folder, one at a time; what a reader puts in their own words is given."""
    monkeypatch.chdir(folder)
    for told in lines_of(DOCS / page):
        line = told
        for theirs, ours in said.items():
            line = line.replace(theirs, ours)
        if line.startswith("export "):
            monkeypatch.setenv(*line.removeprefix("export ").split("=", 1))
        elif line.startswith("workbench "):
            get_settings.cache_clear()  # each command is a process of its own
            try:
                cli.main(shlex.split(line)[1:])
            except SystemExit as ended:
                assert ended.code in (0, None), line
        elif not line.startswith(("pip ", "createdb ")):
            subprocess.run(["bash", "-c", line], check=True)
        yield told


def names(settings: Settings) -> list[str]:
    workbench = open_workbench(settings)
    try:
        return [project.name for project in workbench.projects.list()]
    finally:
        workbench.close()


def add_project(settings: Settings, name: str) -> None:
    workbench = open_workbench(settings)
    workbench.projects.create(name, "ner", ["PER"])
    workbench.close()


def test_a_backup_is_made_and_restored_as_the_page_says(
    sqlite_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(sqlite_settings.home))
    monkeypatch.delenv("WORKBENCH_DATABASE_URL", raising=False)
    (sqlite_settings.models_dir / "1").mkdir(parents=True)
    add_project(sqlite_settings, "before")
    for line in follow("backup.md", tmp_path, monkeypatch):
        if line.startswith("cp "):
            assert (tmp_path / "models-copy" / "1").is_dir()
            add_project(sqlite_settings, "after")
    assert names(sqlite_settings) == ["before"]


@pytest.mark.postgresql
def test_a_home_moves_to_postgresql_as_the_page_says(
    sqlite_settings: Settings, postgresql_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(sqlite_settings.home))
    monkeypatch.delenv("WORKBENCH_DATABASE_URL", raising=False)
    add_project(sqlite_settings, "news")
    name = f"test_{uuid.uuid4().hex[:12]}"
    execute(postgresql_server, f"CREATE DATABASE {name}")
    url = f"{postgresql_server}/{name}"
    list(follow("postgresql.md", tmp_path, monkeypatch, **{"postgresql://USER@HOST/workbench": url}))
    assert names(Settings(home=sqlite_settings.home, database_url=url)) == ["news"]
    execute(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")
