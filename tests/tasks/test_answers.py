"""Answers decoded from logits, by hand and against a plain search."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tasks.examples import sentence
from workbench.domain import Answer, Answers
from workbench.tasks import get_task
from workbench.tasks.base import AnswerTask
from workbench.tasks.spans import candidates, window_candidates

CONTEXT = sentence(["Anna", "Lee", "met", "Bob"], question="Who met Bob?")
NOWHERE = (-1, -1)


def task() -> AnswerTask:
    found = get_task("qa")
    assert isinstance(found, AnswerTask)
    return found


def window(*positions: tuple[int, int], start: list[float], end: list[float]):
    """CLS, one question sub-word, SEP, then the context's sub-words, SEP."""
    offsets = np.array([NOWHERE] * 3 + list(positions) + [NOWHERE])
    return np.array(start, dtype=np.float32), np.array(end, dtype=np.float32), offsets


def test_by_hand():
    s, e, o = window(*CONTEXT.tokens, start=[1, 9, 9, 4, 1, 0, 2, 9], end=[1, 9, 9, 0, 5, 0, 3, 9])
    prediction = task().decode_answers([s], [e], [o], CONTEXT)
    assert prediction.payload == Answers((Answer(0, 8),))
    scores = np.array([9.0, 7.0, 6.0])  # Anna Lee; Anna … Bob; Lee
    assert [row[:2] for row in prediction.alternatives[:3]] == [(0, 8), (0, 16), (5, 8)]
    ratio = np.array([row[2] for row in prediction.alternatives[:3]]) / prediction.confidence
    assert ratio == pytest.approx(np.exp(scores - 9), abs=1e-4)
    assert sum(row[2] for row in prediction.alternatives) == pytest.approx(1, abs=1e-3)
    assert (0, 0) in [row[:2] for row in prediction.alternatives]
    short = task().decode_answers([s], [e], [o], CONTEXT, max_answer_tokens=1)
    assert short.payload == Answers((Answer(5, 8),))


def test_no_answer_wins_by_more_than_the_threshold():
    s, e, o = window(*CONTEXT.tokens, start=[3, 0, 0, 2, 0, 0, 0, 0], end=[3, 0, 0, 2, 0, 0, 0, 0])
    none = task().decode_answers([s], [e], [o], CONTEXT)
    assert none.payload == Answers()
    assert none.confidences == ()
    assert none.alternatives[0][:2] == (0, 0)
    assert none.confidence == none.alternatives[0][2]
    kept = task().decode_answers([s], [e], [o], CONTEXT, no_answer_threshold=2.0)
    assert kept.payload == Answers((Answer(0, 4),))
    always = task().decode_answers([s], [e], [o], CONTEXT, allow_no_answer=False)
    assert always.payload == Answers((Answer(0, 4),))
    assert (0, 0) not in [row[:2] for row in always.alternatives]


def test_windows_are_merged_by_place_and_the_least_sure_nothing_counts():
    first = window((0, 4), (5, 8), start=[5, 0, 0, 1, 0, 0], end=[5, 0, 0, 1, 0, 0])
    second = window((5, 8), (9, 12), start=[0, 0, 0, 6, 0, 0], end=[0, 0, 0, 6, 0, 0])
    found = candidates(*map(list, zip(first, second, strict=True)), CONTEXT.text)
    assert found.spans[0] == (5, 8)
    assert found.scores[0] == 12
    assert len(set(found.spans)) == len(found.spans)
    assert found.null_score == 0
    assert found.margin == -12


def test_a_context_with_nothing_in_it_has_no_answer():
    s, e, o = window(start=[1, 0, 0, 0], end=[1, 0, 0, 0])
    prediction = task().decode_answers([s], [e], [o], CONTEXT, allow_no_answer=False)
    assert prediction.payload == Answers()
    assert prediction.confidence == 1.0


def test_white_space_at_the_ends_is_no_part_of_an_answer():
    s, e, o = window((0, 4), (4, 8), (8, 12), start=[0, 0, 0, 0, 9, 0, 0], end=[0, 0, 0, 0, 9, 0, 0])
    assert task().decode_answers([s], [e], [o], CONTEXT).payload == Answers((Answer(5, 8),))


@given(st.integers(1, 25), st.integers(1, 8), st.integers(1, 40), st.integers(0, 10_000))
def test_the_best_are_those_of_a_plain_search(length: int, longest: int, n_best: int, seed: int):
    rng = np.random.default_rng(seed)
    start, end = rng.normal(size=(2, length))
    offsets = np.array([(i * 2, i * 2 + 1) if rng.random() < 0.8 else NOWHERE for i in range(length)])
    places, scores = window_candidates(start, end, offsets, n_best, longest)
    every = sorted(
        (
            (start[a] + end[b], offsets[a][0], offsets[b][1])
            for a, b in itertools.product(range(length), repeat=2)
            if 0 <= b - a < longest and offsets[a][0] >= 0 and offsets[b][0] >= 0
        ),
        reverse=True,
    )[:n_best]
    found = sorted(((s, *p) for s, p in zip(scores, places.tolist(), strict=True)), reverse=True)
    assert [row[1:] for row in found] == [row[1:] for row in every]
    assert [row[0] for row in found] == pytest.approx([row[0] for row in every])
