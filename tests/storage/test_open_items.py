"""Which items wait for somebody is kept with each item, and always what their labels say."""

from __future__ import annotations

from sqlalchemy import update

from tests.labeling.corpus import make_project, make_user
from workbench.domain import Project, Sharing
from workbench.services import Workbench
from workbench.services.annotation import Submission
from workbench.storage.batches import NewItem
from workbench.storage.tables import batch_items


def kept(workbench: Workbench, project: Project) -> list[int]:
    """The open items' examples; what is kept is what the labels say."""
    with workbench.store.read() as tx:
        assert tx.batches.wrongly_kept(project.id) == 0
        return [item.example_id for item in tx.batches.open_items(project.id)]


def test_an_item_is_open_until_all_have_spoken_that_shall(workbench: Workbench) -> None:
    project, ids = make_project(workbench)
    ada, bob = make_user(workbench), make_user(workbench, "bob")
    with workbench.store.write() as tx:
        items = [NewItem(one, None, {}) for one in ids[:3]]
        tx.batches.add(project.id, items, strategy="random", unit="examples", size=3, parameters={})
    assert kept(workbench, project) == ids[:3]
    answers = [Submission(one, f"ada {one}", payload={"spans": []}) for one in ids[:2]]
    workbench.annotation.submit(project, ada, answers)
    assert kept(workbench, project) == ids[2:3]
    # Two people each: what one has labeled waits for the other; a reviewer's word closes it.
    project = workbench.sharing.set(project, Sharing(people=2, agree=2))
    assert kept(workbench, project) == ids[:3]
    workbench.annotation.submit(project, bob, [Submission(ids[0], "bob", payload={"spans": []})])
    assert kept(workbench, project) == ids[1:3]
    with workbench.store.read() as tx:
        said = tx.annotations.latest(ids[1], ada.id)
    assert said is not None
    workbench.annotation.decide(project, bob, said.id)
    assert kept(workbench, project) == ids[2:3]
    workbench.review.reopen(project, bob, ids[1])
    assert kept(workbench, project) == ids[1:3]
    # Taken back, it is open again.
    withdrawn = Submission(ids[0], "bob again", "withdrawn")
    workbench.annotation.submit(project, bob, [withdrawn])
    assert kept(workbench, project) == ids[:3]


def test_the_doctor_puts_right_what_is_kept_wrongly(workbench: Workbench) -> None:
    project, ids = make_project(workbench)
    with workbench.store.write() as tx:
        items = [NewItem(one, None, {}) for one in ids]
        tx.batches.add(project.id, items, strategy="random", unit="examples", size=5, parameters={})
        tx.connection.execute(update(batch_items).values(open=False))
        assert tx.batches.wrongly_kept(project.id) == 5
    checks = {check.name: check for check in workbench.maintenance.doctor() if check.name == "batches"}
    assert checks["batches"].ok and "put right for 5" in checks["batches"].detail
    assert kept(workbench, project) == ids


def test_what_one_has_skipped_in_the_pool_goes_to_another(workbench: Workbench) -> None:
    project, ids = make_project(workbench)
    people = [make_user(workbench, name) for name in ("ada", "bob", "cyd")]
    project = workbench.sharing.set(project, Sharing(people=2, agree=2))
    for person in people[:2]:
        skip = Submission(ids[0], f"{person.name} skips", "skipped")
        workbench.annotation.submit(project, person, [skip])
    given = workbench.annotation.queue(project, people[2], limit=9).items
    assert [item.example.id for item in given] == ids
