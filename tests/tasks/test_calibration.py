"""Calibration, by hand and against what is known of synthetic models."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tasks.examples import sentence
from workbench.domain import Answer, Answers, Prediction, Span, Spans, Tags
from workbench.tasks.calibration import (
    calibration_of,
    fit_choice_temperature,
    fit_temperature,
    reliability,
    said,
    tempered,
)
from workbench.tasks.spans import softmax

PEOPLE = sentence(["Anna", "Lee", "met", "Bob"])


def test_ece_by_hand() -> None:
    found = reliability([0.0, 0.1, 0.95, 0.95, 0.95, 1.0], [0, 0, 1, 1, 0, 1])
    # (0, 0.1]: two items, mean confidence 0.05, none right; (0.9, 1]: four, mean 0.9625, three right
    assert found["ece"] == pytest.approx((2 * 0.05 + 4 * (0.9625 - 0.75)) / 6)
    assert [row["count"] for row in found["bins"]] == [2, 0, 0, 0, 0, 0, 0, 0, 0, 4]
    assert (found["count"], found["accuracy"]) == (6, 0.5)
    assert found["bins"][9]["accuracy"] == 0.75 and "accuracy" not in found["bins"][5]
    assert reliability([], [])["ece"] == 0.0


def test_a_model_that_is_as_right_as_it_says_has_no_error() -> None:
    rng = np.random.default_rng(0)
    sure = rng.random(50_000)
    assert reliability(sure, rng.random(50_000) < sure)["ece"] < 0.01


def test_what_was_said_of_entities_and_words() -> None:
    gold = Spans((Span(0, 8, "PER"), Span(13, 16, "PER")))
    prediction = Prediction(
        Spans((Span(0, 4, "PER"), Span(13, 16, "PER"))),
        0.6,
        (0.9, 0.6),
        alternatives=((("PER", 0.9),), (("O", 0.8), ("PER", 0.2)), (("O", 0.99),), (("PER", 0.6),)),
    )
    assert said(gold, prediction, PEOPLE) == {
        "entities": [(0.9, False), (0.6, True)],
        "words": [(0.9, True), (0.8, False), (0.99, True), (0.6, True)],
    }


def test_what_was_said_of_tags_and_answers() -> None:
    tags = said(
        Tags(("A", None, "B", "B")), Prediction(Tags(("A", "A", "A", "B")), 0.1, (0.9, 0.8, 0.7, 0.1)), PEOPLE
    )
    assert tags == {"words": [(0.9, True), (0.7, False), (0.1, True)]}
    gold = Answers((Answer(0, 4),))
    right = said(gold, Prediction(Answers((Answer(0, 4),)), 0.7), PEOPLE)
    wrong = said(gold, Prediction(Answers(), 0.2), PEOPLE)
    assert calibration_of([right, wrong])["answers"]["count"] == 2
    assert (right, wrong) == ({"answers": [(0.7, True)]}, {"answers": [(0.2, False)]})


def test_the_temperature_of_an_overconfident_model_is_found() -> None:
    rng = np.random.default_rng(1)
    honest = rng.normal(0, 2, (20_000, 5))
    chances = softmax(honest)
    targets = np.array([rng.choice(5, p=row) for row in chances])
    temperature = fit_temperature(3 * honest, targets)
    assert temperature == pytest.approx(3.0, rel=0.05)
    loud = softmax(3 * honest).astype(np.float32)
    cooled = tempered(loud, temperature)
    assert (cooled.argmax(1) == loud.argmax(1)).all()
    before, after = (reliability(p.max(1), p.argmax(1) == targets)["ece"] for p in (loud, cooled))
    assert after < 0.02 < 0.1 < before
    assert np.allclose(tempered(loud, 1.0), loud)
    assert fit_temperature(np.empty((0, 3)), np.empty(0, dtype=np.int64)) == 1.0


def test_the_temperature_of_choices_is_found() -> None:
    rng = np.random.default_rng(2)
    honest = rng.normal(0, 2, (20_000, 4))
    honest[:, 3] = -np.inf
    chances = softmax(honest)
    chosen = chances.argmax(1)
    right = rng.random(20_000) < chances.max(1)
    assert fit_choice_temperature(2 * honest, chosen, right) == pytest.approx(2.0, rel=0.1)
    assert (
        fit_choice_temperature(np.empty((0, 2)), np.empty(0, dtype=np.int64), np.empty(0, dtype=bool)) == 1.0
    )
