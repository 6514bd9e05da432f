"""Partial labels: what they say, what they leave open, and what two of them have in common."""

from __future__ import annotations

import pytest

from tests.tasks.examples import sentence
from workbench.domain import Payload, Span, Spans, Tags, is_partial
from workbench.errors import InvalidPayload
from workbench.tasks import IGNORE, common_ground, get_task
from workbench.tasks.relabel import Relabeling, relabel

NER = get_task("ner")
EXAMPLE = sentence(["Anna", "Lee", "met", "Bob", "in", "Oslo"])
ANNA, BOB, OSLO = Span(0, 8, "PER"), Span(13, 16, "PER"), Span(20, 24, "LOC")
CLASSES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


def test_labels_of_the_whole_text_are_stored_as_ever() -> None:
    stored = {"spans": [{"start": 0, "end": 8, "label": "PER"}]}
    assert NER.dump(Spans((ANNA,))) == stored
    assert NER.dump(Spans((ANNA,), partial=True)) == {**stored, "partial": True}
    for payload in (Spans((ANNA,)), Spans((ANNA,), partial=True)):
        assert NER.load(NER.dump(payload)) == payload
        assert is_partial(NER.dump(payload)) is is_partial(payload) is payload.partial
    assert NER.load({**stored, "partial": False}) == Spans((ANNA,))
    assert not is_partial(Tags((None,))) and not is_partial(None)


@pytest.mark.parametrize("said", ["true", 1, None, []])
def test_anything_but_true_and_false_is_refused(said: object) -> None:
    with pytest.raises(InvalidPayload, match="'partial' is .*Give true or false"):
        NER.load({"spans": [], "partial": said})


def test_partial_labels_without_a_span_say_nothing() -> None:
    NER.validate(Spans(), EXAMPLE, ["PER"])
    NER.validate(Spans((ANNA,), partial=True), EXAMPLE, ["PER"])
    with pytest.raises(InvalidPayload, match="say nothing. Label a span, or skip"):
        NER.validate(Spans(partial=True), EXAMPLE, ["PER"])


def test_tokens_outside_of_partial_spans_are_unknown_and_so_are_their_neighbours() -> None:
    assert NER.targets(Spans((ANNA, OSLO)), EXAMPLE, CLASSES).tolist() == [1, 2, 0, 0, 0, 3]
    partial = Spans((ANNA, OSLO), partial=True)
    assert NER.targets(partial, EXAMPLE, CLASSES).tolist() == [1, 2, IGNORE, IGNORE, IGNORE, 3]
    retired = NER.targets(partial, EXAMPLE, ("O", "B-PER", "I-PER"))
    assert retired.tolist() == [1, 2, IGNORE, IGNORE, IGNORE, IGNORE]


def test_labels_stay_partial_under_new_names() -> None:
    found = relabel(Spans((ANNA,), partial=True), EXAMPLE, Relabeling({"PER": "HUMAN"}))
    assert found.payload == Spans((Span(0, 8, "HUMAN"),), partial=True)


@pytest.mark.parametrize(
    ("first", "second", "common"),
    [
        (Spans((ANNA,)), Spans((ANNA, OSLO)), ((ANNA,), (ANNA, OSLO))),
        (Spans((ANNA,), partial=True), Spans((ANNA, OSLO)), ((ANNA,), (ANNA,))),
        (Spans((Span(0, 4, "PER"),), partial=True), Spans((ANNA,)), ((Span(0, 4, "PER"),), (ANNA,))),
        (Spans((OSLO,), partial=True), Spans((ANNA,)), ((OSLO,), ())),
        (Spans((ANNA, BOB), partial=True), Spans((BOB, OSLO), partial=True), ((BOB,), (BOB,))),
    ],
)
def test_only_what_both_have_judged_is_compared(
    first: Payload, second: Payload, common: tuple[tuple[Span, ...], tuple[Span, ...]]
) -> None:
    there, back = common_ground(first, second), common_ground(second, first)
    assert tuple(each.spans for each in there) == common  # type: ignore[union-attr]
    assert back == tuple(reversed(there))
    assert common_ground(Tags(("NN", None)), Tags((None, "VB"))) == (Tags(("NN", None)), Tags((None, "VB")))
