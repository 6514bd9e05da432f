"""Agreement by hand, by the papers' own examples, and against scikit-learn."""

from __future__ import annotations

import random

import pytest
from sklearn.metrics import cohen_kappa_score

from workbench.evidence.agreement import Shared, fleiss_kappa, krippendorff_alpha, shared
from workbench.evidence.stability import kappa

FLEISS_1971 = [
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
]
"""A common worked example: 14 raters, 10 units, 5 categories, kappa 0.210."""

KRIPPENDORFF_2011 = [
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
]
"""Example C of the paper: nominal alpha 0.743."""


def test_cohen_by_hand() -> None:
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert kappa([one for one, _ in pairs], [two for _, two in pairs]) == pytest.approx(0.4)


@pytest.mark.parametrize("seed", range(20))
def test_cohen_against_scikit_learn(seed: int) -> None:
    draw = random.Random(seed)
    names = "abcde"[: draw.randint(2, 5)]
    first = [draw.choice(names) for _ in range(draw.randint(2, 200))]
    second = [one if draw.random() < 0.6 else draw.choice(names) for one in first]
    if len(set(first) | set(second)) > 1:
        assert kappa(first, second) == pytest.approx(cohen_kappa_score(first, second))


def test_fleiss() -> None:
    assert fleiss_kappa(FLEISS_1971) == pytest.approx(0.210, abs=5e-4)
    assert fleiss_kappa([[3, 0], [0, 3]]) == 1.0
    assert fleiss_kappa([[3, 0], [3, 0]]) is None
    assert fleiss_kappa([]) is None
    for wrong in ([[1, 0], [0, 1]], [[2, 0], [0, 3]]):
        with pytest.raises(ValueError, match="same number of raters"):
            fleiss_kappa(wrong)


def test_krippendorff() -> None:
    rows = [row.split() for row in KRIPPENDORFF_2011]
    units = [[None if value == "." else value for value in unit] for unit in zip(*rows, strict=True)]
    assert krippendorff_alpha(units) == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(
        [unit for unit in units if sum(one is not None for one in unit) > 1]
    ) == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha([]) is None
    assert krippendorff_alpha([["a", None], [None, "b"]]) is None
    assert krippendorff_alpha([["a", "a"], ["a", "a"]]) is None


@pytest.mark.parametrize("seed", range(10))
def test_alpha_is_the_small_sample_form_of_scotts_pi_for_two_raters(seed: int) -> None:
    draw = random.Random(seed)
    units = [[draw.choice("abc"), draw.choice("abc")] for _ in range(30)]
    counts = [[unit.count(name) for name in "abc"] for unit in units]
    pi = fleiss_kappa(counts)  # with two raters Fleiss' kappa is Scott's pi
    alpha = krippendorff_alpha(units)
    assert pi is not None and alpha is not None
    assert alpha == pytest.approx(1 - (1 - pi) * (2 * 30 - 1) / (2 * 30))


def test_marks_in_common() -> None:
    found = shared([1, 2, 2], [2, 3])
    assert (found, found.f1) == (Shared(1, 2, 1), pytest.approx(0.4))
    assert shared([], []).f1 is None
    assert (found + Shared(1, 0, 0)).both == 2
