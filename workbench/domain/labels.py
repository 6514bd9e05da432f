"""What annotators and models say of an example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A labeled half-open range of code points."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Spans:
    """NER labels of an example: spans on token boundaries, sorted, none overlapping another.

    Tokens outside of every span are no entity; where the labels are ``partial``, they are unknown: the annotator
    has judged these spans and nothing else.
    """

    spans: tuple[Span, ...] = ()
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Tags:
    """POS labels of an example: one tag per token; None where nobody has said."""

    tags: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Answer:
    """One accepted answer: a half-open range of code points into the context."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Answers:
    """QA labels of an example: every accepted answer; none at all means that the context has no answer.

    ``question`` is the question as the annotator words it, None where it stays as it was imported or first asked.
    """

    answers: tuple[Answer, ...] = ()
    question: str | None = None

    @property
    def no_answer(self) -> bool:
        """Whether the question can't be answered from the context."""
        return not self.answers


Payload: TypeAlias = Spans | Tags | Answers


def is_partial(labels: Payload | Mapping[str, Any] | None) -> bool:
    """Whether labels, as they are or in their stored form, are partial: what they leave out is unknown.

    Of parts of speech each token says for itself whether it is known, so that they are never partial as a whole.

    >>> is_partial(Spans((Span(0, 5, "LOC"),), partial=True)), is_partial({"spans": []})
    (True, False)
    """
    if isinstance(labels, Mapping):
        return labels.get("partial") is True
    return isinstance(labels, Spans) and labels.partial


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model version says of one example.

    Attributes:
        payload: The predicted labels, in the form that an annotator would give.
        confidence: Of the whole example, 0..1 (the least sure token or answer decides).
        confidences: 0..1, one per span (NER), per tag (POS) or per answer (QA) of the payload.
        uncertainty: 0..1, one per token (normalised entropy); empty for QA.
        alternatives: For tagging, per token the best labels as (label, probability), best first, at most three.
            For QA the n-best answers as (start, end, probability), best first; (0, 0, p) is "no answer".
    """

    payload: Payload
    confidence: float
    confidences: tuple[float, ...] = ()
    uncertainty: tuple[float, ...] = ()
    alternatives: tuple[Any, ...] = ()
