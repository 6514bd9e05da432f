"""Backup while others write, restore with a check, and a doctor that finds what is wrong."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from workbench.config import Settings
from workbench.domain import RunKind
from workbench.errors import AlreadyExists, InvalidInput, SchemaMismatch, Unavailable, WrongState
from workbench.services import Workbench, open_workbench
from workbench.services.maintenance import MaintenanceService
from workbench.storage.store import Store


@pytest.fixture(autouse=True)
def quick_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The device is asked for in a process that imports torch; one test does so, the others need not."""
    monkeypatch.setattr("workbench.services.maintenance.run_python", lambda arguments: "cpu (a test, fp32)\n")


def names(workbench: Workbench) -> list[str]:
    return [project.name for project in workbench.projects.list()]


def test_a_backup_is_made_while_others_write_and_put_back(
    sqlite_workbench: Workbench, tmp_path: Path
) -> None:
    sqlite_workbench.projects.create("before", "ner")
    with sqlite_workbench.store.write() as tx:
        tx.projects.add("not committed", "qa", [])
        target = sqlite_workbench.maintenance.backup(tmp_path / "a" / "backup.db")
    with pytest.raises(AlreadyExists):
        sqlite_workbench.maintenance.backup(target)
    sqlite_workbench.maintenance.backup(target, force=True)
    sqlite_workbench.projects.create("after", "pos")
    assert "after" in names(sqlite_workbench)
    done = sqlite_workbench.maintenance.restore(target)
    assert names(sqlite_workbench) == ["before", "not committed"]
    assert done.replaced is not None
    assert sqlite_workbench.maintenance.restore(done.replaced).backup == done.replaced
    assert names(sqlite_workbench) == ["after", "before", "not committed"]


def test_what_is_no_backup_changes_nothing(sqlite_workbench: Workbench, tmp_path: Path) -> None:
    sqlite_workbench.projects.create("kept", "ner")
    good = sqlite_workbench.maintenance.backup(tmp_path / "good.db")
    text, other, torn, newer = (tmp_path / name for name in ("text.db", "other.db", "torn.db", "newer.db"))
    text.write_text("no database")
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE a (b)")
        connection.commit()
    data = bytearray(good.read_bytes())
    data[8192:16384] = b"\xff" * 8192
    torn.write_bytes(data)
    newer.write_bytes(good.read_bytes())
    with closing(sqlite3.connect(newer)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    for path in (text, other, torn, tmp_path / "missing.db"):
        with pytest.raises(InvalidInput):
            sqlite_workbench.maintenance.restore(path)
    with pytest.raises(SchemaMismatch):
        sqlite_workbench.maintenance.restore(newer)
    assert names(sqlite_workbench) == ["kept"]


def test_no_restore_under_a_run(sqlite_workbench: Workbench, tmp_path: Path) -> None:
    project = sqlite_workbench.projects.create("a", "ner")
    target = sqlite_workbench.maintenance.backup(tmp_path / "b.db")
    with sqlite_workbench.store.write() as tx:
        tx.runs.add(project.id, RunKind.TRAIN, {})
    with pytest.raises(WrongState, match="1 run is queued"):
        sqlite_workbench.maintenance.restore(target)


def test_a_ruined_database_is_replaced(sqlite_settings: Settings, tmp_path: Path) -> None:
    opened = open_workbench(sqlite_settings)
    opened.projects.create("kept", "ner")
    backup = opened.maintenance.backup(tmp_path / "b.db")
    opened.close()
    live = sqlite_settings.home / "workbench.db"
    live.write_bytes(b"ruined " * 1000)
    store = Store(sqlite_settings.url)
    maintenance = MaintenanceService(store, sqlite_settings)
    assert [check.name for check in maintenance.doctor() if not check.ok] == ["database"]
    done = maintenance.restore(backup)
    assert done.replaced is not None and done.replaced.read_bytes().startswith(b"ruined")
    store.close()
    opened = open_workbench(sqlite_settings)
    assert names(opened) == ["kept"]
    opened.close()


def test_the_doctor_finds_nothing_in_a_healthy_home(workbench: Workbench) -> None:
    workbench.projects.create("a", "ner")
    checks = workbench.maintenance.doctor()
    assert [check for check in checks if not check.ok] == []
    assert [check.name for check in checks] == [
        "database",
        "schema",
        "contents",
        "imports",
        "batches",
        "models",
        "runs",
        "disk",
        "device",
    ]


def test_the_doctor_says_what_to_do(tmp_path: Path) -> None:
    sqlite_settings = Settings(home=tmp_path / "never opened", database_url=None)
    sqlite_settings.home.mkdir()
    store = Store(sqlite_settings.url)
    checks = {check.name: check for check in MaintenanceService(store, sqlite_settings).doctor()}
    assert not checks["database"].ok and checks["database"].remedy == "run `workbench init`"
    assert not (sqlite_settings.home / "workbench.db").exists()
    open_workbench(sqlite_settings).close()
    with closing(sqlite3.connect(sqlite_settings.home / "workbench.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'old'")
        connection.commit()
    checks = {check.name: check for check in MaintenanceService(store, sqlite_settings).doctor()}
    assert checks["database"].ok and not checks["schema"].ok
    store.close()


def test_rows_without_their_parent_are_found(sqlite_workbench: Workbench) -> None:
    project = sqlite_workbench.projects.create("a", "ner", ["PER"])
    with closing(sqlite3.connect(sqlite_workbench.settings.home / "workbench.db")) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("DELETE FROM projects WHERE id = ?", (project.id,))
        connection.commit()
    contents = {check.name: check for check in sqlite_workbench.maintenance.doctor()}["contents"]
    assert not contents.ok and "1 rows have lost" in contents.detail and "restore" in contents.remedy


@pytest.mark.postgresql
def test_postgresql_is_told_its_own_command(
    postgresql_server: str, postgresql_template: str, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path, database_url=f"{postgresql_server}/{postgresql_template}")
    store = Store(settings.url)
    with pytest.raises(Unavailable, match="pg_dump"):
        MaintenanceService(store, settings).backup(tmp_path / "b.db")
    store.close()
