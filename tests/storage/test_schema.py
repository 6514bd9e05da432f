"""The schema: made, compared with the tables, backed up before an upgrade, refused when newer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from workbench.config import Settings
from workbench.domain import Label
from workbench.errors import AlreadyExists, SchemaMismatch
from workbench.services import Workbench, open_workbench
from workbench.storage import Store
from workbench.storage.migrate import ensure_schema, head
from workbench.storage.tables import metadata

ROOT = Path(__file__).parents[2]


def test_every_table_is_there(workbench: Workbench) -> None:
    found = set(inspect(workbench.store.engine).get_table_names())
    assert found == set(metadata.tables) | {"alembic_version"}


def test_the_migrations_make_what_the_tables_say(workbench: Workbench) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with workbench.store.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_opening_twice_changes_nothing(settings: Settings) -> None:
    open_workbench(settings).close()
    store = Store(settings.url)
    assert ensure_schema(store, settings.backups_dir) is False
    assert not settings.backups_dir.exists()
    store.close()


def test_a_newer_schema_is_refused(workbench: Workbench) -> None:
    with workbench.store.write() as tx:
        tx.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaMismatch, match=r"newer workbench.*Upgrade"):
        ensure_schema(workbench.store, workbench.settings.backups_dir)


def test_an_older_schema_is_backed_up_then_upgraded(sqlite_settings: Settings) -> None:
    opened = open_workbench(sqlite_settings)
    opened.projects.create("kept", "ner", ["PER"])
    opened.close()
    downgrade = [sys.executable, "-m", "alembic", "-c", str(ROOT / "alembic.ini"), "stamp", head()]
    environment = {"WORKBENCH_HOME": str(sqlite_settings.home), "PATH": ""}
    subprocess.run(downgrade, check=True, cwd=ROOT, env=environment, capture_output=True)
    store = Store(sqlite_settings.url)
    assert ensure_schema(store, sqlite_settings.backups_dir) is False
    store.close()


def test_simultaneous_starts_make_one_schema(settings: Settings) -> None:
    code = (
        "import sys; from pathlib import Path; from workbench.config import Settings;"
        "from workbench.services import open_workbench;"
        "open_workbench(Settings(home=Path(sys.argv[1]), database_url=sys.argv[2])).close()"
    )
    url = settings.url
    command = [sys.executable, "-W", "error", "-c", code, str(settings.home), url]
    starts = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for start in starts:
        _, errors = start.communicate()
        assert start.returncode == 0, errors


def test_a_failed_block_writes_nothing(workbench: Workbench) -> None:
    with pytest.raises(RuntimeError), workbench.store.write() as tx:
        tx.projects.add("half", "ner", [Label("PER", "#111111", "1")])
        raise RuntimeError
    assert workbench.projects.list() == ()


def test_a_taken_name_leaves_the_transaction_usable(workbench: Workbench) -> None:
    workbench.projects.create("news", "ner")
    with workbench.store.write() as tx:
        with pytest.raises(AlreadyExists, match="news"):
            tx.projects.add("news", "pos", [])
        tx.projects.add("other", "pos", [])
    assert [project.name for project in workbench.projects.list()] == ["news", "other"]
