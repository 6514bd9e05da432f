"""The annotation service: the queue, submissions checked one by one, gold, history, simulation, files."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.labeling.corpus import NER_TEXTS, QA_TEXT, make_project, make_user
from workbench.domain import Answers, Project, Role, Span, Spans, Split, Tags, User
from workbench.errors import FormatError, InvalidInput, InvalidPayload, NotFound, StaleRevision
from workbench.services import Workbench
from workbench.services.annotation_items import Around, Submission
from workbench.storage.batches import NewItem
from workbench.storage.tables import examples

PERSON = {"spans": [{"start": 0, "end": 11, "label": "PER"}]}


def make_batch(workbench: Workbench, project: Project, ids: list[int]) -> int:
    with workbench.store.write() as tx:
        items = [NewItem(one, 0.5, {"strategy": "least_confidence", "score": 0.5}) for one in ids]
        batch = tx.batches.add(
            project.id, items, strategy="least_confidence", unit="examples", size=len(ids), parameters={}
        )
    return batch.id


def gold(workbench: Workbench, project: Project) -> dict[int, object]:
    with workbench.store.read() as tx:
        return {row[0]: row[3] for row in tx.annotations.gold_payloads(project.id)}


def test_without_a_batch_the_pool_comes_in_its_order(workbench: Workbench) -> None:
    project, ids = make_project(workbench)
    ada = make_user(workbench)
    queue = workbench.annotation.queue(project, ada, limit=2)
    assert [item.example.id for item in queue.items] == ids[:2]
    assert (queue.done, queue.total) == (0, 5)
    first, second = queue.items
    assert (first.around.before, first.around.after) == ((), NER_TEXTS[1:3])
    assert (first.around.more_before, first.around.more_after) == (False, True)
    assert second.around.before == NER_TEXTS[:1]
    assert (first.document, first.why["strategy"], first.base_revision) == ("doc", "order", 0)
    more = workbench.annotation.queue(project, ada, limit=9, exclude=ids[:2])
    assert [item.example.id for item in more.items] == ids[2:]


def test_surroundings_end_with_the_document_and_leap_over_gaps(workbench: Workbench) -> None:
    project, ids = make_project(workbench, texts=[f"Sentence {number} ." for number in range(12)])
    ada = make_user(workbench)
    other, _ = make_project(workbench, name="other")
    away = workbench.annotation.queue(other, ada).items[0].example.document_id
    with workbench.store.write() as tx:
        # Two sentences of another document in the middle of this one: the file came back to it.
        moved = update(examples).where(examples.c.id.in_(ids[4:6])).values(document_id=away)
        tx.connection.execute(moved)

    def around(index: int, before: int, after: int) -> tuple[list[int], list[int], bool, bool]:
        found = workbench.annotation.around(project, ids[index], before, after)
        texts = [[int(text.split()[1]) for text in side] for side in (found.before, found.after)]
        return texts[0], texts[1], found.more_before, found.more_after

    assert around(0, 3, 3) == ([], [1, 2, 3], False, True)
    assert around(3, 1, 3) == ([2], [6, 7, 8], True, True)
    assert around(7, 9, 2) == ([0, 1, 2, 3, 6], [8, 9], False, True)
    assert around(11, 0, 5) == ([], [], True, False)
    queue = {item.example.id: item for item in workbench.annotation.queue(project, ada, limit=20).items}
    assert len(queue) == 12
    for index, example_id in enumerate(ids):
        alone = workbench.annotation.around(project, example_id, 2, 2)
        assert queue[example_id].around == alone, index


def test_questions_are_surrounded_by_other_contexts_once(workbench: Workbench) -> None:
    project, ids = make_project(workbench, "qa", (), [QA_TEXT], name="qa")
    ada = make_user(workbench)
    with workbench.store.write() as tx:
        for example_id, text in zip(ids, ("One.", "Two.", "Two."), strict=True):
            tx.connection.execute(update(examples).where(examples.c.id == example_id).values(text=text))
    assert workbench.annotation.around(project, ids[0], 2, 2) == Around((), ("Two.",))
    assert workbench.annotation.item(project, ada, ids[2]).around == Around(("One.",), ())


def test_two_people_in_the_pool_never_get_the_same_example(workbench: Workbench) -> None:
    project, ids = make_project(workbench)
    ada, bob = make_user(workbench), make_user(workbench, "bob")

    def ask(user: User, limit: int) -> list[int]:
        return [item.example.id for item in workbench.annotation.queue(project, user, limit=limit).items]

    assert (ask(ada, 2), ask(bob, 2)) == (ids[:2], ids[2:4])
    assert (ask(ada, 2), ask(bob, 9)) == (ids[:2], ids[2:])
    workbench.annotation.submit(project, ada, [Submission(ids[0], "a", payload={"spans": []})])
    workbench.annotation.submit(project, ada, [Submission(ids[1], "b", "skipped")])
    assert ask(ada, 9) == []
    # What one person skipped is free for the next, and what was promised in the pool can't be selected meanwhile.
    assert ask(bob, 9) == [*ids[2:], ids[1]]
    with workbench.store.read() as tx:
        assert tx.batches.candidates.still_free(ids) == set()


def test_people_who_ask_the_pool_at_once_get_different_examples(workbench: Workbench) -> None:
    project, ids = make_project(workbench, texts=[f"Sentence {number} ." for number in range(24)])
    people = [make_user(workbench, f"u{number}") for number in range(4)]
    gate = threading.Barrier(len(people))
    served: list[int] = []

    def ask(user: User) -> None:
        gate.wait()
        mine: list[int] = []
        for _ in range(3):
            queue = workbench.annotation.queue(project, user, limit=2, exclude=mine)
            mine += [item.example.id for item in queue.items]
        served.extend(mine)

    threads = [threading.Thread(target=ask, args=(user,)) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(served) == ids


def test_what_was_answered_is_never_served_again(workbench: Workbench) -> None:
    project, ids = make_project(workbench)
    ada = make_user(workbench)
    for expected in ids:
        item = workbench.annotation.queue(project, ada, limit=1).items[0]
        assert item.example.id == expected
        status = "skipped" if expected == ids[2] else "accepted"
        payload = None if status == "skipped" else {"spans": []}
        workbench.annotation.submit(project, ada, [Submission(expected, f"c{expected}", status, payload)])
    assert workbench.annotation.queue(project, ada).items == ()
    assert workbench.annotation.queue(project, ada).done == 5


def test_a_batch_goes_first_and_says_why(workbench: Workbench) -> None:
    project, ids = make_project(workbench)
    ada, bob = make_user(workbench), make_user(workbench, "bob")
    batch_id = make_batch(workbench, project, [ids[3], ids[1], ids[0]])
    queue = workbench.annotation.queue(project, ada, limit=2)
    assert [item.example.id for item in queue.items] == [ids[3], ids[1]]
    assert queue.items[0].why == {"strategy": "least_confidence", "score": 0.5, "batch": 1, "position": 1}
    assert (queue.items[0].batch_id, queue.done, queue.total) == (batch_id, 0, 3)
    assert [item.example.id for item in workbench.annotation.queue(project, bob).items] == [ids[0]]
    item = Submission(ids[3], "c1", payload={"spans": []}, batch_id=batch_id)
    assert workbench.annotation.submit(project, ada, [item])[0].annotation.batch_id == batch_id
    assert workbench.annotation.queue(project, ada, batch_id).done == 1


def test_each_submission_is_checked_on_its_own(workbench: Workbench) -> None:
    project, ids = make_project(workbench)
    ada = make_user(workbench)

    def spans(*given: tuple[int, int, str]) -> dict[str, object]:
        return {"spans": [{"start": s, "end": e, "label": label} for s, e, label in given]}

    receipts = workbench.annotation.submit(
        project,
        ada,
        [
            Submission(ids[0], "beyond", payload=spans((0, 900, "PER"))),
            Submission(ids[0], "inside a token", payload=spans((1, 5, "PER"))),
            Submission(ids[0], "overlap", payload=spans((0, 11, "PER"), (6, 14, "ORG"))),
            Submission(ids[0], "label", payload=spans((0, 5, "CITY"))),
            Submission(ids[0], "shape", payload={"tags": ["NN"]}),
            Submission(ids[0], "nothing"),
            Submission(10_000, "gone", payload=spans()),
            Submission(ids[0], "x" * 101, payload=spans()),
            Submission(ids[4], "good", payload=spans((43, 49, "LOC"))),
        ],
    )
    assert [receipt.client_id for receipt in receipts if receipt.stored] == ["good"]
    for receipt in receipts[:-1]:
        assert receipt.message and receipt.message[-1] not in " \n", receipt
    assert gold(workbench, project) == {ids[4]: spans((43, 49, "LOC"))}


def test_a_repeated_submission_is_acknowledged_again(workbench: Workbench) -> None:
    project, ids = make_project(workbench)
    ada = make_user(workbench)
    item = Submission(ids[0], "c1", payload=PERSON, seconds=3, base_revision=0)
    receipts = [workbench.annotation.submit(project, ada, [item, item])[1] for _ in range(3)]
    assert all(receipt.stored for receipt in receipts)
    assert len(workbench.annotation.history(project, ids[0])) == 1


def test_gold_follows_the_newest_accepted_revision(workbench: Workbench) -> None:
    project, ids = make_project(workbench)
    ada, bob = make_user(workbench), make_user(workbench, "bob")

    def say(user: object, client_id: str, status: str, payload: object) -> None:
        workbench.annotation.submit(project, user, [Submission(ids[0], client_id, status, payload)])

    say(ada, "1", "accepted", {"spans": []})
    assert gold(workbench, project) == {ids[0]: {"spans": []}}
    say(bob, "2", "accepted", PERSON)
    assert gold(workbench, project) == {ids[0]: PERSON}
    say(bob, "3", "flagged", PERSON)
    assert gold(workbench, project) == {ids[0]: {"spans": []}}
    say(ada, "4", "withdrawn", None)
    assert gold(workbench, project) == {}


def test_a_reviewers_decision_stays(workbench: Workbench) -> None:
    project, ids = make_project(workbench)
    ada, eve = make_user(workbench), make_user(workbench, "eve", role=Role.REVIEWER)
    first = workbench.annotation.revise(project, ada, Submission(ids[0], "1", payload=PERSON))
    workbench.annotation.decide(project, eve, first.id)
    workbench.annotation.submit(project, ada, [Submission(ids[0], "2", payload={"spans": []})])
    assert gold(workbench, project) == {ids[0]: PERSON}
    assert [row.revision for row in workbench.annotation.history(project, ids[0])] == [1, 2]


def test_imported_gold_gives_way_to_a_revision(workbench: Workbench) -> None:
    project, ids = make_project(workbench)
    ada = make_user(workbench)
    with workbench.store.write() as tx:
        system = tx.users.find_or_add("import", system=True)
        tx.annotations.add_imported(system.id, [(ids[0], json.dumps(PERSON))], accepted_by=ada.id)
    item = workbench.annotation.item(project, ada, ids[0])
    assert (item.base_revision, item.current.payload) == (1, Spans((Span(0, 11, "PER"),)))
    submission = Submission(ids[0], "1", payload={"spans": []}, base_revision=1)
    assert workbench.annotation.revise(project, ada, submission).revision == 2
    assert gold(workbench, project) == {ids[0]: {"spans": []}}


def test_somebody_elses_newer_revision_comes_back_with_the_refusal(workbench: Workbench) -> None:
    project, ids = make_project(workbench)
    ada, bob = make_user(workbench), make_user(workbench, "bob")
    workbench.annotation.submit(project, bob, [Submission(ids[0], "b", payload=PERSON, base_revision=0)])
    mine = Submission(ids[0], "a", payload={"spans": []}, base_revision=0)
    receipt = workbench.annotation.submit(project, ada, [mine])[0]
    assert (receipt.stored, receipt.newer.author, receipt.newer.payload.spans[0].label) == (
        False,
        "bob",
        "PER",
    )
    with pytest.raises(StaleRevision, match="bob"):
        workbench.annotation.revise(project, ada, mine)
    with pytest.raises(InvalidPayload):
        workbench.annotation.revise(project, ada, Submission(ids[1], "z", payload={"spans": [{"start": 0}]}))


def test_tags_and_answers_are_kept_as_given(workbench: Workbench) -> None:
    pos, pos_ids = make_project(workbench, "pos", ["NN", "VB"], ["dogs run"], name="pos")
    qa, qa_ids = make_project(workbench, "qa", (), [QA_TEXT], name="qa")
    ada = make_user(workbench)
    tags = {"tags": ["NN", None]}
    assert workbench.annotation.revise(pos, ada, Submission(pos_ids[0], "p", payload=tags)).payload == Tags(
        ("NN", None)
    )
    nothing = {"answers": [], "no_answer": True}
    assert (
        workbench.annotation.revise(qa, ada, Submission(qa_ids[2], "q", payload=nothing)).payload == Answers()
    )
    item = workbench.annotation.queue(qa, ada, limit=1).items[0]
    assert (item.example.content.question, item.around) == ("When did the mill burn down?", Around())


def test_recent_and_search(workbench: Workbench) -> None:
    project, ids = make_project(workbench)
    ada = make_user(workbench)
    for index, example_id in enumerate((ids[1], ids[0], ids[1])):
        workbench.annotation.submit(
            project, ada, [Submission(example_id, f"c{index}", payload={"spans": []})]
        )
    recent = workbench.annotation.recent(project, ada)
    assert [(row.client_id, example.id) for row, example in recent] == [("c2", ids[1]), ("c1", ids[0])]
    assert [example.id for example in workbench.annotation.search(project, "baltic freight")] == [
        ids[0],
        ids[4],
    ]
    with pytest.raises(NotFound):
        workbench.annotation.item(project, ada, 9_999)
    with pytest.raises(NotFound):
        workbench.annotation.history(project, 9_999)


def test_a_batch_is_answered_with_the_labels_kept_aside(workbench: Workbench) -> None:
    project, ids = make_project(workbench)
    make_batch(workbench, project, ids[:3])
    with pytest.raises(InvalidInput, match="kept aside"):
        workbench.annotation.simulate(project, 1)
    with workbench.store.write() as tx:
        tx.annotations.add_oracle([(ids[0], json.dumps(PERSON)), (ids[1], '{"spans": []}')])
    assert workbench.annotation.simulate(project, 1) == 2
    assert gold(workbench, project) == {ids[0]: PERSON, ids[1]: {"spans": []}}
    assert workbench.annotation.history(project, ids[0])[0].author == "simulated"
    with pytest.raises(NotFound):
        workbench.annotation.simulate(project, 7)


def test_a_file_of_annotations(workbench: Workbench, tmp_path: Path) -> None:
    project, ids = make_project(workbench)
    lines = [
        json.dumps({"example": ids[0], **PERSON, "seconds": 4}),
        json.dumps({"external_id": "news-2", "payload": {"spans": []}, "client_id": "mine"}),
        "",
        "{not json",
        json.dumps({"external_id": "nobody", "spans": []}),
        json.dumps({"example": ids[2], "spans": [{"start": 0, "end": 3, "label": "PER"}]}),
        json.dumps({"example": ids[3], "status": "skipped", "comment": "nothing here"}),
        json.dumps({"example": ids[3], "status": "perhaps"}),
        json.dumps([1]),
        json.dumps({"spans": []}),
        json.dumps({"example": "7", "spans": []}),
        json.dumps({"example": ids[3], "seconds": "long", "spans": []}),
    ]
    path = tmp_path / "answers.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    report = workbench.annotation.annotate_file(project, path, "gina")
    assert report.stored == 3
    assert [refusal.line for refusal in report.refused] == [4, 5, 6, 8, 9, 10, 11, 12]
    assert workbench.annotation.annotate_file(project, path, "gina").stored == 3
    assert [len(workbench.annotation.history(project, one)) for one in ids] == [1, 1, 0, 1, 0]
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(FormatError, match="UTF-8"):
        workbench.annotation.annotate_file(project, path, "gina")
    with pytest.raises(FormatError, match="can't be read"):
        workbench.annotation.annotate_file(project, tmp_path / "none.jsonl", "gina")


def test_what_no_database_takes_is_refused_before_anything_is_stored(
    workbench: Workbench, tmp_path: Path
) -> None:
    project, ids = make_project(workbench)
    one = f'"example": {ids[0]}, "spans": []'
    nested = f"{'[' * 100_000}{']' * 100_000}"
    wrong = [
        f'{{{one}, "comment": "\\ud800"}}',
        f'{{{one}, "comment": "a\\u0000b"}}',
        '{"external_id": "\\ud800", "spans": []}',
        f'{{"example": {10**20}, "spans": []}}',
        '{"example": 0, "spans": []}',
        f'{{{one}, "seconds": Infinity}}',
        f'{{{one}, "seconds": 1e400}}',
        f'{{{one}, "seconds": 1e308}}',
        f'{{{one}, "seconds": {10**400}}}',
        f'{{{one}, "status": {nested}}}',
        f'{{"example": {ids[0]}, "spans": [{{"start": {"[" * 900}{"]" * 900}, "end": 3, "label": "PER"}}]}}',
    ]
    good = [f'{{{one}, "client_id": "{number}"}}' for number in range(60)]
    path = tmp_path / "answers.jsonl"
    path.write_text("\n".join([*good, *wrong]), encoding="utf-8")
    report = workbench.annotation.annotate_file(project, path, "gina")
    assert report.stored == len(good)
    assert [refusal.line for refusal in report.refused] == list(range(61, 61 + len(wrong)))
    assert not any(path.name in refusal.message for refusal in report.refused), "the place is said once"


def test_an_example_of_another_split_is_not_offered(workbench: Workbench) -> None:
    project, _ = make_project(workbench, split="test")
    queue = workbench.annotation.queue(project, make_user(workbench))
    assert (queue.items, queue.total) == ((), 0)
    with workbench.store.read() as tx:
        assert tx.annotations.gold_counts(project.id)[Split.TEST] == 0
