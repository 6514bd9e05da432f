"""Projects, and the examples imported for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from workbench.domain.kinds import Split
from workbench.domain.labels import Payload
from workbench.domain.sharing import Sharing

Json: TypeAlias = Mapping[str, Any]
Offset: TypeAlias = tuple[int, int]


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
    def sharing(self) -> Sharing:
        """How the work on it is shared out."""
        return Sharing.of(self.settings)

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
        before: What stands before it in its document, where a model reads that too; see ``domain.context``.
        after: What stands behind it, likewise.
    """

    text: str
    tokens: tuple[Offset, ...] = ()
    question: str | None = None
    before: str = ""
    after: str = ""

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
