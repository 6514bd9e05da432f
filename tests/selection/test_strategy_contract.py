"""The contract that every registered strategy passes, whatever it is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from workbench.acquisition import (
    STRATEGIES,
    noisy_scores,
    random_scores,
    score_answers,
    score_tagging,
    score_tagging_batch,
    single_pass,
    strategies_for,
)
from workbench.domain import Answer, Answers, Prediction
from workbench.errors import InvalidInput, UnknownName

TAGGING = [name for name, strategy in STRATEGIES.items() if strategy.tagging]
ANSWERS = [name for name, strategy in STRATEGIES.items() if strategy.answers]


def distribution(rng: np.random.Generator, tokens: int, classes: int) -> np.ndarray:
    return rng.dirichlet(np.ones(classes), size=tokens)


def question(*probabilities: float, none: float | None = None) -> Prediction:
    nbest = [(index, index + 1, p) for index, p in enumerate(probabilities)]
    if none is not None:
        nbest.append((0, 0, none))
    nbest.sort(key=lambda item: -item[2])
    return Prediction(Answers((Answer(0, 1),)), confidence=nbest[0][2], alternatives=tuple(nbest))


@pytest.mark.parametrize("name", list(STRATEGIES))
def test_every_strategy_explains_itself(name: str) -> None:
    strategy = STRATEGIES[name]
    assert strategy.name == name
    assert strategy.tasks
    assert all([strategy.title, strategy.sentence, strategy.formula, strategy.bounds, strategy.cost])
    for scorer in (strategy.tagging, strategy.answers):
        if scorer is not None:
            text = (scorer.__doc__ or "").lower()
            assert "range" in text


@pytest.mark.parametrize("name", TAGGING)
def test_scores_are_finite_at_the_edges(name: str) -> None:
    certain = np.array([[1.0, 0.0, 0.0]])
    even = np.full((4, 3), 1 / 3)
    one_label = np.ones((5, 1))
    nothing = np.zeros((0, 3))
    all_zero = np.zeros((2, 3))
    for case in (certain, even, one_label, nothing, all_zero):
        value = score_tagging([name], case)[name]
        assert np.isfinite(value)
        assert value >= 0
    assert score_tagging([name], certain)[name] == 0
    assert score_tagging([name], one_label)[name] == 0
    assert score_tagging([name], nothing)[name] == 0
    if not STRATEGIES[name].reads_disagreement:
        assert score_tagging([name], even)[name] > score_tagging([name], certain)[name]


@pytest.mark.parametrize("name", [name for name in TAGGING if STRATEGIES[name].reads_disagreement])
def test_disagreement_is_what_counts(name: str) -> None:
    """Tokens on which every opinion is equally unsure teach nothing; the others do, whatever the length."""
    even, offsets = np.full((6, 3), 1 / 3), np.array([0, 2, 2, 5, 6])
    disagreement = np.array([0.0, 0.0, 0.3, 0.1, 0.2, 0.5])
    scores = score_tagging_batch([name], even, offsets, disagreement)[name]
    assert scores[0] == scores[1] == 0
    assert scores[2] == pytest.approx(0.2)
    assert scores[3] > scores[2] > 0
    alone = score_tagging_batch([name], even[2:5], np.array([0, 3]), disagreement[2:5])[name]
    assert alone[0] == scores[2]
    with pytest.raises(InvalidInput, match="not numbers"):
        score_tagging_batch([name], even, offsets, np.full(6, np.nan))
    with pytest.raises(ValueError, match="no disagreement of 6 tokens"):
        score_tagging_batch([name], even, offsets, np.zeros(5))


@pytest.mark.parametrize("name", TAGGING)
def test_batched_scores_equal_single_ones(name: str) -> None:
    rng = np.random.default_rng(1)
    lengths = np.array([1, 0, 7, 3, 0, 0, 12, 1, 0])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    probabilities = distribution(rng, int(offsets[-1]), 5).astype(np.float32)
    batched = score_tagging_batch([name], probabilities, offsets)[name]
    single = [STRATEGIES[name].score(probabilities[a:b]) for a, b in itertools.pairwise(offsets)]
    assert batched.shape == (len(lengths),)
    np.testing.assert_allclose(batched, single, atol=1e-12)
    assert (batched[lengths == 0] == 0).all()


@pytest.mark.parametrize("name", TAGGING)
def test_order_of_classes_does_not_matter(name: str) -> None:
    rng = np.random.default_rng(2)
    probabilities = distribution(rng, 6, 4)
    shuffled = probabilities[:, rng.permutation(4)]
    assert score_tagging([name], probabilities)[name] == pytest.approx(score_tagging([name], shuffled)[name])


@pytest.mark.parametrize("name", ANSWERS)
def test_answer_scores_stay_in_range_at_the_edges(name: str) -> None:
    certain, flat, one = np.array([1.0, 0.0, 0.0]), np.full(4, 0.25), np.array([1.0])
    empty = np.zeros(0)
    cases = [
        (question(1.0), certain, certain),
        (question(1.0, 0.0, none=0.0), certain, certain),
        (question(0.25, 0.25, none=0.25), flat, flat),
        (question(0.0, none=1.0), one, one),
        (Prediction(Answers(), confidence=0.3), empty, empty),
        (question(0.5), np.zeros(3), np.zeros(3)),
    ]
    for prediction, start, end in cases:
        assert 0 <= score_answers([name], prediction, start, end)[name] <= 1
    sure = score_answers([name], question(1.0, 0.0, none=0.0), certain, certain)[name]
    unsure = score_answers([name], question(0.34, 0.33, none=0.33), flat, flat)[name]
    assert sure < unsure


def test_golden_tagging_scores() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4]])
    scores = score_tagging(single_pass("ner"), probabilities)
    entropies = [-(p * np.log(p) + (1 - p) * np.log(1 - p)) / np.log(2) for p in (0.9, 0.6)]
    assert scores == {
        "mnlp": pytest.approx(-(np.log(0.9) + np.log(0.6)) / 2),
        "margin": pytest.approx(1 - 0.2),
        "entropy": pytest.approx(np.mean(entropies)),
        "least-confidence": pytest.approx(1 - 0.54),
        "min-probability": pytest.approx(0.4),
        "max-entropy": pytest.approx(max(entropies)),
        "bald": 0.0,
    }


def test_golden_answer_scores() -> None:
    start, end = np.array([0.5, 0.5, 0, 0]), np.full(4, 0.25)
    scores = score_answers(single_pass("qa"), question(0.5, 0.2, none=0.3), start, end)
    assert scores == {
        "margin": pytest.approx(1 - 0.2),
        "entropy": pytest.approx((0.5 + 1.0) / 2),
        "least-confidence": pytest.approx(0.5),
        "no-answer-distance": pytest.approx(1 - 0.2),
    }


def test_each_task_has_the_names_of_the_contract() -> None:
    for task in ("ner", "pos"):
        assert {"random", "mnlp", "margin", "entropy", "least-confidence"} <= {
            strategy.name for strategy in strategies_for(task)
        }
    assert {"random", "margin", "entropy", "least-confidence"} <= {
        strategy.name for strategy in strategies_for("qa")
    }
    assert "random" not in single_pass("ner")


def test_a_wrong_name_is_answered_with_the_right_ones() -> None:
    with pytest.raises(UnknownName, match="mnlp"):
        score_tagging(["mnlpp"], np.ones((1, 1)))
    with pytest.raises(InvalidInput, match="no token probabilities"):
        score_tagging(["no-answer-distance"], np.ones((1, 1)))
    with pytest.raises(InvalidInput, match="reads no answers"):
        score_answers(["mnlp"], question(1.0), np.ones(1), np.ones(1))
    with pytest.raises(InvalidInput, match="not numbers"):
        score_tagging(["mnlp"], np.full((1, 2), np.nan))


def test_noise_draws_in_proportion_to_the_scores() -> None:
    scores, keys = np.array([0.0, 1.0, 3.0]), np.arange(3)
    first = [int(np.argmax(noisy_scores(scores, keys, seed))) for seed in range(4_000)]
    shares = np.bincount(first, minlength=3) / len(first)
    np.testing.assert_allclose(shares, [0.0, 0.25, 0.75], atol=0.03)
    sharper = [int(np.argmax(noisy_scores(scores, keys, seed, 0.5))) for seed in range(4_000)]
    np.testing.assert_allclose(np.mean(np.array(sharper) == 2), 0.9, atol=0.03)
    assert np.isfinite(noisy_scores(scores, keys, -7)).all()


def test_noise_is_new_for_each_draw_and_is_not_the_lots() -> None:
    keys = np.arange(20_000)
    draws = [noisy_scores(np.ones(len(keys)), keys, 13, draw=draw) for draw in (0, 1, 300)]
    assert (draws[0] == noisy_scores(np.ones(len(keys)), keys, 13)).all()
    others = [random_scores(keys, 13), noisy_scores(np.ones(len(keys)), keys, 14)]
    assert np.abs(np.corrcoef([*draws, *others]) - np.eye(5)).max() < 0.03


def test_random_scores_depend_on_key_and_seed_alone() -> None:
    keys = np.arange(20_000)
    first, other = random_scores(keys, 13), random_scores(keys, 14)
    assert (first == random_scores(keys, 13)).all()
    assert (random_scores(keys[500:600], 13) == first[500:600]).all()
    assert len(set(first)) == len(keys)
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.02
    assert abs(np.corrcoef(first, keys)[0, 1]) < 0.02
    assert first.min() >= 0
    assert first.max() < 1
    counts, _ = np.histogram(first, bins=20, range=(0, 1))
    assert counts.min() > 850
    assert counts.max() < 1150
    assert random_scores(np.array([], dtype=np.int64), -1).shape == (0,)
