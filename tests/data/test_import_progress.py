"""An import that a page has started: it goes on beside the page, shows how far it is, can be cancelled."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.data.test_data_page import button, fill_path, home, open_data, said
from workbench.domain import Split
from workbench.errors import Cancelled, Conflict
from workbench.services import Workbench, importjobs
from workbench.services.importjobs import ImportJobs
from workbench.services.importwatch import WRITING, ImportWatch

__all__ = ["home"]


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Imports stop at their first write until the event is set."""
    go_on = threading.Event()
    writing = ImportWatch.writing

    def wait(watch: ImportWatch, examples: int, total: int) -> None:
        while not go_on.wait(0.01) and not watch.cancelled:
            pass
        writing(watch, examples, total)

    monkeypatch.setattr(ImportWatch, "writing", wait)
    monkeypatch.setattr(importjobs, "AT_ONCE_SECONDS", 0.01)
    monkeypatch.setattr(importjobs.ImportJob.wait, "__defaults__", (0.01,))
    return go_on


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.conll"
    path.write_text("".join(f"w{i} B-X\n\n" for i in range(50)), encoding="utf-8")
    return path


def test_progress_is_shown_and_the_import_ends_beside_the_page(
    home: Workbench, large: Path, slow: threading.Event
) -> None:
    project = home.projects.create("news", "ner")
    app = fill_path(open_data(), large)
    button(app, "Import 50 examples as pool").click().run()
    assert not app.exception
    assert button(app, "Yes, take it back")
    assert "the import goes on" in said(open_data(view="import")), "another session sees it, too"
    with pytest.raises(Conflict, match="is running"):
        home.importing.start(
            project.id, lambda watch: home.datasets.import_files(project, [large], split=Split.POOL)
        )
    slow.set()
    job = home.importing.of(project.id)
    assert job is not None and job.wait(30)
    app = open_data(view="import")
    assert "Imported 50 examples (1 document) as pool" in said(app)
    assert home.datasets.counts(project).total == 50
    assert "Imported 50" not in said(open_data(view="import"))


def test_a_cancelled_import_says_so_and_leaves_nothing(
    home: Workbench, large: Path, slow: threading.Event
) -> None:
    project = home.projects.create("news", "ner")
    app = fill_path(open_data(), large)
    button(app, "Import 50 examples as pool").click().run()
    button(app, "Yes, take it back").click().run()
    job = home.importing.of(project.id)
    assert job is None or job.wait(30)
    assert home.datasets.counts(project).total == 0
    shown = said(app) + said(open_data(view="import"))
    assert "nothing of it is in the project" in shown or "Taking back" in shown


def test_a_job_keeps_what_went_wrong() -> None:
    jobs = ImportJobs()

    def fail(_: ImportWatch) -> None:
        raise Cancelled("no")

    job = jobs.start(1, fail)  # type: ignore[arg-type]
    assert job.wait(30)
    with pytest.raises(Cancelled):
        job.result()
    jobs.forget(1)
    assert jobs.of(1) is None


def test_watch_tells_how_far_it_is() -> None:
    told: list[tuple[str, int, int]] = []
    watch = ImportWatch(lambda one: told.append((one.phase, one.done, one.total)))
    watch.reading("a", 1)
    watch.comparing(2, 3)
    watch.writing(4, 5)
    assert told == [("reading", 1, 0), ("comparing", 2, 3), (WRITING, 4, 5)]
    watch.cancel()
    with pytest.raises(Cancelled):
        watch.writing(5, 5)
