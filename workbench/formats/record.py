"""One JSON object of a file, its place, and the keys by which tools call things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.errors import FormatError, InvalidInput
from workbench.formats.base import ReadOptions, Report
from workbench.formats.chunktags import ChunkTags

SPAN_KEYS = ("spans", "entities", "label", "labels", "ents")
TAG_KEYS = {
    "ner": ("ner_tags", "tags", "labels", "ner"),
    "pos": ("tags", "pos_tags", "xpos", "upos", "pos", "labels"),
}
TEXT_KEYS = ("text", "sentence", "content")
ID_KEYS = ("id", "external_id", "guid", "_id")
DOCUMENT_KEYS = ("document", "doc_id", "document_id", "title")
ROLES = ("text", "tag", "spans", "id", "document", "question", "answers")
"""What a user can name the key of."""
KNOWN_KEYS = frozenset({*TEXT_KEYS, "tokens", "words", "question", "context"})

LABEL_KEYS = frozenset({*SPAN_KEYS, *TAG_KEYS["ner"], *TAG_KEYS["pos"], "answers"})
"""Those that hold labels, of which an object's are read under one."""
_FLAGS = frozenset({"answer", "no_answer", "is_impossible"})
USED_KEYS = (
    KNOWN_KEYS | LABEL_KEYS | _FLAGS | {*ID_KEYS, *DOCUMENT_KEYS, "split", "meta", "token_starts", "scores"}
)

REFUSED = ("reject", "ignore")
"""What Prodigy has under ``answer`` where the annotator turned the labels down."""
PARTIAL = "partial"
"""Key of an object whose spans are all that was judged, beside ``true``; of other tasks and values it is metadata."""


@dataclass(slots=True)
class Record:
    """An object of a file, where it stands, and what is being looked for in it.

    ``chunks`` reads the NER tags of the whole file, whose scheme it finds out; ``shape`` says what the object was;
    ``spaces`` are the indexes of its tokens of white space, which are no words here.
    """

    value: dict[str, Any]
    file: str
    line: int
    options: ReadOptions
    report: Report
    chunks: ChunkTags
    shape: str = "text"
    spaces: tuple[int, ...] = ()

    @property
    def partial(self) -> bool:
        """Whether it says that its spans are all that was judged."""
        return self.options.task == "ner" and self.value.get(PARTIAL) is True

    def error(self, message: str, remedy: str) -> FormatError:
        """A FormatError at this line."""
        return FormatError(message, file=self.file, line=self.line, remedy=remedy)

    def key(self, role: str, candidates: Sequence[str]) -> str | None:
        """The key that the user named for a role, else the first candidate that is there."""
        named = self.options.columns.get(role)
        if named is not None:
            return str(named)
        return next((name for name in candidates if name in self.value), None)

    def name(self, role: str, candidates: Sequence[str]) -> str | None:
        """A short text or number under one of the candidates, as text."""
        key = self.key(role, candidates)
        found = self.value.get(key) if key is not None else None
        return str(found) if isinstance(found, str | int) and str(found).strip() else None


def refuse_columns(columns: Mapping[str, str | int], allowed: Sequence[str]) -> None:
    """Raise InvalidInput on a role that the format does not know."""
    unknown = sorted(set(columns) - set(allowed))
    if unknown:
        can = f"map {', '.join(allowed)}" if allowed else "leave --column away"
        raise InvalidInput(f"{unknown[0]!r} is nothing that can be mapped here", remedy=can)
