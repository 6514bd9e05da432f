"""Every page as nobody and as each role: it opens for whom it is meant, and says why to everybody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from workbench.domain import Role, Split, User
from workbench.errors import Forbidden
from workbench.services import Workbench
from workbench.ui import page
from workbench.web.shared import shared_workbench

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "pages").glob("*.py"))
LEAST = {
    "1_Data": Role.ANNOTATOR,
    "2_Select": Role.LEAD,
    "3_Label": Role.ANNOTATOR,
    "4_Train": Role.LEAD,
    "5_Compare": Role.REVIEWER,
    "6_Export": Role.LEAD,
    "7_Simulate": Role.LEAD,
    "8_Progress": Role.LEAD,
    "9_Suspects": Role.REVIEWER,
    "10_Review": Role.REVIEWER,
    "11_Team": Role.ANNOTATOR,
    "12_Help": Role.ANNOTATOR,
}
CONLL = "EU NNP B-ORG\nrejects VBZ O\n\nSecretville NNP B-LOC\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A workbench with a project and one account of each role, which the pages open."""
    patch = pytest.MonkeyPatch()
    patch.setenv("WORKBENCH_HOME", str(tmp_path_factory.mktemp("roles")))
    patch.delenv("WORKBENCH_DATABASE_URL", raising=False)
    opened = shared_workbench()
    project = opened.projects.create("news", "ner")
    opened.datasets.import_sources(project, opened.datasets.uploaded("a.conll", CONLL.encode()), Split.POOL)
    with opened.store.write() as tx:
        for role in Role:
            tx.users.add(role.value, role, password_hash="$argon2id$none")
    yield opened
    opened.close()
    patch.undo()


def test_every_page_is_in_the_table() -> None:
    assert {path.stem for path in PAGES} == set(LEAST)


@pytest.mark.parametrize("path", [ROOT / "Home.py", *PAGES], ids=lambda path: path.stem)
def test_each_role_sees_what_is_meant_for_it(
    home: Workbench, monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    with home.store.read() as tx:
        users = {user.role: user for user in tx.users.all() if user.has_password}
    for role, user in users.items():
        monkeypatch.setattr(page, "current_user", lambda workbench, user=user: user)
        app = AppTest.from_file(str(path), default_timeout=60).run()
        assert not app.exception, (role, app.exception)
        refused = [one.value for one in app.error]
        if role.rank >= LEAST.get(path.stem, Role.ANNOTATOR).rank:
            assert refused == [], (role, refused)
        else:
            assert len(refused) == 1 and "and this takes" in refused[0]
            assert not app.button and "Secretville" not in str(app.main)


@pytest.mark.parametrize("path", [ROOT / "Home.py", *PAGES], ids=lambda path: path.stem)
def test_nobody_sees_anything(home: Workbench, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    def nobody(workbench: Workbench) -> User:
        raise Forbidden("your session is over", remedy="reload the page and sign in")

    monkeypatch.setattr(page, "current_user", nobody)
    app = AppTest.from_file(str(path), default_timeout=60).run()
    assert [one.value for one in app.error] == ["your session is over. Reload the page and sign in"]
    assert not app.button and not app.selectbox and "news" not in str(app.main)


def test_a_project_that_is_not_there_for_somebody_is_not_shown(
    home: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with home.store.read() as tx:
        user = tx.users.find("annotator")
    project = home.projects.get("news")
    home.members.set_project_role(project, "annotator", "none")
    monkeypatch.setattr(page, "current_user", lambda workbench: user)
    try:
        app = AppTest.from_file(str(ROOT / "pages" / "1_Data.py"), default_timeout=60)
        app.query_params["project"] = "news"
        app.run()
        assert "no project named 'news'" in app.warning[0].value
        assert "no project yet" in app.info[0].value and "Secretville" not in str(app.main)
    finally:
        home.members.set_project_role(project, "annotator", None)


def test_a_lead_of_one_project_opens_its_pages(home: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    with home.store.read() as tx:
        user = tx.users.find("annotator")
    project = home.projects.get("news")
    home.members.set_project_role(project, "annotator", "lead")
    monkeypatch.setattr(page, "current_user", lambda workbench: user)
    try:
        app = AppTest.from_file(str(ROOT / "pages" / "2_Select.py"), default_timeout=60).run()
        assert not app.error and not app.exception
    finally:
        home.members.set_project_role(project, "annotator", None)
