"""The things the workbench is about, as frozen values.

Positions are half-open ranges of Unicode code points into an example's stored text:
``text[start:end] == surface``, from file to database to browser to every export.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

Json: TypeAlias = Mapping[str, Any]
Offset: TypeAlias = tuple[int, int]


class Split(StrEnum):
    """What an example is for. Only pool examples are selected for annotation."""

    POOL = "pool"
    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class AnnotationStatus(StrEnum):
    """What a revision says about its example."""

    ACCEPTED = "accepted"
    SKIPPED = "skipped"
    FLAGGED = "flagged"
    WITHDRAWN = "withdrawn"


class RunState(StrEnum):
    """States of a run; ``RUN_TRANSITIONS`` holds the allowed steps."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def active(self) -> bool:
        """Whether it may still change by itself."""
        return self in (RunState.QUEUED, RunState.RUNNING)


RUN_TRANSITIONS: Mapping[RunState, frozenset[RunState]] = {
    RunState.QUEUED: frozenset({RunState.RUNNING, RunState.CANCELLED, RunState.FAILED}),
    RunState.RUNNING: frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED}),
    RunState.SUCCEEDED: frozenset(),
    RunState.FAILED: frozenset({RunState.QUEUED}),
    RunState.CANCELLED: frozenset({RunState.QUEUED}),
}
"""A failed or cancelled run that is resumed is queued again, as its next attempt."""


class RunKind(StrEnum):
    """What a run computes."""

    TRAIN = "train"
    SCORE = "score"
    EVALUATE = "evaluate"
    EXPORT = "export"
    SIMULATE = "simulate"


class Role(StrEnum):
    """What a person may do; each includes the ones before it."""

    ANNOTATOR = "annotator"
    REVIEWER = "reviewer"
    LEAD = "lead"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """Higher may do more."""
        return list(Role).index(self)


# --- labels -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A labeled half-open range of code points."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Spans:
    """NER labels of an example: spans on token boundaries, sorted, none overlapping another."""

    spans: tuple[Span, ...] = ()


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


# --- projects and data ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Label:
    """A label of a project's set."""

    name: str
    color: str
    key: str | None = None
    description: str = ""
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Project:
    """A task type, a label set and everything imported for them."""

    id: int
    name: str
    task: str
    labels: tuple[Label, ...]
    guidelines: str
    settings: Json
    created_at: datetime

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the labels in use, in their order."""
        return tuple(label.name for label in self.labels if not label.retired)


@dataclass(frozen=True, slots=True)
class ExampleText:
    """The part of an example that a model or a validator reads.

    Attributes:
        text: The sentence, or for QA the context, exactly as imported.
        tokens: Half-open ranges into ``text``, increasing; empty for QA.
        question: For QA only.
    """

    text: str
    tokens: tuple[Offset, ...] = ()
    question: str | None = None

    @property
    def words(self) -> list[str]:
        """The surfaces of the tokens."""
        return [self.text[start:end] for start, end in self.tokens]


@dataclass(frozen=True, slots=True)
class Example:
    """One item to label, as stored."""

    id: int
    project_id: int
    import_id: int
    document_id: int
    position: int
    external_id: str
    split: Split
    content: ExampleText
    content_hash: str
    locator: Json = field(default_factory=dict)
    meta: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewExample:
    """One item read from a file, not yet stored.

    Attributes:
        content: Text, tokens, question.
        payload: The labels in the file, or None where it has none.
        external_id: The file's own id, or a made one; unique within its import.
        document: Name of the document that it stands in; neighbours in a file share it.
        locator: Where it lies in the source file, in terms of its format (enough to write labels back in place).
        meta: Whatever else the file says of it.
        split: Where the file itself says so.
    """

    content: ExampleText
    payload: Payload | None
    external_id: str
    document: str
    locator: Json = field(default_factory=dict)
    meta: Json = field(default_factory=dict)
    split: Split | None = None


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """One imported file."""

    id: int
    project_id: int
    file_name: str
    sha256: str
    format: str
    mapping: Json
    split: Split | None
    counts: Json
    created_at: datetime


# --- people and annotations -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class User:
    """Somebody, or something, that annotations come from. ``system`` users (import, simulated) can't sign in."""

    id: int
    name: str
    role: Role
    system: bool
    active: bool
    has_password: bool


@dataclass(frozen=True, slots=True)
class Annotation:
    """One revision by one annotator; revisions are never changed or deleted."""

    id: int
    example_id: int
    author_id: int
    author: str
    revision: int
    status: AnnotationStatus
    payload: Payload | None
    client_id: str
    seconds: float | None
    comment: str
    batch_id: int | None
    suggestion_version: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples selected together for annotation."""

    id: int
    project_id: int
    number: int
    strategy: str
    model_version: int | None
    unit: str
    size: int
    parameters: Json
    items: int
    done: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One selected example and why it was.

    ``reason`` holds at least ``strategy`` and, where a model scored it, ``model_version`` and ``score``.
    """

    batch_id: int
    example_id: int
    position: int
    score: float | None
    reason: Json


# --- models and runs --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Run:
    """One job: what it computes, how far it is, how it ended."""

    id: int
    project_id: int
    kind: RunKind
    state: RunState
    parameters: Json
    progress: Json
    result: Json
    error: str | None
    attempt: int
    launcher: str
    device: str | None
    cancel_requested: bool
    heartbeat_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One thing that a run said. ``kind`` is log, progress or metric; ``sequence`` counts from 1 in an attempt."""

    id: int
    run_id: int
    attempt: int
    sequence: int
    kind: str
    at: datetime
    data: Json


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A trained model. Users know it by ``number``, counted from 1 in its project."""

    id: int
    project_id: int
    number: int
    base_model: str
    parent: int | None
    run_id: int
    snapshot_id: int
    labels: tuple[str, ...]
    artifact: str
    artifact_sha256: str
    parameters: Json
    metrics: Json
    note: str
    promoted_at: datetime | None
    archived_at: datetime | None
    created_at: datetime
    promoted_by: str | None = None
    promoted_reason: str = ""

    @property
    def promoted(self) -> bool:
        """Whether it is the project's chosen one."""
        return self.promoted_at is not None


@dataclass(frozen=True, slots=True)
class GoldSet:
    """The gold labels of a split, frozen when a version was first measured on them.

    Users know it by ``number``, counted from 1 in its project and split. Adding to the split, or revising a label in
    it, makes another one at the next measurement; what was measured on this one stays so.

    Attributes:
        snapshot_id: Exactly which revision of which example.
        data_hash: SHA-256 over texts, labels and split: the same data has the same hash in any database.
    """

    id: int
    project_id: int
    split: Split
    number: int
    snapshot_id: int
    data_hash: str
    examples: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics of a model version on the gold labels that a split had at that moment (``data_hash``).

    ``gold_set`` is the number of the frozen set; None for evaluations from before there were any.
    """

    id: int
    model_version: int
    split: Split
    data_hash: str
    examples: int
    metrics: Json
    run_id: int | None
    created_at: datetime
    gold_set: int | None = None


@dataclass(frozen=True, slots=True)
class TrainParameters:
    """How a model version is made. Defaults suit ``minilm`` on a CPU; each is explained in docs/training.md.

    Attributes:
        base_model: A registered name, a hub name or a local folder.
        from_version: Continue from this version's weights instead of the base model's.
        epochs: Passes over the training examples.
        learning_rate: Peak; None takes the base model's own default.
        batch_size: Examples per optimizer step.
        max_length: Sub-words per window, special ones included; None is 256 for tagging, 384 for QA.
        stride: Sub-words that neighbouring windows share; None is 64 for tagging, 128 for QA.
        min_steps: Lower bound of optimizer steps, so that ten examples do train.
        warmup: Share of steps over which the learning rate rises; then it falls linearly to zero.
        label_all_subwords: Tagging: every sub-word carries its word's label, not only the first. Pipelines label
            sub-words without knowing the words, so that a model which learned first ones only cuts entities there.
        freeze_embeddings: Keep the embeddings as they are: faster, and rarely worse on little data.
        freeze_layers: Keep so many of the lowest encoder layers as they are, too.
        class_weights: Tagging: rare classes weigh more, by the square root of how rare they are.
        patience: Stop after so many evaluations without a better one and go back to the best; 0 goes on to the end.
        seed: Of initialisation, order and dropout.
        device: auto, cpu, cuda, cuda:N or mps.
    """

    base_model: str = "minilm"
    from_version: int | None = None
    epochs: float = 3.0
    learning_rate: float | None = None
    batch_size: int = 16
    max_length: int | None = None
    stride: int | None = None
    min_steps: int = 60
    warmup: float = 0.1
    weight_decay: float = 0.01
    label_all_subwords: bool = True
    freeze_embeddings: bool = True
    freeze_layers: int = 0
    class_weights: bool = False
    patience: int = 0
    seed: int = 13
    device: str = "auto"
