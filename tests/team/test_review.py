"""What waits for a reviewer, what their word does, and what they say to people; on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from tests.agreement.test_measure import ADA, BOB, TEXTS, say, shared, span, three
from tests.labeling.corpus import QA_TEXT, add_version, make_user
from workbench.domain import Answer, Answers, Prediction, Role, Span, Spans, Tags
from workbench.errors import InvalidInput, InvalidPayload, NotFound
from workbench.services import Workbench
from workbench.services.review import Waiting, mixture
from workbench.tasks import dump_prediction


def gold(workbench: Workbench, example: int) -> Any:
    with workbench.store.read() as tx:
        found = tx.annotations.gold_of([example]).get(example)
    return None if found is None else found[0].payload


def test_what_people_differ_on_waits_and_one_version_counts(workbench: Workbench) -> None:
    project, ids = shared(workbench, texts=TEXTS)
    ada, bob, eve = three(workbench)
    boss = make_user(workbench, "boss", role=Role.REVIEWER)
    for user, spans in ((ada, [ADA]), (bob, [ADA, BOB]), (eve, [ADA])):
        say(workbench, project, user, ids[1 if spans == [ADA] else 0], {"spans": []})
        say(workbench, project, user, ids[0], {"spans": spans})
    assert workbench.review.waiting(project) == (ids[0],)
    dossier = workbench.review.dossier(project, ids[0])
    assert list(dossier.case.said) == ["ada", "bob", "eve"] and dossier.gold is None
    workbench.review.accept(project, boss, dossier.case.said["bob"].id)
    assert gold(workbench, ids[0]) == Spans((Span(0, 3, "PER"), Span(8, 11, "PER")))
    assert workbench.review.waiting(project) == ()
    assert workbench.review.waiting(project, Waiting.DECIDED) == (ids[0],)
    say(workbench, project, bob, ids[0], {"spans": [ADA]})
    assert len(gold(workbench, ids[0]).spans) == 2, "a reviewer's word stays"
    dossier = workbench.review.dossier(project, ids[0])
    assert dossier.decided_by == "boss"
    workbench.review.reopen(project, boss, ids[0])
    assert gold(workbench, ids[0]) == Spans((Span(0, 3, "PER"),)), "all three say the same by now"


def test_a_mixture_is_the_reviewers_word_and_no_opinion(workbench: Workbench) -> None:
    project, ids = shared(workbench, texts=TEXTS)
    ada, bob, _ = three(workbench)
    boss = make_user(workbench, "boss", role=Role.REVIEWER)
    say(workbench, project, ada, ids[0], {"spans": [ADA]})
    say(workbench, project, bob, ids[0], {"spans": [BOB]})
    dossier = workbench.review.dossier(project, ids[0])
    mixed = mixture(project, dossier, [(8, 11, "PER"), (0, 3, "PER")])
    stored = workbench.review.rewrite(project, boss, ids[0], mixed)
    assert gold(workbench, ids[0]) == mixed and stored.author == "boss"
    assert list(workbench.agreement.measure(project).pairs) == [("ada", "bob")]
    assert workbench.annotation.history(project, ids[0])[-1].id == stored.id
    with pytest.raises(InvalidInput, match="overlap"):
        mixture(project, dossier, [(0, 3, "PER"), (0, 7, "ORG")])
    with pytest.raises(InvalidPayload):
        workbench.review.rewrite(project, boss, ids[0], Spans((Span(0, 3, "NEW"),)))


def test_mixtures_of_tags_and_answers(workbench: Workbench) -> None:
    tags, ids = shared(workbench, "pos", labels=["NN", "VB", "."], texts=["Ada ran ."])
    ada, bob, _ = three(workbench)
    say(workbench, tags, ada, ids[0], {"tags": ["NN", "VB", "."]})
    say(workbench, tags, bob, ids[0], {"tags": ["NN", "NN", "."]})
    dossier = workbench.review.dossier(tags, ids[0])
    assert mixture(tags, dossier, [(0, 0, "NN"), (1, 1, "VB"), (2, 2, ".")]) == Tags(("NN", "VB", "."))
    with pytest.raises(InvalidInput, match="two tags"):
        mixture(tags, dossier, [(1, 1, "VB"), (1, 1, "NN")])
    asked, ids = shared(workbench, "qa", labels=(), texts=[QA_TEXT], name="asked")
    dossier = workbench.review.dossier(asked, ids[0])
    assert mixture(asked, dossier, [(4, 12, "")]) == Answers((Answer(4, 12),))
    assert mixture(asked, dossier, []) == Answers()


def test_flags_wait_until_they_are_decided(workbench: Workbench) -> None:
    project, ids = shared(workbench, texts=TEXTS)
    ada, bob, _ = three(workbench)
    boss = make_user(workbench, "boss", role=Role.REVIEWER)
    say(workbench, project, ada, ids[2], {"spans": []}, "flagged")
    assert workbench.review.waiting(project, Waiting.FLAGGED) == (ids[2],)
    assert [flag.author for flag in workbench.review.dossier(project, ids[2]).flags] == ["ada"]
    workbench.review.rewrite(project, boss, ids[2], Spans())
    assert workbench.review.waiting(project, Waiting.FLAGGED) == ()
    say(workbench, project, bob, ids[1], None, "flagged")
    say(workbench, project, bob, ids[1], {"spans": [span(0, 4, "LOC")]})
    assert workbench.review.waiting(project, Waiting.FLAGGED) == ()


def test_remarks_reach_whom_they_are_for(workbench: Workbench) -> None:
    project, ids = shared(workbench, texts=TEXTS)
    ada, bob, _ = three(workbench)
    boss = make_user(workbench, "boss", role=Role.REVIEWER)
    first = say(workbench, project, ada, ids[0], {"spans": [ADA]})
    workbench.review.remark(project, boss, first, " Bob is a person too. ")
    (remark,) = workbench.review.remarks_to(project, ada)
    assert (remark.text, remark.author, remark.to, remark.example_id) == (
        "Bob is a person too.",
        "boss",
        "ada",
        ids[0],
    )
    assert workbench.review.remarks_to(project, bob) == ()
    workbench.review.put_away(project, bob, [remark.id])
    assert workbench.review.remarks_to(project, ada) == (remark,)
    workbench.review.put_away(project, ada, [remark.id])
    assert workbench.review.remarks_to(project, ada) == ()
    assert workbench.review.dossier(project, ids[0]).remarks[0].seen
    for text in ("", " ", "x" * 2_001):
        with pytest.raises(InvalidInput):
            workbench.review.remark(project, boss, first, text)
    other, _ = shared(workbench, name="other")
    with pytest.raises(NotFound):
        workbench.review.remark(other, boss, first, "x")
    with pytest.raises(NotFound):
        workbench.review.dossier(other, ids[0])
    with pytest.raises(NotFound):
        workbench.review.reopen(other, boss, ids[0])


def answers(*places: tuple[int, int]) -> dict[str, Any]:
    return {"answers": [{"start": start, "end": end} for start, end in places]}


def test_answers_that_are_alike_but_not_the_same_place_wait_for_a_reviewer(workbench: Workbench) -> None:
    project, ids = shared(workbench, "qa", texts=[QA_TEXT])
    for user, start in zip(three(workbench), (0, 4, 4), strict=True):
        say(workbench, project, user, ids[0], answers((start, 12)))
    # "The old mill" and "old mill" are the same answer by SQuAD's rules, and gold can be only one of them.
    assert workbench.agreement.measure(project).overall.exact == 1.0
    assert gold(workbench, ids[0]) is None
    assert workbench.sharing.progress(project).disputed == 1
    assert workbench.review.waiting(project) == (ids[0],)


def test_people_agree_on_several_answers_in_whatever_order_they_marked_them(workbench: Workbench) -> None:
    project, ids = shared(workbench, "qa", texts=[QA_TEXT])
    places = [(0, 12), (39, 43)]
    for number, user in enumerate(three(workbench)):
        say(workbench, project, user, ids[0], answers(*(places if number else reversed(places))))
    assert gold(workbench, ids[0]) == Answers((Answer(0, 12), Answer(39, 43)))
    assert workbench.review.waiting(project) == ()


def test_a_mixture_of_answers_keeps_the_question_that_they_answer(workbench: Workbench) -> None:
    project, ids = shared(workbench, "qa", texts=[QA_TEXT])
    boss = make_user(workbench, "boss", role=Role.REVIEWER)
    ada, bob, eve = three(workbench)
    anew = "In which year did it burn?"
    for user, start in ((ada, 39), (bob, 36)):
        say(workbench, project, user, ids[0], {**answers((start, 43)), "question": anew})
    say(workbench, project, eve, ids[0], answers((0, 12)))
    dossier = workbench.review.dossier(project, ids[0])
    with pytest.raises(InvalidInput, match="worded differently"):
        mixture(project, dossier, [(0, 12, ""), (36, 43, "")])
    mixed = mixture(project, dossier, [(36, 43, "")])
    assert mixed == Answers((Answer(36, 43),), anew)
    workbench.review.rewrite(project, boss, ids[0], mixed)
    said = dump_prediction("qa", Prediction(Answers((Answer(39, 43),)), 0.5))
    with workbench.store.write() as tx:
        tx.models.put_predictions(add_version(tx, project).id, [(ids[0], said)])
    suggestion = workbench.review.dossier(project, ids[0]).suggestion
    assert suggestion is not None and suggestion.prediction.payload == Answers((Answer(39, 43),), anew)
