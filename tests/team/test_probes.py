"""Adjudicated examples mixed into batches: who gets which, what they look like, and where the answers stay."""

from __future__ import annotations

from dataclasses import fields

import pytest

from tests.labeling.corpus import QA_TEXT, make_project
from tests.team.test_sharing import COUNTER, NONE, PER
from workbench.domain import AnnotationStatus, Project, Role, Sharing, Span, Spans, User
from workbench.errors import InvalidInput
from workbench.services import Workbench
from workbench.services.annotation import QueueItem, Receipt, Submission

TEXTS = [f"Ada met Bob in town {number} ." for number in range(30)]
KNOWN = 10


@pytest.fixture
def people(workbench: Workbench) -> dict[str, User]:
    """Otto and Eva label, Rita reviews."""
    with workbench.store.write() as tx:
        return {
            name: tx.users.add(name, role, password_hash="$argon2id$none")
            for name, role in (("otto", Role.ANNOTATOR), ("eva", Role.ANNOTATOR), ("rita", Role.REVIEWER))
        }


def adjudicated(
    workbench: Workbench, people: dict[str, User], share: float = 0.2
) -> tuple[Project, list[int]]:
    """A project in which Rita has decided on Eva's labels of the first examples."""
    project, ids = make_project(workbench, texts=TEXTS)
    for example_id in ids[:KNOWN]:
        receipt = say(workbench, project, people["eva"], example_id)
        assert receipt.annotation
        workbench.annotation.decide(project, people["rita"], receipt.annotation.id)
    return workbench.probes.set(project, share), ids


def say(
    workbench: Workbench,
    project: Project,
    user: User,
    example_id: int,
    payload: object = PER,
    status: str = "accepted",
    batch_id: int | None = None,
    client_id: str | None = None,
) -> Receipt:
    answer = Submission(
        example_id,
        client_id or f"p{next(COUNTER)}",
        AnnotationStatus(status),
        payload,  # type: ignore[arg-type]
        batch_id=batch_id,
        base_revision=0,
    )
    return workbench.annotation.submit(project, user, [answer])[0]


def new_batch(workbench: Workbench, project: Project, size: int = 16, seed: int = 13) -> int:
    selection = workbench.selection.preview(project, "random", size, seed=seed, keep_duplicates=True)
    return workbench.selection.create(project, selection)[0].id


def label_all(
    workbench: Workbench, project: Project, user: User, batch_id: int, known: list[int], payload: object = PER
) -> list[QueueItem]:
    """Label what one gets until there is no more; the probes among it, with this payload."""
    met = []
    while items := workbench.annotation.queue(project, user, batch_id, limit=7).items:
        for item in items:
            is_probe = item.example.id in known
            if is_probe:
                met.append(item)
            receipt = say(
                workbench, project, user, item.example.id, payload if is_probe else PER, batch_id=batch_id
            )
            assert receipt.stored and receipt.message is None, receipt.message
            assert receipt.annotation and receipt.annotation.revision == 1
    return met


@pytest.mark.parametrize("sharing", [Sharing(), Sharing(people=2)])
def test_probes_come_unseen_and_leave_no_labels(
    workbench: Workbench, people: dict[str, User], sharing: Sharing
) -> None:
    project, ids = adjudicated(workbench, people)
    project = workbench.sharing.set(project, sharing)
    known = ids[:KNOWN]
    before = {one: workbench.annotation.history(project, one) for one in known}
    batch_id = new_batch(workbench, project)
    batch = workbench.selection.batches(project)[0]
    assert batch.items == 20
    places = [
        item.position for item in workbench.selection.items(project, batch.number) if item.example_id in known
    ]
    assert len(places) == 4 and places != list(range(4)) and places != list(range(16, 20))

    met = label_all(workbench, project, people["otto"], batch_id, known, payload=NONE)
    assert len(met) == 4
    assert {one: workbench.annotation.history(project, one) for one in known} == before
    with workbench.store.read() as tx:
        gold = tx.annotations.gold_of(known)
    assert all(found.author == "eva" for found, *_ in gold.values()) and len(gold) == KNOWN
    score = workbench.probes.scores(project)[0]
    assert (score.person, score.answers, score.same, score.score) == ("otto", 4, 0, 0.0)
    assert {one.example.id for one in workbench.probes.answers(project, "otto")} == {
        one.example.id for one in met
    }
    done = workbench.selection.batches(project)[0]
    assert done.done == 20 if sharing.alone else done.done == 4
    assert workbench.maintenance._batches().detail.endswith("wait for somebody")


def test_a_probe_looks_like_any_other(workbench: Workbench, people: dict[str, User]) -> None:
    project, ids = adjudicated(workbench, people)
    batch_id = new_batch(workbench, project)
    queue = workbench.annotation.queue(project, people["otto"], batch_id, limit=50)
    probes = [item for item in queue.items if item.example.id in ids[:KNOWN]]
    others = [item for item in queue.items if item.example.id not in ids[:KNOWN]]
    assert len(probes) == 4 and (queue.done, queue.total) == (0, 20)
    for probe in probes:
        for name in (field.name for field in fields(QueueItem)):
            if name in ("batch_id", "suggestion", "base_revision", "earlier", "current"):
                assert getattr(probe, name) == getattr(others[0], name), name
        assert set(probe.why) == set(others[0].why)
    assert sorted(item.why["rank"] for item in queue.items) == list(range(1, 21))
    assert [item.why["score"] for item in queue.items] == sorted(
        (item.why["score"] for item in queue.items), reverse=True
    )
    assert sorted(item.why["position"] for item in queue.items) == list(range(1, 21))
    first = probes[0].example.id
    assert workbench.annotation.item(project, people["otto"], first).current is None
    receipt = say(workbench, project, people["otto"], first, batch_id=batch_id, client_id="once")
    again = say(workbench, project, people["otto"], first, batch_id=batch_id, client_id="once")
    assert again.annotation == receipt.annotation
    assert workbench.annotation.queue(project, people["otto"], batch_id, limit=1).done == 1
    recent = workbench.annotation.recent(project, people["otto"])
    assert [(said.status, one.id) for said, one in recent] == [(AnnotationStatus.ACCEPTED, first)]
    seen = workbench.annotation.item(project, people["otto"], first)
    assert seen.current and seen.current.author == "otto" and seen.base_revision == 1
    say(workbench, project, people["otto"], first, NONE)  # looked at again from the list of earlier ones
    assert [one.same for one in workbench.probes.answers(project)] == [False]
    say(workbench, project, people["otto"], first, status="withdrawn")
    assert workbench.probes.answers(project) == ()
    assert workbench.annotation.queue(project, people["otto"], batch_id, limit=1).done == 0


def test_nobody_is_probed_with_what_they_know(workbench: Workbench, people: dict[str, User]) -> None:
    project, ids = adjudicated(workbench, people)
    known = ids[:KNOWN]
    batch_id = new_batch(workbench, project, size=8)
    # Eva labeled them and Rita decided: only Otto is new to them. What is left when all else is done goes.
    assert label_all(workbench, project, people["eva"], batch_id, known) == []
    assert label_all(workbench, project, people["rita"], batch_id, known) == []
    batch = workbench.selection.batches(project)[0]
    assert batch.done == batch.items == 8
    first = label_all(workbench, project, people["otto"], new_batch(workbench, project, size=4), known)
    second = label_all(workbench, project, people["otto"], new_batch(workbench, project, size=8), known)
    met = [item.example.id for item in first + second]
    assert len(first) == 1 and len(second) == 2 and len(set(met)) == 3


def test_skips_and_mixed_scores(workbench: Workbench, people: dict[str, User]) -> None:
    project, ids = adjudicated(workbench, people, share=0.5)
    batch_id = new_batch(workbench, project, size=3)
    queue = workbench.annotation.queue(project, people["otto"], batch_id, limit=50)
    right, wrong, skipped = [item.example.id for item in queue.items if item.example.id in ids[:KNOWN]]
    say(workbench, project, people["otto"], right, batch_id=batch_id)
    both = {"spans": [*PER["spans"], {"start": 8, "end": 11, "label": "PER"}]}
    say(workbench, project, people["otto"], wrong, both, batch_id=batch_id)
    say(workbench, project, people["otto"], skipped, None, "skipped", batch_id=batch_id)
    score = workbench.probes.scores(project)[0]
    assert (score.answers, score.without_labels, score.same) == (2, 1, 1)
    assert score.score == pytest.approx(2 * 2 / (3 + 2))  # 2 right of 3 said and 2 wanted


def answered_probe(workbench: Workbench, people: dict[str, User]) -> tuple[Project, list[int], int]:
    """A batch that Otto has done, and the last of the probes that he answered in it, each with no entity."""
    project, ids = adjudicated(workbench, people)
    batch_id = new_batch(workbench, project)
    met = label_all(workbench, project, people["otto"], batch_id, ids[:KNOWN], payload=NONE)
    return project, ids, max(item.example.id for item in met)


def test_a_reviewers_word_on_a_former_probe_counts_there_and_nowhere_else(
    workbench: Workbench, people: dict[str, User]
) -> None:
    project, ids, probe = answered_probe(workbench, people)
    with workbench.store.read() as tx:
        before = tx.annotations.gold_of(ids)
    word = Spans((Span(8, 11, "PER"),))
    stored = workbench.review.rewrite(project, people["otto"], probe, word)
    assert workbench.annotation.history(project, probe)[-1] == stored
    with workbench.store.read() as tx:
        after = tx.annotations.gold_of(ids)
    assert after.pop(probe) == (stored, people["otto"].id)
    assert after == {one: said for one, said in before.items() if one != probe}
    assert all(one.answer.payload == Spans() for one in workbench.probes.answers(project, "otto"))
    seen = workbench.annotation.item(project, people["otto"], probe)
    assert seen.current == seen.earlier == stored
    again = Submission(probe, "again", payload=PER, base_revision=seen.base_revision)
    said = workbench.annotation.revise(project, people["otto"], again)
    assert workbench.annotation.history(project, probe)[-1] == said, "what he says of it next is a label too"


def test_a_former_probe_is_corrected_like_any_other_example(
    workbench: Workbench, people: dict[str, User]
) -> None:
    project, _, probe = answered_probe(workbench, people)
    say(workbench, project, people["eva"], probe, NONE)
    batch_id = workbench.corrections.create(project, [probe], "look again").batch.id
    (item,) = workbench.annotation.queue(project, people["otto"], batch_id).items
    assert item.current and (item.current.author, item.earlier, item.base_revision) == ("eva", None, 2)
    answer = Submission(probe, "corrected", payload=PER, batch_id=batch_id, base_revision=2)
    workbench.annotation.revise(project, people["otto"], answer)
    assert [one.author for one in workbench.annotation.history(project, probe)] == ["eva", "eva", "otto"]


def test_a_former_probe_without_labels_waits_in_the_pool(
    workbench: Workbench, people: dict[str, User]
) -> None:
    project, _, probe = answered_probe(workbench, people)
    workbench.work_changes.withdraw(project, "eva", decided=True)
    queue = workbench.annotation.queue(project, people["otto"], limit=50)
    (item,) = [one for one in queue.items if one.example.id == probe]
    assert (item.current, item.earlier, item.base_revision) == (None, None, 2)
    workbench.annotation.revise(
        project, people["otto"], Submission(probe, "anew", payload=PER, base_revision=2)
    )
    assert workbench.annotation.history(project, probe)[-1].author == "otto"
    again = workbench.annotation.queue(project, people["otto"], limit=50)
    assert probe not in [one.example.id for one in again.items]


POS_SAID = {"tags": ["NOUN", "VERB", "NOUN", "NOUN"]}
POS_OTHER = {"tags": ["NOUN", "NOUN", "NOUN", "NOUN"]}
QA_SAID = {"answers": [{"start": 35, "end": 42}]}  # in 1911
QA_OTHER = {"answers": [{"start": 38, "end": 42}]}


@pytest.mark.parametrize(
    ("task", "labels", "gold", "other", "expected"),
    [("pos", ("NOUN", "VERB"), POS_SAID, POS_OTHER, 3 / 4), ("qa", (), QA_SAID, QA_OTHER, 2 / 3)],
)
def test_people_are_measured_by_their_tasks_metric(
    workbench: Workbench,
    people: dict[str, User],
    task: str,
    labels: tuple[str, ...],
    gold: object,
    other: object,
    expected: float,
) -> None:
    texts = [f"Ada saw Bob {number}" for number in range(12)] if task == "pos" else [QA_TEXT]
    questions = [f"When, asked for the {number}. time?" for number in range(12)]
    project, ids = make_project(workbench, task, labels, texts, questions=questions)
    for example_id in ids[:4]:
        receipt = say(workbench, project, people["eva"], example_id, gold)
        assert receipt.annotation, receipt.message
        workbench.annotation.decide(project, people["rita"], receipt.annotation.id)
    project = workbench.probes.set(project, 0.2)
    batch_id = new_batch(workbench, project, size=4)
    met = 0
    for item in workbench.annotation.queue(project, people["otto"], batch_id, limit=50).items:
        probe = item.example.id in ids[:4]
        met += probe
        receipt = say(
            workbench, project, people["otto"], item.example.id, other if probe else gold, batch_id=batch_id
        )
        assert receipt.annotation, receipt.message
    (score,) = workbench.probes.scores(project)
    assert (met, score.person, score.answers, score.same) == (1, "otto", 1, 0)
    assert score.score == pytest.approx(expected)


def test_answers_to_a_question_worded_anew_measure_nobody(
    workbench: Workbench, people: dict[str, User]
) -> None:
    project, ids = make_project(workbench, "qa", (), [QA_TEXT])
    known = {"answers": [{"start": 39, "end": 43}]}
    for example_id, payload in ((ids[0], {**known, "question": "In which year?"}), (ids[1], known)):
        receipt = say(workbench, project, people["eva"], example_id, payload)
        assert receipt.annotation
        workbench.annotation.decide(project, people["rita"], receipt.annotation.id)
    with workbench.store.read() as tx:
        assert tx.probes.candidates(project.id, project.sharing) == [ids[1]]


def test_the_share(workbench: Workbench, people: dict[str, User]) -> None:
    project, _ = adjudicated(workbench, people, share=0.0)
    new_batch(workbench, project, size=4)
    assert workbench.selection.batches(project)[0].items == 4
    assert workbench.probes.supply(project) == (KNOWN, 0)
    for share in (-0.1, 0.6, float("nan")):
        with pytest.raises(InvalidInput):
            workbench.probes.set(project, share)
    workbench.members.retire("otto")
    assert workbench.probes.supply(project) == (0, 0)
