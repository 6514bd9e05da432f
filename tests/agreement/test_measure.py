"""Figures over what people said, from the database: who counts, what is behind each figure; on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import update

from tests.labeling.corpus import QA_TEXT, make_project, make_user
from workbench.domain import AnnotationStatus, Project, Sharing, User
from workbench.services import Workbench
from workbench.services.annotation import SIMULATED, Submission
from workbench.storage.tables import annotations

TEXTS = ["Ada met Bob .", "Oslo won .", "Nobody came ."]
COUNTER = iter(range(1_000_000))


def span(start: int, end: int, label: str) -> dict[str, object]:
    return {"start": start, "end": end, "label": label}


ADA, BOB, OSLO = span(0, 3, "PER"), span(8, 11, "PER"), span(0, 4, "LOC")


def say(
    workbench: Workbench, project: Project, user: User, example: int, payload: Any, status: str = "accepted"
) -> int:
    answer = Submission(example, f"a{next(COUNTER)}", AnnotationStatus(status), payload)
    receipt = workbench.annotation.submit(project, user, [answer])[0]
    assert receipt.annotation is not None, receipt.message
    return receipt.annotation.id


def three(workbench: Workbench) -> tuple[User, User, User]:
    ada, bob, eve = (make_user(workbench, name) for name in ("ada", "bob", "eve"))
    return ada, bob, eve


def shared(workbench: Workbench, task: str = "ner", **given: Any) -> tuple[Project, list[int]]:
    project, ids = make_project(workbench, task, **given)
    return workbench.sharing.set(project, Sharing(people=3, agree=3)), ids


def test_entities_by_hand(workbench: Workbench) -> None:
    project, ids = shared(workbench, texts=TEXTS)
    ada, bob, eve = three(workbench)
    for user, first, second in ((ada, [ADA, BOB], [OSLO]), (bob, [ADA], [OSLO]), (eve, [ADA, BOB], [])):
        say(workbench, project, user, ids[0], {"spans": first})
        say(workbench, project, user, ids[1], {"spans": second})
    say(workbench, project, ada, ids[2], {"spans": []})
    found = workbench.agreement.measure(project)
    assert found.overall.examples == 2
    # Pairs: ada-bob 2 of 3 and 2; ada-eve 2 of 3 and 2; bob-eve 1 of 2 and 2.
    assert found.pairs["ada", "bob"].f1 == pytest.approx(2 * 2 / 5)
    assert found.pairs["ada", "eve"].f1 == pytest.approx(2 * 2 / 5)
    assert found.pairs["bob", "eve"].f1 == pytest.approx(2 * 1 / 4)
    assert found.overall.f1 == pytest.approx(2 * 5 / 14)
    assert found.overall.exact == pytest.approx(2 / 6)
    assert found.labels["LOC"].f1 == pytest.approx(2 * 1 / 4)
    assert found.labels["PER"].f1 == pytest.approx(2 * 4 / 10)
    # ada and bob on seven tokens: they differ in one, where ada says B-PER and bob O.
    observed, expected = 6 / 7, (2 * 1 + 1 * 1 + 4 * 5) / 49
    assert found.pairs["ada", "bob"].kappa == pytest.approx((observed - expected) / (1 - expected))
    assert found.overall.fleiss_people == 3
    assert found.overall.alpha == pytest.approx(1 - (1 - (found.overall.fleiss or 0)) * 20 / 21)
    assert [case.example.id for case in found.cases] == [ids[1], ids[0]]
    assert [case.example.id for case in found.of_pair("ada", "eve")] == [ids[1]]


def test_only_what_people_say_now_counts(workbench: Workbench) -> None:
    project, ids = shared(workbench, texts=TEXTS)
    ada, bob, eve = three(workbench)
    with workbench.store.write() as tx:
        simulated = tx.users.find_or_add(SIMULATED, system=True)
    say(workbench, project, ada, ids[0], {"spans": [ADA]})
    say(workbench, project, simulated, ids[0], {"spans": []})
    assert workbench.agreement.measure(project).cases == ()
    say(workbench, project, bob, ids[0], {"spans": [BOB]})
    say(workbench, project, eve, ids[0], {"spans": [ADA]})
    say(workbench, project, eve, ids[0], None, "withdrawn")
    say(workbench, project, eve, ids[1], None, "skipped")
    say(workbench, project, bob, ids[1], {"spans": []})
    assert workbench.agreement.measure(project).overall.f1 == 0.0
    say(workbench, project, bob, ids[0], {"spans": [ADA]})
    found = workbench.agreement.measure(project)
    assert (found.overall.f1, found.overall.exact, found.overall.examples) == (1.0, 1.0, 1)
    assert list(found.pairs) == [("ada", "bob")] and found.of_pair("ada", "bob") == []


def test_over_time(workbench: Workbench) -> None:
    project, ids = shared(workbench, texts=TEXTS)
    ada, bob, _ = three(workbench)
    for example, said in ((ids[0], [ADA]), (ids[1], [])):
        first = say(workbench, project, ada, example, {"spans": said})
        second = say(workbench, project, bob, example, {"spans": [ADA] if example == ids[0] else [OSLO]})
        with workbench.store.write() as tx:
            for annotation, day in ((first, 1), (second, 5 if example == ids[0] else 12)):
                moment = datetime(2026, 1, day, tzinfo=UTC)
                tx.connection.execute(
                    update(annotations).where(annotations.c.id == annotation).values(created_at=moment)
                )
    weeks = workbench.agreement.measure(project).weeks
    assert {week: one.f1 for week, one in weeks.items()} == {date(2026, 1, 5): 1.0, date(2026, 1, 12): 0.0}


def test_tags_with_gaps(workbench: Workbench) -> None:
    project, ids = shared(workbench, "pos", labels=["NN", "VB", "."], texts=["Ada ran ."])
    ada, bob, _ = three(workbench)
    say(workbench, project, ada, ids[0], {"tags": ["NN", "VB", "."]})
    say(workbench, project, bob, ids[0], {"tags": ["NN", "NN", "."]})
    found = workbench.agreement.measure(project)
    assert found.overall.f1 == pytest.approx(2 / 3)
    assert found.labels["NN"].f1 == pytest.approx(2 / 3) and found.labels["VB"].f1 == 0.0
    assert found.pairs["ada", "bob"].kappa == pytest.approx((2 / 3 - 3 / 9) / (1 - 3 / 9))


def test_answers_by_words_in_common(workbench: Workbench) -> None:
    project, ids = shared(workbench, "qa", labels=(), texts=[QA_TEXT])
    ada, bob, _ = three(workbench)
    start = QA_TEXT.index("in 1911")
    long = {"start": start, "end": start + len("in 1911")}
    short = {"start": start + 3, "end": start + 7}
    say(workbench, project, ada, ids[0], {"answers": [long], "no_answer": False})
    say(workbench, project, bob, ids[0], {"answers": [short], "no_answer": False})
    for user in (ada, bob):
        say(workbench, project, user, ids[1], {"answers": [], "no_answer": True})
    found = workbench.agreement.measure(project)
    assert found.overall.f1 == pytest.approx((2 / 3 + 1) / 2)
    assert found.overall.exact == pytest.approx(0.5)
    assert found.overall.alpha is None and found.pairs["ada", "bob"].kappa is None and not found.labels
