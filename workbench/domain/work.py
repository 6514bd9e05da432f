"""People, and what they are asked and say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from workbench.domain.data import Json
from workbench.domain.kinds import AnnotationStatus, Role
from workbench.domain.labels import Payload


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
class AuditEvent:
    """One line of the audit log. ``user`` is None where nobody had signed in (the command line)."""

    id: int
    at: datetime
    user: str | None
    project_id: int | None
    action: str
    subject: str
    data: Json


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
class Remark:
    """What a reviewer says to the author of a revision. ``seen``: the author has read and put it away."""

    id: int
    annotation_id: int
    example_id: int
    author: str
    to: str
    text: str
    created_at: datetime
    seen: bool


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
