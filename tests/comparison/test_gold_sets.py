"""What versions are measured on is frozen; what changed since is said; leaks are found."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from tests.comparison.test_comparison import ANN, BOB_ORG, NER_ROWS, judged_project, spans
from tests.selection.pool import add_examples, annotate
from workbench.domain import Project, Split
from workbench.errors import InvalidInput, NotFound, WrongState
from workbench.services import Workbench
from workbench.services.evaluation import measure
from workbench.services.leaks import leak_in
from workbench.storage.tables import snapshot_items


def measured(workbench: Workbench, project: Project, number: int):
    return measure(workbench.store, project, workbench.models.get(project, number), Split.TEST)


def revise(workbench: Workbench, example_id: int, payload) -> None:
    with workbench.store.write() as tx:
        user = tx.users.find_or_add("second")
        latest = tx.annotations.newest([example_id])[example_id].revision
        new = tx.annotations.add(
            example_id, user.id, "accepted", payload, f"revise-{example_id}-{latest}", base_revision=latest
        )
        tx.annotations.set_gold(example_id, new.id, user.id)


def test_the_first_measurement_freezes_the_gold_labels(workbench: Workbench) -> None:
    project, ids = judged_project(workbench, "ner", NER_ROWS)
    assert workbench.evaluation.gold_sets(project, "test") == ()
    first, second = measured(workbench, project, 1), measured(workbench, project, 2)
    (only,) = workbench.evaluation.gold_sets(project, "test")
    assert (only.number, only.examples, only.data_hash) == (1, 4, first.data_hash)
    assert first.gold_set == second.gold_set == 1
    with workbench.store.read() as tx:
        rows = list(tx.models.frozen_rows(only.snapshot_id))
        gold = tx.annotations.gold_of(ids)
    assert [row.example_id for row in rows] == ids
    assert [row.annotation_id for row in rows] == [gold[key][0].id for key in ids]


def test_a_revised_label_makes_a_new_set_and_the_old_one_can_still_be_compared_on(
    workbench: Workbench,
) -> None:
    project, ids = judged_project(workbench, "ner", NER_ROWS)
    before = workbench.comparison.compare(project, 1, 2)
    revise(workbench, ids[1], spans(ANN, BOB_ORG))
    now = workbench.comparison.compare(project, 1, 2)
    assert (before.gold_set, now.gold_set) == (1, 2)
    assert ids[1] in before.broken_examples and ids[1] in now.fixed_examples
    again = workbench.comparison.compare(project, 1, 2, gold_set=1)
    assert again == before
    with pytest.raises(NotFound, match=r"no frozen set 7.*Choose from 1, 2"):
        workbench.comparison.compare(project, 1, 2, gold_set=7)


def test_going_back_to_the_same_labels_is_the_same_set(workbench: Workbench) -> None:
    project, ids = judged_project(workbench, "ner", NER_ROWS)
    assert measured(workbench, project, 1).gold_set == 1
    revise(workbench, ids[0], spans())
    assert measured(workbench, project, 1).gold_set == 2
    revise(workbench, ids[0], NER_ROWS[0][0])
    assert measured(workbench, project, 1).gold_set == 1


def test_the_table_says_what_is_current_and_what_changed(workbench: Workbench) -> None:
    project, _ids = judged_project(workbench, "ner", NER_ROWS)
    measured(workbench, project, 1)
    one, two = workbench.versions.table(project, "test").rows
    assert (one.current, two.current, two.evaluation) == (True, False, None)
    assert (one.change_sentence, two.change_sentence) == ("the first", "same data")
    add_examples(workbench, project, ["one more"], split="test")
    assert workbench.versions.table(project, "test").rows[0].current
    more = add_examples(workbench, project, ["and one"], split="test")
    annotate(workbench, more[0], payload=spans(), is_gold=True)
    assert not workbench.versions.table(project, "test").rows[0].current
    assert [row.evaluation for row in workbench.versions.table(project, None).rows] == [None, None]


def test_what_changed_between_snapshots_is_counted(workbench: Workbench) -> None:
    project, ids = judged_project(workbench, "ner", NER_ROWS)
    first, second = workbench.models.get(project, 1), workbench.models.get(project, 2)
    other = annotate(workbench, ids[0], author="third", payload=spans())
    with workbench.store.write() as tx:
        gold = {key: row[0].id for key, row in tx.annotations.gold_of(ids).items()}
        rows = [(first, ids[0], gold[ids[0]], "train"), (first, ids[1], gold[ids[1]], "train")]
        rows += [(second, ids[0], other, "train"), (second, ids[2], gold[ids[2]], "train")]
        rows += [(second, ids[3], gold[ids[3]], "validation")]
        tx.connection.execute(
            insert(snapshot_items),
            [
                {"snapshot_id": v.snapshot_id, "example_id": e, "annotation_id": a, "split": s}
                for v, e, a, s in rows
            ],
        )
    changed = workbench.versions.table(project, "test").rows[1]
    assert changed.change_sentence == "+1, −1, 1 relabeled"


def test_training_on_a_document_of_the_test_set_is_seen(workbench: Workbench) -> None:
    project, ids = judged_project(workbench, "ner", NER_ROWS, per_document=2)
    inside = workbench.models.get(project, 2)
    with workbench.store.write() as tx:
        annotation = tx.annotations.gold_of(ids)[ids[0]][0].id
        tx.connection.execute(
            insert(snapshot_items).values(
                snapshot_id=inside.snapshot_id, example_id=ids[0], annotation_id=annotation, split="train"
            )
        )
    for number in (1, 2):
        measured(workbench, project, number)
    clean, leaking = (leak_in(row.evaluation) for row in workbench.versions.table(project, "test").rows)
    assert (clean.in_documents, clean.sentence) == (0, None)
    assert (leaking.in_documents, leaking.same_text, leaking.examples) == (2, 4, 4)
    assert "2 of the 4 examples that it was measured on" in leaking.sentence
    overview = workbench.projects.overview(project)
    assert overview.best == workbench.models.get(project, 1), "though version 2 scores higher"
    progress = workbench.progress.report(project)
    assert progress.warnings == (f"Version 2: {leaking.sentence}",)
    assert {point.version: point.fitted for point in progress.points} == {1: True, 2: False}


def test_evaluations_hold_calibration(workbench: Workbench) -> None:
    project, _ = judged_project(workbench, "ner", NER_ROWS)
    metrics = measured(workbench, project, 2).metrics
    assert set(metrics["calibration"]) == {"entities", "words"}
    assert metrics["overlap"]["exact"]["correct"] == 4


def test_doubted_examples_become_a_batch_that_is_done_when_they_are_looked_at_again(
    workbench: Workbench,
) -> None:
    project, ids = judged_project(workbench, "ner", NER_ROWS)
    made = workbench.corrections.create(project, [ids[1], ids[0]], "broken from 1 to 2", model_version=2)
    assert (made.batch.strategy, made.batch.items, made.batch.done, made.waiting) == ("correction", 2, 0, 0)
    user = workbench.team.solo_user()
    queue = workbench.annotation.queue(project, user, made.batch.id)
    assert [item.example.id for item in queue.items] == [ids[1], ids[0]]
    assert queue.items[0].why["why"] == "broken from 1 to 2"
    assert queue.items[0].current is not None
    with pytest.raises(WrongState, match="wait in a batch already"):
        workbench.corrections.create(project, ids[:2], "again")
    assert workbench.corrections.create(project, ids[:3], "more").waiting == 2
    revise(workbench, ids[1], spans())
    assert workbench.selection.batch(project, made.batch.number).done == 1
    assert [item.example.id for item in workbench.annotation.queue(project, user, made.batch.id).items] == [
        ids[0]
    ]


def test_a_correction_batch_needs_examples_of_the_project(workbench: Workbench) -> None:
    project, _ = judged_project(workbench, "ner", NER_ROWS)
    with pytest.raises(InvalidInput, match="0 examples"):
        workbench.corrections.create(project, [], "none")
    with pytest.raises(InvalidInput, match="1 of these examples are not of p"):
        workbench.corrections.create(project, [10_000], "elsewhere")


def test_versions_are_archived_promoted_with_a_reason_and_noted(workbench: Workbench) -> None:
    project, _ids = judged_project(workbench, "ner", NER_ROWS)
    for number in (1, 2):
        folder = workbench.settings.models_dir / str(number)
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
    user = workbench.team.solo_user()
    models = workbench.models
    chosen = models.promote(project, 2, user.id, " better on PER ")
    assert (chosen.promoted_by, chosen.promoted_reason) == (user.name, "better on PER")
    with pytest.raises(WrongState, match="version 2 is promoted"):
        models.archive(project, 2)
    assert models.archive(project, 1, user_id=user.id).archived_at is not None
    with pytest.raises(WrongState, match="archived"):
        models.promote(project, 1)
    assert models.archive(project, 1, archived=False).archived_at is None
    assert models.promote(project, 1).promoted_by is None
    assert models.get(project, 2).promoted_reason == ""
    assert models.set_note(project, 2, " slow ").note == "slow"
