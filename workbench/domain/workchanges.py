"""What a lead does to one person's work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from workbench.domain.data import Json

WITHDRAW, REASSIGN = "withdraw", "reassign"
DOING, DONE, UNDOING, UNDONE = "doing", "done", "undoing", "undone"


@dataclass(frozen=True, slots=True)
class WorkChange:
    """A person's work withdrawn, or what they hold given to others.

    Attributes:
        id: Its key.
        project_id: The project.
        number: Counted from 1 in the project.
        kind: ``withdraw`` or ``reassign``.
        person_id: Whose work.
        person: Their name.
        state: ``doing``, ``done``, ``undoing`` or ``undone``; one that was interrupted stays at the first or third.
        scope: Which of the work: batch, since, and so on.
        effect: Counts of what was done.
        undo_effect: Counts of what was undone, None before.
        note: Why.
        by: Who did it, None on the command line.
        created_at: When.
        undone_at: When it was undone.
    """

    id: int
    project_id: int
    number: int
    kind: str
    person_id: int
    person: str
    state: str
    scope: Json
    effect: Json
    undo_effect: Json | None
    note: str
    by: str | None
    created_at: datetime
    undone_at: datetime | None
