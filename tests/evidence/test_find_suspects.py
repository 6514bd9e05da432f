"""A search for label errors, computed with tiny models: planted errors are found, and a kill loses no whole fold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.evidence.test_simulate import NAMES, StopsAfter, line
from tests.modeling.tiny import make_tiny_model
from workbench.domain import Answers, ExampleText, TrainParameters
from workbench.errors import Cancelled, InvalidInput
from workbench.evidence.answers import find_answer_doubts
from workbench.modeling.doubts import AnswerJudge
from workbench.modeling.inputs import Row
from workbench.modeling.suspects import FOUND, find_suspects
from workbench.reporting import SilentReporter
from workbench.tasks import get_task

WRONG = (7, 20)
"""An entity that is left out, and a word that is no entity."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("base"), ["we", "saw", "today", "rain", *NAMES])


def attempt(folder: Path, base: Path, **more: Any) -> Mapping[str, Any]:
    folder.mkdir()
    lines = []
    for index in range(60):
        one = line(index, "pool") | {"fold": index % 3, "annotation": 1_000 + index}
        if index == WRONG[0]:
            one["payload"] = {"spans": []}
        if index == WRONG[1]:
            start, end = one["tokens"][2]
            one["payload"] = {"spans": [{"start": start, "end": end, "label": "PER"}]}
        lines.append(one)
    text = "".join(json.dumps(each) + "\n" for each in lines)
    (folder / "examples.jsonl").write_text(text, encoding="utf-8")
    parameters = TrainParameters(
        base_model=str(base), min_steps=40, epochs=1, learning_rate=0.01, max_length=32
    )
    return {
        "task": "ner",
        "labels": ["PER"],
        "parameters": asdict(parameters) | {"device": "cpu"},
        "folds": 3,
        "model_dir": None,
        **more,
    }


def found_in(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(each) for each in (folder / FOUND).read_text().splitlines()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, base: Path) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("whole") / "attempt"
    return folder, find_suspects(folder, attempt(folder, base), SilentReporter())


def test_planted_errors_are_found_with_what_they_should_be(whole):
    folder, result = whole
    found = {each["id"]: each for each in found_in(folder)}
    assert set(WRONG) <= set(found)
    assert len(found) == result["suspected"] <= 6
    assert result["examples"] == 60
    left_out, no_entity = found[WRONG[0]], found[WRONG[1]]
    assert (left_out["items"][0]["given"], left_out["items"][0]["proposed"]) == ("O", "PER")
    assert (no_entity["items"][0]["given"], no_entity["items"][0]["proposed"]) == ("PER", "O")
    assert (no_entity["items"][0]["start"], no_entity["items"][0]["end"]) == (7, 11)
    assert left_out["annotation"] == 1_000 + WRONG[0]
    assert not left_out["seen"]
    assert left_out["quality"] < 0.5
    assert not (folder / "work").exists()


def test_a_killed_search_goes_on_behind_its_last_fold_and_finds_the_same(tmp_path, base, whole):
    first = tmp_path / "first"
    with pytest.raises(Cancelled):
        find_suspects(first, attempt(first, base), StopsAfter(2))
    assert len(list((first / "checkpoint").glob("*.npz"))) == 2
    second = tmp_path / "second"
    reporter = StopsAfter(10**6)
    again = {**attempt(second, base), "resume_from": str(first / "checkpoint")}
    result = find_suspects(second, again, reporter)
    assert sum("is there from before" in said for said in reporter.said) == 2
    assert sum("learned from" in said for said in reporter.said) == 1
    assert found_in(second) == found_in(whole[0])
    assert result["thresholds"] == whole[1]["thresholds"]


def test_a_fold_that_holds_everything_is_refused(tmp_path, base):
    folder = tmp_path / "one"
    manifest = attempt(folder, base, folds=1)
    text = (folder / "examples.jsonl").read_text()
    (folder / "examples.jsonl").write_text(
        "".join(json.dumps(json.loads(each) | {"fold": 0}) + "\n" for each in text.splitlines())
    )
    with pytest.raises(InvalidInput, match="holds every example"):
        find_suspects(folder, manifest, SilentReporter())


def test_an_answer_is_suspected_where_a_model_contradicts_it_as_sure_as_where_it_agrees():
    confidence = np.array([0.9, 0.7, 0.85, 0.6, 0.95])
    agrees = np.array([True, True, False, False, False])
    contradicts = np.array([False, False, True, True, False])
    found = find_answer_doubts(confidence, agrees, contradicts)
    assert found.threshold == pytest.approx(0.8)
    assert found.suspected.tolist() == [False, False, True, False, False]
    never = find_answer_doubts(confidence, np.zeros(5, dtype=bool), contradicts)
    assert not never.suspected.any(), "a model that never agrees is none to believe"
    with pytest.raises(ValueError, match="fit"):
        find_answer_doubts(confidence, agrees[:2], contradicts)


def test_a_doubted_answer_says_what_is_given_and_what_the_model_says():
    task = get_task("qa")
    text = "Data is kept for ten days and then erased."
    payload = task.load({"answers": [{"start": 0, "end": 4}]})
    other = task.load({"answers": [], "no_answer": True})
    rows = [
        Row(1, "pool", ExampleText(text, (), "How long?"), payload),
        Row(2, "pool", ExampleText(text, (), "Who?"), other),
    ]
    assert isinstance(other, Answers)
    said = {
        "start": np.array([17.0, 30.0]),
        "end": np.array([25.0, 41.0]),
        "confidence": np.array([0.9, 0.2]),
        "given": np.array([0.01, 0.5]),
        "overlap": np.array([0.0, 1.0]),
    }
    doubted, thresholds = AnswerJudge(task).doubt(rows, said)
    assert [each.place for each in doubted] == [0]
    assert doubted[0].items[0]["given"] == "Data"
    assert doubted[0].items[0]["proposed"] == "ten days"
    assert thresholds == {"answer": 0.2}


def pos_line(index: int) -> dict[str, Any]:
    one = line(index, "pool")
    tags = ["PRP", "VBD", "NNP" if index % 2 else "NN", "RB", "CD"]
    if index == 4:
        tags[1] = "CD"
    return one | {"payload": {"tags": tags}}


def qa_line(index: int) -> dict[str, Any]:
    one = line(index, "pool")
    start, end = one["tokens"][2 if index != 4 else 3]
    payload = {"answers": [{"start": start, "end": end}], "no_answer": False}
    return one | {"tokens": [], "question": "saw today", "payload": payload}


@pytest.mark.parametrize(("task", "made"), [("pos", pos_line), ("qa", qa_line)])
def test_tags_and_answers_are_judged_too(tmp_path: Path, base: Path, task: str, made: Any) -> None:
    folder = tmp_path / task
    manifest = {**attempt(folder, base), "task": task, "folds": 2}
    manifest["labels"] = ["PRP", "VBD", "NNP", "NN", "RB", "CD"] if task == "pos" else []
    manifest["parameters"] = {**manifest["parameters"], "min_steps": 60}
    lines = [made(index) | {"fold": index % 5 % 2, "annotation": index} for index in range(40)]
    text = "".join(json.dumps(each) + "\n" for each in lines)
    (folder / "examples.jsonl").write_text(text, encoding="utf-8")
    result = find_suspects(folder, manifest, SilentReporter())
    found = {each["id"]: each["items"] for each in found_in(folder)}
    assert result["examples"] == 40
    assert len(found) == result["suspected"] <= 8
    assert 4 in found
    assert all(0 <= item["given_probability"] <= 1 for items in found.values() for item in items)
    if task == "pos":
        assert [(item["given"], item["proposed"]) for item in found[4]] == [("CD", "VBD")]
    else:
        assert found[4][0]["given"] == "today"
        assert found[4][0]["proposed"] == "rain"
