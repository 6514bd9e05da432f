"""A simulation end to end with a tiny model: what it computes, what it reports, how it goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.modeling.tiny import make_tiny_model
from workbench.acquisition import STRATEGIES, Features, random_scores, score_tagging_batch, strategies_for
from workbench.domain import ExampleText, Split, TrainParameters
from workbench.errors import Cancelled, InvalidInput
from workbench.evidence.cost import ASSUMED
from workbench.evidence.points import Points, read_points
from workbench.modeling.asking import Pool, Seen, asked_for, read_pool, take
from workbench.modeling.cold_start import base_model
from workbench.modeling.device import choose_device
from workbench.modeling.predict import Predictor
from workbench.modeling.simulate import simulate
from workbench.modeling.takeover import take_over
from workbench.modeling.trials import fingerprint
from workbench.reporting import SilentReporter
from workbench.services.simulation import drawn
from workbench.services.simulationreport import points_csv, report_html, verdict
from workbench.storage.models import SnapshotRow

NAMES = ("anna", "bert", "carl", "dora")


def line(index: int, split: str) -> dict[str, Any]:
    words = ["we", "saw", NAMES[index % 4] if index % 2 else "rain", "today", str(index)]
    text = " ".join(words)
    starts = np.cumsum([0, *(len(word) + 1 for word in words[:-1])]).tolist()
    tokens = [[start, start + len(word)] for start, word in zip(starts, words, strict=True)]
    spans = [{"start": tokens[2][0], "end": tokens[2][1], "label": "PER"}] if index % 2 else []
    return {
        "id": index,
        "split": split,
        "document": "d",
        "text": text,
        "tokens": tokens,
        "question": None,
        "payload": {"spans": spans},
        "words": 5,
        "near": text if index != 3 else "we saw bert today 1",
    }


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("base"), ["we", "saw", "today", "rain", *NAMES])


def attempt(folder: Path, base: Path, **plan: Any) -> Mapping[str, Any]:
    folder.mkdir()
    lines = [line(index, "pool" if index < 30 else "test") for index in range(40)]
    text = "".join(json.dumps(each) + "\n" for each in lines)
    (folder / "examples.jsonl").write_text(text, encoding="utf-8")
    parameters = TrainParameters(
        base_model=str(base), min_steps=6, epochs=1, learning_rate=0.01, max_length=32
    )
    return {
        "task": "ner",
        "labels": ["PER"],
        "parameters": asdict(parameters) | {"device": "cpu"},
        "simulation": {
            "strategies": ["random", "mnlp"],
            "seeds": [1],
            "batch_words": 20,
            "rounds": 1,
            "full": True,
            "keep_duplicates": False,
            "precision": "fp32",  # what is faster is a matter of the moment, and these runs are compared
            "cost": asdict(ASSUMED),
            **plan,
        },
    }


class StopsAfter(SilentReporter):
    """Cancels once so many models were computed."""

    def __init__(self, models: int) -> None:
        self._left = models
        self.said: list[str] = []

    def log(self, message: str) -> None:
        self.said.append(message)
        self._left -= 1

    def check(self) -> None:
        if self._left <= 0:
            raise Cancelled("stop")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, base: Path) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("whole") / "attempt"
    return folder, simulate(folder, attempt(folder, base), SilentReporter())


def figures(result: Mapping[str, Any]) -> Any:
    """Everything but how long it took."""
    return [
        (one["strategy"], one["seed"], [(p["round"], p["words"], p["metric"]) for p in one["points"]])
        for one in result["curves"]
    ]


def test_bald_reads_disagreement_of_the_model_that_was_trained(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the head's opinions each score would be 0 and the batch the first examples of the pool."""
    scores: list[np.ndarray] = []

    def listening(*given: Any) -> Mapping[str, np.ndarray]:
        found = score_tagging_batch(*given)
        scores.append(found["bald"])
        return found

    monkeypatch.setattr("workbench.modeling.asking.score_tagging_batch", listening)
    manifest = attempt(tmp_path / "run", base, strategies=["random", "bald"], full=False)
    simulate(tmp_path / "run", manifest, SilentReporter())
    assert scores and all((each > 0).all() for each in scores)


def test_every_strategy_asks_for_what_is_new_within_the_budget(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them from one model, each twice: the choice depends on the seed alone."""
    monkeypatch.setattr("workbench.modeling.asking.MOST_WEIGHED", 12)
    rows = [line(index, "pool") for index in range(30)]
    contents = [ExampleText(row["text"], tuple(map(tuple, row["tokens"])), None) for row in rows]
    pool = Pool(contents, np.full(30, 5), [row["near"] for row in rows])
    model = base_model({"task": "ner", "labels": ["PER"], "parameters": {"base_model": str(base)}})
    predictor = Predictor(model, choose_device("cpu"))
    labeled = [0, 3, 20]
    strategies = strategies_for("ner")
    seen = read_pool(predictor, pool, labeled, [each.name for each in strategies], SilentReporter())
    for strategy in strategies:
        asked = list(asked_for(strategy, pool, seen, labeled, 7, 20))
        assert sorted(asked) == sorted(set(range(30)) - set(labeled)), strategy.name
        assert asked == list(asked_for(strategy, pool, seen, labeled, 7, 20)), strategy.name
        picks = take(asked, pool, labeled, 20, duplicates=False)
        assert len(picks) == 4 and 1 not in picks, "1 is a near-duplicate of 3"
    assert not read_pool(predictor, pool, labeled, ["random"], SilentReporter()).scores


def test_noise_is_drawn_anew_in_each_round_and_is_not_what_drew_the_first_batch() -> None:
    """Where no example is better than another, chance alone decides; the first batch had the highest lots."""
    size = 1_000
    lots = random_scores(np.arange(size), 1)
    first = np.argsort(-lots)[:100].tolist()
    pool = Pool([ExampleText("a", ((0, 1),), None)] * size, np.ones(size, dtype=np.int64), [""] * size)
    asked: list[list[int]] = []
    labeled = first
    for _ in range(2):
        rest = np.setdiff1d(np.arange(size), labeled)
        seen = Seen(rest, {"bald": np.ones(len(rest))}, Features.nothing(size))
        asked.append(list(asked_for(STRATEGIES["power-bald"], pool, seen, labeled, 1, 100)))
        assert asked[-1] == list(asked_for(STRATEGIES["power-bald"], pool, seen, labeled, 1, 100))
        labeled = [*labeled, *asked[-1][:100]]
    assert abs(lots[asked[0][:100]].mean() - lots[asked[0]].mean()) < 0.1, (
        "the next highest lots are no chance"
    )
    assert len(set(asked[0][100:200]) & set(asked[1][:100])) < 40, "who was just left out need not be next"


def test_every_strategy_and_seed_has_a_curve_from_one_first_batch(whole):
    _, result = whole
    assert [(each[0], each[1]) for each in figures(result)] == [
        ("random", 1),
        ("mnlp", 1),
    ]
    for _, _, points in figures(result):
        assert [(number, words) for number, words, _ in points] == [(0, 20), (1, 40)]
    assert len({points[0] for _, _, points in figures(result)}) == 1, (
        "one first model a seed, for all strategies"
    )
    assert result["full_data"]["words"] == 150
    assert set(result["area_under_curve"]) == {"random", "mnlp"}


def test_what_is_asked_is_new_fits_the_budget_and_repeats_nothing(whole):
    folder, _ = whole
    for path in (folder / "checkpoint").glob("*.json"):
        for asked in json.loads(path.read_bytes())["next"].values():
            assert len(set(asked)) == len(asked)
            assert not {1, 3} <= set(asked), "3 is a near-duplicate of 1"
    assert len(list((folder / "checkpoint").glob("*.json"))) == 4
    assert not (folder / "work").exists()


def test_a_killed_run_goes_on_behind_its_last_point_to_the_same_curves(tmp_path, base, whole):
    first = tmp_path / "first"
    with pytest.raises(Cancelled):
        simulate(first, attempt(first, base), StopsAfter(2))
    kept = read_points(first / "checkpoint")
    assert [(point.strategy, point.round) for point in kept if point.seed == 1] == [
        ("random", 1),
        ("random", 0),
        ("mnlp", 0),
    ]
    (first / "checkpoint" / "mnlp.9.9.part").write_text("half")  # what a kill in the middle of a write leaves
    second = tmp_path / "second"
    again = {**attempt(second, base), "resume_from": str(first / "checkpoint")}
    reporter = StopsAfter(10**6)
    result = simulate(second, again, reporter)
    assert reporter.said[0] == "2 of 4 models are there from before."
    assert sum("words" in said for said in reporter.said) == 4 - 2
    assert figures(result) == figures(whole[1])
    assert result["full_data"]["seeds"] == whole[1]["full_data"]["seeds"]


def test_points_of_other_data_are_not_taken_over(tmp_path, whole):
    other = tmp_path / "other"
    take_over(other, {"resume_from": str(whole[0] / "checkpoint")})
    assert len(read_points(other / "checkpoint")) == 5
    assert len(Points(other / "checkpoint", "another fingerprint")) == 0
    assert read_points(whole[0] / "checkpoint"), "the earlier attempt keeps its own"


def test_a_pool_that_runs_out_ends_its_curve(tmp_path, base):
    folder = tmp_path / "short"
    manifest = attempt(folder, base, strategies=["random"], seeds=[1], batch_words=80, rounds=5, full=False)
    result = simulate(folder, manifest, SilentReporter())
    assert [point["words"] for point in result["curves"][0]["points"]] == [
        80,
        145,
    ]  # all but the near-duplicate


def test_nothing_to_measure_on_is_said(tmp_path, base):
    folder = tmp_path / "none"
    manifest = attempt(folder, base)
    text = "".join(json.dumps(line(index, "pool")) + "\n" for index in range(5))
    (folder / "examples.jsonl").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match="to measure on"):
        simulate(folder, manifest, SilentReporter())


def test_the_report_stands_alone_and_holds_every_point(whole):
    report = {
        "project": "<news>",
        "metric": "f1",
        "scale": 1.0,
        "seconds_from": ASSUMED.sentence,
        "parameters": {
            **asdict(TrainParameters()),
            "pool": "pool",
            "measured_on": "test",
            "seeds": [1, 2],
            "rounds": 2,
            "batch_words": 20,
        },
        **whole[1],
    }
    other = [{**one, "seed": 2} for one in report["curves"]]
    report["curves"] = [*report["curves"], *other]
    text = report_html(report)
    assert "<news>" not in text
    assert "http" not in text
    assert "<script" not in text
    assert text.count("<polyline") == 4
    assert text.count("<polygon") == 4, "two seeds give a band"
    assert text.count('stroke-dasharray="5 4"') == 2, "99 % of the full data's score, against words and hours"
    lines = points_csv(report).splitlines()
    assert len(lines) == 1 + 8 + 1
    assert lines[-1].startswith("full,1,0,30,150,")
    assert "full" in verdict(report)
    begun = {**report, "full_data": {}, "words_to_99_percent": {}, "area_under_curve": {}, "curves": []}
    assert "No curve yet" in report_html(begun)
    assert "is not trained yet" in verdict(begun)
    without = {**begun, "parameters": {**begun["parameters"], "full": False}}
    assert "No model was trained on the whole pool" in verdict(without)


def test_examples_are_drawn_in_their_order_each_as_likely_and_always_the_same():
    rows = [SnapshotRow(index, index, Split.POOL, "d", ExampleText("x"), None) for index in range(1_000)]
    chosen = [row.example_id for row in drawn(rows, 300)]
    assert chosen == sorted(set(chosen))
    assert len(chosen) == 300
    assert chosen == [row.example_id for row in drawn(iter(rows), 300)]
    assert 60 < sum(index < 250 for index in chosen) < 90, "a quarter of them come of the first quarter"
    assert len(drawn(rows, 5_000)) == 1_000


def test_a_run_that_goes_on_scores_in_the_precision_that_it_began_with(tmp_path, base, whole):
    first = tmp_path / "first"
    with pytest.raises(Cancelled):
        simulate(first, attempt(first, base), StopsAfter(2))
    second = tmp_path / "second"
    manifest = attempt(second, base)
    mark = fingerprint(second, manifest, ("simulation",))
    assert Points(tmp_path / "none", mark).precision is None
    take_over(second, {"resume_from": str(first / "checkpoint")})
    assert Points(second / "checkpoint", mark).precision == "fp32"
    assert whole[1]["scored_in"] == "fp32"
