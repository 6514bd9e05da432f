"""Servers in solo mode and with accounts, shared by the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.server import Server, serving
from workbench.config import Settings
from workbench.services import Workbench, open_workbench

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def solo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose workbench has no account."""
    folder = tmp_path_factory.mktemp("solo")
    with serving(folder / "home", log=folder / "log") as server:
        yield server


@pytest.fixture(scope="module")
def team_workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """The workbench behind ``team_server``: anna (admin) and otto (annotator)."""
    folder: Path = tmp_path_factory.mktemp("team")
    opened = open_workbench(Settings(home=folder / "home", database_url=None))
    opened.team.add_user("anna", "admin", PASSWORD)
    opened.team.add_user("otto", "annotator", PASSWORD)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def team_server(team_workbench: Workbench) -> Iterator[Server]:
    """A server whose workbench has accounts."""
    home = team_workbench.settings.home
    with serving(home, log=home.parent / "log") as server:
        yield server
