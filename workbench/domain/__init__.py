"""The things the workbench is about, as frozen values.

Positions are half-open ranges of Unicode code points into an example's stored text:
``text[start:end] == surface``, from file to database to browser to every export.
"""

from workbench.domain.data import Example, ExampleText, ImportRecord, Json, Label, NewExample, Offset, Project
from workbench.domain.kinds import (
    PASSES,
    RUN_TRANSITIONS,
    AnnotationStatus,
    Fall,
    Role,
    RunKind,
    RunState,
    Split,
)
from workbench.domain.labels import Answer, Answers, Payload, Prediction, Span, Spans, Tags, is_partial
from workbench.domain.runs import (
    PARTIAL_LEFT_OUT,
    Evaluation,
    GoldSet,
    ModelVersion,
    Run,
    RunEvent,
    TrainParameters,
    versions_read,
)
from workbench.domain.sharing import Sharing
from workbench.domain.work import Annotation, AuditEvent, Batch, BatchItem, Remark, User
from workbench.domain.workchanges import WorkChange

__all__ = [
    "PARTIAL_LEFT_OUT",
    "PASSES",
    "RUN_TRANSITIONS",
    "Annotation",
    "AnnotationStatus",
    "Answer",
    "Answers",
    "AuditEvent",
    "Batch",
    "BatchItem",
    "Evaluation",
    "Example",
    "ExampleText",
    "Fall",
    "GoldSet",
    "ImportRecord",
    "Json",
    "Label",
    "ModelVersion",
    "NewExample",
    "Offset",
    "Payload",
    "Prediction",
    "Project",
    "Remark",
    "Role",
    "Run",
    "RunEvent",
    "RunKind",
    "RunState",
    "Sharing",
    "Span",
    "Spans",
    "Split",
    "Tags",
    "TrainParameters",
    "User",
    "WorkChange",
    "is_partial",
    "versions_read",
]
