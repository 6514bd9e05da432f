"""The contract of every strategy that reads features: those that choose sets, and those that weigh the whole pool."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.acquisition import (
    STRATEGIES,
    Features,
    SetView,
    choose_in_rounds,
    class_features,
    strategies_for,
)
from workbench.acquisition.clusters import k_means, nearest, spread_out, unit
from workbench.acquisition.contrastive import divergences
from workbench.acquisition.features import ARRAYS
from workbench.acquisition.typiclust import LARGEST, typicality

SETS = [name for name, strategy in STRATEGIES.items() if strategy.choose]
POOLED = [name for name, strategy in STRATEGIES.items() if strategy.over_pool]


def features(rng: np.random.Generator, count: int, kinds: int = 4) -> Features:
    """Examples of several kinds, in half precision as they are kept."""
    middles = rng.normal(size=(kinds, 8))
    rows = middles[rng.integers(kinds, size=count)] + 0.1 * rng.normal(size=(count, 8))
    probabilities = rng.dirichlet(np.ones(3) / 2, size=count)
    classes, doubts = class_features(probabilities, np.arange(count + 1))
    arrays = (rows, rng.normal(size=(count, 16)), classes, doubts)
    return Features(*(array.astype(np.float16) for array in arrays))


def view(count: int = 60, labeled: int = 7, seed: int = 0) -> SetView:
    rng = np.random.default_rng(seed)
    both = features(rng, count + labeled)
    known = both.take(np.arange(count, count + labeled))
    return SetView(both.take(np.arange(count)), known, rng.random(count).round(1))


def rows(name: str, given: SetView, count: int, seed: int = 3) -> list[int]:
    assert STRATEGIES[name].choose is not None
    return [item.row for item in STRATEGIES[name].choose(given, count, np.random.default_rng(seed))]


@pytest.mark.parametrize("name", SETS)
def test_a_set_has_the_right_size_repeats_nothing_and_is_the_same_for_a_seed(name: str) -> None:
    given = view()
    for count in (1, 5, 30, 60, 61):
        chosen = rows(name, given, count)
        assert chosen == rows(name, given, count)
        assert len(set(chosen)) == len(chosen) <= min(count, 60)
        assert chosen, "a set is never empty while there are candidates"
        assert set(chosen) <= set(range(60))
    sets = list(choose_in_rounds(STRATEGIES[name], given, 9, 3))
    assert sets == list(choose_in_rounds(STRATEGIES[name], given, 9, 3))
    items = [item for chosen in sets for item in chosen]
    assert sorted(item.row for item in items) == list(range(60)), "rounds go on until all are chosen"
    assert all(np.isfinite(item.score) and item.score >= 0 and len(item.why) > 20 for item in items)


@pytest.mark.parametrize("name", SETS)
def test_edges_of_a_set(name: str) -> None:
    whole = view()
    empty = SetView(Features.nothing(), Features.nothing(), np.zeros(0))
    assert rows(name, empty, 5) == []
    assert list(choose_in_rounds(STRATEGIES[name], empty, 5, 1)) == []
    assert rows(name, whole, 0) == []
    unlabeled = SetView(whole.features, Features.nothing(), whole.scores)
    alike = whole.features.take(np.zeros(12, dtype=np.int64))
    nothing = Features(*(np.zeros_like(getattr(whole.features, array)) for array in ARRAYS))
    single = SetView(whole.features.take(np.array([4])), whole.known, whole.scores[:1])
    cases = [
        (unlabeled, 60),
        (SetView(alike, whole.known, np.full(12, 0.5)), 12),
        (SetView(nothing, nothing.take(np.arange(3)), np.zeros(60)), 60),
        (single, 1),
    ]
    for given, size in cases:
        chosen = [item.row for some in choose_in_rounds(STRATEGIES[name], given, 5, 1) for item in some]
        assert sorted(chosen) == list(range(size))


@pytest.mark.parametrize("name", POOLED)
def test_edges_of_what_is_weighed_against_the_pool(name: str) -> None:
    weigh = STRATEGIES[name].over_pool
    assert weigh is not None
    assert weigh(Features.nothing()).shape == (0,)
    one_label = class_features(np.ones((5, 1)), np.array([0, 1, 5]))
    certain = class_features(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 1, 1, 2]))
    for classes, doubts in (one_label, certain):
        empty = np.zeros((len(classes), 0))
        assert (weigh(Features(empty, empty, classes, doubts)) == 0).all()


def test_every_set_strategy_says_what_it_reads_and_serves() -> None:
    for name in (*SETS, *POOLED, "power-bald"):
        strategy = STRATEGIES[name]
        assert strategy.reads <= set(ARRAYS)
        assert not strategy.guide or STRATEGIES[strategy.guide].scores_examples
        assert strategy.tasks <= (
            STRATEGIES[strategy.guide].tasks if strategy.guide else {"ner", "pos", "qa"}
        )
        function = strategy.choose or strategy.over_pool
        assert function is None or {"Formula:", "Range", "Cost:", "Paper:"} <= set(
            (function.__doc__ or "").split()
        )
    assert {"kmeans", "coreset", "badge", "typiclust"} <= {each.name for each in strategies_for("qa")}
    assert not STRATEGIES["typiclust"].needs_model
    assert STRATEGIES["badge"].needs_model


def test_kmeans_takes_one_of_each_kind() -> None:
    kinds = np.repeat(np.eye(4, 8), [30, 20, 10, 5], axis=0) + 0.01 * np.random.default_rng(1).normal(
        size=(65, 8)
    )
    made = Features(kinds.astype(np.float16), *(np.zeros((65, 0)) for _ in range(3)))
    given = SetView(made, Features.nothing(), np.zeros(65))
    for name in ("kmeans", "typiclust"):
        chosen = rows(name, given, 4)
        assert [np.searchsorted([30, 50, 60], row, side="right") for row in chosen] == [0, 1, 2, 3], name
    labeled = SetView(made, made.take(np.array([0, 30])), np.zeros(65))
    assert {np.searchsorted([30, 50, 60], row, side="right") for row in rows("typiclust", labeled, 2)} == {
        2,
        3,
    }
    assert {np.searchsorted([30, 50, 60], row, side="right") for row in rows("coreset", labeled, 2)} == {2, 3}


def test_coreset_is_the_greedy_choice() -> None:
    given = view(count=25, labeled=4)
    points, known = (unit(each.embeddings) for each in (given.features, given.known))
    centres = list(known)
    expected = []
    for _ in range(6):
        distances = [min(float(np.linalg.norm(point - centre)) for centre in centres) for point in points]
        expected.append(int(np.argmax(distances)))
        centres.append(points[expected[-1]])
    items = STRATEGIES["coreset"].choose(given, 6, np.random.default_rng())
    assert [item.row for item in items] == expected
    assert [item.score for item in items] == sorted((item.score for item in items), reverse=True)


def test_badge_draws_what_is_far_from_what_was_drawn() -> None:
    directions = np.zeros((30, 16), dtype=np.float32)
    directions[:10, 0], directions[10:20, 1], directions[20:, 2] = 1.0, 1.0, 0.001
    directions[3, 0] = 1.1
    made = Features(directions, directions, np.zeros((30, 0)), np.zeros((30, 0)))
    given = SetView(made, Features.nothing(), np.zeros(30))
    for seed in range(20):
        first, *others = rows("badge", given, 3, seed)
        assert first == 3, "the longest gradient"
        assert sorted(np.array(others) // 10) == [1, 2], (
            "then one of each direction; no length is a direction too"
        )


def test_cal_asks_where_labeled_neighbours_say_something_else() -> None:
    embeddings = np.repeat(np.eye(2, 8), 20, axis=0)
    classes = np.tile([0.9, 0.1], (40, 1))
    classes[7] = [0.1, 0.9]
    known = Features(
        np.repeat(np.eye(2, 8), 10, axis=0),
        np.zeros((20, 0)),
        np.tile([0.9, 0.1], (20, 1)),
        np.zeros((20, 0)),
    )
    given = SetView(Features(embeddings, np.zeros((40, 0)), classes, np.zeros((40, 0))), known, np.zeros(40))
    scores, distances = divergences(given)
    assert int(scores.argmax()) == 7
    expected = 0.9 * np.log(0.9 / 0.1) + 0.1 * np.log(0.1 / 0.9)
    assert scores[7] == pytest.approx(expected)
    np.testing.assert_allclose(np.delete(scores, 7), 0.0, atol=1e-9)
    np.testing.assert_allclose(distances, 0.0, atol=1e-3)
    assert rows("cal", given, 1) == [7]


def test_doubtful_examples_come_from_different_kinds() -> None:
    embeddings = np.repeat(np.eye(3, 8), 20, axis=0)
    scores = np.concatenate([np.linspace(0.9, 1.0, 20), np.linspace(0.5, 0.6, 20), np.zeros(20)])
    made = Features(embeddings, *(np.zeros((60, 0)) for _ in range(3)))
    chosen = rows("clustered-margin", SetView(made, Features.nothing(), scores), 3)
    assert chosen[:2] == [19, 39], "the most doubtful of two kinds; the third is not doubtful at all"


def test_doubt_about_a_rare_label_weighs_more() -> None:
    """Two equally unsure examples: one between the two common labels, one between a common and the rare one."""
    sure = np.tile([1.0, 0.0, 0.0], (50, 1))
    sure[25:] = [0.0, 1.0, 0.0]
    unsure = np.array([[0.5, 0.5, 0.0], [0.5, 0.0, 0.5]])
    probabilities = np.concatenate([sure, unsure])
    classes, doubts = class_features(probabilities, np.arange(53))
    scores = STRATEGIES["rare-labels"].over_pool(Features(*(np.zeros((52, 0)),) * 2, classes, doubts))
    assert (scores[:50] == 0).all()
    assert scores[51] > 10 * scores[50] > 0
    even = np.roll(np.eye(3) * 0.6 + 0.4 / 3, 1, axis=0)
    balanced = class_features(even, np.arange(4))
    alike = STRATEGIES["rare-labels"].over_pool(Features(*(np.zeros((3, 0)),) * 2, *balanced))
    np.testing.assert_allclose(
        alike, balanced[1].sum(axis=1), err_msg="without rare labels it is the entropy"
    )


def test_clusters_and_neighbours() -> None:
    rng = np.random.default_rng(5)
    points = rng.normal(size=(3_000, 4)).astype(np.float32)
    which, distances = nearest(points, points[:50])
    apart = ((points[:, None] - points[None, :50]) ** 2).sum(axis=2)
    np.testing.assert_array_equal(which, apart.argmin(axis=1))
    np.testing.assert_allclose(distances, apart.min(axis=1), atol=1e-4)
    members, centres = k_means(points, 20, np.random.default_rng(2))
    for cluster in range(20):
        np.testing.assert_allclose(centres[cluster], points[members == cluster].mean(axis=0), atol=0.1)
    random = points[rng.choice(3_000, 20, replace=False)]
    assert nearest(points, centres)[1].sum() < 0.85 * nearest(points, random)[1].sum()
    assert len(set(spread_out(np.zeros((5, 2), np.float32), 9, rng).tolist())) == 5
    with pytest.raises(ValueError, match="no row to be near to"):
        nearest(points, points[:0])
    dense = np.concatenate([np.zeros((20, 3)), np.full((1, 3), 0.5)]).astype(np.float32)
    assert typicality(dense)[-1] < typicality(dense)[0]


def test_a_row_of_a_large_cluster_has_as_many_neighbours_thinned_out_or_not() -> None:
    points = unit(np.random.default_rng(1).normal(size=(LARGEST + 1, 8)))
    found, others = typicality(points), points[::2]
    for row in (0, 1, 2, 3):
        apart = np.sort(np.linalg.norm(others - points[row], axis=1))
        near = apart[1:21] if row % 2 == 0 else apart[:20]
        assert found[row] == pytest.approx(1 / near.mean(), rel=1e-4)
