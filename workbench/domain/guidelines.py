"""What people are asked to label how."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class GuidelineVersion:
    """One version of a project's guidelines.

    Attributes:
        id: Its key.
        number: Counted from 1 in its project; the highest holds.
        text: Markdown; lines such as ``> [Ada]{PER} met [Bob]{PER}.`` are examples with their labels.
        note: What has changed, in its author's words.
        by: Who wrote it, None on the command line.
        created_at: When.
    """

    id: int
    number: int
    text: str
    note: str
    by: str | None
    created_at: datetime
