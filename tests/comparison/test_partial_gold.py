"""Partial labels are no yardstick: left out of every measurement, which says how many; on both databases."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.comparison.test_comparison import ANN, BOB, NER_ROWS, judged_project, spans
from tests.comparison.test_gold_sets import measured, revise
from tests.jobs.rows import add_examples, add_gold, sentence
from tests.selection.pool import add_examples as add_texts
from tests.selection.pool import annotate
from workbench.domain import Project, Split
from workbench.errors import InvalidInput
from workbench.services import Workbench
from workbench.services.audit import audit
from workbench.services.figures import plain_figures
from workbench.services.report import make_report, markdown
from workbench.services.snapshots import freeze_training, snapshot_pages
from workbench.storage.batches import NewItem
from workbench.ui.report_html import report_html

PARTIAL_ANN: dict[str, Any] = {**spans(ANN), "partial": True}


def of_first(index: int) -> dict[str, Any]:
    """The person of a sentence of ``tests.jobs.rows``, and nothing of its place."""
    return {"spans": sentence(index)[2]["spans"][:1], "partial": True}


def test_a_partial_label_is_left_out_and_changes_no_figure(workbench: Workbench) -> None:
    project, ids = judged_project(workbench, "ner", [*NER_ROWS, (PARTIAL_ANN, spans(ANN, BOB), spans())])
    first = measured(workbench, project, 1)
    plain, _ = judged_project(workbench, "ner", NER_ROWS, name="plain")
    same = measured(workbench, plain, 1)
    assert (first.examples, first.partial) == (4, 1) and (same.examples, same.partial) == (4, 0)
    assert first.data_hash == same.data_hash, "the hash is of what is measured on"
    assert plain_figures(first.metrics) == plain_figures(same.metrics)
    assert "partial_left_out" not in same.metrics
    found = workbench.comparison.compare(project, 1, 2)
    assert (found.examples, found.partial) == (4, 1)
    assert (found.fixed_examples, found.broken_examples) == ((ids[0], ids[3]), (ids[1],))
    (only,) = workbench.evaluation.gold_sets(project, "test")
    assert only.examples == 4
    analysis = workbench.comparison.analyse(project, 1, 2)
    report = make_report(workbench, project, analysis, workbench.comparison.seen(project, 1, 2))
    for text in (markdown(report), report_html(report, analysis, project)):
        assert "examples (1 with partial labels left out) of 4 documents" in text
    assert workbench.comparison.compare(project, 1, 2, gold_set=1).partial == 0
    assert workbench.evaluation.labeled(project) == {Split.TEST: 4}


def test_a_new_partial_label_outdates_no_evaluation_and_a_whole_one_does(workbench: Workbench) -> None:
    project, ids = judged_project(workbench, "ner", NER_ROWS)
    for number in (1, 2):
        measured(workbench, project, number)

    def current() -> list[bool]:
        return [row.current for row in workbench.versions.table(project, "test").rows]

    (more,) = add_texts(workbench, project, ["Ann left"], split="test")
    annotate(workbench, more, payload=PARTIAL_ANN, is_gold=True)
    assert current() == [True, True] and workbench.evaluation.missing(project, 1, "test") == 0
    revise(workbench, ids[0], PARTIAL_ANN)
    assert current() == [False, False], "one less to measure on"
    found = workbench.comparison.compare(project, 1, 2)
    assert (found.examples, found.partial, found.gold_set) == (3, 2, 2)
    assert workbench.comparison.compare(project, 1, 2, gold_set=1).examples == 4


def test_a_split_of_partial_labels_alone_can_measure_nothing(workbench: Workbench) -> None:
    project, _ = judged_project(workbench, "ner", [(PARTIAL_ANN, spans(), spans())])
    with pytest.raises(InvalidInput, match="all 1 labels of the test split of p are partial.*as a whole"):
        workbench.evaluation.missing(project, 1, "test")


@pytest.fixture
def news(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr("workbench.services.runs.ensure_supervisor", lambda _settings: None)
    return workbench.projects.create("news", "ner", ["PER", "LOC"])


def test_training_takes_partial_labels_and_validation_does_not(workbench: Workbench, news: Project) -> None:
    pool = add_examples(workbench, news, 8)
    held = add_examples(workbench, news, 4, split=Split.VALIDATION)
    add_gold(workbench, pool, {pool[1]: of_first(1), pool[2]: of_first(2)})
    add_gold(workbench, held, {held[0]: of_first(8)})
    data = freeze_training(workbench.store, news, seed=1)
    assert data.snapshot.counts == {"train": 8, "validation": 3}
    assert data.notes == (
        "Training on 8 examples, validating on 3 of the validation split (1 with partial labels left out).",
        "2 of them have partial labels: words outside of their spans teach nothing.",
    )
    rows = {row.example_id: row.payload for row in snapshot_pages(workbench.store, data.snapshot.id)}
    assert rows[pool[1]] == of_first(1) and held[0] not in rows


def test_a_simulation_replays_and_measures_whole_labels_only(workbench: Workbench, news: Project) -> None:
    pool, test = add_examples(workbench, news, 12), add_examples(workbench, news, 4, split=Split.TEST)
    add_gold(workbench, pool[1:], {pool[1]: of_first(1)})
    add_gold(workbench, test, {test[3]: of_first(15)})
    with workbench.store.write() as tx:
        tx.annotations.add_oracle([(pool[0], json.dumps(of_first(0)))])
    run = workbench.simulation.launch(news, ["random"], seeds=1, batch_words=20, rounds=1)
    lines = (workbench.settings.runs_dir / str(run.id) / "1" / "examples.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == [*pool[2:], *test[:3]]


def test_examples_drawn_by_lot_are_judged_by_whole_labels_only(workbench: Workbench, news: Project) -> None:
    ids = add_examples(workbench, news, 6)
    with workbench.store.write() as tx:
        items = [NewItem(key, None, {"strategy": "random"}) for key in ids]
        tx.batches.add(news.id, items, strategy="random", unit="examples", size=6, parameters={})
    add_gold(workbench, ids, {ids[0]: of_first(0)})
    with workbench.store.read() as tx:
        assert audit(tx, news, ()).labeled == 5
    with pytest.raises(InvalidInput, match="partial"):
        workbench.guidelines.example(news, "0")
