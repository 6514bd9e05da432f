"""A person's work withdrawn, given to others, and put back as it was; on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.labeling.corpus import QA_TEXT, make_user
from tests.labeling.corpus import make_project as project_of
from tests.team.test_sharing import COUNTER, NONE, PER, TEXTS, batch, given, gold, shared
from workbench.domain import AnnotationStatus, Project, Role, Sharing, User
from workbench.errors import InvalidInput, NotFound, WrongState
from workbench.services import Workbench
from workbench.services.annotation import Submission
from workbench.services.labelchanges import LabelChange
from workbench.services.withdrawing import UndoPreview
from workbench.storage.rows import now
from workbench.storage.tables import gold as gold_table
from workbench.storage.withdrawals import Withdrawals


def make_project(workbench: Workbench, name: str = "news") -> tuple[Project, list[int]]:
    return project_of(workbench, texts=TEXTS[:5], name=name)


def say(
    workbench: Workbench,
    project: Project,
    user: User,
    example: int,
    payload: object = PER,
    status: str = "accepted",
) -> None:
    labels = payload if status == "accepted" else None
    said = Submission(example, f"w{next(COUNTER)}", AnnotationStatus(status), labels, seconds=4)  # type: ignore[arg-type]
    workbench.annotation.revise(project, user, said)


def state(workbench: Workbench, project: Project, ids: list[int]) -> dict[str, Any]:
    """What counts: gold and whose decision, what people say, which items wait, what is exported, what a run reads."""
    with workbench.store.read() as tx:
        assert tx.batches.wrongly_kept(project.id) == 0
        rows = tx.connection.execute(gold_table.select().order_by(gold_table.c.example_id))
        decisions = [(row.example_id, row.accepted_by, row.accepted_at) for row in rows]
        own = [
            (row.example_id, row.payload, row.annotator, row.labeled_at, row.seconds)
            for row in tx.label_rows.own(project.id)
        ]
        said = {
            one: {name: each.payload for name, each in people.items()}
            for one, people in tx.annotations.said_by_several(project.id).items()
        }
        return {
            "gold": [(one, payload) for one, _, _, payload in tx.annotations.gold_payloads(project.id)],
            "decisions": decisions,
            "own": own,
            "said": said,
            "open": [item.example_id for item in tx.batches.open_items(project.id)],
            "free": sorted(tx.batches.candidates.still_free(ids)),
        }


def test_withdrawn_work_counts_no_more_and_comes_back_as_it_was(workbench: Workbench) -> None:
    project, ids = make_project(workbench)
    batch(workbench, project, ids[:2])
    ada, bob = make_user(workbench), make_user(workbench, "bob")
    say(workbench, project, ada, ids[0])
    say(workbench, project, ada, ids[2])
    say(workbench, project, ada, ids[3], status="skipped")
    say(workbench, project, bob, ids[4])
    assert given(workbench, project, bob)[:1] == [ids[1]]
    before = state(workbench, project, ids)
    seen = workbench.work_changes.withdraw_preview(project, "ada")
    assert (seen.examples, seen.accepted, seen.skipped, seen.gold, seen.decided) == (3, 2, 1, 2, 0)
    assert state(workbench, project, ids) == before, "a preview writes nothing"
    change = workbench.work_changes.withdraw(project, "ada", note="She read\nthe old rules", by=bob)
    assert (change.state, change.effect) == ("done", {"annotations": 3, "gold": 2})
    after = state(workbench, project, ids)
    assert [one for one, _ in after["gold"]] == [ids[4]] and {row[2] for row in after["own"]} == {"bob"}
    assert after["open"] == ids[:2] and after["free"] == [ids[2], ids[3]]
    history = workbench.annotation.history(project, ids[0])
    assert [(str(one.status), one.comment) for one in history][1:] == [
        ("withdrawn", "She read the old rules")
    ]
    item = workbench.annotation.item(project, bob, ids[0])
    assert item.current is None, "nobody starts from labels that were withdrawn"
    assert {str(a.status) for a, _ in workbench.annotation.recent(project, ada)} == {"withdrawn"}
    assert workbench.work_changes.undo_preview(project, 1) == UndoPreview(back=3)
    assert workbench.work_changes.undo(project, 1, by=bob) == UndoPreview(back=3)
    assert state(workbench, project, ids) == before
    assert {str(a.status) for a, _ in workbench.annotation.recent(project, ada)} == {"accepted", "skipped"}
    with pytest.raises(WrongState):
        workbench.work_changes.undo(project, 1)
    log = workbench.audit_log.of_project(project, action="work")
    assert [(one.action, one.user, one.subject) for one in log] == [
        ("work.undo", "bob", "ada"),
        ("work.withdraw", "bob", "ada"),
    ]


def test_withdrawn_examples_of_the_pool_are_given_out_again(workbench: Workbench) -> None:
    for sharing in (Sharing(), Sharing(people=2)):
        project, ids = make_project(workbench, name=f"of {sharing.people}")
        project = workbench.sharing.set(project, sharing)
        ada, bob = make_user(workbench), make_user(workbench, "bob")
        people = [ada, bob][: sharing.people]
        for person in people:
            for one in ids:
                say(workbench, project, person, one)
        cyd = make_user(workbench, "cyd")
        assert given(workbench, project, cyd) == given(workbench, project, ada) == []
        with workbench.store.read() as tx:
            assert tx.annotations.done_in_pool(project.id, cyd.id) == 5
        workbench.work_changes.withdraw(project, "ada")
        with workbench.store.read() as tx:
            assert tx.annotations.done_in_pool(project.id, cyd.id) == 0
        assert given(workbench, project, cyd, 2) == ids[:2]
        assert given(workbench, project, ada, 9) == ids[2:], "who was wrong may try again"
        assert workbench.work_changes.undo(project, 1).back == 5
        assert given(workbench, project, cyd) == [], "what is full again is held by nobody"


def test_a_part_of_the_work(workbench: Workbench) -> None:
    project, ids = make_project(workbench)
    first = batch(workbench, project, ids[:2])
    ada = make_user(workbench)
    answers = [
        Submission(one, f"a{one}", payload={"spans": []}, batch_id=first if one in ids[:2] else None)
        for one in ids[:4]
    ]
    workbench.annotation.submit(project, ada, answers)
    preview = workbench.work_changes.withdraw_preview
    assert preview(project, "ada", batch=1).examples == 2
    assert preview(project, "ada", since=now() + timedelta(hours=1)).examples == 0
    assert preview(project, "ada", since=now() - timedelta(hours=1)).examples == 4
    with pytest.raises(WrongState):
        workbench.work_changes.withdraw(project, "ada", since=now() + timedelta(hours=1))
    for wrong in ({"batch": 7}, {"person": "nobody"}, {"person": "import"}):
        with pytest.raises(NotFound):
            workbench.work_changes.withdraw(project, **{"person": "ada", **wrong})  # type: ignore[arg-type]
    workbench.work_changes.withdraw(project, "ada", batch=1)
    assert [one for one, _ in state(workbench, project, ids)["gold"]] == ids[2:4]


def test_what_has_changed_since_stays_and_is_counted(workbench: Workbench) -> None:
    project, ids = make_project(workbench)
    ada, bob = make_user(workbench), make_user(workbench, "bob")
    for one in ids:
        say(workbench, project, ada, one)
    workbench.work_changes.withdraw(project, "ada")
    say(workbench, project, bob, ids[0], NONE)
    say(workbench, project, ada, ids[1], NONE)
    say(workbench, project, bob, ids[2], status="flagged")
    workbench.labelsets.apply(project, LabelChange("rename", ("PER",), ("PERSON",)))
    expected = UndoPreview(back=2, again=1, others=2)
    assert workbench.work_changes.undo_preview(project, 1) == expected
    assert workbench.work_changes.undo(project, 1) == expected
    for one in ids[:2]:
        assert "PER" not in str(gold(workbench, one))
    assert gold(workbench, ids[2]) is None
    assert "PERSON" in str(gold(workbench, ids[3])), "labels come back under their names of now"
    with workbench.store.read() as tx:
        assert tx.batches.wrongly_kept(project.id) == 0
    assert workbench.work_changes.history(project)[0].undo_effect == {
        "back": 2,
        "again": 1,
        "others": 2,
        "unfit": 0,
    }


def test_the_newest_stays_the_newest(workbench: Workbench) -> None:
    project, ids = make_project(workbench)
    ada, bob, eve = (make_user(workbench, name) for name in ("ada", "bob", "eve"))
    say(workbench, project, ada, ids[0], PER)
    workbench.annotation.revise(project, bob, Submission(ids[0], "later", payload={"spans": []}))
    before = state(workbench, project, ids)
    workbench.work_changes.withdraw(project, "ada")
    workbench.work_changes.undo(project, 1)
    assert state(workbench, project, ids) == before
    flag = Submission(ids[0], "flag", "flagged")
    workbench.annotation.submit(project, eve, [flag])
    assert "PER" not in str(gold(workbench, ids[0])), "bob's word is the later one, as it was"


def test_agreement_without_one_of_them(workbench: Workbench) -> None:
    project, ids = shared(workbench, Sharing(people=3, agree=2))
    ada, bob, eve = (make_user(workbench, name) for name in ("ada", "bob", "eve"))
    for user, first, second in ((ada, PER, PER), (bob, PER, NONE), (eve, NONE, NONE)):
        say(workbench, project, user, ids[0], first)
        say(workbench, project, user, ids[1], second)
    before = state(workbench, project, ids)
    workbench.work_changes.withdraw(project, "ada")
    assert gold(workbench, ids[0]) is None, "bob alone does not agree with anybody"
    assert "PER" not in str(gold(workbench, ids[1])) and gold(workbench, ids[1]) is not None
    workbench.work_changes.undo(project, 1)
    assert state(workbench, project, ids) == before


def test_a_reviewers_decision_stays_unless_it_is_asked_for(workbench: Workbench) -> None:
    project, ids = make_project(workbench)
    ada = make_user(workbench)
    boss = make_user(workbench, "boss", role=Role.REVIEWER)
    first = workbench.annotation.revise(project, ada, Submission(ids[0], "1", payload=PER))
    workbench.annotation.revise(project, ada, Submission(ids[0], "2", payload={"spans": []}))
    workbench.annotation.decide(project, boss, first.id)
    before = state(workbench, project, ids)
    assert workbench.work_changes.withdraw_preview(project, "ada").gold == 0
    workbench.work_changes.withdraw(project, "ada")
    assert "PER" in str(gold(workbench, ids[0]))
    workbench.work_changes.undo(project, 1)
    assert state(workbench, project, ids) == before
    workbench.work_changes.withdraw(project, "ada", decided=True)
    assert gold(workbench, ids[0]) is None
    workbench.work_changes.undo(project, 2)
    assert state(workbench, project, ids) == before


def test_a_question_that_is_worded_as_before_again(workbench: Workbench) -> None:
    project, ids = project_of(workbench, "qa", (), (QA_TEXT,))
    ada = make_user(workbench)
    answer = {"answers": [{"start": 0, "end": 3}], "no_answer": False, "question": "How did it burn?"}
    workbench.annotation.revise(project, ada, Submission(ids[0], "1", payload=answer))
    before = state(workbench, project, ids)
    workbench.work_changes.withdraw(project, "ada")
    workbench.work_changes.undo(project, 1)
    assert state(workbench, project, ids) == before


def test_what_was_interrupted_goes_on(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    project, ids = make_project(workbench)
    ada = make_user(workbench)
    for one in ids:
        say(workbench, project, ada, one)
    before = state(workbench, project, ids)
    monkeypatch.setattr("workbench.services.withdrawing.TOGETHER", 2)
    for method, step, begin in (
        ("withdraw", "doing", lambda: workbench.work_changes.withdraw(project, "ada")),
        ("put_back", "undoing", lambda: workbench.work_changes.undo(project, 1)),
    ):
        real, calls = getattr(Withdrawals, method), []

        def dies(self: Any, *args: Any, real: Any = real, calls: list[int] = calls) -> Any:
            calls.append(1)
            if len(calls) == 2:
                raise RuntimeError("killed")
            return real(self, *args)

        with monkeypatch.context() as patch, pytest.raises(RuntimeError):
            patch.setattr(Withdrawals, method, dies)
            begin()
        assert workbench.work_changes.history(project)[0].state == step
        workbench.work_changes.go_on(project, 1)
        if step == "doing":
            assert workbench.work_changes.history(project)[0].effect == {"annotations": 5, "gold": 5}
            assert not state(workbench, project, ids)["gold"]
    assert workbench.work_changes.history(project)[0].undo_effect["back"] == 5  # type: ignore[index]
    assert state(workbench, project, ids) == before
    with pytest.raises(WrongState):
        workbench.work_changes.go_on(project, 1)


def test_what_somebody_holds_goes_to_another_and_back(workbench: Workbench) -> None:
    project, ids = make_project(workbench)
    batch(workbench, project, ids[:2])
    ada, bob, cyd = (make_user(workbench, name) for name in ("ada", "bob", "cyd"))
    assert given(workbench, project, ada) == ids[:2]
    changes = workbench.work_changes
    seen = changes.reassign_preview(project, "ada", to="bob")
    assert (seen.held, seen.given) == (2, 2)
    assert changes.reassign(project, "ada", to="bob", by=cyd).effect == {"given": 2, "freed": 0}
    assert given(workbench, project, cyd) == ids[2:], "they are bob's, and the pool is next"
    assert given(workbench, project, bob) == ids[:2]
    say(workbench, project, bob, ids[0])
    assert changes.undo_preview(project, 1) == changes.undo(project, 1) == UndoPreview(back=1, others=1)
    assert given(workbench, project, ada) == [ids[1]]
    assert changes.reassign(project, "ada").effect == {"given": 0, "freed": 1}
    assert given(workbench, project, bob) == [ids[1]]
    assert changes.undo(project, 2) == UndoPreview(others=1), "bob holds it by now"
    for wrong, error in (("ada", InvalidInput), ("nobody", NotFound)):
        with pytest.raises(error):
            changes.reassign(project, "ada", to=wrong)
    with pytest.raises(WrongState):
        changes.reassign(project, "ada", to="bob")
    with pytest.raises(InvalidInput):
        changes.reassign(project, "bob", hours=0)


def test_nobody_is_given_what_they_have_labeled(workbench: Workbench) -> None:
    project, ids = shared(workbench, Sharing(people=2))
    ada, bob = make_user(workbench), make_user(workbench, "bob")
    say(workbench, project, bob, ids[0])
    assert given(workbench, project, ada, 3) == ids[:3]
    assert given(workbench, project, bob, 1) == [ids[1]]
    change = workbench.work_changes.reassign(project, "ada", to="bob")
    assert change.effect == {"given": 1, "freed": 2}
    assert given(workbench, project, bob, 9)[:2] == ids[1:3]
