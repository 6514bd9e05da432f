"""SQuAD's figures, case by case."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.tasks import squad
from workbench.tasks.squad import best_of, best_threshold, exact_match, normalise, token_f1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Cat", "cat"),
        ("a an the", ""),
        ("theory", "theory"),
        ("U.S.A.", "usa"),
        ("co-operate", "cooperate"),
        ("  two\t\nlines ", "two lines"),
        ("the-cat", "thecat"),
        ("Élan “vital”", "élan “vital”"),
        ("$3.5 million", "35 million"),
        ("no break", "no break"),
    ],
)
def test_normalisation(text: str, expected: str):
    assert normalise(text) == expected


@pytest.mark.parametrize(
    ("predicted", "gold", "exact", "f1"),
    [
        ("Denver Broncos", "the Denver Broncos!", 1.0, 1.0),
        ("Broncos", "Denver Broncos", 0.0, 2 / 3),
        ("the the cat", "cat", 1.0, 1.0),
        ("cat cat dog", "cat dog dog", 0.0, 2 / 3),
        ("", "cat", 0.0, 0.0),
        ("", "", 1.0, 1.0),
        ("the", "", 1.0, 1.0),
        ("dog", "cat", 0.0, 0.0),
    ],
)
def test_exact_match_and_f1(predicted: str, gold: str, exact: float, f1: float):
    assert exact_match(predicted, gold) == exact
    assert token_f1(predicted, gold) == pytest.approx(f1)


def test_the_best_of_several_answers_counts_and_none_means_nothing_said():
    assert best_of("Broncos", ["Denver Broncos", "Broncos", "Denver"]) == (1.0, 1.0)
    assert best_of("", []) == (1.0, 1.0)
    assert best_of("Broncos", []) == (0.0, 0.0)
    assert best_of("", ["the"]) == (1.0, 1.0)


@given(
    st.lists(
        st.tuples(
            st.integers(-5, 5).map(lambda n: n / 2),
            st.sampled_from([0.0, 0.5, 1.0]),
            st.sampled_from([0.0, 1.0]),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_no_threshold_scores_higher_than_the_one_found(rows: list[tuple[float, float, float]]):
    margin, yes, no = (np.array(column) for column in zip(*rows, strict=True))

    def score(threshold: float) -> float:
        return float(np.where(margin > threshold, no, yes).mean())

    threshold, value = best_threshold(margin, yes, no)
    assert score(threshold) == pytest.approx(value)
    assert value >= max(score(t) for t in [*np.arange(-4, 4, 0.25)]) - 1e-9


def test_threshold_of_nothing_is_zero():
    assert best_threshold([], [], []) == (0.0, 0.0)


def test_docstring_examples():
    assert doctest.testmod(squad).failed == 0
