"""Is it paying: extrapolation, stability, cost; and which labels are probably wrong."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.evidence.confident import UNKNOWN, example_quality, find_doubts
from workbench.evidence.cost import ASSUMED, fit_cost
from workbench.evidence.curves import curve
from workbench.evidence.powerlaw import fit_power_law
from workbench.evidence.stability import kappa, stability

SIZES = np.array([100, 200, 400, 800, 1600, 3200], dtype=float)


def test_a_power_law_is_found_again():
    law = fit_power_law(curve(SIZES, 0.9 - 4.0 * SIZES**-0.5))
    assert law is not None
    assert law.at(12_800).value == pytest.approx(0.9 - 4.0 * 12_800**-0.5, abs=0.002)
    assert law.ceiling.value == pytest.approx(0.9, abs=0.01)


def test_the_interval_of_an_extrapolation_holds_the_truth_nearly_always():
    held = 0
    for seed in range(60):
        noise = np.random.default_rng(seed).normal(0, 0.01, len(SIZES))
        law = fit_power_law(curve(SIZES, 0.9 - 4.0 * SIZES**-0.5 + noise))
        assert law is not None
        found = law.at(6_400)
        held += found.low <= 0.85 <= found.high
    assert held >= 54


def test_nothing_beyond_what_the_metric_can_reach_is_promised():
    law = fit_power_law(curve(SIZES, 20 * np.log10(SIZES)), top=100.0)
    assert law is not None
    assert law.at(1e9).high <= 100.0
    assert law.gain(3_200, 3_300).low >= 0.0
    falling = fit_power_law(curve(SIZES, 0.9 - SIZES / 10_000))
    assert falling is not None
    assert falling.gain(3_200, 3_300).value == 0.0, "labels don't make a model worse: a fall is noise"
    assert fit_power_law(curve(SIZES[:3], [0.1, 0.2, 0.3])) is None


def test_kappa_is_agreement_beyond_chance():
    assert kappa(["O"] * 4, ["O"] * 4) == 1.0
    assert kappa("aabb", "bbaa") == -1.0
    # Worked by hand: observed 7/10, by chance (6*5 + 4*5)/100.
    assert kappa("aaaaaabbbb", "aaaabbbbba") == pytest.approx((0.7 - 0.5) / 0.5)
    with pytest.raises(ValueError, match="compared"):
        kappa("a", "ab")


def test_three_settled_pairs_in_a_row_say_stop():
    assert not stability([0.999, 0.999]).stop
    assert stability([0.5, 0.99, 0.99, 0.991]).stop
    assert not stability([0.995, 0.995, 0.95]).stop
    assert "Too early" in stability([]).sentence


def test_seconds_by_example_and_word_are_read_off_the_log():
    words = np.arange(5, 65)
    found = fit_cost([*words, 10, 10], [*(3 + 0.5 * words), 0, 4_000])
    assert (found.per_example, found.per_word, found.logged) == (pytest.approx(3), pytest.approx(0.5), 60)
    assert fit_cost([1, 2], [1, 2]) is ASSUMED
    assert fit_cost([10] * 40, [5] * 40).seconds(2, 20) == pytest.approx(10)
    assert fit_cost(list(words), list(100.0 - words)).per_word == 0.0


def test_an_error_that_was_put_in_is_suspected():
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, 600)
    probabilities = np.full((600, 3), 0.1)
    probabilities[np.arange(600), truth] = 0.8
    given = truth.copy()
    wrong = rng.choice(600, 30, replace=False)
    given[wrong] = (truth[wrong] + 1) % 3
    found = find_doubts(given, probabilities)
    assert sorted(np.flatnonzero(found.suspected)) == sorted(wrong)
    assert (found.proposed == truth).all()


def test_a_class_that_the_model_is_unsure_of_needs_less_to_be_believed():
    # Tokens labeled 1 have p(1) = 0.3 on average: a token labeled 0 with p(1) = 0.4 reaches that, and misses
    # what is usual for class 0.
    labels = np.array([0, 0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.7, 0.3]])
    assert find_doubts(labels, probabilities).suspected.tolist() == [False, False, True, False, False]


def test_tokens_without_a_label_are_never_doubted():
    found = find_doubts(np.array([UNKNOWN, 0]), np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert not found.suspected.any()
    assert found.quality.tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match="classes"):
        find_doubts(np.array([2]), np.array([[0.5, 0.5]]))


def test_an_example_is_as_good_as_its_worst_token():
    assert example_quality(np.array([0.9, 0.2, 0.7]), np.array([0, 2, 2, 3])).tolist() == [0.2, 1.0, 0.7]
