"""Writers of a SQLite database that wait are seen by the one that keeps them waiting, and come in when it lets go."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from workbench.errors import DatabaseUnavailable
from workbench.services import Workbench
from workbench.storage import engine
from workbench.storage.door import Door


def wait_for(condition: object, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.002)


def test_a_writer_that_waits_is_seen_until_it_is_in(sqlite_workbench: Workbench) -> None:
    store = sqlite_workbench.store
    project = sqlite_workbench.projects.create("news", "ner")
    inside, leave = threading.Event(), threading.Event()

    def wait() -> None:
        with store.write() as tx:
            tx.projects.set_guidelines(project.id, "came in")
            inside.set()
            leave.wait(30)

    with store.write():
        assert not store.somebody_waits()
        thread = threading.Thread(target=wait)
        thread.start()
        wait_for(store.somebody_waits)
        assert not inside.is_set()
    assert inside.wait(30)
    assert not store.somebody_waits()
    leave.set()
    thread.join()
    assert sqlite_workbench.projects.get("news").guidelines == "came in"


def test_a_writer_gives_up_in_words(sqlite_workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_MS", 50)
    store = sqlite_workbench.store
    with closing(
        sqlite3.connect(sqlite_workbench.settings.home / "workbench.db", isolation_level=None)
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailable, match="locked"), store.write():
            pass
        other.execute("ROLLBACK")
    assert sqlite_workbench.projects.create("news", "ner").name == "news"


def test_a_folder_without_the_file_and_without_permission_keeps_nobody_out(tmp_path: Path) -> None:
    door = Door(tmp_path / "nowhere" / "workbench.db")
    assert not door.somebody_waits()
    tries = iter((sqlite3.OperationalError(), None))

    def begin() -> None:
        error = next(tries)
        if error is not None:
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error

    door.enter(begin, 1.0)
    assert list(tries) == []
