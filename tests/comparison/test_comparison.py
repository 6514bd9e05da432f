"""Evaluations and comparisons from stored predictions, on both databases."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.selection.pool import add_examples, add_predictions, add_version, annotate, make_project
from workbench.domain import Project, Run, RunKind, Split
from workbench.errors import InvalidInput, NotFound, RunFailed, WrongState
from workbench.jobs.completion import FINISHERS
from workbench.services import Workbench
from workbench.services.evaluation import finish_evaluation, measure
from workbench.storage.rows import now
from workbench.tasks import get_task

TEXT = "Ann met Bob"
ANN, BOB = {"start": 0, "end": 3, "label": "PER"}, {"start": 8, "end": 11, "label": "PER"}
BOB_ORG = {**BOB, "label": "ORG"}


def spans(*items: Mapping[str, Any]) -> dict[str, Any]:
    return {"spans": list(items)}


def tags(*items: str | None) -> dict[str, Any]:
    return {"tags": list(items)}


def answers(*items: tuple[int, int]) -> dict[str, Any]:
    return {"answers": [{"start": a, "end": b} for a, b in items], "no_answer": not items}


def judged_project(
    workbench: Workbench,
    task: str,
    rows: Sequence[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]],
    *,
    labels: Sequence[str] = ("PER", "ORG"),
    question: str | None = None,
    per_document: int = 1,
    name: str = "p",
) -> tuple[Project, list[int]]:
    """A test split with gold labels and the predictions of versions 1 and 2."""
    project = make_project(workbench, name, task=task, labels=labels)
    ids = add_examples(
        workbench, project, [TEXT] * len(rows), split="test", question=question, per_document=per_document
    )
    for example_id, (gold, _, _) in zip(ids, rows, strict=True):
        annotate(workbench, example_id, payload=gold, is_gold=True)
    for number in (1, 2):
        version = add_version(workbench, project, number)
        add_predictions(workbench, version, {key: row[number] for key, row in zip(ids, rows, strict=True)})
    return project, ids


NER_ROWS = [
    (spans(ANN, BOB), spans(ANN), spans(ANN, BOB)),
    (spans(ANN), spans(ANN), spans(ANN, BOB_ORG)),
    (spans(), spans(), spans()),
    (spans(ANN), spans(), spans(ANN)),
]


def test_ner_comparison_by_hand(workbench: Workbench) -> None:
    project, ids = judged_project(workbench, "ner", NER_ROWS)
    result = workbench.comparison.compare(project, 1, 2, "test")
    # version 1: 2 right of 2 predicted and 4 gold; version 2: 4 right of 5 predicted and 4 gold
    assert (result.score_a, result.score_b) == pytest.approx((4 / 6, 8 / 9))
    assert result.difference == pytest.approx(8 / 9 - 4 / 6)
    low, high = result.confidence_interval
    assert low <= result.difference <= high
    assert (result.metric, result.scale, result.examples, result.unit) == ("f1", 1.0, 4, "examples")
    assert result.fixed_examples == (ids[0], ids[3])
    assert result.broken_examples == (ids[1],)
    assert (result.fixed, result.broken) == (2, 1)
    person, organisation = result.per_label
    assert (person.label, person.support) == ("PER", 4)
    assert (person.a, person.b) == pytest.approx((4 / 6, 1.0))
    assert (organisation.label, organisation.support, organisation.b) == ("ORG", 0, 0.0)
    assert not result.decided
    assert "can't tell" in result.sentence
    assert "only 4 examples" in result.sentence
    assert result.needed > 4


def test_a_comparison_turned_round_is_its_mirror(workbench: Workbench) -> None:
    project, _ = judged_project(workbench, "ner", NER_ROWS)
    there, back = (workbench.comparison.compare(project, *pair, "test") for pair in ((1, 2), (2, 1)))
    assert back.difference == pytest.approx(-there.difference)
    assert back.confidence_interval == pytest.approx(
        tuple(-end for end in reversed(there.confidence_interval))
    )
    assert (back.fixed, back.broken, back.p_value) == (
        there.broken,
        there.fixed,
        pytest.approx(there.p_value),
    )
    assert back.data_hash == there.data_hash


def test_pos_ignores_tokens_that_nobody_tagged(workbench: Workbench) -> None:
    rows = [
        (tags("NN", None, "NN"), tags("NN", "VB", "VB"), tags("NN", "NN", "NN")),
        (tags("NN", "VB", None), tags("NN", "VB", "VB"), tags("VB", "VB", "VB")),
    ]
    project, ids = judged_project(workbench, "pos", rows, labels=("NN", "VB"))
    result = workbench.comparison.compare(project, 1, 2)
    assert (result.score_a, result.score_b) == (0.75, 0.75)
    assert (result.fixed_examples, result.broken_examples) == ((ids[0],), (ids[1],))
    nouns, verbs = result.per_label
    assert (nouns.label, nouns.support, nouns.a, nouns.b) == ("NN", 3, pytest.approx(0.8), pytest.approx(0.8))
    assert (verbs.label, verbs.support, verbs.a, verbs.b) == (
        "VB",
        1,
        pytest.approx(2 / 3),
        pytest.approx(2 / 3),
    )
    assert result.needed is None


def test_qa_is_told_apart_by_whether_there_is_an_answer(workbench: Workbench) -> None:
    rows = [
        (answers((0, 3)), answers((0, 11)), answers((0, 3))),
        (answers(), answers((8, 11)), answers()),
        (answers((8, 11)), answers((8, 11)), answers((8, 11))),
    ]
    project, ids = judged_project(workbench, "qa", rows, labels=(), question="Who?")
    result = workbench.comparison.compare(project, 1, 2)
    # one word of three: F1 = 2 * (1/3) * 1 / (4/3) = 0.5
    assert (result.score_a, result.score_b) == pytest.approx((50.0, 100.0))
    assert result.fixed_examples == (ids[0], ids[1])
    assert [(row.label, row.support, row.a, row.b) for row in result.per_label] == [
        ("questions with an answer", 2, pytest.approx(75.0), 100.0),
        ("questions without an answer", 1, 0.0, 100.0),
    ]
    assert result.worse_sentence.startswith("Version 2 got worse on no kind of question; nothing")
    back = workbench.comparison.compare(project, 2, 1).worse_sentence
    assert back.startswith("Version 1 got worse on questions without an answer (-100.0 points, 1 in gold")


def test_one_question_of_a_kind_tells_nothing_apart(workbench: Workbench) -> None:
    right = answers((0, 3))
    rows = [(right, right, right)] * 20 + [(answers(), answers(), answers((8, 11)))]
    project, _ = judged_project(workbench, "qa", rows, labels=(), question="Who?")
    only = workbench.comparison.compare(project, 1, 2).per_label[1]
    assert (only.label, only.support, only.difference) == ("questions without an answer", 1, -100.0)
    assert (only.low, only.high, only.p_value) == (-100.0, 0.0, 1.0)


def test_a_clear_difference_is_said_so(workbench: Workbench) -> None:
    rows = [(spans(ANN), spans(ANN) if index < 5 else spans(), spans(ANN)) for index in range(60)]
    project, _ = judged_project(workbench, "ner", rows)
    result = workbench.comparison.compare(project, 1, 2)
    assert (result.unit, result.units) == ("documents", 60)
    assert result.decided
    assert result.needed is None
    assert result.p_value < 0.01
    assert result.sentence.startswith("Version 2 is better than version 1 by 84.6 points (95 % interval ")
    worse = workbench.comparison.compare(project, 2, 1)
    assert worse.sentence == result.sentence


def test_equal_predictions_are_equally_good(workbench: Workbench) -> None:
    project, _ = judged_project(workbench, "ner", [(spans(ANN), spans(ANN), spans(ANN))] * 60)
    result = workbench.comparison.compare(project, 1, 2)
    assert (result.difference, result.p_value, result.confidence_interval) == (0.0, 1.0, (0.0, 0.0))
    assert result.sentence == "Versions 1 and 2 are equally good on these examples."


def test_an_analysis_holds_gold_and_both_predictions(workbench: Workbench) -> None:
    project, _ = judged_project(workbench, "ner", NER_ROWS)
    analysis = workbench.comparison.analyse(project, 1, 2, "test")
    task = get_task("ner")
    one = analysis.examples[1]
    assert one.content.text == TEXT
    assert [task.dump(part) for part in (one.gold, *one.predicted)] == list(NER_ROWS[1])
    assert [reading.all_right for reading in analysis.readings[1]] == [True, False]
    assert analysis.documents[one.example.document_id].startswith("doc")


def test_what_can_not_be_compared_is_said(workbench: Workbench) -> None:
    project, ids = judged_project(workbench, "ner", NER_ROWS)
    compare = workbench.comparison.compare
    with pytest.raises(InvalidInput, match="itself"):
        compare(project, 1, 1)
    with pytest.raises(NotFound, match="model version 9"):
        compare(project, 1, 9)
    with pytest.raises(InvalidInput, match="validation split of p has no labeled example"):
        compare(project, 1, 2, "validation")
    with pytest.raises(InvalidInput, match="pool, train, validation, test"):
        compare(project, 1, 2, "dev")
    add_version(workbench, project, 3)
    with pytest.raises(
        WrongState, match=r"version 3 .* 4 labeled examples.*workbench evaluate p --model-version 3"
    ):
        compare(project, 1, 3)
    more = add_examples(workbench, project, ["new one"], split="test")
    assert compare(project, 1, 2).examples == len(ids)
    annotate(workbench, more[0], payload=spans(), is_gold=True)
    with pytest.raises(WrongState, match="not been measured on 1 labeled"):
        compare(project, 1, 2)


def test_measuring_keeps_metrics_with_interval_and_hash(workbench: Workbench) -> None:
    project, ids = judged_project(workbench, "ner", NER_ROWS)
    with workbench.store.read() as tx:
        version = tx.models.by_number(project.id, 2)
    first = measure(workbench.store, project, version, Split.TEST)
    assert (first.model_version, first.split, first.examples) == (2, Split.TEST, 4)
    assert first.metrics["f1"] == pytest.approx(8 / 9)
    low, high = first.metrics["confidence_interval"]
    assert 0 <= low <= first.metrics["f1"] <= high <= 1
    assert measure(workbench.store, project, version, Split.TEST).id == first.id
    assert workbench.evaluation.latest(project, "test") == {2: workbench.evaluation.evaluations(project)[0]}
    with workbench.store.write() as tx:
        user = tx.users.find_or_add("ann")
        revision = tx.annotations.latest(ids[0], user.id)
        changed = tx.annotations.add(
            ids[0], user.id, "accepted", spans(ANN), "again", base_revision=revision.revision
        )
        tx.annotations.set_gold(ids[0], changed.id, user.id)
    second = measure(workbench.store, project, version, Split.TEST)
    assert second.data_hash != first.data_hash
    assert second.metrics["f1"] == pytest.approx(6 / 8)
    assert workbench.evaluation.latest(project, "test")[2].id == second.id


def run_of(project: Project, run_id: int, parameters: Mapping[str, Any]) -> Run:
    return Run(
        run_id,
        project.id,
        RunKind.EVALUATE,
        "running",
        parameters,
        {},
        {},
        None,
        1,
        "local",
        None,
        False,
        None,
        now(),
        None,
        None,
    )


def test_the_finisher_measures_and_may_be_called_again(workbench: Workbench, tmp_path: Path) -> None:
    project, _ = judged_project(workbench, "ner", NER_ROWS)
    with workbench.store.read() as tx:
        run_id = tx.models.by_number(project.id, 1).run_id
    run = run_of(project, run_id, {"model_version": 1, "split": "test"})
    assert FINISHERS["evaluate"] is finish_evaluation
    results = [
        finish_evaluation(
            workbench.store, workbench.settings, run, tmp_path, {"device": "cpu", "seconds": 2.0}
        )
        for _ in range(2)
    ]
    assert results[0] == results[1]
    assert (results[0]["run"], results[0]["model_version"], results[0]["examples"]) == (run_id, 1, 4)
    assert json.loads(json.dumps(results[0]))["metrics"]["f1"] == pytest.approx(4 / 6)
    assert [evaluation.run_id for evaluation in workbench.evaluation.evaluations(project)] == [run_id]


class Runs:
    """Stands for the run queue: writes the worker's data and answers at once with the labels that it is told."""

    def __init__(self, workbench: Workbench, folder: Path, payload: Mapping[str, Any]) -> None:
        self.workbench, self.folder, self.payload = workbench, folder, payload
        self.launched: list[Mapping[str, Any]] = []

    def launch(self, project, kind, parameters, prepare, *, user_id=None):
        manifest = prepare(self.folder)
        self.launched.append({"kind": kind, **parameters, **manifest})
        lines = [
            json.loads(line) for line in (self.folder / "examples.jsonl").read_text("utf-8").splitlines()
        ]
        self.launched[-1]["lines"] = lines
        with self.workbench.store.write() as tx:
            version = tx.models.by_number(project.id, parameters["model_version"])
            run_id = version.run_id
            row = {"payload": self.payload, "confidence": 0.5}
            tx.models.put_predictions(version.id, [(line["id"], row) for line in lines])
        return run_of(project, run_id, parameters)

    def wait(self, run_id, on_event=None):
        with self.workbench.store.read() as tx:
            return tx.runs.get(run_id)


def test_evaluating_asks_the_model_only_where_it_has_not_answered(
    workbench: Workbench, tmp_path: Path
) -> None:
    project, ids = judged_project(workbench, "ner", NER_ROWS)
    version_id = add_version(workbench, project, 3)
    assert version_id
    folder = workbench.settings.models_dir / "3"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    runs = Runs(workbench, tmp_path, spans(ANN))
    service = workbench.evaluation
    service._runs = runs
    assert service.missing(project, 3, "test") == 4
    first = service.evaluate(project, 3, "test")
    assert len(runs.launched) == 1
    launched = runs.launched[0]
    assert (launched["kind"], launched["split"], launched["parameters"]["strategies"]) == (
        "evaluate",
        "test",
        [],
    )
    assert [line["id"] for line in launched["lines"]] == ids
    assert launched["lines"][0]["tokens"] == [[0, 3], [4, 7], [8, 11]]
    assert all(line["payload"] is None for line in launched["lines"])
    assert first.metrics["f1"] == pytest.approx(6 / 8)
    assert service.evaluate(project, 3, "test").data_hash == first.data_hash
    assert len(runs.launched) == 1
    service.evaluate(project, 3, "test", again=True)
    assert len(runs.launched) == 2
    assert service.labeled(project) == {Split.TEST: 4}
    with pytest.raises(InvalidInput, match="train split"):
        service.evaluate(project, 3, "train")


def test_a_version_without_any_prediction_has_no_measure(workbench: Workbench) -> None:
    project, _ = judged_project(workbench, "ner", NER_ROWS)
    add_version(workbench, project, 3)
    with workbench.store.read() as tx:
        version = tx.models.by_number(project.id, 3)
    with pytest.raises(RunFailed, match="workbench evaluate p --model-version 3"):
        measure(workbench.store, project, version, Split.TEST)


def test_shuffled_predictions_score_lower(workbench: Workbench) -> None:
    rng = np.random.default_rng(0)
    gold = [tags(*rng.choice(["NN", "VB", "JJ"], 3).tolist()) for _ in range(80)]
    shuffled = [gold[index] for index in rng.permutation(80)]
    rows = list(zip(gold, gold, shuffled, strict=True))
    project, _ = judged_project(workbench, "pos", rows, labels=("NN", "VB", "JJ"))
    result = workbench.comparison.compare(project, 1, 2)
    assert result.score_a == 1.0
    assert result.score_b < 0.6
    assert result.decided
    assert result.broken > 40
