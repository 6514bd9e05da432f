"""Who gets what when several people label an example, and when their labels are gold; on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.labeling.corpus import add_version, make_project, make_user
from tests.selection import pool
from workbench.domain import AnnotationStatus, Project, Role, Sharing, User
from workbench.errors import InvalidInput
from workbench.services import Workbench
from workbench.services.annotation import Submission
from workbench.storage.batches import NewItem
from workbench.storage.rows import now
from workbench.storage.tables import leases

TEXTS = [f"Ada met Bob in town {number} ." for number in range(6)]
PER = {"spans": [{"start": 0, "end": 3, "label": "PER"}]}
NONE: dict[str, object] = {"spans": []}
COUNTER = iter(range(1_000_000))


def shared(workbench: Workbench, sharing: Sharing, *, texts: list[str] = TEXTS) -> tuple[Project, list[int]]:
    project, ids = make_project(workbench, texts=texts)
    return workbench.sharing.set(project, sharing), ids


def batch(workbench: Workbench, project: Project, ids: list[int]) -> int:
    with workbench.store.write() as tx:
        items = [NewItem(one, None, {"strategy": "random"}) for one in ids]
        made = tx.batches.add(
            project.id, items, strategy="random", unit="examples", size=len(ids), parameters={}
        )
    return made.id


def given(workbench: Workbench, project: Project, user: User, limit: int = 10) -> list[int]:
    return [item.example.id for item in workbench.annotation.queue(project, user, limit=limit).items]


def say(
    workbench: Workbench,
    project: Project,
    user: User,
    example: int,
    payload: object = PER,
    status: str = "accepted",
) -> None:
    answer = Submission(
        example,
        f"c{next(COUNTER)}",
        AnnotationStatus(status),
        payload if status == "accepted" else None,  # type: ignore[arg-type]
        base_revision=0,
    )
    receipt = workbench.annotation.submit(project, user, [answer])[0]
    assert receipt.stored, receipt.message


def gold(workbench: Workbench, example: int) -> object:
    with workbench.store.read() as tx:
        found = tx.annotations.gold_of([example]).get(example)
    return None if found is None else found[0].payload


@pytest.mark.parametrize("batched", [True, False])
def test_each_example_goes_to_so_many_people_and_no_more(workbench: Workbench, batched: bool) -> None:
    project, ids = shared(workbench, Sharing(people=2))
    if batched:
        batch(workbench, project, ids)
    ada, bob, eve = (make_user(workbench, name) for name in ("ada", "bob", "eve"))
    assert given(workbench, project, ada, 3) == ids[:3]
    assert given(workbench, project, bob, 2) == ids[:2]
    assert given(workbench, project, eve) == ids[2:]
    assert given(workbench, project, ada, 3) == ids[:3]
    say(workbench, project, ada, ids[0])
    assert given(workbench, project, ada, 3) == [ids[1], ids[2], ids[3]]
    say(workbench, project, bob, ids[0])
    assert ids[0] not in given(workbench, project, eve)
    assert ids[0] not in given(workbench, project, bob)


def test_only_a_share_goes_to_several(workbench: Workbench) -> None:
    sharing = Sharing(people=3, share=0.5)
    project, ids = shared(workbench, sharing, texts=[f"text {number}" for number in range(40)])
    several = [one for one in ids if sharing.wanted(one) == 3]
    assert 15 <= len(several) <= 25
    people = [make_user(workbench, name) for name in "abcd"]
    got = [set(given(workbench, project, user, 40)) for user in people]
    for example in ids:
        assert sum(example in theirs for theirs in got) == sharing.wanted(example)
    assert got[0] == set(ids) and got[1] == got[2] == set(several) and not got[3]


def test_what_somebody_has_let_go_of_returns(workbench: Workbench) -> None:
    project, ids = shared(workbench, Sharing(people=2))
    ada, bob, eve = (make_user(workbench, name) for name in ("ada", "bob", "eve"))
    assert given(workbench, project, ada) == given(workbench, project, bob) == ids
    assert given(workbench, project, eve) == []
    with workbench.store.write() as tx:
        tx.connection.execute(
            update(leases)
            .where(leases.c.user_id == ada.id, leases.c.example_id != ids[5])
            .values(expires_at=now() - timedelta(minutes=1))
        )
    assert given(workbench, project, eve) == ids[:5]
    say(workbench, project, ada, ids[5])
    say(workbench, project, ada, ids[5], status="withdrawn")
    batch(workbench, project, [ids[5]])
    assert given(workbench, project, eve) == [ids[5]]


def test_nobody_is_overtaken_and_nobody_sees_the_others(workbench: Workbench) -> None:
    project, ids = shared(workbench, Sharing(people=2))
    ada, bob = (make_user(workbench, name) for name in ("ada", "bob"))
    given(workbench, project, ada), given(workbench, project, bob)
    say(workbench, project, ada, ids[0], PER)
    item = workbench.annotation.item(project, bob, ids[0])
    assert item.current is None and item.earlier is None and item.base_revision == 0
    say(workbench, project, bob, ids[0], NONE)
    assert [one.author for one in workbench.annotation.history(project, ids[0])] == ["ada", "bob"]
    mine = workbench.annotation.item(project, bob, ids[0])
    assert mine.current is not None and mine.current.author == "bob"


def test_gold_is_what_enough_people_agree_on(workbench: Workbench) -> None:
    project, ids = shared(workbench, Sharing(people=3, agree=2))
    ada, bob, eve = (make_user(workbench, name) for name in ("ada", "bob", "eve"))
    say(workbench, project, ada, ids[0], PER)
    assert gold(workbench, ids[0]) is None
    say(workbench, project, bob, ids[0], NONE)
    assert gold(workbench, ids[0]) is None
    say(workbench, project, eve, ids[0], PER)
    assert str(gold(workbench, ids[0])).count("PER") == 1
    say(workbench, project, eve, ids[0], NONE)
    assert "PER" not in str(gold(workbench, ids[0])) and gold(workbench, ids[0]) is not None
    say(workbench, project, bob, ids[0], status="withdrawn")
    assert gold(workbench, ids[0]) is None
    boss = make_user(workbench, "boss", role=Role.REVIEWER)
    first = workbench.annotation.history(project, ids[0])[0]
    workbench.annotation.decide(project, boss, first.id)
    say(workbench, project, bob, ids[0], NONE)
    assert "PER" in str(gold(workbench, ids[0]))
    done = workbench.sharing.progress(project)
    assert (done.begun, done.full, done.agreed, done.disputed) == (1, 1, 1, 0)


def test_a_changed_rule_looks_at_gold_again(workbench: Workbench) -> None:
    project, ids = shared(workbench, Sharing(people=2, agree=2))
    ada, bob = (make_user(workbench, name) for name in ("ada", "bob"))
    for user, payload in ((ada, PER), (bob, NONE)):
        say(workbench, project, user, ids[0], payload)
    assert workbench.sharing.progress(project).disputed == 1
    project = workbench.sharing.set(project, Sharing(people=2, agree=1))
    assert gold(workbench, ids[0]) is not None
    workbench.sharing.set(project, Sharing(people=2, agree=2))
    assert gold(workbench, ids[0]) is None


def test_progress_and_batches_count_whole_examples(workbench: Workbench) -> None:
    project, ids = shared(workbench, Sharing(people=2))
    batch_id = batch(workbench, project, ids[:3])
    ada, bob = (make_user(workbench, name) for name in ("ada", "bob"))
    say(workbench, project, ada, ids[0])
    with workbench.store.read() as tx:
        assert tx.batches.by_id(batch_id).done == 0 and tx.batches.open_count(project.id) == 3
        assert tx.annotations.done_in_pool(project.id, ada.id) == 1
        assert tx.annotations.done_in_pool(project.id, bob.id) == 0
    say(workbench, project, bob, ids[0])
    with workbench.store.read() as tx:
        assert tx.batches.by_id(batch_id).done == 1
    assert workbench.selection.release(project, 1) == 2
    with workbench.store.read() as tx:
        assert tx.batches.by_id(batch_id).items == 1


def test_some_label_without_a_suggestion(workbench: Workbench) -> None:
    texts = [f"Ada met Bob {number} ." for number in range(40)]
    project, ids = shared(workbench, Sharing(blind=0.5), texts=texts)
    with workbench.store.write() as tx:
        version = add_version(tx, project)
        stored = {"payload": PER, "confidence": 0.9, "confidences": [0.9]}
        tx.models.put_predictions(version.id, [(one, stored) for one in ids])
    ada, bob = (make_user(workbench, name) for name in ("ada", "bob"))
    seen = {
        user.name: [workbench.annotation.item(project, user, one).suggestion is not None for one in ids]
        for user in (ada, bob)
    }
    for shown in seen.values():
        assert 10 <= sum(shown) <= 30
    assert seen["ada"] != seen["bob"]
    assert [workbench.annotation.item(project, ada, one).suggestion is not None for one in ids] == seen["ada"]


@pytest.mark.parametrize(
    "sharing",
    [
        Sharing(people=0),
        Sharing(people=21),
        Sharing(share=1.1),
        Sharing(share=-0.1),
        Sharing(blind=2),
        Sharing(agree=0),
        Sharing(people=2, agree=3),
    ],
)
def test_numbers_out_of_range_are_refused(workbench: Workbench, sharing: Sharing) -> None:
    project, _ = make_project(workbench)
    with pytest.raises(InvalidInput):
        workbench.sharing.set(project, sharing)
    assert workbench.projects.get(project.name).sharing == Sharing()


@pytest.mark.parametrize("sharing", [Sharing(documents=True), Sharing(people=2, documents=True)])
@pytest.mark.parametrize("batched", [True, False])
def test_people_stay_in_a_document(workbench: Workbench, sharing: Sharing, batched: bool) -> None:
    project = pool.make_project(workbench, "papers", labels=("PER",))
    texts = [f"Ada met Bob in town {number} ." for number in range(6)]
    first, second = (pool.add_examples(workbench, project, some) for some in (texts[:3], texts[3:]))
    project = workbench.sharing.set(project, sharing)
    ada, bob = (make_user(workbench, name) for name in ("ada", "bob"))
    if batched:  # ranked across documents, as a strategy does
        batch(workbench, project, [first[0], second[0], first[1], second[1], first[2], second[2]])
    say(workbench, project, ada, second[0])
    # The rest of the document, in the batch's order, and then the others.
    assert given(workbench, project, ada, 2) == second[1:]
    assert given(workbench, project, ada, 4) == [*second[1:], *first[:2]]
    for example in second[1:]:
        say(workbench, project, ada, example)
    assert given(workbench, project, ada, 3) == first
    # Nobody else is drawn there.
    assert given(workbench, project, bob, 1) == ([first[0]] if not sharing.alone else [])
