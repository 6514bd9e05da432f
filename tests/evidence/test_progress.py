"""Is it paying: costs of versions, examples drawn by lot, agreement on a stop set, and the sentences said of them."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from sqlalchemy import update

from tests.jobs.rows import add_examples, add_gold, sentence
from workbench.domain import ExampleText, ModelVersion, Project, RunKind, RunState, Span, Spans, Split, Tags
from workbench.errors import InvalidInput
from workbench.services import Workbench
from workbench.services.evaluation import measure
from workbench.services.progress import hours_said, progress_json
from workbench.services.stopset import units
from workbench.storage.batches import NewItem
from workbench.storage.tables import metadata

NOTHING: dict[str, Any] = {"spans": []}


@pytest.fixture
def project(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr("workbench.services.runs.ensure_supervisor", lambda _settings: None)
    return workbench.projects.create("news", "ner", ["PER", "LOC"])


def add_version(wb: Workbench, project: Project, number: int, learned: dict[int, int]) -> ModelVersion:
    """A version that learned from these annotations, by example id."""
    with wb.store.write() as tx:
        items = [(key, annotation, Split.TRAIN) for key, annotation in learned.items()]
        snapshot = tx.models.add_snapshot(project.id, project.label_names, uuid.uuid4().hex, items)
        run = tx.runs.add(project.id, RunKind.TRAIN, {}, launcher="local", device="cpu", user_id=None)
        return tx.models.add_version(
            project.id,
            number,
            base_model="minilm",
            parent_id=None,
            run_id=run.id,
            snapshot_id=snapshot.id,
            labels=project.label_names,
            artifact=f"{project.id}/{number}",
            artifact_sha256="0" * 64,
            parameters={},
            metrics={},
        )


def predict(wb: Workbench, version: ModelVersion, ids: list[int], *, wrong: int = 0) -> None:
    """What the version says of examples: the truth, but nothing at all of every so many-th."""
    with wb.store.write() as tx:
        rows = []
        for place, example in enumerate(tx.examples.by_ids(ids)):
            payload = NOTHING if wrong and place % wrong == 0 else sentence(example.position)[2]
            sure = [0.9] * len(payload["spans"])
            rows.append((example.id, {"payload": payload, "confidence": 0.9, "confidences": sure}))
        tx.models.put_predictions(version.id, rows)


@pytest.fixture
def paid(workbench: Workbench, project: Project) -> tuple[Workbench, Project, list[int]]:
    """Five versions on 20, 40, … labels, each better than the last, all measured; a batch by lot labeled between."""
    pool = add_examples(workbench, project, 220)
    test = add_examples(workbench, project, 40, split=Split.TEST)
    add_gold(workbench, test)
    with workbench.store.write() as tx:
        lots = [NewItem(key, None, {"strategy": "random"}) for key in pool[20:50]]
        tx.batches.add(project.id, lots, strategy="random", unit="examples", size=30, parameters={})
        chosen = [NewItem(key, 1.0, {"strategy": "mnlp"}) for key in pool[50:60]]
        tx.batches.add(project.id, chosen, strategy="mnlp", unit="examples", size=10, parameters={})
    annotations = dict(zip(pool[:100], add_gold(workbench, pool[:100]), strict=True))
    revisions = metadata.tables["annotations"]
    with workbench.store.write() as tx:
        timed = [annotations[key] for key in pool[:40]]
        tx.connection.execute(update(revisions).where(revisions.c.id.in_(timed)).values(seconds=9.0))
    for number, wrong in enumerate((2, 3, 4, 5, 6), 1):
        learned = {key: annotations[key] for key in pool[: 20 * number]}
        version = add_version(workbench, project, number, learned)
        predict(workbench, version, pool[20 * number :], wrong=wrong)
        predict(workbench, version, test, wrong=wrong)
        measure(workbench.store, project, version, Split.TEST)
    return workbench, project, pool


def test_each_version_has_its_costs_its_score_and_its_score_by_lot(paid) -> None:
    wb, project, _ = paid
    found = wb.progress.report(project)
    assert found.split is Split.TEST
    assert [(point.version, point.examples) for point in found.points] == [
        (number, 20 * number) for number in range(1, 6)
    ]
    scores = [point.score for point in found.points]
    assert scores == sorted(scores)
    assert all(point.low is not None and point.low <= point.score <= point.high for point in found.points)
    words = [point.words for point in found.points]
    assert words == sorted(words)
    assert all(each > 0 for each in words)
    # 40 answers with 9 s each are logged: enough to predict by, and the mean is that.
    assert found.cost.logged == 40
    assert found.points[0].logged == 1.0
    assert found.points[0].hours == pytest.approx(20 * 9 / 3600)
    assert found.points[4].logged == pytest.approx(0.4)
    assert found.points[4].hours == pytest.approx(100 * 9 / 3600, rel=0.05)
    # Of the 30 drawn by lot version 1 had learned from none, version 2 from 20, version 3 from all.
    assert found.audit.labeled == 30
    assert [found.audit.versions[number].examples for number in (1, 2, 3)] == [30, 10, 0]
    assert found.audit.versions[1].score is not None
    assert found.audit.versions[2].score is None, "ten are too few"
    assert found.audit.then.examples == 30
    assert found.unmeasured == ()


def test_the_next_labels_have_a_gain_with_an_interval_and_hours(paid) -> None:
    wb, project, _ = paid
    found = wb.progress.report(project, labels=100)
    gain = found.next.gain
    assert gain is not None
    assert gain.low <= gain.value <= gain.high
    assert gain.value > 0
    assert found.next.hours == pytest.approx(100 * 9 / 3600, rel=0.1)
    assert set(found.laws) == {"examples", "words", "hours"}
    assert "next 100 labels" in found.sentences[0]
    with pytest.raises(InvalidInput, match="next labels"):
        wb.progress.report(project, labels=0)
    document = json.dumps(
        progress_json(project, found), default=lambda value: getattr(value, "__dict__", str(value))
    )
    assert "kappas" in document


def test_versions_that_still_change_their_minds_are_told_from_those_that_do_not(paid) -> None:
    wb, project, pool = paid
    found = wb.stop_sets.agreement(project)
    assert found.versions == (1, 2, 3, 4, 5)
    assert found.examples == 120, "what is unlabeled now, and read by all"
    assert len(found.stability.kappas) == 4
    assert not found.stability.stop
    with wb.store.write() as tx:
        first = tx.models.predictions(tx.models.by_number(project.id, 1).id, pool[100:])
        for number in range(2, 6):
            tx.models.put_predictions(tx.models.by_number(project.id, number).id, first.items())
        run = tx.runs.add(project.id, RunKind.SCORE, {"model_version": 2}, user_id=None)
        tx.runs.transition(run.id, RunState.RUNNING, attempt=1)
        tx.runs.transition(run.id, RunState.SUCCEEDED, attempt=1, result={})
    settled = wb.stop_sets.agreement(project)
    assert settled.stability.kappas == (1.0, 1.0, 1.0, 1.0)
    assert settled.stability.stop


def test_versions_that_the_same_labels_taught_count_once(paid) -> None:
    """A training with another seed, or once more, says nothing of what more labels would change."""
    wb, project, pool = paid
    with wb.store.read() as tx:
        annotations = {key: found[0].id for key, found in tx.annotations.gold_of(pool[:100]).items()}
    for number in (6, 7):
        version = add_version(wb, project, number, annotations)
        with wb.store.write() as tx:
            fifth = tx.models.predictions(tx.models.by_number(project.id, 5).id, pool[100:])
            tx.models.put_predictions(version.id, fifth.items())
    found = wb.stop_sets.agreement(project)
    assert found.versions == (1, 2, 3, 4, 7)
    assert len(found.stability.kappas) == 4 and not found.stability.stop


def test_a_version_that_has_not_read_the_stop_set_is_asked_to(paid) -> None:
    wb, project, pool = paid
    with wb.store.read() as tx:
        annotations = {key: found[0].id for key, found in tx.annotations.gold_of(pool[:10]).items()}
    version = add_version(wb, project, 6, annotations)
    found = wb.stop_sets.agreement(project)
    assert found.unread == (6,)
    assert found.versions == (1, 2, 3, 4, 5)
    folder = wb.settings.models_dir / version.artifact
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    run = wb.stop_sets.read(project, 6)
    lines = (wb.settings.runs_dir / str(run.id) / "1" / "examples.jsonl").read_text().splitlines()
    assert {json.loads(line)["id"] for line in lines} == set(pool[100:])


def test_without_measured_versions_it_says_what_is_missing(workbench: Workbench, project: Project) -> None:
    found = workbench.progress.report(project)
    assert found.points == ()
    assert "Nothing of the test or validation split" in found.sentences[0]
    assert "--audit-share" in found.sentences[1]
    assert "nothing to compare versions on" in found.sentences[2]
    add_gold(workbench, add_examples(workbench, project, 5, split=Split.TEST))
    assert "No version was measured" in workbench.progress.report(project).sentences[0]


def test_lots_that_nobody_predicted_are_no_score(workbench: Workbench, project: Project) -> None:
    pool = add_examples(workbench, project, 6)
    with workbench.store.write() as tx:
        lots = [NewItem(key, None, {"strategy": "random"}) for key in pool]
        tx.batches.add(project.id, lots, strategy="random", unit="examples", size=6, parameters={})
    add_gold(workbench, pool)
    assert workbench.progress.report(project).sentences[1].startswith("Nothing that was drawn by lot")


def test_a_random_batch_that_was_narrowed_is_no_lot(workbench: Workbench, project: Project) -> None:
    ids = add_examples(workbench, project, 6)
    add_gold(workbench, ids)
    with workbench.store.write() as tx:

        def batch(keys: list[int], strategy: str, **parameters: Any) -> None:
            items = [NewItem(key, None, {"strategy": "random", "audit": key == ids[3]}) for key in keys]
            tx.batches.add(
                project.id, items, strategy=strategy, unit="examples", size=1, parameters=parameters
            )

        batch(ids[:1], "random")
        batch(ids[1:2], "random", filters={"text": "Paris"})
        batch(ids[2:4], "mnlp", audit_share=0.5)
    with workbench.store.read() as tx:
        assert tx.evidence.drawn_by_lot(project.id) == [ids[3], ids[0]]


def test_units_are_the_labels_that_two_versions_are_compared_by() -> None:
    content = ExampleText("Ada Lovelace wrote", ((0, 3), (4, 12), (13, 18)))
    assert units(Spans((Span(0, 12, "PER"),)), content) == ["PER", "PER", ""]
    assert units(Tags(("NNP", None, "VBD")), content) == ["NNP", "", "VBD"]


def test_hours_are_said_as_people_say_them() -> None:
    assert hours_said(0.25) == "15 minutes"
    assert hours_said(2.0) == "2.0 hours"


def test_without_a_pool_the_next_labels_still_cost_words(workbench: Workbench, project: Project) -> None:
    add_examples(workbench, project, 10, split=Split.TRAIN)
    found = workbench.progress.report(project)
    assert found.next.words > 0
    assert found.stop.stability.sentence.startswith("Nothing of the pool is unlabeled")
    assert "Select page" in found.sentences[1]
