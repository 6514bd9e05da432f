"""What the labeling page is given and gives back, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.domain import Annotation, AnnotationStatus, Example, Json, Prediction


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A model version's labels for an example, to be corrected."""

    model_version: int
    prediction: Prediction


@dataclass(frozen=True, slots=True)
class Around:
    """Texts just before and just after an example in its document, in reading order, and whether there are more."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    more_before: bool = False
    more_after: bool = False


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One example to label, with everything that its screen shows.

    Attributes:
        example: The example.
        document: Name of the document that it stands in.
        around: What stands around it in its document.
        suggestion: Of the newest model version that has one which fits the label set.
        batch_id: The batch that it was handed out from, or None.
        why: ``strategy`` and, where a model chose it, ``model_version`` and ``score``; ``batch`` and
            ``position`` (from 1) where it is part of one.
        base_revision: The newest revision of the example by anyone, 0 where there is none; give it back with
            the answer.
        earlier: The annotator's own newest revision, or None.
        current: The newest revision by anyone, or None.
    """

    example: Example
    document: str
    around: Around
    suggestion: Suggestion | None
    batch_id: int | None
    why: Json
    base_revision: int
    earlier: Annotation | None
    current: Annotation | None


@dataclass(frozen=True, slots=True)
class Queue:
    """What an annotator labels next.

    Attributes:
        items: In the order in which to label them; empty when there is nothing left.
        done: Examples of the batch (or the pool) that need nothing more from this annotator.
        total: Examples of the batch (or the pool).
    """

    items: tuple[QueueItem, ...]
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Submission:
    """One answer of an annotator, not yet checked.

    Attributes:
        example_id: The example.
        client_id: Made where the answer was made, unique for ever; 1 to 100 characters.
        status: Accepted, skipped, flagged or withdrawn.
        payload: The labels in their stored form (None for a skip).
        seconds: Time spent.
        comment: Reason or remark.
        batch_id: The batch that it was handed out from.
        suggestion_version: Number of the model version whose suggestion it started from.
        base_revision: As given with the queue item; None does not ask whether somebody else was faster.
    """

    example_id: int
    client_id: str
    status: AnnotationStatus = AnnotationStatus.ACCEPTED
    payload: Mapping[str, Any] | None = None
    seconds: float | None = None
    comment: str = ""
    batch_id: int | None = None
    suggestion_version: int | None = None
    base_revision: int | None = None


@dataclass(frozen=True, slots=True)
class NewQuestion:
    """A question that an annotator asks of a context, not yet checked.

    Attributes:
        example_id: An example with that context.
        client_id: Made where the question was asked, unique for ever; 1 to 100 characters.
        text: The question.
    """

    example_id: int
    client_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a submission: stored (``annotation``), or refused with a sentence for the annotator.

    Of a new question ``asked`` is the id of the example that it has become.

    ``newer`` is there when somebody else was faster: their revision, to be looked at beside one's own.
    """

    client_id: str
    example_id: int
    annotation: Annotation | None = None
    message: str | None = None
    newer: Annotation | None = None
    asked: int | None = None

    @property
    def stored(self) -> bool:
        """Whether it is in the database for good."""
        return self.annotation is not None or self.asked is not None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line of a file that could not be stored."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of a file of annotations; its fields are the command's JSON keys."""

    stored: int
    refused: tuple[Refusal, ...] = ()
