"""Partial labels beside others: figures where both have judged, review, probes, numbers; on both databases."""

from __future__ import annotations

import pytest

from tests.agreement.test_measure import ADA, BOB, OSLO, TEXTS, say, shared, three
from tests.labeling.corpus import make_project, make_user, suggest
from tests.team.test_probes import people  # noqa: F401
from tests.team.test_review import gold
from workbench.domain import Prediction, Role, Sharing, Span, Spans, User
from workbench.errors import InvalidInput, InvalidPayload
from workbench.services import Workbench
from workbench.services.agreement import token_labels
from workbench.services.annotation import Submission
from workbench.services.review import mixture

ONLY_ADA = {"spans": [ADA], "partial": True}


def test_people_are_compared_where_both_have_judged(workbench: Workbench) -> None:
    project, ids = shared(workbench, texts=TEXTS)
    ada, bob, _ = three(workbench)
    say(workbench, project, ada, ids[0], ONLY_ADA)
    say(workbench, project, bob, ids[0], {"spans": [ADA, BOB]})
    found = workbench.agreement.measure(project)
    assert (found.overall.examples, found.overall.f1, found.overall.exact) == (1, 1.0, 0.0)
    assert found.labels["PER"].f1 == 1.0
    said = found.cases[0].said
    tokens = token_labels(said["ada"].payload, found.cases[0].example.content)  # type: ignore[arg-type]
    assert tokens == ["B-PER", None, None, None]
    assert (found.overall.alpha, found.overall.fleiss) == (None, None), "one token with one value only"
    assert [case.example.id for case in found.of_pair("ada", "bob")] == [ids[0]]


def test_a_partial_answer_differs_from_a_whole_one_and_a_reviewer_settles_it(workbench: Workbench) -> None:
    project, ids = shared(workbench, texts=TEXTS)
    ada, bob, eve = three(workbench)
    boss = make_user(workbench, "boss", role=Role.REVIEWER)
    for user, payload in ((ada, ONLY_ADA), (bob, {"spans": [ADA]}), (eve, ONLY_ADA)):
        say(workbench, project, user, ids[0], payload)
        say(workbench, project, user, ids[1], {"spans": [OSLO], "partial": True})
    assert gold(workbench, ids[0]) is None
    assert gold(workbench, ids[1]) == Spans((Span(0, 4, "LOC"),), partial=True), "all three say the same"
    assert workbench.review.waiting(project) == (ids[0],)
    dossier = workbench.review.dossier(project, ids[0])
    workbench.review.accept(project, boss, dossier.case.said["eve"].id)
    assert gold(workbench, ids[0]).partial and workbench.review.waiting(project) == ()
    for partial in (False, True):
        mixed = mixture(project, dossier, [(0, 3, "PER"), (8, 11, "PER")], partial=partial)
        workbench.review.rewrite(project, boss, ids[0], mixed)
        assert gold(workbench, ids[0]) == Spans((Span(0, 3, "PER"), Span(8, 11, "PER")), partial)
    with pytest.raises(InvalidPayload, match="say nothing"):
        workbench.review.rewrite(project, boss, ids[0], mixture(project, dossier, [], partial=True))


def test_a_probe_is_whole_and_a_partial_answer_is_measured_where_it_speaks(
    workbench: Workbench,
    people: dict[str, User],  # noqa: F811
) -> None:
    project, ids = make_project(workbench, texts=[f"Ada met Bob {number} ." for number in range(6)])
    ada, otto, boss = people["eva"], people["otto"], people["rita"]
    for example, payload in ((ids[0], {"spans": [ADA, BOB]}), (ids[1], ONLY_ADA)):
        workbench.annotation.decide(project, boss, say(workbench, project, ada, example, payload))
    assert workbench.probes.supply(project) == (1, 0)
    project = workbench.probes.set(project, 0.5)
    selection = workbench.selection.preview(project, "random", 1, keep_duplicates=True)
    batch = workbench.selection.create(project, selection)[0]
    answer = Submission(ids[0], "otto-1", payload=ONLY_ADA, batch_id=batch.id)
    assert workbench.annotation.submit(project, otto, [answer])[0].stored
    (score,) = workbench.probes.scores(project)
    assert (score.person, score.score, score.same) == ("otto", 1.0, 0), "Bob was not missed: nobody said so"


def test_what_a_partial_answer_leaves_out_was_not_turned_down(workbench: Workbench) -> None:
    project, ids = make_project(workbench, texts=TEXTS)
    project = workbench.sharing.set(project, Sharing(people=2, agree=2))
    ada, bob = make_user(workbench, "ada"), make_user(workbench, "bob")
    offered = Spans((Span(0, 3, "PER"), Span(8, 11, "PER")))
    suggest(workbench, project, {ids[0]: Prediction(offered, 0.9, (0.9, 0.9))})
    answer = Submission(ids[0], "partial-1", payload=ONLY_ADA, suggestion_version=1)
    workbench.annotation.revise(project, ada, answer)
    right = say(workbench, project, bob, ids[0], {"spans": [ADA, BOB]})
    workbench.annotation.decide(project, bob, right)
    tally, label = (
        workbench.work_numbers.team(project).people["ada"],
        workbench.work_numbers.team(project).labels["ada"]["PER"],
    )
    assert (tally.suggested, tally.unchanged) == (1, 0)
    assert (label.suggested, label.kept) == (1, 1)
    assert (tally.compared, tally.same, tally.both, tally.missed) == (1, 0, 1, 0)


def test_what_is_no_partial_label_is_refused(workbench: Workbench) -> None:
    project, ids = make_project(workbench, texts=TEXTS)
    ada = make_user(workbench)
    for number, payload in enumerate(({"spans": [], "partial": True}, {"spans": [ADA], "partial": "yes"})):
        receipt = workbench.annotation.submit(
            project, ada, [Submission(ids[0], f"r{number}", payload=payload)]
        )[0]
        assert not receipt.stored and "partial" in str(receipt.message)
    stored = workbench.annotation.revise(project, ada, Submission(ids[0], "r9", payload=ONLY_ADA))
    assert stored.payload == Spans((Span(0, 3, "PER"),), partial=True)
    with pytest.raises(InvalidInput, match="partial"):
        workbench.guidelines.example(project, "news-1")
