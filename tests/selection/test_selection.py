"""Selecting batches: the part of the strategy contract that needs a pool, on both databases."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import insert

from tests.selection.pool import (
    NOW,
    add_examples,
    add_features,
    add_predictions,
    add_scores,
    add_version,
    annotate,
    annotations,
    make_project,
)
from workbench.acquisition import STRATEGIES, single_pass, strategies_for
from workbench.domain import Project
from workbench.errors import InvalidInput, NotFound, UnknownName, WrongState
from workbench.featurefiles import FeatureStore
from workbench.services import Workbench
from workbench.services.picking import Embedded, near_key
from workbench.storage.candidates import Filters
from workbench.storage.rows import now
from workbench.storage.store import Transaction

WORDS = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "zeta",
    "eta",
    "theta",
    "iota",
    "kappa",
    "lambda",
    "mu",
]
TEXTS = [f"{first} {second}" for first in WORDS for second in WORDS][:60]


@pytest.fixture
def project(workbench: Workbench) -> Project:
    return make_project(workbench)


@pytest.fixture
def pool(workbench: Workbench, project: Project) -> list[int]:
    """60 examples of two words, scored by every strategy of the first model version; many ties."""
    ids = add_examples(workbench, project, TEXTS)
    version = add_version(workbench, project)
    for name in single_pass("ner"):
        add_scores(workbench, version, {key: (index * 7 % 5) / 4 for index, key in enumerate(ids)}, name)
    add_features(workbench, version, ids, project=project)
    return ids


def taken(workbench: Workbench, project: Project, *args: object, **options: object) -> list[int]:
    selection = workbench.selection.preview(project, *args, **options)
    return [pick.example_id for pick in selection.picks]


@pytest.mark.parametrize("name", [strategy.name for strategy in strategies_for("ner")])
def test_contract_of_every_strategy(
    workbench: Workbench, project: Project, pool: list[int], name: str
) -> None:
    annotate(workbench, pool[0], is_gold=True)
    annotate(workbench, pool[1])
    other = workbench.selection.preview(project, name, 5)
    batch, picks = workbench.selection.create(project, other)
    with workbench.store.write() as tx:
        someone = tx.users.find_or_add("someone").id
        tx.batches.lease(someone, [(batch.id, pool[2])], now() + timedelta(minutes=5))
    forbidden = {*pool[:3], *(pick.example_id for pick in picks)}

    first = taken(workbench, project, name, 20, seed=3)
    assert first == taken(workbench, project, name, 20, seed=3)
    assert len(first) == len(set(first)) == 20
    assert not forbidden & set(first)
    picked = workbench.selection.preview(project, name, 20, seed=3).picks
    if STRATEGIES[name].choose:
        assert all(len(pick.reason["why"]) > 20 for pick in picked)
    else:
        assert first[:7] == taken(workbench, project, name, 7, seed=3)
        if not STRATEGIES[name].noise:
            scores = [pick.score for pick in picked]
            assert scores == sorted(scores, reverse=True)

    everything = workbench.selection.preview(project, name, 1_000)
    assert {pick.example_id for pick in everything.picks} == set(pool) - forbidden
    assert everything.short
    workbench.selection.create(project, everything)
    nothing = workbench.selection.preview(project, name, 3)
    assert nothing.picks == ()
    with pytest.raises(WrongState, match="no example of the pool is left"):
        workbench.selection.create(project, nothing)


def test_a_share_drawn_by_lot_is_spread_over_the_batch_and_says_so(
    workbench: Workbench, project: Project, pool: list[int]
) -> None:
    annotate(workbench, pool[0], is_gold=True)
    options = {"audit_share": 0.25, "seed": 5, "filters": Filters(document="doc0")}
    narrowed = workbench.selection.preview(project, "mnlp", 1_000, **options)
    by_model = [pick for pick in narrowed.picks if not pick.reason.get("audit")]
    assert {pick.document for pick in by_model} == {"doc0"}
    assert narrowed.short

    options["filters"] = Filters()
    selection = workbench.selection.preview(project, "mnlp", 20, **options)
    assert selection == workbench.selection.preview(project, "mnlp", 20, **options)
    audits = [index for index, pick in enumerate(selection.picks) if pick.reason.get("audit")]
    assert audits == [3, 7, 11, 15, 19]
    ids = [pick.example_id for pick in selection.picks]
    assert len(set(ids)) == 20
    assert pool[0] not in ids
    other_lots = workbench.selection.preview(project, "mnlp", 20, **{**options, "seed": 6})
    assert [other_lots.picks[index].example_id for index in audits] != [ids[index] for index in audits]

    batch, _ = workbench.selection.create(project, selection)
    assert batch.parameters["audit_share"] == 0.25
    reason = workbench.selection.items(project, batch.number)[3].reason
    assert reason["strategy"] == "random"
    assert (reason["audit"], reason["seed"]) == (True, 5)
    everything = workbench.selection.preview(project, "mnlp", 1_000, audit_share=0.5)
    assert {pick.example_id for pick in everything.picks} == set(pool[1:]) - set(ids)
    lots_alone = workbench.selection.preview(project, "mnlp", 4, audit_share=1.0)
    assert all(pick.reason["audit"] for pick in lots_alone.picks)
    with pytest.raises(InvalidInput, match=r"audit share of 1\.5"):
        workbench.selection.preview(project, "mnlp", 4, audit_share=1.5)


def test_noise_draws_with_chances_as_the_scores(
    workbench: Workbench, project: Project, pool: list[int]
) -> None:
    annotate(workbench, pool[0], is_gold=True)
    plain = workbench.selection.preview(project, "mnlp", 15)
    noisy = workbench.selection.preview(project, "mnlp", 15, noise=1.0, seed=4)
    assert noisy == workbench.selection.preview(project, "mnlp", 15, noise=1.0, seed=4)
    ids = [pick.example_id for pick in noisy.picks]
    assert len(set(ids)) == 15
    assert pool[0] not in ids
    assert set(ids) != {pick.example_id for pick in plain.picks}
    assert set(ids) != set(taken(workbench, project, "mnlp", 15, noise=1.0, seed=5))
    scores = {example_id: (index * 7 % 5) / 4 for index, example_id in enumerate(pool)}
    assert [pick.score for pick in noisy.picks] == [scores[example_id] for example_id in ids]
    assert 0.0 not in {scores[example_id] for example_id in ids}
    faint = workbench.selection.preview(project, "mnlp", 15, noise=1e-6)
    assert [pick.score for pick in faint.picks] == [pick.score for pick in plain.picks]
    narrowed = workbench.selection.preview(project, "mnlp", 99, noise=1.0, filters=Filters(document="doc1"))
    assert {pick.example_id for pick in narrowed.picks} == set(pool[5:10])

    batch, _ = workbench.selection.create(project, noisy)
    assert batch.parameters["noise"] == 1.0
    reason = workbench.selection.items(project, batch.number)[0].reason
    assert reason == {
        "strategy": "mnlp",
        "score": scores[ids[0]],
        "rank": 1,
        "noise": 1.0,
        "seed": 4,
        "model_version": 1,
    }
    with pytest.raises(InvalidInput, match="no scores to put noise on"):
        workbench.selection.preview(project, "random", 3, noise=1.0)
    with pytest.raises(InvalidInput, match="noise of -1"):
        workbench.selection.preview(project, "mnlp", 3, noise=-1.0)


def test_every_pick_says_why(workbench: Workbench, project: Project, pool: list[int]) -> None:
    batch, picks = workbench.selection.create(project, workbench.selection.preview(project, "mnlp", 3))
    assert (batch.number, batch.strategy, batch.model_version, batch.items, batch.done) == (
        1,
        "mnlp",
        1,
        3,
        0,
    )
    items = workbench.selection.items(project, 1)
    assert [item.example_id for item in items] == [pick.example_id for pick in picks]
    assert items[0].reason == {"strategy": "mnlp", "score": 1.0, "rank": 1, "model_version": 1}
    assert items[2].score == 1.0
    lot, _ = workbench.selection.create(project, workbench.selection.preview(project, "random", 2, seed=8))
    assert lot.model_version is None
    assert lot.parameters["seed"] == 8
    assert workbench.selection.items(project, 2)[1].reason["rank"] == 2


def test_random_order_is_the_same_in_any_database_and_pool(workbench: Workbench, project: Project) -> None:
    other = make_project(workbench, "other")
    add_examples(workbench, other, TEXTS[:7])
    ids = add_examples(workbench, project, TEXTS)
    fresh = make_project(workbench, "fresh")
    fresh_ids = add_examples(workbench, fresh, TEXTS)
    first = [ids.index(key) for key in taken(workbench, project, "random", 10, seed=5)]
    assert first == [fresh_ids.index(key) for key in taken(workbench, fresh, "random", 10, seed=5)]
    assert first == [9, 37, 0, 32, 12, 10, 44, 4, 39, 1]
    assert first != [ids.index(key) for key in taken(workbench, project, "random", 10, seed=6)]
    annotate(workbench, ids[first[0]])
    assert [ids.index(key) for key in taken(workbench, project, "random", 9, seed=5)] == first[1:]


def test_random_reads_the_rest_when_few_of_the_walked_are_free(
    workbench: Workbench, project: Project, pool: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = taken(workbench, project, "random", 60, seed=2)
    monkeypatch.setattr("workbench.services.orders.WALK", 10)
    assert taken(workbench, project, "random", 60, seed=2) == whole


def test_words_are_counted_until_the_budget_is_reached(workbench: Workbench, project: Project) -> None:
    ids = add_examples(workbench, project, ["a b c", "d e", "f g h i", "j"])
    version = add_version(workbench, project)
    add_scores(workbench, version, {key: 1.0 - index / 10 for index, key in enumerate(ids)})
    for budget, expected, words in ((3, 1, 3), (4, 2, 5), (5, 2, 5), (6, 3, 9), (100, 4, 10)):
        selection = workbench.selection.preview(project, "mnlp", budget, "words")
        assert [pick.example_id for pick in selection.picks] == ids[:expected]
        assert selection.words == words
        assert selection.short == (budget == 100)


def test_seconds_are_predicted_from_those_that_were_logged(workbench: Workbench, project: Project) -> None:
    ids = add_examples(workbench, project, ["a b c", "d e", "f g h i", "j"])
    version = add_version(workbench, project)
    add_scores(workbench, version, {key: 1.0 - index / 10 for index, key in enumerate(ids)})
    assumed = workbench.selection.preview(project, "mnlp", 5, "seconds")
    assert [pick.example_id for pick in assumed.picks] == ids[:2]  # 2 s an example and 0.25 s a word
    assert assumed.seconds == pytest.approx(2 * 2 + 5 * 0.25)
    assert "assumed" in assumed.cost.sentence
    logged = add_examples(workbench, project, [" ".join(["w"] * (1 + index % 5)) for index in range(40)])
    with workbench.store.write() as tx:
        for key in logged:
            words = tx.examples.by_ids([key])[0].content.tokens
            annotate_in(tx, key, seconds=10.0 + 3.0 * len(words))
    fitted = workbench.selection.preview(project, "mnlp", 60, "seconds")
    assert [pick.example_id for pick in fitted.picks] == ids  # 19 + 16 + 22 s are less than 60
    assert fitted.seconds == pytest.approx(4 * 10 + 10 * 3)
    assert "40 logged answers" in fitted.cost.sentence
    assert not fitted.short
    batch, _ = workbench.selection.create(project, fitted)
    assert (batch.unit, batch.size, batch.parameters["seconds"]) == ("seconds", 60, 70.0)


def annotate_in(tx: Transaction, example_id: int, *, seconds: float) -> None:
    author = tx.users.find_or_add("timed")
    values = {
        "status": "accepted",
        "payload": {"spans": []},
        "client_id": f"t{example_id}",
        "created_at": NOW,
    }
    tx.connection.execute(
        insert(annotations).values(
            example_id=example_id, author_id=author.id, revision=1, seconds=seconds, **values
        )
    )


def test_near_duplicates_are_left_out_unless_wanted(workbench: Workbench, project: Project) -> None:
    texts = ["Won 3-1 again !", "won 2-0 Again", "lost", "lost", "kept", "test twin"]
    ids = add_examples(workbench, project, texts)
    twin = add_examples(workbench, project, ["test twin"], split="test")
    annotate(workbench, ids[3])
    annotate(workbench, twin[0], is_gold=True)
    version = add_version(workbench, project)
    add_scores(workbench, version, {key: 1.0 - index / 10 for index, key in enumerate(ids)})
    selection = workbench.selection.preview(project, "mnlp", 10)
    assert [pick.text for pick in selection.picks] == ["Won 3-1 again !", "kept"]
    assert selection.duplicates == 3
    assert [pick.reason["rank"] for pick in selection.picks] == [1, 4]
    assert len(taken(workbench, project, "mnlp", 10, keep_duplicates=True)) == 5


def test_near_keys() -> None:
    assert near_key("A  b!") == near_key("a b")
    assert near_key("a", "who?") != near_key("a", "where?")
    assert near_key("--") != near_key("...")
    assert near_key("１２") == near_key("34")


def test_filters_narrow_every_strategy(workbench: Workbench, project: Project) -> None:
    ids = add_examples(
        workbench, project, ["red one", "blue two", "red three", "green four", "red five", "red six"]
    )
    version = add_version(workbench, project)
    add_scores(workbench, version, {key: float(index) for index, key in enumerate(ids)})
    person = {"spans": [{"start": 0, "end": 3, "label": "PER"}]}
    odd = {"spans": [{"start": 0, "end": 3, "label": "ORG"}]}
    add_predictions(workbench, version, {ids[0]: person, ids[1]: odd, ids[2]: person, ids[3]: {"spans": []}})
    assert taken(workbench, project, "mnlp", 9, filters=Filters(text="RED")) == [
        ids[5],
        ids[4],
        ids[2],
        ids[0],
    ]
    assert taken(workbench, project, "mnlp", 9, filters=Filters(label="PER")) == [ids[2], ids[0]]
    assert taken(workbench, project, "mnlp", 9, filters=Filters(label="start")) == []
    assert set(taken(workbench, project, "random", 9, filters=Filters(label="PER"))) == {ids[0], ids[2]}
    assert taken(workbench, project, "random", 9, filters=Filters(document="doc1")) == [ids[5]]
    kept = workbench.selection.preview(project, "random", 9, filters=Filters(label="PER"))
    batch, _ = workbench.selection.create(project, kept)
    assert batch.parameters["filters"] == {"label": "PER"}
    assert batch.model_version == 1


def test_labels_beyond_ascii_are_found(workbench: Workbench) -> None:
    project = make_project(workbench, labels=["Größe_%"])
    ids = add_examples(workbench, project, ["ein Haus", "zwei Häuser"])
    version = add_version(workbench, project)
    add_scores(workbench, version, dict.fromkeys(ids, 1.0))
    span = {"spans": [{"start": 0, "end": 3, "label": "Größe_%"}]}
    add_predictions(workbench, version, {ids[0]: span, ids[1]: {"spans": []}})
    assert taken(workbench, project, "mnlp", 9, filters=Filters(label="Größe_%")) == [ids[0]]


def test_a_set_keeps_to_its_budget_its_filters_and_what_is_labeled(
    workbench: Workbench, project: Project, pool: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    preview = workbench.selection.preview
    words = preview(project, "badge", 14, "words")
    assert (len(words.picks), words.words, words.short) == (7, 14, False)
    narrowed = preview(project, "kmeans", 99, filters=Filters(document="doc1"))
    assert {pick.example_id for pick in narrowed.picks} == set(pool[5:10])
    # Examples 0, 5, 10, ... are alike: with one of them labeled the nearest label is never far from the others.
    annotate(workbench, pool[0], is_gold=True)
    far = preview(project, "coreset", 4)
    assert {(pick.example_id - pool[0]) % 5 for pick in far.picks} == {1, 2, 3, 4}
    assert far.picks[0].reason["why"] == (
        f"distance {far.picks[0].score:.2f} to the nearest labeled or chosen example"
    )
    assert far.picks[0].reason["model_version"] == 1
    for workable in (7, 60):
        monkeypatch.setattr("workbench.services.ranking.MOST_WEIGHED", workable)
        assert len(preview(project, "typiclust", 1_000).picks) == 59, "thousands after thousands"
    monkeypatch.setattr("workbench.services.ranking.MOST_KNOWN", 0)
    assert preview(project, "coreset", 1).picks[0].score == 2.0, (
        "nothing is labeled that it would be held against"
    )
    with pytest.raises(InvalidInput, match="no scores to put noise on"):
        preview(project, "badge", 3, noise=1.0)


def test_a_cold_start_goes_by_the_base_models_embeddings(workbench: Workbench, project: Project) -> None:
    ids = add_examples(workbench, project, TEXTS)
    preview = workbench.selection.preview
    with pytest.raises(
        WrongState, match="nothing has read it yet. Have the base model read it: workbench embed p"
    ):
        preview(project, "typiclust", 5)
    assert workbench.selection.embedded(project) == Embedded(None, 0, 60)
    add_features(workbench, None, ids[:50], project=project)
    assert workbench.selection.embedded(project) == Embedded("minilm", 50, 60)
    selection = preview(project, "typiclust", 5)
    assert {(pick.example_id - ids[0]) % 5 for pick in selection.picks} == {0, 1, 2, 3, 4}
    assert {"base_model": "minilm", "seed": 13, "rank": 1}.items() <= selection.picks[0].reason.items()
    assert len(preview(project, "kmeans", 99).picks) == 50, "what nobody has read is left out"
    batch, _ = workbench.selection.create(project, selection)
    assert (batch.strategy, batch.model_version) == ("typiclust", None)
    for name in ("badge", "cal", "rare-labels", "clustered-margin", "power-bald"):
        with pytest.raises(WrongState, match="needs a model version, and there is none yet"):
            preview(project, name, 5)
    version = add_version(workbench, project)
    add_scores(workbench, version, dict.fromkeys(ids, 0.5), "margin")
    with pytest.raises(WrongState, match="needs the pool scored, and model version 1 has not done so"):
        preview(project, "badge", 5)
    assert workbench.selection.coverage(project, "margin", 1).unscored == 0
    assert workbench.selection.coverage(project, "badge", 1).scored == 0, (
        "an older workbench left no features"
    )
    add_features(workbench, version, ids, project=project)
    assert preview(project, "typiclust", 2).model_version == 1
    assert preview(project, "badge", 2).picks[0].reason["model_version"] == 1


def test_what_is_labeled_is_no_part_of_the_pool_that_rare_labels_are_counted_in(
    workbench: Workbench, project: Project, pool: list[int]
) -> None:
    for example_id in pool[:20]:
        annotate(workbench, example_id, is_gold=True)
    workbench.selection.create(project, workbench.selection.preview(project, "random", 5))
    waiting = {item.example_id for item in workbench.selection.items(project, 1)}
    rest = np.array([key for key in pool[20:] if key not in waiting])
    weigh = STRATEGIES["rare-labels"].over_pool
    assert weigh is not None
    features = FeatureStore(workbench.settings.features_dir / "1").take(rest, {"classes", "doubts"})
    picks = workbench.selection.preview(project, "rare-labels", 99).picks
    assert {pick.example_id: pick.score for pick in picks} == pytest.approx(
        dict(zip(rest.tolist(), weigh(features).tolist(), strict=True))
    )


def test_power_bald_is_noise_on_bald(workbench: Workbench, project: Project, pool: list[int]) -> None:
    drawn = workbench.selection.preview(project, "power-bald", 12, seed=4)
    by_hand = workbench.selection.preview(project, "bald", 12, seed=4, noise=1.0)
    assert [pick.example_id for pick in drawn.picks] == [pick.example_id for pick in by_hand.picks]
    assert drawn.picks[0].reason["noise"] == 1.0


def test_the_next_batch_is_drawn_with_noise_of_its_own(
    workbench: Workbench, project: Project, pool: list[int]
) -> None:
    version = add_version(workbench, project, number=2)
    add_scores(workbench, version, dict.fromkeys(pool, 0.5), "bald")
    everything = taken(workbench, project, "power-bald", 99)
    preview = workbench.selection.preview(project, "power-bald", 10)
    assert [pick.example_id for pick in preview.picks] == everything[:10]
    annotate(workbench, everything[0])
    batch, picks = workbench.selection.create(project, preview)
    assert [pick.example_id for pick in picks] == everything[1:11], "drawn again, it is the same draw"
    assert batch.parameters["draw"] == 0
    again = taken(workbench, project, "power-bald", 99)
    assert set(again) == set(everything[11:]) and again != everything[11:]


def test_a_batch_never_takes_what_somebody_labeled_since_the_preview(
    workbench: Workbench, project: Project, pool: list[int]
) -> None:
    preview = workbench.selection.preview(project, "mnlp", 5)
    annotate(workbench, preview.picks[0].example_id)
    batch, picks = workbench.selection.create(project, preview)
    assert batch.items == 5
    assert preview.picks[0].example_id not in {pick.example_id for pick in picks}
    assert [item.example_id for item in workbench.selection.items(project, 1)] == [
        p.example_id for p in picks
    ]


def test_the_newest_version_that_scored_is_used(
    workbench: Workbench, project: Project, pool: list[int]
) -> None:
    add_version(workbench, project, 2)
    assert workbench.selection.preview(project, "mnlp", 2).model_version == 1
    with pytest.raises(WrongState, match=r"workbench score p --model-version 2"):
        workbench.selection.preview(project, "mnlp", 2, model_version=2)
    with pytest.raises(NotFound, match="Choose from 1, 2"):
        workbench.selection.preview(project, "mnlp", 2, model_version=7)
    later = add_examples(workbench, project, ["something new"])
    coverage = workbench.selection.coverage(project, "mnlp", 1)
    assert (coverage.scored, coverage.unscored) == (60, len(later))
    assert len(workbench.selection.scores(project, "mnlp", 1)) == 60


def test_what_is_missing_or_wrong_is_said_with_a_remedy(workbench: Workbench, project: Project) -> None:
    add_examples(workbench, project, ["one"])
    preview = workbench.selection.preview
    with pytest.raises(WrongState, match="no.*yet.*random"):
        preview(project, "mnlp", 2)
    add_version(workbench, project)
    with pytest.raises(WrongState, match="score the pool first".capitalize()):
        preview(project, "mnlp", 2)
    with pytest.raises(WrongState, match="predicted label"):
        preview(project, "random", 2, filters=Filters(label="PER"))
    with pytest.raises(UnknownName, match="mnlp"):
        preview(project, "best", 2)
    with pytest.raises(InvalidInput, match="does not serve ner"):
        preview(project, "no-answer-distance", 2)
    with pytest.raises(InvalidInput, match="examples, words"):
        preview(project, "random", 2, "pages")
    with pytest.raises(InvalidInput, match="1 or more"):
        preview(project, "random", 0)


def test_an_empty_pool_and_a_released_batch(workbench: Workbench, project: Project) -> None:
    assert workbench.selection.preview(project, "random", 2).picks == ()
    ids = add_examples(workbench, project, ["one", "two", "three"])
    workbench.selection.create(project, workbench.selection.preview(project, "random", 3))
    annotate(workbench, ids[0])
    assert workbench.selection.waiting(project) == 2
    assert workbench.selection.candidates(project) == 0
    assert workbench.selection.release(project, 1) == 2
    assert set(taken(workbench, project, "random", 3)) == set(ids[1:])


def test_questions_are_told_apart_by_question_and_context(workbench: Workbench) -> None:
    project = make_project(workbench, task="qa", labels=())
    first = add_examples(workbench, project, ["The house is red."], question="Which colour?")
    add_examples(workbench, project, ["The house is red."], question="which colour")
    second = add_examples(workbench, project, ["The house is red."], question="What is red?")
    assert set(taken(workbench, project, "random", 9, seed=1)) in ({*first, *second}, {first[0] + 1, *second})
    assert {strategy.name for strategy in workbench.selection.strategies(project)} == {
        name for name, strategy in STRATEGIES.items() if "qa" in strategy.tasks
    }


def test_picks_are_shown_with_what_the_model_predicts(workbench: Workbench, project: Project) -> None:
    ids = add_examples(workbench, project, ["Ann came", "nobody came"])
    version = add_version(workbench, project)
    add_scores(workbench, version, {ids[0]: 0.9, ids[1]: 0.2})
    add_predictions(workbench, version, {ids[0]: {"spans": [{"start": 0, "end": 3, "label": "PER"}]}})
    shown = workbench.selection.shown(project, workbench.selection.preview(project, "mnlp", 2))
    assert [example.content.text for example, _ in shown] == ["Ann came", "nobody came"]
    assert shown[0][1].payload.spans[0].label == "PER"
    assert shown[1][1] is None
