"""Kinds of error, by hand."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.tasks.examples import sentence
from workbench.domain import Answer, Answers, Span, Spans, Tags
from workbench.tasks.mistakes import ANSWER, MEANINGS, NO_ANSWER, Kind, Mistake, read

PEOPLE = sentence(["Anna", "Lee", "met", "Bob", "there"])  # Anna Lee 0-8, met 9-12, Bob 13-16
LEE, BOB = Span(0, 8, "PER"), Span(13, 16, "PER")


@pytest.mark.parametrize(
    ("gold", "guess", "expected"),
    [
        ((LEE, BOB), (LEE, BOB), []),
        ((LEE, BOB), (LEE,), [("missed", "PER", "", -1)]),
        ((LEE,), (LEE, BOB), [("spurious", "", "PER", 1)]),
        ((LEE,), (Span(0, 4, "PER"),), [("boundary", "PER", "PER", 0)]),
        ((BOB,), (Span(13, 16, "ORG"),), [("type", "PER", "ORG", 0)]),
        ((LEE,), (Span(0, 4, "ORG"),), [("both", "PER", "ORG", 0)]),
        (
            (LEE,),
            (Span(0, 4, "ORG"), Span(5, 8, "PER")),
            [("both", "PER", "ORG", 0), ("spurious", "", "PER", 1)],
        ),
        ((LEE, BOB), (Span(5, 16, "PER"),), [("boundary", "PER", "PER", 0), ("missed", "PER", "", -1)]),
    ],
)
def test_entities(gold, guess, expected) -> None:
    reading = read(Spans(gold), Spans(guess), PEOPLE)
    assert [(each.kind, each.gold, each.predicted, each.place) for each in reading.mistakes] == expected
    assert reading.all_right is (not expected)
    found = reading.right.total() + sum(bool(each.predicted) for each in reading.mistakes)
    wanted = reading.right.total() + sum(bool(each.gold) for each in reading.mistakes)
    assert (found, wanted) == (len(guess), len(gold))


def test_tags() -> None:
    reading = read(Tags(("NN", None, "VB")), Tags(("NN", "VB", "NN")), PEOPLE)
    assert reading.right == Counter(NN=1)
    assert reading.mistakes == (Mistake(Kind.TYPE, "VB", "NN", 2),)


@pytest.mark.parametrize(
    ("gold", "guess", "kind"),
    [
        ([(0, 8)], [(0, 8)], None),
        ([(0, 4), (13, 16)], [(13, 16)], None),
        ([], [], None),
        ([(0, 8)], [], Kind.MISSED),
        ([], [(0, 8)], Kind.SPURIOUS),
        ([(0, 8)], [(0, 4)], Kind.BOUNDARY),
        ([(0, 8)], [(13, 16)], Kind.ELSEWHERE),
    ],
)
def test_answers(gold, guess, kind) -> None:
    reading = read(*(Answers(tuple(Answer(*item) for item in items)) for items in (gold, guess)), PEOPLE)
    assert [each.kind for each in reading.mistakes] == ([] if kind is None else [kind])
    if kind is None:
        assert reading.right == {ANSWER if gold else NO_ANSWER: 1}


def test_every_kind_is_explained_and_strange_pairs_are_refused() -> None:
    assert set(MEANINGS) == set(Kind)
    with pytest.raises(TypeError, match="Spans can't be laid over Tags"):
        read(Spans(), Tags(), PEOPLE)
