"""One served application for all browser tests of a module; each test makes a project of its own in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.browser import ServedApp
from workbench.config import Settings
from workbench.services import Workbench, open_workbench


@pytest.fixture(scope="module")
def desk(
    serve_all: Callable[..., ServedApp], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Workbench, ServedApp]]:
    """A workbench and the application that serves it."""
    home = tmp_path_factory.mktemp("labeling") / "home"
    opened = open_workbench(Settings(home=home, database_url=None))
    yield opened, serve_all(home)
    opened.close()


@pytest.fixture
def filled(desk: tuple[Workbench, ServedApp]) -> Workbench:
    return desk[0]


@pytest.fixture
def app(desk: tuple[Workbench, ServedApp]) -> ServedApp:
    return desk[1]
