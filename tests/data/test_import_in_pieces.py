"""Imports are written piece by piece: nobody sees half of one, whatever kills it, and nobody waits long."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from workbench import storage
from workbench.domain import Project, Split
from workbench.errors import AlreadyExists, Cancelled, WrongState
from workbench.formats import Source
from workbench.services import Workbench, importload, open_workbench
from workbench.services.importload import sweep_loads
from workbench.services.importwatch import WRITING, ImportWatch
from workbench.storage.candidates import Filters
from workbench.storage.store import Transaction

TABLES = ("imports", "sources", "documents", "examples", "labels", "annotations", "gold", "loads", "sketches")


def conll(sentences: int, word: str = "w") -> bytes:
    return "".join(f"{word}{i} B-X\nx{i % 7} O\n\n" for i in range(sentences)).encode()


def rows(workbench: Workbench, table: str) -> int:
    with workbench.store.read() as tx:
        return int(tx.connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importload, "ROWS", 20)
    monkeypatch.setattr(importload, "MOST_ROWS", 20)
    monkeypatch.setattr(importload, "HOLD_SECONDS", 60.0)  # pieces of one size, however slow the machine


def everything_seen(workbench: Workbench, project: Project) -> tuple[object, ...]:
    """What every way of reading a project says of it."""
    counts = workbench.datasets.counts(project)
    with workbench.store.read() as tx:
        candidates = tx.batches.candidates
        return (
            counts,
            workbench.datasets.browse(project).total,
            len(workbench.datasets.browse(project, query="w").items),
            len(workbench.datasets.imports(project)),
            workbench.projects.get(project.name).label_names,
            tx.examples.count(project.id),
            [example.id for example in tx.examples.iter_split(project.id)],
            tx.examples.by_external_id(project.id, "new.conll:1"),
            list(tx.annotations.gold_payloads(project.id)),
            tx.annotations.gold_counts(project.id),
            list(tx.models.gold_rows(project.id, tuple(Split))),
            workbench.selection.candidates(project),
            tx.sizes.counts(project.id),
            candidates.last_position(project.id),
            [part.tolist() for part in candidates.keys(project.id, Filters())],
            tx.models.unlabeled_page(project.id, Split.POOL),
            (tx.annotations.done_in_pool(project.id, 1), tx.sizes.pool(project.id)),
        )


def test_nobody_sees_an_import_before_it_is_whole(workbench: Workbench, small_pieces: None) -> None:
    project = workbench.projects.create("news", "ner")
    workbench.datasets.import_sources(project, [Source("old.conll", conll(30, "o"))], Split.POOL)
    before = everything_seen(workbench, project)
    seen: list[bool] = []
    stored: list[int] = []

    def look(watch: ImportWatch) -> None:
        if watch.phase == WRITING:
            seen.append(everything_seen(workbench, project) == before)
            stored.append(rows(workbench, "examples"))

    new = Source("new.conll", conll(70))
    workbench.datasets.import_sources(project, [new], Split.POOL, watch=ImportWatch(look))
    assert all(seen) and max(stored) == 100
    after = workbench.datasets.counts(project)
    assert (after.total, after.gold[Split.POOL], after.documents) == (100, 100, 2)


def test_a_cancelled_import_leaves_nothing(workbench: Workbench, small_pieces: None) -> None:
    project = workbench.projects.create("news", "ner")
    for phase, done in ((WRITING, 40), (WRITING, 70), ("reading", 1_000)):

        def cancel(watch: ImportWatch, at: tuple[str, int] = (phase, done)) -> None:
            if (watch.phase, watch.done) == at:
                watch.cancel()

        source = Source("a.conll", conll(1_000 if phase == "reading" else 70))
        with pytest.raises(Cancelled, match="nothing of it"):
            workbench.datasets.import_sources(project, [source], Split.POOL, watch=ImportWatch(cancel))
        assert [rows(workbench, table) for table in TABLES] == [0] * len(TABLES)


def test_two_imports_into_one_project_follow_each_other(workbench: Workbench, small_pieces: None) -> None:
    project = workbench.projects.create("news", "ner")
    begun, errors = threading.Event(), []

    def second() -> None:
        begun.wait(30)
        try:
            workbench.datasets.import_sources(project, [Source("b.conll", conll(50, "b"))], Split.TRAIN)
            workbench.datasets.import_sources(project, [Source("a.conll", conll(60, "a"))], Split.TRAIN)
        except AlreadyExists as error:
            errors.append(str(error))

    other = threading.Thread(target=second)
    other.start()

    def told(watch: ImportWatch) -> None:
        if watch.phase == WRITING and watch.done >= 20:
            begun.set()

    workbench.datasets.import_sources(
        project, [Source("a.conll", conll(60, "a"))], Split.POOL, watch=ImportWatch(told)
    )
    other.join(60)
    assert workbench.datasets.counts(project).total == 110
    positions = [example.position for example in workbench.datasets.browse(project, limit=200).items]
    assert positions == list(range(110))
    assert len(errors) == 1 and "'a.conll'" in errors[0]


def test_what_another_has_taken_back_is_not_shown(workbench: Workbench, small_pieces: None) -> None:
    """A process that slept for so long that it was given up finds out, and fails."""
    project = workbench.projects.create("news", "ner")

    def told(watch: ImportWatch) -> None:
        if watch.phase == WRITING and watch.done == 40:
            with workbench.store.read() as tx:
                (load,) = tx.loads.all()
            importload.take_back(workbench.store, load)

    with pytest.raises(WrongState, match="taken back. Import the file again"):
        workbench.datasets.import_sources(
            project, [Source("a.conll", conll(70))], Split.POOL, watch=ImportWatch(told)
        )
    assert [rows(workbench, table) for table in TABLES] == [0] * len(TABLES)


IMPORT_AND_STOP = """
import sys
from pathlib import Path
from workbench.config import Settings
from workbench.domain import Split
from workbench.formats import Source
from workbench.services import importload, open_workbench
from workbench.services.importwatch import ImportWatch

importload.ROWS = importload.MOST_ROWS = 20
importload.HOLD_SECONDS = 60.0

def told(watch):
    if watch.phase == "writing" and watch.done == 40:
        print("half", flush=True)
        sys.stdin.readline()

opened = open_workbench(Settings(home=Path(sys.argv[1]), database_url=sys.argv[2]))
source = Source("a.conll", Path(sys.argv[3]).read_bytes())
opened.datasets.import_sources(opened.projects.get("news"), [source], Split.POOL, watch=ImportWatch(told))
"""


def test_a_killed_import_is_taken_back_by_the_next_start(workbench: Workbench, tmp_path: Path) -> None:
    project = workbench.projects.create("news", "ner")
    workbench.datasets.import_sources(project, [Source("old.conll", conll(3, "o"))], Split.POOL)
    before = [rows(workbench, table) for table in TABLES]
    path = tmp_path / "a.conll"
    path.write_bytes(conll(100))
    settings = workbench.settings
    arguments = [sys.executable, "-c", IMPORT_AND_STOP, str(settings.home), settings.url, str(path)]
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdin is not None
    assert process.stdout.readline() == "half\n"
    assert rows(workbench, "examples") == 43
    assert workbench.datasets.counts(project).total == 3
    assert sweep_loads(workbench.store) == 0, "its process lives"
    open_workbench(settings).close()
    assert rows(workbench, "examples") == 43
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdin.close()
    process.stdout.close()
    assert workbench.datasets.counts(project).total == 3
    checks = {check.name: check for check in workbench.maintenance.doctor()}
    assert checks["imports"].ok and "taken back" in checks["imports"].detail
    assert [rows(workbench, table) for table in TABLES] == before
    workbench.datasets.import_files(project, [path], split=Split.POOL)
    assert workbench.datasets.counts(project).total == 103


def test_only_what_is_hidden_does_without_the_disk(sqlite_workbench: Workbench) -> None:
    """An import's last transaction, and whatever others write beside it, survive a power failure."""
    store = sqlite_workbench.store

    def setting(tx: Transaction) -> tuple[int, int]:
        run = tx.connection.exec_driver_sql
        return run("PRAGMA synchronous").scalar_one(), run("PRAGMA wal_autocheckpoint").scalar_one()

    for _ in range(2):  # a connection of the pool serves both in turn
        with store.write_hidden() as tx:
            assert setting(tx) == (1, 0)
        with store.write() as tx:
            assert setting(tx) == (2, 1_000)


def test_a_checkpoint_empties_the_log(sqlite_workbench: Workbench) -> None:
    store = sqlite_workbench.store
    file = Path(str(store.engine.url.database))
    project = sqlite_workbench.projects.create("news", "ner")
    with store.write_hidden() as tx:
        tx.projects.set_guidelines(project.id, "seen" * 2_000_000)
    assert b"seenseen" not in file.read_bytes()
    store.checkpoint()
    assert b"seenseen" in file.read_bytes()


def test_others_write_while_a_large_import_is_written(
    sqlite_workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the pauses another writer gets in only when the import is done; with them, again and again."""
    monkeypatch.setattr(importload, "ROWS", 200)
    monkeypatch.setattr(importload, "MOST_ROWS", 200)
    project = sqlite_workbench.projects.create("news", "ner")
    writing, done = threading.Event(), threading.Event()
    waits: list[float] = []

    def other() -> None:
        writing.wait(60)
        while not done.is_set():
            begin = time.monotonic()
            with sqlite_workbench.store.write() as tx:
                tx.projects.set_guidelines(project.id, str(begin))
            waits.append(time.monotonic() - begin)
            time.sleep(0.005)

    thread = threading.Thread(target=other)
    thread.start()
    begin = time.monotonic()

    def told(watch: ImportWatch) -> None:
        if watch.phase == WRITING:
            writing.set()

    sqlite_workbench.datasets.import_sources(
        project, [Source("a.conll", conll(6_000))], Split.POOL, watch=ImportWatch(told)
    )
    took = time.monotonic() - begin
    done.set()
    thread.join(60)
    assert len(waits) > 5
    assert max(waits) < took / 2


def test_every_reader_looks_only_at_what_may_be_seen() -> None:
    folder = Path(storage.__file__).parent
    bare = re.compile(r"examples\.c\.project_id == |imports\.c\.project_id == ")
    allowed = {"visible.py": 2, "loads.py": 2, "examples.py": 2}
    found = {path.name: len(bare.findall(path.read_text())) for path in folder.glob("*.py")}
    assert {name: number for name, number in found.items() if number} == allowed, (
        "use in_project(project_id) and imported(project_id) of storage/visible.py"
    )
