"""Imports that a page has started: each in a thread of the server, so that it goes on when the page is left."""

from __future__ import annotations

import threading
from collections.abc import Callable

from workbench.errors import Conflict, WorkbenchError
from workbench.services.importwatch import ImportWatch
from workbench.services.importwrite import ImportReport

AT_ONCE_SECONDS = 1.0
"""An import that is done within this needs no progress bar."""


class ImportJob:
    """One import: its progress while it runs, then its report or what went wrong."""

    def __init__(self, run: Callable[[ImportWatch], ImportReport]) -> None:
        self.watch = ImportWatch()
        self.report: ImportReport | None = None
        self.error: WorkbenchError | None = None
        self._failure: BaseException | None = None
        self._run = run
        self._thread = threading.Thread(target=self._work, name="import", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it still reads or writes."""
        return self._thread.is_alive()

    def cancel(self) -> None:
        """Stop it; what it has written is taken back."""
        self.watch.cancel()

    def wait(self, seconds: float = AT_ONCE_SECONDS) -> bool:
        """Whether it has ended, after waiting for a while at most."""
        self._thread.join(seconds)
        return not self.running

    def result(self) -> ImportReport:
        """The report. Raises what the import raised."""
        if self._failure is not None:
            raise self._failure
        assert self.report is not None
        return self.report

    def _work(self) -> None:
        try:
            self.report = self._run(self.watch)
        except WorkbenchError as error:
            self.error = self._failure = error
        except BaseException as error:  # the page shows it as its own
            self._failure = error


class ImportJobs:
    """The imports that this process runs, at most one for a project."""

    def __init__(self) -> None:
        self._jobs: dict[int, ImportJob] = {}
        self._lock = threading.Lock()

    def start(self, project_id: int, run: Callable[[ImportWatch], ImportReport]) -> ImportJob:
        """Start an import. Raises Conflict while another one into the project runs."""
        with self._lock:
            if (job := self._jobs.get(project_id)) is not None and job.running:
                raise Conflict("an import into this project is running", remedy="wait for it, or cancel it")
            job = self._jobs[project_id] = ImportJob(run)
        return job

    def of(self, project_id: int) -> ImportJob | None:
        """The project's import that runs, or that has ended and was not looked at yet."""
        with self._lock:
            return self._jobs.get(project_id)

    def forget(self, project_id: int) -> None:
        """Somebody has seen how it ended."""
        with self._lock:
            job = self._jobs.get(project_id)
            if job is not None and not job.running:
                del self._jobs[project_id]
