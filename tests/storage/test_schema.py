"""The schema: made, compared with the tables, backed up before an upgrade, refused when newer."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from workbench.config import Settings
from workbench.domain import Label
from workbench.errors import AlreadyExists, SchemaMismatch
from workbench.services import Workbench, open_workbench
from workbench.storage import Store, migrate, schema
from workbench.storage.migrate import ensure_schema
from workbench.storage.tables import metadata


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


@pytest.fixture
def with_next_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Pretend that this code is one revision further on."""
    scripts = tmp_path / "migrations"

    def add(upgrade: str) -> None:
        shutil.copytree(migrate.SCRIPTS, scripts)
        revision = f"""
import sqlalchemy as sa
from alembic import op
revision = "9999"
down_revision = "{schema.head()}"

def upgrade():
    {upgrade}
"""
        (scripts / "versions" / "9999_next.py").write_text(revision)
        monkeypatch.setattr(migrate, "SCRIPTS", scripts)
        monkeypatch.setattr(schema, "SCRIPTS", scripts)

    yield add


def test_an_older_schema_is_backed_up_then_upgraded(
    sqlite_workbench: Workbench, with_next_revision: Callable[[str], None]
) -> None:
    sqlite_workbench.projects.create("kept", "ner", ["PER"])
    with_next_revision('op.add_column("projects", sa.Column("extra", sa.Text()))')
    backups = sqlite_workbench.settings.backups_dir
    assert ensure_schema(sqlite_workbench.store, backups) is True
    assert schema.current(sqlite_workbench.store) == "9999"
    assert [project.name for project in sqlite_workbench.projects.list()] == ["kept"]
    (copy,) = backups.iterdir()
    saved = Store(f"sqlite:///{copy}")
    assert schema.current(saved) != "9999"
    with saved.read() as tx:
        assert [project.name for project in tx.projects.all()] == ["kept"]
    saved.close()


def test_a_failed_upgrade_leaves_the_database_as_it_was(
    workbench: Workbench, with_next_revision: Callable[[str], None]
) -> None:
    before = schema.current(workbench.store)
    with_next_revision(
        'op.create_table("half", sa.Column("id", sa.Integer()))\n    op.execute("INSERT INTO nowhere VALUES (1)")'
    )
    with pytest.raises((OperationalError, ProgrammingError)):
        ensure_schema(workbench.store, workbench.settings.backups_dir)
    assert schema.current(workbench.store) == before
    assert "half" not in inspect(workbench.store.engine).get_table_names()


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


def test_alembic_agrees_on_the_newest_revision(workbench: Workbench) -> None:
    assert ScriptDirectory(str(migrate.SCRIPTS)).get_current_head() == schema.head()
    assert schema.current(workbench.store) == schema.head()
