"""The wiring of the Team and Review pages: what is pressed is done, and seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.agreement.test_measure import ADA, BOB, TEXTS, say, shared, three
from workbench.domain import Role, Sharing, Span, Spans, User
from workbench.services import Workbench
from workbench.services.annotation import Submission
from workbench.ui import page
from workbench.web.shared import shared_workbench

PAGES = Path(__file__).parents[2] / "pages"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    """The workbench that the pages open in this test."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WORKBENCH_DATABASE_URL", raising=False)
    opened = shared_workbench()
    yield opened
    opened.close()


@pytest.fixture
def boss(home: Workbench, monkeypatch: pytest.MonkeyPatch) -> User:
    """An admin, who looks at the pages."""
    with home.store.write() as tx:
        user = tx.users.add("boss", Role.ADMIN, password_hash="$argon2id$none")
    monkeypatch.setattr(page, "current_user", lambda workbench: user)
    return user


def run(name: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(PAGES / name), default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception and not app.error
    return app


def press(app: AppTest, words: str) -> AppTest:
    next(one for one in app.button if words in one.label).click().run()
    assert not app.exception and not app.error
    return app


def test_versions_are_decided_between_and_a_remark_is_sent(home: Workbench, boss: User) -> None:
    project, ids = shared(home, texts=TEXTS)
    ada, bob, _ = three(home)
    for example in ids[:2]:
        say(home, project, ada, example, {"spans": [ADA] if example == ids[0] else []})
        say(home, project, bob, example, {"spans": [ADA, BOB] if example == ids[0] else []})
    app = run("10_Review.py")
    assert any("1 of 1 example" in one.value for one in app.markdown)
    app.text_area[0].set_value("Bob is one too.")
    press(app, "Send")
    assert [one.text for one in home.review.remarks_to(project, ada)] == ["Bob is one too."]
    accept = [one for one in app.button if one.label == "Accept"]
    assert len(accept) == 2
    accept[1].click().run()
    assert not app.exception
    assert home.review.dossier(project, ids[0]).decided_by == "boss"
    assert "Nothing waits here" in app.success[0].value
    app = run("10_Review.py", view="agreement")
    assert [one.value for one in app.metric][:3] == ["2", "0.667", "50%"]


def test_a_partial_version_is_shown_as_one_and_can_be_mixed(home: Workbench, boss: User) -> None:
    project, ids = shared(home, texts=TEXTS)
    ada, bob, _ = three(home)
    say(home, project, ada, ids[0], {"spans": [ADA], "partial": True})
    say(home, project, bob, ids[0], {"spans": [ADA]})
    app = run("10_Review.py")
    shown = [one.proto.body for one in app.get("html")]
    assert ["Only these spans are judged" in one for one in shown if "Ada" in one] == [True, False]
    (only,) = [one for one in app.checkbox if one.label == "Only these spans are judged"]
    assert not only.value, "not everybody said so"
    only.check()
    press(app, "Accept this mixture")
    assert home.review.dossier(project, ids[0]).gold.payload == Spans((Span(0, 3, "PER"),), partial=True)


def test_work_is_shared_out_and_people_are_given_roles(home: Workbench, boss: User) -> None:
    project, _ = shared(home, texts=TEXTS)
    with home.store.write() as tx:
        tx.users.add("otto", Role.ANNOTATOR, password_hash="$argon2id$none")
    app = run("11_Team.py", view="sharing")
    app.number_input[0].set_value(2)
    app.number_input[1].set_value(2)
    press(app, "Share it out")
    assert home.projects.get(project.name).sharing == Sharing(people=2, share=1.0, agree=2)
    app = run("11_Team.py")
    app.selectbox(key="role-name").select("otto")
    app.selectbox(key="role-here").select("lead")
    press(app, "Save")
    roles = {member.user.name: member.role for member in home.members.roles(project)}
    assert roles == {"boss": Role.ADMIN, "otto": Role.LEAD}


def test_the_log_says_who_did_what(home: Workbench, boss: User, tmp_path: Path) -> None:
    project, ids = shared(home, texts=TEXTS)
    other, _ = shared(home, texts=TEXTS, name="other")
    home.review.rewrite(project, boss, ids[0], Spans())
    home.datasets.export_data(project, "jsonl", tmp_path / "out.jsonl", by=boss)
    app = run("11_Team.py", view="log", project=project.name)
    table = app.dataframe[0].value
    assert table.iloc[0][["Who", "What", "Of"]].tolist() == ["boss", "export", project.name]
    assert set(table["Of"]) == {project.name}
    app.selectbox(key="log-where").select("Everything")
    app.text_input(key="log-action").set_value("project").run()
    table = app.dataframe[0].value
    assert set(table["Of"]) == {project.name, other.name}
    assert set(table["What"]) == {"project.create", "project.sharing"}
    told = dict(zip(table["What"], table["More"], strict=True))
    assert told["project.create"] == "task ner" and told["project.sharing"] == "people 1 → 3 · agree 2 → 3"


def test_an_older_revision_is_restored(home: Workbench, boss: User) -> None:
    project, ids = shared(home, texts=TEXTS)
    ada, _, _ = three(home)
    first = say(home, project, ada, ids[0], {"spans": [ADA]})
    say(home, project, ada, ids[0], {"spans": []})
    app = run("1_Data.py", view="browse", example=str(ids[0]))
    app.button(key=f"restore-{first}").click().run()
    assert not app.exception and not app.error
    history = home.annotation.history(project, ids[0])
    assert [one.author for one in history] == ["ada", "ada", "boss"]
    assert history[-1].payload == history[0].payload
    dossier = home.review.dossier(project, ids[0])
    assert dossier.gold == history[-1] and dossier.decided_by == "boss"


def test_an_annotator_reads_what_was_said_to_them(
    home: Workbench, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, ids = shared(home, texts=TEXTS)
    ada, _, _ = three(home)
    first = say(home, project, ada, ids[0], {"spans": []})
    home.review.remark(project, boss, first, "Look at <b>Ada</b>.")
    monkeypatch.setattr(page, "current_user", lambda workbench: ada)
    app = run("3_Label.py")
    assert any("boss" in one.value and "\\<b\\>" in one.value for one in app.sidebar.markdown)
    press(app, "I have read this")
    assert home.review.remarks_to(project, ada) == ()


def test_work_is_withdrawn_reassigned_and_put_back(home: Workbench, boss: User) -> None:
    project, ids = shared(home, texts=TEXTS)
    ada, bob, _ = three(home)
    say(home, project, ada, ids[0], {"spans": [ADA]})
    say(home, project, bob, ids[0], {"spans": []})
    home.annotation.queue(project, ada, limit=1)
    app = run("11_Team.py", view="work")
    app.selectbox(key="work-person").select("ada").run()
    assert any("**1 annotation**: 1 with labels" in one.value for one in app.markdown)
    press(app, "Withdraw 1 annotation")
    assert home.annotation.history(project, ids[0])[-1].status == "accepted", "it is asked first"
    app.text_input(key="work-note").set_value("<b>read</b> *it* again")
    press(app, "Yes, do it")
    assert "1 annotation by ada are withdrawn" in app.success[0].value
    assert home.annotation.history(project, ids[0])[-1].status == "withdrawn"
    assert any("\\<b\\>read" in one.value for one in app.markdown)
    app.selectbox(key="work-to").select("bob").run()
    press(app, "Reassign 1 example")
    press(app, "Yes, do it")
    with home.store.read() as tx:
        assert tx.batches.held(ada.id) == [] and len(tx.batches.held(bob.id)) == 1
    press(app, "Undo…")
    press(app, "Leave it")
    app.button(key="undo-1").click().run()
    press(app, "Yes, do it")
    assert home.annotation.history(project, ids[0])[-1].status == "accepted"
    assert [one.state for one in home.work_changes.history(project)] == ["done", "undone"]


def test_what_is_asked_in_one_project_is_not_asked_in_another(home: Workbench, boss: User) -> None:
    project, ids = shared(home, texts=TEXTS)
    other, others = shared(home, texts=TEXTS, name="other")
    ada, _, _ = three(home)
    say(home, project, ada, ids[0], {"spans": [ADA]})
    say(home, other, ada, others[0], {"spans": [ADA]})
    app = run("11_Team.py", view="work", project=project.name)
    press(app, "Withdraw 1 annotation")
    app.selectbox(key=f"workbench_project_choice_{project.id}").select(other.name).run()
    assert any(one.label.startswith("Withdraw 1 annotation") for one in app.button)
    assert not [one for one in app.button if one.label == "Yes, do it"]


def test_guidelines_are_written_read_once_and_restored(
    home: Workbench, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, ids = shared(home, texts=TEXTS)
    ada, _, _ = three(home)
    home.review.rewrite(project, boss, ids[0], Spans())
    app = run("11_Team.py", view="guidelines")
    app.text_area(key=f"guidelines-text-{project.id}").set_value("Mark <b>names</b>.").run()
    press(app, "Save as a new version")
    app.text_input(key=f"guidelines-example-{project.id}").set_value(
        home.datasets.example(project, ids[0]).external_id
    ).run()
    press(app, "Add at the end")
    assert TEXTS[0] in app.text_area(key=f"guidelines-text-{project.id}").value
    app.text_area(key=f"guidelines-text-{project.id}").set_value("Mark names.\n\n> [Ada]{PER} met <i>").run()
    app.text_input(key=f"guidelines-note-{project.id}").set_value("an *example*").run()
    press(app, "Save as a new version")
    assert [one.note for one in home.guidelines.versions(project)] == ["an *example*", ""]
    shown = [one.body for one in app.main.get("html")]
    assert any("Ada" in one and "&lt;i&gt;" in one for one in shown)
    monkeypatch.setattr(page, "current_user", lambda workbench: ada)
    app = run("3_Label.py")
    assert any("read them once" in one.value for one in app.markdown)
    press(app, "I have read this")
    assert not any("uidelines" in one.value for one in app.main.markdown)
    home.guidelines.restore(project, 1)
    app = run("3_Label.py")
    assert any("version 2 to 3" in one.value for one in app.markdown)
    assert any("removed: " in one.body and "&lt;i&gt;" in one.body for one in app.main.get("html"))
    app = run("11_Team.py")
    assert not app.text_area and {"Version", "Compared with"} <= {one.label for one in app.selectbox}
    monkeypatch.setattr(page, "current_user", lambda workbench: boss)
    app = run("11_Team.py", view="guidelines")
    press(app, "Let version 2 hold again")
    assert home.projects.get(project.name).guidelines.startswith("Mark names.")


def test_what_is_being_written_stays_when_another_part_is_looked_at(home: Workbench, boss: User) -> None:
    project, ids = shared(home, texts=TEXTS)
    other, _ = shared(home, texts=TEXTS, name="other")
    home.review.rewrite(project, boss, ids[0], Spans())
    home.guidelines.write(project, "Mark names.")
    app = run("11_Team.py", view="guidelines", project=project.name)
    text, example = f"guidelines-text-{project.id}", f"guidelines-example-{project.id}"
    app.text_area(key=text).set_value("Mark names. No titles.").run()
    for part in ("people", "guidelines"):
        next(one for one in app.button_group if one.label == "Part of the page").set_value(part).run()
    assert app.text_area(key=text).value == "Mark names. No titles."
    app.selectbox(key=f"workbench_project_choice_{project.id}").select(other.name).run()
    assert app.text_area(key=f"guidelines-text-{other.id}").value == ""
    app.selectbox(key=f"workbench_project_choice_{other.id}").select(project.name).run()
    app.text_input(key=example).set_value(home.datasets.example(project, ids[0]).external_id).run()
    press(app, "Add at the end")
    press(app, "Save as a new version")
    saved = home.projects.get(project.name).guidelines
    assert saved.startswith("Mark names. No titles.") and TEXTS[0] in saved
    assert app.text_area(key=text).value == saved


def test_leads_see_everybodys_figures_and_annotators_their_own(
    home: Workbench, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, ids = shared(home, texts=TEXTS)
    ada, bob, _ = three(home)
    for user, example in ((ada, ids[0]), (ada, ids[1]), (bob, ids[0])):
        say(home, project, user, example, {"spans": [ADA] if example == ids[0] else []})
    app = run("11_Team.py", view="numbers")
    assert app.dataframe[0].value["Person"].tolist() == ["ada", "bob"]
    assert app.dataframe[0].value["Examples"].tolist() == [2, 1]
    app.selectbox(key="numbers-measure").select("examples").run()
    assert not app.exception and len(app.main.get("vega_lite_chart")) == 1
    press(app, "Make a table of every day")
    assert any("-work.csv" in one.label for one in app.main.get("link_button"))
    monkeypatch.setattr(page, "current_user", lambda workbench: bob)
    app = run("11_Team.py", view="numbers")
    assert app.dataframe[0].value["Person"].tolist() == ["bob"]
    assert "ada" not in str(app.main)


def test_probes_are_mixed_in_and_their_answers_stand_beside_gold(home: Workbench, boss: User) -> None:
    project, ids = shared(home, texts=TEXTS)
    ada, bob, _ = three(home)
    with home.store.write() as tx:
        eva = tx.users.add("eva", Role.ANNOTATOR, password_hash="$argon2id$none")
    say(home, project, ada, ids[0], {"spans": [ADA]})
    home.annotation.decide(project, bob, home.annotation.history(project, ids[0])[0].id)
    app = run("11_Team.py", view="probes")
    assert any("new to somebody here: 1." in one.value for one in app.caption)
    app.slider[0].set_value(50)
    press(app, "Mix them in")
    selection = home.selection.preview(project, "random", 1)
    batch, _ = home.selection.create(home.projects.get(project.name), selection)
    for item in home.annotation.queue(project, eva, batch.id).items:
        answer = Submission(
            item.example.id, f"eva-{item.example.id}", payload={"spans": []}, batch_id=batch.id
        )
        assert home.annotation.submit(project, eva, [answer])[0].stored
    app = run("11_Team.py", view="probes")
    shown = app.dataframe[0].value
    assert shown.to_dict("records") == [
        {"Person": "eva", "Entity F1": 0.0, "Answers": 1, "Same as gold": 0, "Without labels": 0}
    ]
    assert any("accepted · 0.00" in one.value for one in app.caption)
