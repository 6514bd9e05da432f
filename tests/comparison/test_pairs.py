"""Which two versions are looked at first, and that they are judged once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.comparison.test_comparison import NER_ROWS, judged_project, spans
from tests.selection.pool import add_examples, add_predictions, add_version, annotate, make_project
from workbench.domain import Project, Split
from workbench.services import Workbench, comparison
from workbench.services.evaluation import measure
from workbench.services.pairs import Pair, fair_splits, usual_pair
from workbench.web.startup import count_ahead


def usual(workbench: Workbench, project: Project) -> Pair | None:
    return usual_pair(workbench.versions.table(project, Split.TEST))


def measured(workbench: Workbench, project: Project, *numbers: int) -> None:
    for number in numbers:
        measure(workbench.store, project, workbench.models.get(project, number), Split.TEST)


def test_the_test_split_is_the_usual_one_and_training_data_no_measure() -> None:
    assert fair_splits({Split.TRAIN: 9, Split.VALIDATION: 2, Split.TEST: 1}) == [Split.TEST, Split.VALIDATION]
    assert fair_splits([Split.TRAIN, Split.POOL]) == []


def test_without_two_measured_versions_there_is_no_pair(workbench: Workbench) -> None:
    assert usual(workbench, make_project(workbench, "empty")) is None
    project, _ = judged_project(workbench, "ner", NER_ROWS)
    assert usual(workbench, project) is None
    measured(workbench, project, 1)
    assert usual(workbench, project) is None


def test_the_promoted_version_is_held_against_the_newest_on_the_newest_set(workbench: Workbench) -> None:
    project, ids = judged_project(workbench, "ner", NER_ROWS)
    third = add_version(workbench, project, 3)
    add_predictions(workbench, third, dict.fromkeys(ids, spans()))
    measured(workbench, project, 1, 2, 3)
    (late,) = add_examples(workbench, project, ["Cy slept"], split="test")
    annotate(workbench, late, payload=spans(), is_gold=True)
    for version in (workbench.models.get(project, 2).id, third):
        add_predictions(workbench, version, {late: spans()})
    measured(workbench, project, 2, 3)

    found = usual(workbench, project)
    assert found is not None and (found.a, found.b, found.gold_set.number) == (2, 3, 2)
    assert [each.model_version for each in found.evaluations] == [2, 3]
    for number in (1, 3):
        folder = workbench.settings.models_dir / str(number)
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
    workbench.models.promote(project, 1)
    found = usual(workbench, project)
    assert found is not None and (found.a, found.b, found.gold_set.number) == (1, 3, 1)
    workbench.models.promote(project, 3)
    found = usual(workbench, project)
    assert found is not None and (found.a, found.b) == (2, 3)


def test_a_pair_is_judged_once_and_before_somebody_looks(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, _ = judged_project(workbench, "ner", NER_ROWS)
    measured(workbench, project, 1, 2)
    count_ahead(workbench)
    pair = usual(workbench, project)
    assert pair is not None
    judged = []
    judge = comparison.judge
    monkeypatch.setattr(comparison, "judge", lambda *given: judged.append(1) or judge(*given))
    found = workbench.comparison.look_into(project, pair)
    assert found.comparison == workbench.comparison.compare(project, 1, 2)
    assert len(judged) == 1, "only to compare with"


def test_a_version_that_is_measured_anew_is_judged_anew(workbench: Workbench) -> None:
    project, ids = judged_project(workbench, "ner", NER_ROWS)
    measured(workbench, project, 1, 2)
    pair = usual(workbench, project)
    assert pair is not None
    first = workbench.comparison.look_into(project, pair)
    assert workbench.comparison.look_into(project, pair) is first
    renamed = replace(project, labels=(replace(project.labels[0], name="PERSON"), *project.labels[1:]))
    assert workbench.comparison.look_into(renamed, pair) is not first
    version = workbench.models.get(project, 2)
    nothing = {"payload": spans(), "confidence": 0.5}
    with workbench.store.write() as tx:
        tx.models.put_predictions(version.id, [(each, nothing) for each in ids])
    measured(workbench, project, 2)
    again = usual(workbench, project)
    assert again is not None and again.gold_set == pair.gold_set and again != pair
    assert workbench.comparison.look_into(project, again).comparison.score_b == 0
    assert first.comparison.score_b > 0
