"""What may be selected, batches and leases, on both databases."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from tests.selection.pool import add_examples, add_scores, add_version, annotate, make_project
from workbench.domain import Project
from workbench.errors import NotFound
from workbench.services import Workbench
from workbench.storage.batches import NewItem
from workbench.storage.candidates import Filters
from workbench.storage.rows import now

NONE = Filters()


@pytest.fixture
def project(workbench: Workbench) -> Project:
    return make_project(workbench)


def add_batch(workbench: Workbench, project: Project, ids: list[int]) -> int:
    with workbench.store.write() as tx:
        items = [NewItem(example_id, None, {"strategy": "random"}) for example_id in ids]
        batch = tx.batches.add(
            project.id, items, strategy="random", unit="examples", size=len(ids), parameters={"seed": 1}
        )
    return batch.id


def user(workbench: Workbench, name: str) -> int:
    with workbench.store.write() as tx:
        return tx.users.find_or_add(name).id


def take(workbench: Workbench, project: Project, user_id: int, limit: int, **options: object) -> list[int]:
    minutes = options.pop("minutes", 5)
    with workbench.store.write() as tx:
        claimed = tx.batches.next_items(
            project.id,
            user_id,
            options.get("batch_id"),
            limit,
            options.get("exclude", ()),
            now() + timedelta(minutes=minutes),
        )
        return [item.example_id for item in tx.batches.queue_items(claimed)]


def test_labeled_leased_and_batched_examples_are_no_candidates(
    workbench: Workbench, project: Project
) -> None:
    ids = add_examples(workbench, project, [f"text {i}" for i in range(10)])
    elsewhere = add_examples(workbench, project, ["test text"], split="test")
    annotate(workbench, ids[0], is_gold=True)
    annotate(workbench, ids[1])
    annotate(workbench, ids[2], status="skipped")
    annotate(workbench, ids[3])
    annotate(workbench, ids[3], status="withdrawn", revision=2)
    annotate(workbench, ids[4], author="a", status="withdrawn")
    annotate(workbench, ids[4], author="b", status="flagged")
    batch_id = add_batch(workbench, project, [ids[5]])
    with workbench.store.write() as tx:
        someone = tx.users.find_or_add("someone").id
        tx.batches.lease(someone, [(batch_id, ids[6])], now() + timedelta(minutes=1))
        tx.batches.lease(someone, [(batch_id, ids[7])], now() - timedelta(minutes=1))
    free = [ids[3], ids[7], ids[8], ids[9]]
    version = add_version(workbench, project)
    add_scores(workbench, version, {key: float(key) for key in [*ids, *elsewhere]})
    with workbench.store.read() as tx:
        found, positions = tx.batches.candidates.keys(project.id, NONE)
        assert found.tolist() == free
        assert positions.tolist() == [3, 7, 8, 9]
        ranked = tx.batches.candidates.ranked(version, "mnlp", NONE, limit=100)
        assert [item.id for item in ranked] == free[::-1]
        assert tx.batches.candidates.still_free([*ids, *elsewhere]) == set(free)
        candidates = tx.batches.candidates
        for strategy, every in (("mnlp", True), ("margin", False)):
            parts = [
                count(project.id, version, strategy)
                for count in (candidates.accepted, candidates.taken_otherwise)
            ]
            taken, among = map(sum, zip(*parts, strict=True))
            assert (taken, among) == (len(ids) - len(free), taken if every else 0)
        assert candidates.accepted(project.id)[1] == candidates.taken_otherwise(project.id)[1] == 0
        scored = tx.sizes.scored(project.id, version, "mnlp") - taken
    assert workbench.selection.candidates(project) == scored == len(free)


def test_ranking_pages_through_ties_without_gap_or_repeat(workbench: Workbench, project: Project) -> None:
    ids = add_examples(workbench, project, [f"text {i}" for i in range(23)])
    version = add_version(workbench, project)
    add_scores(workbench, version, {key: (0.5 if index % 3 else 0.1) for index, key in enumerate(ids)})
    seen: list[int] = []
    after = None
    with workbench.store.read() as tx:
        while page := tx.batches.candidates.ranked(version, "mnlp", NONE, limit=4, after=after):
            seen += [item.id for item in page]
            after = (page[-1].score, page[-1].id)
        whole = tx.batches.candidates.ranked(version, "mnlp", NONE, limit=100)
    assert seen == [item.id for item in whole]
    assert sorted(seen) == ids
    assert [item.score for item in whole] == sorted((item.score for item in whole), reverse=True)


def test_filters_by_document_and_text(workbench: Workbench, project: Project) -> None:
    ids = add_examples(workbench, project, ["Red 100%", "red house", "Blue_1", "blue x1", "green", "RED end"])
    with workbench.store.read() as tx:
        candidates = tx.batches.candidates
        assert candidates.keys(project.id, Filters(text="red"))[0].tolist() == [ids[0], ids[1], ids[5]]
        assert candidates.keys(project.id, Filters(text="100%"))[0].tolist() == [ids[0]]
        assert candidates.keys(project.id, Filters(text="e_1"))[0].tolist() == [ids[2]]
        assert candidates.keys(project.id, Filters(document="doc1"))[0].tolist() == [ids[5]]
        assert candidates.keys(project.id, Filters(document="doc9"))[0].tolist() == []
    version = add_version(workbench, project)
    add_scores(workbench, version, {key: float(key) for key in ids})
    with workbench.store.read() as tx:
        both = Filters(document="doc0", text="red")
        ranked = tx.batches.candidates.ranked(version, "mnlp", both, limit=5)
        assert [(item.id, item.document) for item in ranked] == [(ids[1], "doc0"), (ids[0], "doc0")]


def test_batches_are_numbered_and_counted(workbench: Workbench, project: Project) -> None:
    ids = add_examples(workbench, project, [f"text {i}" for i in range(6)])
    add_batch(workbench, project, ids[:4])
    add_batch(workbench, project, ids[4:])
    annotate(workbench, ids[0])
    annotate(workbench, ids[1], status="withdrawn")
    with workbench.store.read() as tx:
        newest, oldest = tx.batches.all(project.id)
        assert (newest.number, newest.items, newest.done) == (2, 2, 0)
        assert (oldest.number, oldest.items, oldest.done) == (1, 4, 1)
        assert [item.example_id for item in tx.batches.items(oldest.id)] == ids[:4]
        assert tx.batches.by_number(project.id, 1) == oldest
        assert tx.batches.open_count(project.id) == 5
        assert [item.example_id for item in tx.batches.open_items(project.id)] == ids[1:]
        with pytest.raises(NotFound, match="batch 3"):
            tx.batches.by_number(project.id, 3)


def test_two_people_never_hold_the_same_item(workbench: Workbench, project: Project) -> None:
    ids = add_examples(workbench, project, [f"text {i}" for i in range(6)])
    add_batch(workbench, project, ids)
    ann, bob = user(workbench, "ann"), user(workbench, "bob")
    assert take(workbench, project, ann, 3) == ids[:3]
    assert take(workbench, project, bob, 2) == ids[3:5]
    assert take(workbench, project, ann, 3) == ids[:3]
    assert take(workbench, project, ann, 3, exclude=ids[:3]) == [ids[5]]
    assert take(workbench, project, bob, 5, exclude=ids[3:5]) == []
    annotate(workbench, ids[0], author="ann")
    assert take(workbench, project, ann, 6) == [ids[1], ids[2], ids[5]]
    with workbench.store.write() as tx:
        tx.batches.end_leases(ann)
    assert take(workbench, project, bob, 6) == [ids[3], ids[4], ids[1], ids[2], ids[5]]


def test_an_expired_lease_lets_the_next_person_in(workbench: Workbench, project: Project) -> None:
    ids = add_examples(workbench, project, ["a", "b"])
    batch_id = add_batch(workbench, project, ids)
    ann, bob = user(workbench, "ann"), user(workbench, "bob")
    assert take(workbench, project, ann, 2, minutes=-1) == ids
    assert take(workbench, project, bob, 2, batch_id=batch_id) == ids
    assert take(workbench, project, ann, 2) == []


def test_items_are_handed_out_once_to_people_who_ask_at_once(workbench: Workbench, project: Project) -> None:
    ids = add_examples(workbench, project, [f"text {i}" for i in range(40)])
    add_batch(workbench, project, ids)
    people = [user(workbench, f"u{index}") for index in range(4)]
    taken: dict[int, list[int]] = {person: [] for person in people}
    gate = threading.Barrier(len(people))

    def ask(person: int) -> None:
        gate.wait()
        for _ in range(5):
            taken[person] += take(workbench, project, person, 2, exclude=taken[person])

    threads = [threading.Thread(target=ask, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    handed = [example_id for items in taken.values() for example_id in items]
    assert sorted(handed) == ids


def test_released_items_may_be_selected_again(workbench: Workbench, project: Project) -> None:
    ids = add_examples(workbench, project, ["a", "b", "c"])
    batch_id = add_batch(workbench, project, ids)
    take(workbench, project, user(workbench, "ann"), 3)
    annotate(workbench, ids[1])
    with workbench.store.write() as tx:
        assert tx.batches.release(batch_id) == 2
        assert tx.batches.release(batch_id) == 0
    with workbench.store.read() as tx:
        batch = tx.batches.by_id(batch_id)
        assert (batch.items, batch.done, batch.parameters) == (1, 1, {"seed": 1, "released": 2})
        assert tx.batches.candidates.keys(project.id, NONE)[0].tolist() == [ids[0], ids[2]]


def test_a_twin_of_a_labeled_example_is_known(workbench: Workbench, project: Project) -> None:
    ids = add_examples(workbench, project, ["same", "same", "other", "test twin"])
    twins = add_examples(workbench, project, ["test twin"], split="test")
    annotate(workbench, ids[0])
    annotate(workbench, twins[0], is_gold=True)
    with workbench.store.read() as tx:
        items = tx.batches.candidates.by_ids([ids[3], ids[1], ids[2], ids[0]])
        assert [item.id for item in items] == [ids[3], ids[1], ids[2], ids[0]]
        taken = tx.batches.candidates.taken_hashes(project.id, [item.content_hash for item in items])
    assert taken == {items[0].content_hash, items[1].content_hash}
