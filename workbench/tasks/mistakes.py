"""What is wrong with a prediction, item by item: the kind of each error, and the labels that were confused.

A predicted entity that equals no gold one is laid against a gold one that it overlaps: the one with the same ends,
else the one of its own label, else the one that it shares most with. What is left over on either side was
missed or is spurious.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from workbench.domain import Answers, ExampleText, Payload, Span, Spans, Tags
from workbench.tasks.squad import best_of

ANSWER, NO_ANSWER = "an answer", "no answer"
"""What a question has in place of labels."""

NOTHING = ""
"""In place of a label where one side has nothing."""


class Kind(StrEnum):
    """Kinds of error."""

    MISSED = "missed"
    SPURIOUS = "spurious"
    BOUNDARY = "boundary"
    TYPE = "type"
    BOTH = "both"
    ELSEWHERE = "elsewhere"


MEANINGS = {
    Kind.MISSED: "In gold, and nothing predicted there.",
    Kind.SPURIOUS: "Predicted, and nothing there in gold.",
    Kind.BOUNDARY: "Right label (or answer), but it starts or ends elsewhere.",
    Kind.TYPE: "Right place, other label.",
    Kind.BOTH: "Overlaps a gold entity, with another label and other ends.",
    Kind.ELSEWHERE: "An answer that shares nothing with a gold one.",
}

KINDS = {
    "ner": (Kind.MISSED, Kind.SPURIOUS, Kind.BOUNDARY, Kind.TYPE, Kind.BOTH),
    "pos": (Kind.TYPE,),
    "qa": (Kind.MISSED, Kind.SPURIOUS, Kind.BOUNDARY, Kind.ELSEWHERE),
}
"""The kinds that a task type knows."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One error.

    Attributes:
        kind: What is wrong.
        gold: Label in gold; empty where there is nothing.
        predicted: Label that was predicted; empty where there is nothing.
        place: Index of the predicted item (span, tag, answer) among the prediction's; -1 where there is none.
    """

    kind: Kind
    gold: str
    predicted: str
    place: int = -1


@dataclass(frozen=True, slots=True)
class Reading:
    """A prediction laid over gold.

    Attributes:
        right: How many items of each label are right.
        mistakes: In the order of the text, as far as something was predicted; missed ones last.
    """

    right: Counter[str]
    mistakes: tuple[Mistake, ...]

    @property
    def all_right(self) -> bool:
        """Whether nothing is wrong."""
        return not self.mistakes


NOTHING_WRONG = Reading(Counter(), ())
"""Nothing in gold, nothing predicted."""


def read(gold: Payload, predicted: Payload, example: ExampleText) -> Reading:
    """Lay a prediction over gold."""
    if isinstance(gold, Spans) and isinstance(predicted, Spans):
        return _read_spans(gold.spans, predicted.spans)
    if isinstance(gold, Tags) and isinstance(predicted, Tags):
        return _read_tags(gold, predicted)
    if isinstance(gold, Answers) and isinstance(predicted, Answers):
        return _read_answer(gold, predicted, example)
    raise TypeError(f"{type(gold).__name__} can't be laid over {type(predicted).__name__}")


def _read_spans(gold: Sequence[Span], predicted: Sequence[Span]) -> Reading:
    if gold == predicted:
        return Reading(Counter([span.label for span in gold]), ()) if gold else NOTHING_WRONG
    truths = set(gold)
    right = [span for span in predicted if span in truths]
    free = [span for span in gold if span not in set(right)]
    mistakes = []
    for place, guess in enumerate(predicted):
        if guess in truths:
            continue
        near = [truth for truth in free if guess.start < truth.end and truth.start < guess.end]
        if not near:
            mistakes.append(Mistake(Kind.SPURIOUS, NOTHING, guess.label, place))
            continue
        truth = max(near, key=lambda each: _likeness(guess, each))
        free.remove(truth)
        same_ends = (guess.start, guess.end) == (truth.start, truth.end)
        other = Kind.TYPE if same_ends else Kind.BOTH
        kind = Kind.BOUNDARY if guess.label == truth.label else other
        mistakes.append(Mistake(kind, truth.label, guess.label, place))
    mistakes += [Mistake(Kind.MISSED, truth.label, NOTHING) for truth in free]
    return Reading(Counter(span.label for span in right), tuple(mistakes))


def _likeness(guess: Span, truth: Span) -> tuple[bool, bool, int]:
    shared = min(guess.end, truth.end) - max(guess.start, truth.start)
    return (guess.start, guess.end) == (truth.start, truth.end), guess.label == truth.label, shared


def _read_tags(gold: Tags, predicted: Tags) -> Reading:
    right: Counter[str] = Counter()
    mistakes = []
    for place, (truth, guess) in enumerate(zip(gold.tags, predicted.tags, strict=True)):
        if truth is None:
            continue
        if truth == guess:
            right[truth] += 1
        else:
            mistakes.append(Mistake(Kind.TYPE, truth, guess or NOTHING, place))
    return Reading(right, tuple(mistakes))


def _read_answer(gold: Answers, predicted: Answers, example: ExampleText) -> Reading:
    truth = NO_ANSWER if gold.no_answer else ANSWER
    guess = NO_ANSWER if predicted.no_answer else ANSWER
    texts = [example.text[answer.start : answer.end] for answer in gold.answers]
    said = predicted.answers[0] if predicted.answers else None
    if best_of(example.text[said.start : said.end] if said else "", texts)[0] >= 1.0:
        return Reading(Counter({truth: 1}), ())
    if said is None:
        kind = Kind.MISSED
    elif gold.no_answer:
        kind = Kind.SPURIOUS
    elif any(said.start < answer.end and answer.start < said.end for answer in gold.answers):
        kind = Kind.BOUNDARY
    else:
        kind = Kind.ELSEWHERE
    return Reading(Counter(), (Mistake(kind, truth, guess, 0 if said else -1),))
