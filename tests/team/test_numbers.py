"""Pace, hours, agreement with gold, acceptance of suggestions: counted from what people did, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from tests.labeling.corpus import QA_TEXT, make_project, make_user, suggest
from workbench.domain import Answer, Answers, Prediction, Project, Role, Sharing, Span, Spans, User
from workbench.errors import InvalidInput
from workbench.services import Workbench
from workbench.services.annotation import Submission
from workbench.services.labelchanges import LabelChange
from workbench.services.worknumbers import label_rows, numbers_json, table_rows
from workbench.storage.rows import now
from workbench.storage.tables import annotations
from workbench.storage.worknumbers import WorkNumbers

TEXTS = [f"Ada met Bob {number} ." for number in range(6)]
ADA, BOB = Span(0, 3, "PER"), Span(8, 11, "PER")
COUNTER = iter(range(1_000_000))


def say(
    workbench: Workbench,
    project: Project,
    user: User,
    example: int,
    spans: tuple[Span, ...] = (),
    status: str = "accepted",
    *,
    seconds: float | None = None,
    suggested: bool = False,
) -> int:
    payload = {"spans": [{"start": one.start, "end": one.end, "label": one.label} for one in spans]}
    answer = Submission(
        example,
        f"n{next(COUNTER)}",
        status,  # type: ignore[arg-type]
        payload if status == "accepted" else None,
        seconds=seconds,
        suggestion_version=1 if suggested else None,
    )
    return workbench.annotation.revise(project, user, answer).id


def test_pace_and_hours_by_day(workbench: Workbench) -> None:
    project, ids = make_project(workbench, texts=TEXTS)
    ada, bob = make_user(workbench), make_user(workbench, "bob")
    first = say(workbench, project, ada, ids[0], (ADA, BOB), seconds=30)
    with workbench.store.write() as tx:
        yesterday = now() - timedelta(days=1)
        tx.connection.execute(
            update(annotations).where(annotations.c.id == first).values(created_at=yesterday)
        )
    say(workbench, project, ada, ids[0], (ADA,), seconds=10)
    say(workbench, project, ada, ids[1], (), "skipped", seconds=20)
    say(workbench, project, ada, ids[2], (ADA,), seconds=5_000)
    say(workbench, project, bob, ids[3], (ADA,))
    numbers = workbench.work_numbers.team(project)
    whole = numbers.person("ada")
    assert (whole.examples, whole.words, whole.revised, whole.skipped, whole.timed) == (3, 15, 1, 1, 4)
    assert whole.seconds == 30 + 10 + 20 + 300, "nobody reads for longer than that"
    assert whole.examples_per_hour == pytest.approx(4 / 0.1)
    assert whole.words_per_hour == pytest.approx(20 / 0.1)
    assert numbers.person("bob").examples_per_hour is None
    assert [one.examples for _, one in sorted(numbers.days["ada"].items())] == [1, 2]
    assert numbers.everybody.examples == 4
    label = numbers.labels["ada"]["PER"]
    assert (label.uses, label.seconds) == (2, 340), "its examples' time, of what holds now"
    today = workbench.work_numbers.team(project, 1)
    assert today.person("ada").seconds == 330
    with pytest.raises(InvalidInput):
        workbench.work_numbers.team(project, 0)
    assert set(workbench.work_numbers.own(project, bob).days) == {"bob"}
    assert [row["person"] for row in table_rows(numbers, by_day=True)] == ["ada", "ada", "bob"]
    assert label_rows(numbers)[0]["label"] == "PER"
    assert numbers_json(numbers)["people"]["ada"]["examples"] == 3


def test_suggestions_are_accepted_as_they_were_or_changed(workbench: Workbench) -> None:
    project, ids = make_project(workbench, texts=TEXTS)
    ada = make_user(workbench)
    suggest(workbench, project, {one: Prediction(Spans((ADA, BOB)), 0.9) for one in ids[:4]})
    say(workbench, project, ada, ids[0], (BOB, ADA), suggested=True)
    say(workbench, project, ada, ids[1], (ADA,), suggested=True)
    say(workbench, project, ada, ids[2], (ADA, BOB))
    say(workbench, project, ada, ids[3], (), "flagged", suggested=True)
    say(workbench, project, ada, ids[4], (ADA,), suggested=True)
    found = workbench.work_numbers.team(project)
    whole, label = found.person("ada"), found.all_labels["PER"]
    assert (whole.suggested, whole.unchanged, whole.acceptance) == (2, 1, 0.5)
    assert (label.suggested, label.kept, label.acceptance) == (4, 3, 0.75)
    # A label that is called otherwise by now changes nothing of that, nor does a withdrawal that was undone.
    workbench.labelsets.apply(project, LabelChange("rename", ("PER",), ("PERSON",)))
    whole = workbench.work_numbers.team(project).person("ada")
    assert (whole.suggested, whole.unchanged, whole.examples) == (2, 1, 5)
    workbench.work_changes.withdraw(project, "ada")
    gone = workbench.work_numbers.team(project).person("ada")
    assert (gone.suggested, gone.examples) == (0, 5), "the work was done; it counts no more"
    workbench.work_changes.undo(project, 1)
    back = workbench.work_numbers.team(project).person("ada")
    assert (back.suggested, back.unchanged, back.examples, back.revised) == (2, 1, 5, 0)


def test_agreement_with_gold_is_with_somebody_elses_word(workbench: Workbench) -> None:
    project, ids = make_project(workbench, texts=TEXTS)
    ada = make_user(workbench)
    boss = make_user(workbench, "boss", role=Role.REVIEWER)
    own = say(workbench, project, ada, ids[0], (ADA, BOB))
    say(workbench, project, ada, ids[1], (ADA,))
    assert workbench.work_numbers.team(project).person("ada").f1 is None, (
        "nobody but ada has said what is right"
    )
    workbench.review.accept(project, boss, own)
    workbench.review.rewrite(project, boss, ids[1], Spans((BOB,)))
    found = workbench.work_numbers.team(project)
    whole, label = found.person("ada"), found.labels["ada"]["PER"]
    assert (whole.compared, whole.same, whole.both, whole.own, whole.missed) == (2, 1, 2, 1, 1)
    assert whole.f1 == pytest.approx(4 / 6) == label.f1
    assert "boss" in found.days and found.person("boss").compared == 0
    shared = workbench.sharing.set(project, Sharing(people=2, agree=2))
    bob = make_user(workbench, "bob")
    for user in (ada, bob):
        say(workbench, shared, user, ids[2], (ADA,))
    assert workbench.work_numbers.team(shared).person("bob").compared == 1, "two agreed on it"


def test_answers_are_compared_by_their_words(workbench: Workbench) -> None:
    project, ids = make_project(workbench, "qa", (), (QA_TEXT,))
    ada = make_user(workbench)
    boss = make_user(workbench, "boss", role=Role.REVIEWER)
    suggest(workbench, project, {ids[0]: Prediction(Answers((Answer(38, 42),)), 0.9)})
    for one, (start, end) in zip(ids, ((38, 42), (77, 87)), strict=False):
        payload = {"answers": [{"start": start, "end": end}], "no_answer": False}
        answer = Submission(one, f"a{one}", payload=payload, suggestion_version=1)
        workbench.annotation.revise(project, ada, answer)
    workbench.review.rewrite(project, boss, ids[1], Answers((Answer(81, 87),)))
    whole = workbench.work_numbers.team(project).person("ada")
    assert (whole.suggested, whole.unchanged, whole.compared, whole.same) == (1, 1, 1, 0)
    assert whole.f1 is not None and 0 < whole.f1 < 1


def test_figures_are_counted_once_until_somebody_says_something(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, ids = make_project(workbench, texts=TEXTS)
    ada = make_user(workbench, "ada")
    say(workbench, project, ada, ids[0])
    asked = []
    rows = WorkNumbers.rows

    def counted(*args: Any, **kept: Any) -> Any:
        asked.append(1)
        return rows(*args, **kept)

    monkeypatch.setattr(WorkNumbers, "rows", counted)
    first = workbench.work_numbers.team(project)
    assert workbench.work_numbers.team(project) == first
    assert len(asked) == 1
    say(workbench, project, ada, ids[1])
    workbench.work_numbers.team(project)
    workbench.work_numbers.team(project, 7)
    assert len(asked) == 3
