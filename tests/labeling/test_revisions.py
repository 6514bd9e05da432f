"""Revisions: only added, stored once per client id, stale ones refused; gold, imported labels, answers kept aside."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest

from tests.labeling.corpus import make_project, make_user
from workbench.domain import AnnotationStatus, Span, Spans, Split
from workbench.errors import InvalidInput, NotFound, StaleRevision
from workbench.services import Workbench
from workbench.storage.rows import now

ACCEPTED = AnnotationStatus.ACCEPTED
EMPTY: dict[str, list[object]] = {"spans": []}
RIGA = {"spans": [{"start": 38, "end": 42, "label": "LOC"}]}


def test_a_revision_comes_back_as_it_was_given(workbench: Workbench) -> None:
    _, ids = make_project(workbench)
    ada = make_user(workbench)
    with workbench.store.write() as tx:
        stored = tx.annotations.add(ids[0], ada.id, ACCEPTED, RIGA, "c1", seconds=2.5, comment="sure")
    assert (stored.revision, stored.author, stored.payload) == (1, "ada", Spans((Span(38, 42, "LOC"),)))
    assert (stored.seconds, stored.comment, stored.created_at.tzinfo is not None) == (2.5, "sure", True)


def test_the_same_client_id_is_stored_once(workbench: Workbench) -> None:
    _, ids = make_project(workbench)
    ada, bob = make_user(workbench), make_user(workbench, "bob")
    for payload in (RIGA, EMPTY, RIGA):
        with workbench.store.write() as tx:
            tx.annotations.add(ids[0], ada.id, ACCEPTED, payload, "c1", base_revision=0)
    with workbench.store.write() as tx:
        assert [row.client_id for row in tx.annotations.history(ids[0])] == ["c1"]
        assert tx.annotations.stored_client_ids(["c1", "c2"]) == {"c1"}
        with pytest.raises(InvalidInput, match="client id"):
            tx.annotations.add(ids[1], ada.id, ACCEPTED, EMPTY, "c1")
        with pytest.raises(InvalidInput, match="client id"):
            tx.annotations.add(ids[0], bob.id, ACCEPTED, EMPTY, "c1")


def test_simultaneous_saves_of_one_client_id_store_one(workbench: Workbench) -> None:
    _, ids = make_project(workbench)
    ada = make_user(workbench)
    barrier = threading.Barrier(4)
    revisions: list[int] = []

    def save() -> None:
        barrier.wait()
        with workbench.store.write() as tx:
            revisions.append(tx.annotations.add(ids[0], ada.id, ACCEPTED, RIGA, "same").revision)

    threads = [threading.Thread(target=save) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert revisions == [1, 1, 1, 1]


def test_a_revision_that_missed_somebody_elses_is_refused(workbench: Workbench) -> None:
    _, ids = make_project(workbench)
    ada, bob = make_user(workbench), make_user(workbench, "bob")
    with workbench.store.write() as tx:
        tx.annotations.add(ids[0], bob.id, ACCEPTED, RIGA, "b1", base_revision=0)
    with pytest.raises(StaleRevision, match="bob has revised"), workbench.store.write() as tx:
        tx.annotations.add(ids[0], ada.id, ACCEPTED, EMPTY, "a1", base_revision=0)
    with workbench.store.write() as tx:
        assert tx.annotations.add(ids[0], ada.id, ACCEPTED, EMPTY, "a1", base_revision=1).revision == 2
        # Her own second thought was made before the server had told her the first one's number.
        assert tx.annotations.add(ids[0], ada.id, ACCEPTED, RIGA, "a2", base_revision=1).revision == 3
        assert tx.annotations.latest(ids[0], bob.id).revision == 1
        assert tx.annotations.newest(ids)[ids[0]].client_id == "a2"
        assert tx.annotations.newest(ids, bob.id)[ids[0]].client_id == "b1"


def test_an_unknown_example_is_not_found(workbench: Workbench) -> None:
    ada = make_user(workbench)
    with pytest.raises(NotFound), workbench.store.write() as tx:
        tx.annotations.add(99, ada.id, ACCEPTED, EMPTY, "c1")


def test_what_somebody_labeled_or_the_user_met_is_not_offered(workbench: Workbench) -> None:
    project, ids = make_project(workbench)
    ada, bob = make_user(workbench), make_user(workbench, "bob")
    with workbench.store.write() as tx:
        tx.annotations.add(ids[0], bob.id, ACCEPTED, EMPTY, "1")
        tx.annotations.add(ids[1], bob.id, AnnotationStatus.SKIPPED, None, "2")
        tx.annotations.add(ids[2], ada.id, AnnotationStatus.SKIPPED, None, "3")
        until = now() + timedelta(minutes=5)
        assert tx.batches.next_in_pool(project.id, ada.id, 9, (), until) == [ids[1], ids[3], ids[4]]
        assert tx.batches.next_in_pool(project.id, bob.id, 9, (), until) == [ids[2]]
        tx.batches.end_leases(ada.id)
        assert tx.batches.next_in_pool(project.id, bob.id, 9, {ids[2]}, until) == [ids[3], ids[4]]
        assert tx.annotations.done_in_pool(project.id, ada.id) == 2
        counts = tx.annotations.status_counts(project.id, ada.id)
        assert counts[AnnotationStatus.SKIPPED] == 1
        assert [row.client_id for row in tx.annotations.recent(project.id, bob.id, 5)] == ["2", "1"]


def test_imported_labels_are_gold(workbench: Workbench) -> None:
    project, ids = make_project(workbench)
    with workbench.store.write() as tx:
        system = tx.users.find_or_add("import", system=True)
        assert (
            tx.annotations.add_imported(system.id, [(ids[0], json.dumps(RIGA)), (ids[2], json.dumps(EMPTY))])
            == 2
        )
    with workbench.store.read() as tx:
        found = list(tx.annotations.gold_payloads(project.id, [Split.POOL]))
        assert [(row[0], row[2], row[3]) for row in found] == [
            (ids[0], Split.POOL, RIGA),
            (ids[2], Split.POOL, EMPTY),
        ]
        assert tx.annotations.gold_counts(project.id)[Split.POOL] == 2
        assert list(tx.annotations.gold_payloads(project.id, [Split.TEST])) == []


def test_gold_moves_to_another_revision(workbench: Workbench) -> None:
    _, ids = make_project(workbench)
    ada = make_user(workbench)
    with workbench.store.write() as tx:
        first = tx.annotations.add(ids[0], ada.id, ACCEPTED, EMPTY, "1")
        tx.annotations.set_gold(ids[0], first.id, ada.id)
        second = tx.annotations.add(ids[0], ada.id, ACCEPTED, RIGA, "2")
        tx.annotations.set_gold(ids[0], second.id, ada.id)
        assert tx.annotations.gold_of(ids)[ids[0]] == (second, ada.id)
        tx.annotations.clear_gold(ids[0])
        assert tx.annotations.gold_of(ids) == {}
        assert len(tx.annotations.history(ids[0])) == 2


def test_answers_kept_aside_come_back(workbench: Workbench) -> None:
    _, ids = make_project(workbench)
    with workbench.store.write() as tx:
        assert tx.annotations.add_oracle((example_id, json.dumps(RIGA)) for example_id in ids[:2]) == 2
    with workbench.store.read() as tx:
        assert tx.annotations.oracle(ids) == {ids[0]: RIGA, ids[1]: RIGA}
