"""The guided round: five stops that the database marks as done, left and taken up again, in step with Home."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.evidence.test_progress import add_version
from workbench.domain import Split
from workbench.services import Workbench
from workbench.services.samples import load_sample
from workbench.web.shared import shared_workbench

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    """The workbench that the page opens in this test."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WORKBENCH_DATABASE_URL", raising=False)
    opened = shared_workbench()
    yield opened
    opened.close()


def open_page(name: str = "Home.py") -> AppTest:
    app = AppTest.from_file(str(ROOT / name), default_timeout=60).run()
    assert not app.exception
    return app


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    return "\n".join(str(part.value) for part in app.main.markdown)


def test_each_stop_is_done_by_what_is_in_the_database(sqlite_workbench: Workbench) -> None:
    workbench = sqlite_workbench
    project, user = load_sample(workbench, "ner"), workbench.team.solo_user()
    assert workbench.tour.of(workbench.projects.create("news", "ner"), user=user) is None

    def at() -> tuple[int, str]:
        tour = workbench.tour.of(project, user=user)
        assert tour
        return tour.number, tour.current.stage if tour.current else "end"

    assert at() == (1, "select")
    selection = workbench.selection.preview(project, "random", 12)
    workbench.selection.create(project, selection, user.id)
    assert at() == (2, "label")
    workbench.annotation.simulate(project, 1)
    assert at() == (3, "train")
    gold = dict(zip((pick.example_id for pick in selection.picks), range(1, 13), strict=True))
    version = add_version(workbench, project, 1, gold)
    assert at() == (4, "select")
    with workbench.store.write() as tx:
        tx.batches.add(
            project.id,
            [],
            strategy="mnlp",
            unit="examples",
            size=1,
            parameters={},
            model_version_id=version.id,
        )
    assert at() == (5, "compare")
    with workbench.store.write() as tx:
        tx.users.audit(user.id, "export", project.name, {}, project.id)  # labels, which are no model
        tx.models.add_evaluation(version.id, Split.TEST, "0" * 64, 60, {"f1": 0.5})
    assert at() == (5, "export")
    with workbench.store.write() as tx:
        tx.users.audit(user.id, "export", "model version 1", {}, project.id)
    assert at() == (5, "end")


def test_a_fresh_workbench_greets_and_leads_to_the_first_stop(home: Workbench) -> None:
    for task in ("ner", "qa"):
        load_sample(home, task)
    app = open_page()
    assert app.title[0].value.startswith("Welcome")
    assert "Stop 1 of 5" not in said(app), "whose tour it would be is chosen above it"
    assert "take_next_step" not in [button.key for button in app.button], "one beginning, not two"
    for name in (r"**sample\-ner**", r"**sample\-qa**"):
        assert any(each.value.startswith(name) for each in app.markdown)
    project = home.projects.get("sample-qa")
    selection = home.selection.preview(project, "random", 10)
    home.selection.create(project, selection, home.team.solo_user().id)
    app = open_page()
    assert app.title[0].value == "sample-qa", "somebody has begun"
    assert app.button(key="take_next_step").label == "Label ten examples"


def test_it_is_left_on_any_page_and_taken_up_again_on_home(home: Workbench) -> None:
    project = load_sample(home, "ner")
    home.selection.create(project, home.selection.preview(project, "random", 10), home.team.solo_user().id)
    app = open_page("pages/4_Train.py")
    assert "Stop 2 of 5" in said(app)
    app = press(app, "tour_leave")
    assert "Stop 2 of 5" not in said(app) + said(open_page("pages/1_Data.py"))
    app = open_page()
    assert "Stop 2 of 5" not in said(app)
    assert app.button(key="take_next_step").label != "Label ten examples"
    assert "Stop 2 of 5" in said(press(app, "tour_resume"))


def test_leaving_is_each_persons_own(workbench: Workbench) -> None:
    project = load_sample(workbench, "pos")
    people = [workbench.team.add_user(name, "lead", "correct horse battery") for name in ("ada", "bo")]
    workbench.tour.leave(project, user=people[0])
    workbench.tour.leave(project, user=people[0])
    left = [tour.left for user in people if (tour := workbench.tour.of(project, user=user))]
    assert left == [True, False]
    workbench.tour.resume(project, user=people[0])
    assert workbench.projects.get(project.name).settings["tour_left"] == []
