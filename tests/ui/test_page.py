"""The guard of every page, and the project that is kept from page to page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from workbench.errors import Forbidden
from workbench.services import Workbench
from workbench.ui import page
from workbench.web.shared import shared_workbench

SCRIPT = """
from workbench.domain import Role
from workbench.errors import NotFound
from workbench.ui.page import open_page
import streamlit as st
page = open_page("Trial", role=Role.LEAD)
st.write(f"in {page.project.name} as {page.user.name}")
with page.guarded():
    raise NotFound("there is no x", remedy="make one")
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    """The workbench that pages open in this test."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WORKBENCH_DATABASE_URL", raising=False)
    opened = shared_workbench()
    yield opened
    opened.close()


def run() -> AppTest:
    return AppTest.from_string(SCRIPT, default_timeout=30).run()


def test_without_a_project_the_page_says_so(home: Workbench) -> None:
    app = run()
    assert "no project" in app.info[0].value and not app.exception


def test_the_newest_project_is_chosen_and_errors_are_shown(home: Workbench) -> None:
    home.projects.create("b", "ner")
    home.projects.create("a", "qa")
    app = run()
    assert app.main.markdown[-1].value == "in a as solo"
    assert app.error[0].value == "there is no x. Make one"
    assert app.query_params["project"] == "a"


def test_the_project_of_the_address_wins_and_stays(home: Workbench) -> None:
    for name in ("a", "b & c"):
        home.projects.create(name, "ner")
    app = AppTest.from_string(SCRIPT, default_timeout=30)
    app.query_params["project"] = "a"
    assert app.run().main.markdown[-1].value == "in a as solo"
    app.selectbox[0].select("b & c").run()
    assert app.main.markdown[-1].value == "in b & c as solo" and app.query_params["project"] == "b & c"
    app.query_params.clear()
    assert app.run().main.markdown[-1].value == "in b & c as solo"


def test_another_project_is_not_asked_for_what_the_address_named_in_the_one_before(home: Workbench) -> None:
    for name in ("a", "b"):
        home.projects.create(name, "ner")
    app = AppTest.from_string(SCRIPT, default_timeout=30)
    for name, value in {"project": "a", "batch": "7", "version": "2", "view": "labels"}.items():
        app.query_params[name] = value
    app.run().selectbox[0].select("b").run()
    assert app.main.markdown[-1].value == "in b as solo"
    shown = {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}
    assert shown == {"project": "b", "view": "labels"}


def test_an_unknown_project_is_said_to_be(home: Workbench) -> None:
    home.projects.create("a", "ner")
    app = AppTest.from_string(SCRIPT, default_timeout=30)
    app.query_params["project"] = "gone"
    assert "'gone'" in app.run().warning[0].value
    app.query_params["project"] = "![](//evil.example/a.png) [Sign in](//evil.example)"
    said = app.run().warning[0].value
    assert "![" not in said and "\\[Sign in\\]" in said


def test_a_page_behind_no_gate_refuses(home: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "_served", lambda: True)
    home.projects.create("a", "ner")
    app = run()
    assert "without its gate" in app.error[0].value
    assert len(app.main.markdown) == 0 and len(app.selectbox) == 0


def test_accounts_want_a_session(home: Workbench) -> None:
    home.projects.create("a", "ner")
    home.team.add_user("anna", "admin", "correct horse battery")
    app = run()
    assert "Sign in" in app.error[0].value and len(app.selectbox) == 0


def test_the_least_role_of_a_page(home: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    home.projects.create("a", "ner")
    otto = home.team.add_user("otto", "annotator", "correct horse battery")
    monkeypatch.setattr(page, "current_user", lambda workbench: otto)
    app = run()
    assert "takes a lead" in app.error[0].value and len(app.main.selectbox) == 0


def test_a_session_that_is_over_is_forbidden(home: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    home.team.add_user("anna", "admin", "correct horse battery")
    monkeypatch.setattr(page, "_served", lambda: True)
    monkeypatch.setattr(page, "stamped", lambda value: True)
    with pytest.raises(Forbidden, match="session is over"):
        page.current_user(home)
