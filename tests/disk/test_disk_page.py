"""Disk on the Compare page: for leads, with a question; and a pruned version is not offered where it can't serve."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.disk.versions import make_versions, with_files
from tests.selection.pool import add_examples, annotate
from workbench.domain import Project, Role, User
from workbench.services import Workbench
from workbench.ui import page
from workbench.web.shared import shared_workbench

PAGES = Path(__file__).parents[2] / "pages"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Workbench, Project]]:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WORKBENCH_DATABASE_URL", raising=False)
    opened = shared_workbench()
    project = make_versions(opened, 5)
    annotate(opened, add_examples(opened, project, ["Ada wrote", "Bo slept"])[0], is_gold=True)
    yield opened, project
    opened.close()


def opened(name: str) -> AppTest:
    app = AppTest.from_file(str(PAGES / name), default_timeout=60).run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    return "\n".join(str(part.value) for part in (*app.markdown, *app.success))


def test_a_lead_sees_what_goes_and_says_yes(home: tuple[Workbench, Project]) -> None:
    wb, project = home
    app = opened("5_Compare.py")
    assert "The files of 5 versions take **6.0 kB**. Pruning would free **1.2 kB**." in said(app)
    files = app.dataframe[-1].value.set_index("version")
    assert files.loc[2, "goes"] == "goes" and files.loc[1, "why"] == "the best by validation"
    app.number_input(key=f"disk-{project.id}-keep").set_value(1).run()
    assert "free **3.6 kB**" in said(app) and "versions 2, 3 and 4?" in said(app)
    assert with_files(wb, project) == [1, 2, 3, 4, 5]
    app.button(key=f"disk-{project.id}-prune").click().run()
    assert not app.exception
    assert "The files of versions 2, 3 and 4 are gone; 3.6 kB are free again." in said(app)
    assert "Nothing would go" in said(app)
    assert with_files(wb, project) == [1, 5]
    table = app.dataframe[0].value.set_index("version")
    assert table["state"].to_dict() == {1: "", 2: "pruned", 3: "pruned", 4: "pruned", 5: ""}
    assert table["disk"].fillna(0).to_dict() == {1: 0.0012, 2: 0, 3: 0, 4: 0, 5: 0.0012}
    (event, *_) = wb.audit_log.of_project(project, action="prune")
    assert event.user == wb.team.solo_user().name
    for name in ("4_Train.py", "6_Export.py", "9_Suspects.py"):
        app = opened(name)
        options = [option for box in (*app.selectbox, *app.radio) for option in box.options]
        numbers = {found[1] for option in options if (found := re.search(r"ersion (\d)", option))}
        assert numbers == {"1", "5"}, name


def test_a_reviewer_has_no_such_place(
    home: tuple[Workbench, Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    wb, _ = home
    with wb.store.write() as tx:
        reviewer: User = tx.users.add("rea", Role.REVIEWER, password_hash="$argon2id$none")
    monkeypatch.setattr(page, "current_user", lambda _: reviewer)
    app = opened("5_Compare.py")
    assert app.dataframe[0].value["disk"].tolist() == [0.0012] * 5
    assert not [box for box in app.expander if box.label == "Disk"]
