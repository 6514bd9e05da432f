"""Closed sets of words: splits, states, kinds of run, roles."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


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
    SUSPECTS = "suspects"
    EMBED = "embed"


PASSES = frozenset({RunKind.SCORE, RunKind.EVALUATE, RunKind.EMBED})
"""Kinds that read each example once and by itself."""


class Fall(StrEnum):
    """How the learning rate goes on from its peak, after the warm-up."""

    LINEAR = "linear"
    COSINE = "cosine"
    CONSTANT = "constant"


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
