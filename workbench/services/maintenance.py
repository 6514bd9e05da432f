"""Backup, restore, and the doctor: what an operator needs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench.config import Settings
from workbench.domain import ModelVersion, RunState
from workbench.errors import (
    AlreadyExists,
    DatabaseUnavailable,
    InvalidInput,
    Unavailable,
    WorkbenchError,
    WrongState,
)
from workbench.jobs.artifacts import hash_folder
from workbench.services.importload import sweep_loads
from workbench.services.isolated import run_python
from workbench.storage.migrate import ensure_schema
from workbench.storage.rows import now
from workbench.storage.schema import head
from workbench.storage.store import Store
from workbench.storage.upkeep import (
    check_file,
    copy_sqlite,
    database_problems,
    put_back,
    schema_of,
    sqlite_file,
)

LEAST_FREE = 2 * 10**9
"""Bytes: a training run writes a model and a checkpoint of about half of that."""

CONTENT_NAME = "workbench-backup.db"
"""What a backup is called that is fetched from a page."""

PROBE = "import sys; from workbench.modeling.device import choose_device; print(choose_device(sys.argv[1]).description)"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that the doctor looked at.

    Attributes:
        name: database, schema, contents, imports, models, runs, disk, device, sign-in or cluster.
        ok: Whether it is as it should be.
        detail: What was found.
        remedy: What to do where it is not ok.
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: from where, and where the database that was replaced lies."""

    backup: Path
    revision: str
    replaced: Path | None


class MaintenanceService:
    """Look after one home."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def backup(self, target: Path, *, force: bool = False) -> Path:
        """Copy the database into a file, while others may be working with it.

        Model folders are not in it; they lie in the home folder and never change.

        Raises:
            AlreadyExists: The file exists and ``force`` is off.
            Unavailable: The database is PostgreSQL's, which has its own tool.
        """
        source = self._sqlite("pg_dump --format=custom --file FILE DATABASE_URL")
        target = target.absolute()
        if target.exists() and not force:
            raise AlreadyExists(f"{target} exists already", remedy="choose another file, or add --force")
        if target == source.absolute():
            raise InvalidInput("that is the database itself", remedy="choose another file")
        copy_sqlite(source, target)
        check_file(target)
        return target

    def restore(self, backup: Path) -> Restored:
        """Make the database what a backup is, after checking it and copying the present one to ``backups/``.

        Raises:
            InvalidInput: The file is no backup, or damaged.
            SchemaMismatch: A newer workbench wrote it.
            WrongState: Runs are queued or running.
            Unavailable: The database is PostgreSQL's, which has its own tool.
        """
        live = self._sqlite("pg_restore --clean --dbname DATABASE_URL FILE")
        revision = check_file(backup)
        self._refuse_while_running(live)
        aside = self._settings.backups_dir / f"{live.stem}-before-restore-{now():%Y%m%d-%H%M%S-%f}.db"
        replaced = aside if live.exists() else None
        self._store.close()
        put_back(backup, live, aside)
        ensure_schema(self._store, self._settings.backups_dir)
        with self._store.write() as tx:
            tx.users.audit(None, "restore", backup.name)
        return Restored(backup, revision, replaced)

    def doctor(self) -> tuple[Check, ...]:
        """Look at everything; raises nothing that a check can say."""
        database = self._looked("database", self._database)
        checks = [database]
        if database.ok:
            checks.append(self._looked("schema", self._schema))
            if checks[-1].ok:
                checks += [
                    self._looked("contents", self._contents),
                    self._looked("imports", self._imports),
                    self._looked("batches", self._batches),
                    self._looked("models", self._models),
                    self._looked("runs", self._runs),
                ]
        checks += [self._looked("disk", self._disk), self._looked("device", self._device)]
        if self._settings.oidc_issuer:
            checks.append(self._looked("sign-in", self._sign_in))
        if self._settings.ray_address:
            checks.append(self._looked("cluster", self._cluster))
        return tuple(checks)

    # --- backup and restore --------------------------------------------------------------------------

    def _sqlite(self, command: str) -> Path:
        file = sqlite_file(self._store)
        if file is None:
            raise Unavailable("this database is PostgreSQL's, which copies itself", remedy=f"run `{command}`")
        return file

    def _refuse_while_running(self, live: Path) -> None:
        try:
            if not live.exists() or schema_of(self._store) != head():
                return
        except DatabaseUnavailable:
            return  # a database that can't be read has no run that could be hurt
        with self._store.read() as tx:
            active = tx.runs.active()
        if active:
            raise WrongState(
                f"{active} {'runs are' if active > 1 else 'run is'} queued or running",
                remedy="wait for them, or cancel them with `workbench runs cancel`",
            )

    # --- checks --------------------------------------------------------------------------------------

    def _looked(self, name: str, look: Callable[[], Check]) -> Check:
        try:
            return look()
        except WorkbenchError as error:
            said = f"{error.where}: {error.message}" if error.where else error.message
            return Check(name, False, said, error.remedy or "")

    def _database(self) -> Check:
        file = sqlite_file(self._store)
        if file is not None and not file.exists():
            return Check("database", False, f"there is none yet at {file}", "run `workbench init`")
        schema_of(self._store)
        where = str(file) if file else self._store.engine.url.render_as_string(hide_password=True)
        return Check("database", True, f"{self._store.engine.dialect.name}, {where}")

    def _schema(self) -> Check:
        found = schema_of(self._store)
        if found == head():
            return Check("schema", True, f"revision {found}")
        return Check(
            "schema", False, f"revision {found}, and this workbench needs {head()}", "run `workbench init`"
        )

    def _contents(self) -> Check:
        problems = database_problems(self._store)
        if problems:
            return Check(
                "contents", False, "; ".join(problems), "restore a backup with `workbench restore FILE`"
            )
        return Check("contents", True, "every row has the rows that it belongs to")

    def _imports(self) -> Check:
        removed = sweep_loads(self._store)
        with self._store.read() as tx:
            writing = len(tx.loads.all())
        said = f"{writing} being written" if writing else "each is whole"
        if removed:
            said += f"; taken back what {removed} killed ones had left half written"
        return Check("imports", True, said)

    def _batches(self) -> Check:
        with self._store.read() as tx:
            wrong = [one.id for one in tx.projects.all() if tx.batches.wrongly_kept(one.id)]
        mended = 0
        for project_id in wrong:
            with self._store.write() as tx:
                mended += tx.batches.reckon(project_id)
        said = "each knows which of its examples wait for somebody"
        return Check("batches", True, said if not mended else f"{said}; put right for {mended}")

    def _models(self) -> Check:
        versions = list(self._versions())
        problems = [problem for project, version in versions if (problem := self._problem(project, version))]
        if problems:
            return Check("models", False, "; ".join(problems), "copy the models folder back, or train again")
        pruned = sum(version.pruned for _, version in versions)
        said = f"{len(versions) - pruned} versions, each as it was trained"
        return Check("models", True, f"{said}; the files of {pruned} more are pruned" if pruned else said)

    def _versions(self) -> Iterator[tuple[str, ModelVersion]]:
        with self._store.read() as tx:
            for project in tx.projects.all():
                for version in tx.models.versions(project.id):
                    yield project.name, version

    def _problem(self, project: str, version: ModelVersion) -> str | None:
        if version.pruned:
            return None
        folder = self._settings.models_dir / version.artifact
        if not folder.is_dir():
            return f"{project}, version {version.number}: {folder} is gone"
        if hash_folder(folder) != version.artifact_sha256:
            return f"{project}, version {version.number}: {folder} was changed"
        return None

    def _runs(self) -> Check:
        with self._store.read() as tx:
            running = tx.runs.in_state(RunState.RUNNING)
            queued = tx.runs.in_state(RunState.QUEUED)
        oldest = now().timestamp() - self._settings.stale_seconds
        silent = [run for run in running if run.heartbeat_at and run.heartbeat_at.timestamp() < oldest]
        if silent:
            ids = ", ".join(str(run.id) for run in silent)
            return Check(
                "runs", False, f"no sign of life from run {ids}", "open the Train page, or resume them"
            )
        return Check("runs", True, f"{len(running)} running, {len(queued)} queued")

    def _disk(self) -> Check:
        home = self._settings.home.absolute()
        folder = next(path for path in (home, *home.parents) if path.exists())
        free = shutil.disk_usage(folder).free
        said = f"{free / 10**9:,.1f} GB free for {home}"
        if free < LEAST_FREE:
            return Check("disk", False, said, "free some space, or move WORKBENCH_HOME")
        return Check("disk", True, said)

    def _sign_in(self) -> Check:
        from workbench.services.provider import Provider

        provider = Provider(self._settings)
        provider.discover()
        said = f"{provider.issuer} answers; it must send people back to {provider.answer_url}"
        return Check("sign-in", True, said)

    def _cluster(self) -> Check:
        from workbench.jobs.depot import Depot
        from workbench.jobs.rayclient import Cluster

        cluster = Cluster(str(self._settings.ray_address))
        capacity = cluster.capacity()
        depot = Depot(f"{self._settings.ray_depots}/doctor-{self._settings.home_key}")
        depot.write("check", b"whole")
        arrived = depot.read("check")
        depot.clear()
        said = f"Ray {cluster.version()}: {capacity.describe()}; storage {self._settings.ray_depots}"
        if arrived != b"whole":
            return Check(
                "cluster", False, f"{said} does not keep what is written", "set WORKBENCH_RAY_STORAGE"
            )
        return Check("cluster", True, said)

    def _device(self) -> Check:
        return Check("device", True, run_python(["-c", PROBE, self._settings.device]).strip())
