"""Learning curves: area, cost to a target, means over seeds, and what a simulation's points amount to."""

from __future__ import annotations

import statistics
from itertools import pairwise

import pytest
from scipy.stats import t as student

from workbench.evidence.curves import area_under, cost_to_reach, curve, mean_curve, spread
from workbench.evidence.replay import FULL, ReplayPoint, summarise


def test_area_is_the_mean_height_between_two_costs():
    line = curve([10, 20, 40], [0.2, 0.6, 0.8])
    assert area_under(line, 10, 40) == pytest.approx((10 * 0.4 + 20 * 0.7) / 30)
    assert area_under(line, 15, 20) == pytest.approx(0.5)  # cut between points
    assert area_under(line, 40, 60) == pytest.approx(0.8)  # level beyond the end


def test_cost_to_reach_lies_on_the_line_between_points():
    line = curve([100, 200, 300], [0.5, 0.7, 0.65])
    assert cost_to_reach(line, 0.6) == pytest.approx(150)
    assert cost_to_reach(line, 0.4) == 100
    assert cost_to_reach(line, 0.7) == 200
    assert cost_to_reach(line, 0.71) is None


@pytest.mark.parametrize(
    ("costs", "values"),
    [([], []), ([1, 2], [1]), ([1, 1], [0, 1]), ([2, 1], [0, 1]), ([1, 2], [0, float("nan")])],
)
def test_what_is_no_curve_is_refused(costs, values):
    with pytest.raises(ValueError, match="curve|rise"):
        curve(costs, values)


def test_an_interval_over_seeds_is_students_t():
    found = spread([1.0, 2.0, 3.0])
    assert found.mean == 2.0
    assert found.high is not None
    assert found.high - 2.0 == pytest.approx(4.303 / 3**0.5)
    assert spread([1.0]).low is None


def test_more_seeds_never_have_a_wider_quantile_nor_one_narrower_than_students():
    quantiles = []
    for count in range(2, 60):
        found = spread([float(number % 2) for number in range(count)])
        deviation = statistics.stdev(number % 2 for number in range(count))
        assert found.high is not None
        quantiles.append((found.high - found.mean) * count**0.5 / deviation)
    assert all(wider >= narrower - 1e-9 for wider, narrower in pairwise(quantiles))
    exact = student.ppf(0.975, range(1, 59))
    assert quantiles[:30] == pytest.approx(exact[:30], abs=6e-4)
    assert all(used > right for used, right in zip(quantiles[30:], exact[30:], strict=True))


def test_a_mean_curve_covers_what_all_seeds_cover():
    found = mean_curve([curve([1, 3], [0, 1]), curve([2, 5], [1, 1])], points=3)
    assert [at for at, _ in found] == [2, 2.5, 3]
    assert found[0][1].mean == pytest.approx(0.75)
    assert mean_curve([curve([1, 2], [0, 1]), curve([3, 4], [0, 1])]) == []


def point(strategy: str, seed: int, words: int, metric: float) -> ReplayPoint:
    return ReplayPoint(strategy, seed, words // 100, words // 10, words, words / 4, metric, 1.0)


def test_words_to_99_percent_are_held_to_each_seeds_own_full_score():
    points = [
        point(FULL, 1, 1000, 0.8),
        point(FULL, 2, 1000, 0.9),
        *(point("random", seed, words, 0.5 + words / 2000) for seed in (1, 2) for words in (100, 700)),
        point("mnlp", 1, 100, 0.5),
        point("mnlp", 1, 200, 0.792),
        point("mnlp", 2, 100, 0.5),
        point("mnlp", 2, 300, 0.891),
    ]
    found = summarise(points)
    assert found["words_to_99_percent"]["mnlp"] == {
        "words": pytest.approx(250),
        "share": pytest.approx(0.25),
        "seeds": {"1": pytest.approx(200), "2": pytest.approx(300)},
    }
    reached = found["words_to_99_percent"]["random"]
    assert reached["seeds"]["1"] == pytest.approx(584)
    assert reached["seeds"]["2"] is None
    assert reached["words"] is None, "a mean over those that made it would flatter"
    # Between 100 and 200 words, which all four curves cover.
    assert found["area_under_curve"]["mnlp"]["mean"] == pytest.approx((0.646 + (0.5 + 0.6955) / 2) / 2)
    assert [(one["strategy"], one["seed"]) for one in found["curves"]] == [
        ("random", 1),
        ("random", 2),
        ("mnlp", 1),
        ("mnlp", 2),
    ]


def test_a_simulation_that_has_begun_can_be_summarised():
    found = summarise([point("random", 1, 100, 0.5)])
    assert found["full_data"] == {}
    assert found["words_to_99_percent"] == {}
    assert found["area_under_curve"] == {}
    assert len(found["curves"]) == 1
