"""How far an import is, and the wish to stop it: shared by who imports and who watches."""

from __future__ import annotations

import threading
from collections.abc import Callable

from workbench.errors import Cancelled

READING, COMPARING, WRITING = "reading", "comparing", "writing"


class ImportWatch:
    """Progress of one import; another thread may read it and may cancel.

    Attributes:
        phase: ``reading``, ``comparing`` (with what the project has) or ``writing``.
        file: The file that is being read.
        done: Examples read of the file, or compared, or written of all files.
        total: Of how many, where that is known; 0 while reading.
    """

    def __init__(self, told: Callable[[ImportWatch], None] | None = None) -> None:
        self.phase = READING
        self.file = ""
        self.done = 0
        self.total = 0
        self._told = told
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Ask the import to stop; it takes back what it has written."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """Whether it has been asked to stop."""
        return self._cancelled.is_set()

    def reading(self, file: str, examples: int) -> None:
        """Called with the number of examples read of a file. Raises Cancelled where that is wished."""
        self.file = file
        self._tell(READING, examples, 0)

    def comparing(self, examples: int, total: int) -> None:
        """Called with the number of examples looked at for duplicates. Raises Cancelled."""
        self._tell(COMPARING, examples, total)

    def writing(self, examples: int, total: int) -> None:
        """Called with the number of examples written. Raises Cancelled."""
        self._tell(WRITING, examples, total)

    def _tell(self, phase: str, done: int, total: int) -> None:
        self.phase, self.done, self.total = phase, done, total
        if self._told is not None:
            self._told(self)
        if self.cancelled:
            raise Cancelled("the import was cancelled; nothing of it is in the project")
