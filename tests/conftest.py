"""Fixtures that every test may use: homes, databases (SQLite and PostgreSQL), workbenches."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.config import Settings
from workbench.services import Workbench, open_workbench

pytest_plugins = ("tests.browser",)

if int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) > 1:
    # Each worker's own processes share the machine with the other workers': one thread each is what they have.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# Ray reads these once in a process, when it is imported, by whichever test comes first.
os.environ["RAY_AUTH_MODE"] = "token"
os.environ["RAY_AUTH_TOKEN"] = "a-token-of-the-tests-own-0123456789"

DATABASE_NAME = "workbench.db"

REQUIRED = frozenset(os.environ.get("WORKBENCH_TEST_REQUIRE", "").split(","))
"""Things that CI has and whose absence is then a failure, not a skip: ``browser``, ``postgresql``."""


def missing(what: str, why: str) -> None:
    """Skip where a machine lacks something, fail where it is required."""
    if what in REQUIRED:
        pytest.fail(f"{what} is required here, but {why}")
    pytest.skip(why)


def _postgresql_bin() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


def free_port() -> int:
    """A TCP port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URL prefix of a PostgreSQL server of this session's own, on loopback; it is stopped and removed at the end."""
    binaries = _postgresql_bin()
    if binaries is None:
        missing("postgresql", "there is no initdb on this machine")
        return
    folder = Path(tempfile.mkdtemp(prefix="workbench-pg-"))
    user: dict[str, str] = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        user["user"] = "postgres"
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
    data, port = folder / "data", free_port()

    def run(*command: str) -> None:
        subprocess.run(
            [str(binaries / command[0]), *command[1:]], check=True, capture_output=True, cwd=folder, **user
        )

    run(
        "initdb",
        "-D",
        str(data),
        "-A",
        "trust",
        "-U",
        "postgres",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
    )
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}"
    finally:
        run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> str:
    """Name of a database with the schema in it, to copy from."""
    execute(postgresql_server, "CREATE DATABASE workbench_template")
    with tempfile.TemporaryDirectory() as home:
        opened = open_workbench(
            Settings(home=Path(home), database_url=f"{postgresql_server}/workbench_template")
        )
        opened.close()
    return "workbench_template"


def execute(server: str, statement: str) -> None:
    from sqlalchemy import create_engine

    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the schema in it, to copy from: a fifth of the time that migrating takes."""
    settings = Settings(home=tmp_path_factory.mktemp("template"), database_url=None)
    open_workbench(settings).close()
    return settings.home / DATABASE_NAME


def _home_with_schema(folder: Path, template: Path) -> Settings:
    home = folder / "home"
    home.mkdir()
    shutil.copyfile(template, home / DATABASE_NAME)
    return Settings(home=home, database_url=None)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a fresh home, once for each database."""
    home = tmp_path / "home"
    if request.param == "sqlite":
        yield _home_with_schema(tmp_path, request.getfixturevalue("sqlite_template"))
        return
    server = request.getfixturevalue("postgresql_server")
    template = request.getfixturevalue("postgresql_template")
    name = f"test_{uuid.uuid4().hex[:12]}"
    execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield Settings(home=home, database_url=f"{server}/{name}")
    execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def workbench(settings: Settings) -> Iterator[Workbench]:
    """An empty workbench, once for each database."""
    opened = open_workbench(settings)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_settings(tmp_path: Path, sqlite_template: Path) -> Settings:
    """Settings of a fresh home on SQLite only, for tests that are not about the database."""
    return _home_with_schema(tmp_path, sqlite_template)


@pytest.fixture
def sqlite_workbench(sqlite_settings: Settings) -> Iterator[Workbench]:
    """An empty workbench on SQLite only."""
    opened = open_workbench(sqlite_settings)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real corpora (``WORKBENCH_DATA``, default ``../shared/data``)."""
    folder = Path(os.environ.get("WORKBENCH_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        missing("data", f"there is no folder {folder}")
    return folder
