"""Every error that the workbench raises on purpose, in one tree.

    WorkbenchError
    ├── NotFound            a name or number that does not exist here
    ├── InvalidInput        what was given can't be used as it is
    │   ├── FormatError         a file is not what it says (carries file and line)
    │   │   └── UndecodableText     it is text of another encoding (carries how the line reads in others)
    │   ├── InvalidPayload      labels that do not fit their example or label set
    │   └── UnknownName         a name that no registry knows
    ├── Conflict            it would have been right a moment ago
    │   ├── AlreadyExists       the name is taken
    │   ├── StaleRevision       somebody else revised the example meanwhile
    │   └── WrongState          the run or batch is past the point where this can be done
    ├── Forbidden           the person may not do this
    ├── Unavailable         something outside is missing or not answering
    │   ├── ModelUnavailable    a base model or an artifact can't be loaded
    │   └── DatabaseUnavailable the database can't be reached or opened
    ├── SchemaMismatch      the database is of another version of the workbench
    ├── RunFailed           a run ended without a result
    └── Cancelled           a run was told to stop

``str(error)`` is one line for a person: what is wrong, where, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class WorkbenchError(Exception):
    """Root of the tree.

    Args:
        message: What is wrong, a clause without a final stop.
        where: The place (a file and line, an example, a field).
        remedy: What the person can do about it, an imperative clause.
    """

    def __init__(self, message: str, *, where: str | None = None, remedy: str | None = None) -> None:
        self.message = message
        self.where = where
        self.remedy = remedy
        super().__init__(message)

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        if self.remedy:
            text = f"{text.rstrip('.')}. {self.remedy[:1].upper()}{self.remedy[1:]}"
        return " ".join(text.split())


class NotFound(WorkbenchError):
    """A name or number that does not exist here."""


class InvalidInput(WorkbenchError):
    """What was given can't be used as it is."""


class FormatError(InvalidInput):
    """A file is not what it says it is.

    Args:
        message: What is wrong.
        file: The file's name as the person knows it.
        line: Counted from 1, or None where the format has no lines.
        remedy: What to do.
    """

    def __init__(
        self, message: str, *, file: str | None = None, line: int | None = None, remedy: str | None = None
    ) -> None:
        self.file = file
        self.line = line
        where = file
        if line is not None:
            where = f"{file}, line {line}" if file else f"line {line}"
        super().__init__(message, where=where, remedy=remedy)


class UndecodableText(FormatError):
    """A file is text in another encoding than it was taken for.

    Args:
        message: What is wrong.
        file: The file's name.
        line: Of the first byte that does not fit.
        remedy: What to do.
        encoding: What it was taken for.
        readings: How the line reads in each other encoding that it may be in, by the encoding's name.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str,
        line: int,
        remedy: str,
        encoding: str,
        readings: Mapping[str, str],
    ) -> None:
        self.encoding = encoding
        self.readings = dict(readings)
        super().__init__(message, file=file, line=line, remedy=remedy)


class InvalidPayload(InvalidInput):
    """Labels that do not fit their example or the project's label set."""


class UnknownName(InvalidInput):
    """A name that a registry does not know; the message lists the ones that it does."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind = kind
        self.name = name
        self.known = tuple(sorted(known))
        super().__init__(f"there is no {kind} named {name!r}", remedy=f"choose from {', '.join(self.known)}")


class Conflict(WorkbenchError):
    """It would have been right a moment ago."""


class AlreadyExists(Conflict):
    """The name is taken."""


class StaleRevision(Conflict):
    """Somebody else revised the example after this person had loaded it."""


class WrongState(Conflict):
    """The run, batch or version is past the point where this can be done."""


class Forbidden(WorkbenchError):
    """The person may not do this."""


class Unavailable(WorkbenchError):
    """Something outside the workbench is missing or not answering."""


class ModelUnavailable(Unavailable):
    """A base model or an artifact can't be loaded."""


class DatabaseUnavailable(Unavailable):
    """The database can't be reached or opened."""


class SchemaMismatch(WorkbenchError):
    """The database was written by another version of the workbench."""


class RunFailed(WorkbenchError):
    """A run ended without a result."""


class Cancelled(WorkbenchError):
    """A run was told to stop, and did."""
