"""The write of an import: many short transactions, seen by everybody at once or by nobody ever.

The first transaction adds the imports and hides what will follow (``storage.visible``), the last one shows it; what
a killed process has left behind is taken back by the next start, import or ``workbench doctor``. On SQLite, where
writers exclude each other, the chain of transactions lets go of the database now and then, so that an annotator
who saves meanwhile waits for a fraction of a second.
"""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

import psutil

from workbench.errors import WorkbenchError
from workbench.services.breath import Breath
from workbench.services.importwatch import ImportWatch
from workbench.storage.loads import TAKEN_BACK, Load
from workbench.storage.rows import now
from workbench.storage.store import Store, Transaction

T = TypeVar("T")

ROWS = 1_000
"""Examples that the first transactions write; later ones more or fewer, by how long they hold the database."""

MOST_ROWS = 20_000

HOLD_SECONDS = 0.1
"""How long a transaction may hold the database. Longer ones cost less in all, since fewer pages are written twice."""

SILENT_SECONDS = 120.0
"""An import of another machine that has not been heard of for so long is taken back."""

LOG_SECONDS = 1.0
"""After so much writing SQLite's log goes into the database file: the same pages are written in every transaction."""

POLL_SECONDS = 0.2


def new_owner() -> str:
    """A name for one attempt of this process."""
    started = psutil.Process().create_time()
    return f"{socket.gethostname()[:200]} {os.getpid()} {started:.2f} {uuid.uuid4().hex[:12]}"


def is_alive(load: Load) -> bool:
    """Whether somebody still writes this import: on this machine its process tells, elsewhere its heartbeat."""
    if load.owner == TAKEN_BACK:
        return False
    try:
        host, pid, started, _ = load.owner.rsplit(" ", 3)
        if host == socket.gethostname()[:200]:
            return abs(psutil.Process(int(pid)).create_time() - float(started)) < 1.0
    except psutil.NoSuchProcess:
        return False
    except (ValueError, psutil.Error):
        pass
    return (now() - load.heartbeat_at).total_seconds() < SILENT_SECONDS


def take_back(store: Store, load: Load) -> None:
    """Remove what an import has written that will not be finished, piece by piece."""
    breath = Breath(store)
    while True:
        with breath.held(), store.write() as tx:
            more = tx.loads.remove_some(load, ROWS)
        if not more:
            return
        breath.pause()


def sweep_loads(store: Store) -> int:
    """Take back every import whose process is gone; how many."""
    with store.read() as tx:
        dead = [load for load in tx.loads.all() if not is_alive(load)]
    for load in dead:
        take_back(store, load)
    return len(dead)


class Writer:
    """Writes an import that nobody sees until ``finish``; as a context it takes back what an exception interrupts."""

    def __init__(self, store: Store, project_id: int, total: int, watch: ImportWatch) -> None:
        self._store = store
        self._project_id = project_id
        self._total = total
        self._watch = watch
        self._owner = new_owner()
        self._written = 0
        self._breath = Breath(store)
        self._in_log = 0.0
        self._hidden = False

    def __enter__(self) -> Writer:
        """Nothing to prepare."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Leave nothing behind; where the database does not answer any more, the next start does it."""
        if error is None or not self._hidden:
            return
        with _suppressed():
            with self._store.read() as tx:
                load = tx.loads.of(self._project_id)
            if load is not None and load.owner in (self._owner, TAKEN_BACK):
                take_back(self._store, load)

    @contextmanager
    def first(self) -> Iterator[Transaction]:
        """The transaction that adds the imports; waits for another import into the project. Then call ``hide``."""
        while True:
            with self._store.write() as tx:
                tx.examples.lock_project(self._project_id)
                other = tx.loads.of(self._project_id)
                if other is None:
                    yield tx
                    return
            if is_alive(other):
                self._watch.writing(0, self._total)
                time.sleep(POLL_SECONDS)
            else:
                take_back(self._store, other)

    def hide(self, tx: Transaction, import_ids: Sequence[int]) -> int:
        """Hide the imports and all that follows; the first position for their examples."""
        position = tx.examples.next_position(self._project_id)
        tx.loads.begin(self._project_id, import_ids, position, self._owner, self._total)
        self._hidden = True
        return position

    def parts(self, items: Iterable[T]) -> Iterator[list[T]]:
        """The items in parts for a transaction each, as large as the database takes in good time."""
        rest = iter(items)
        size = ROWS
        while part := list(islice(rest, size)):
            yield part
            if self._store.one_writer and len(part) == size:
                wanted = size * HOLD_SECONDS / max(self._breath.last, 0.001)
                size = int(min(max(wanted, size / 2, ROWS / 4), size * 2, MOST_ROWS))

    @contextmanager
    def some(self, examples: int = 0) -> Iterator[Transaction]:
        """A transaction that writes so many examples, behind a pause for others. Raises Cancelled, WrongState."""
        self._watch.writing(self._written, self._total)
        if self._in_log > LOG_SECONDS:
            self._store.checkpoint()
            self._in_log = 0.0
        self._breath.pause()
        with self._breath.held(), self._store.write_hidden() as tx:
            tx.loads.beat(self._project_id, self._owner, self._written)
            yield tx
        self._in_log += self._breath.last
        self._written += examples

    @contextmanager
    def finish(self) -> Iterator[Transaction]:
        """The transaction that shows everything."""
        self._watch.writing(self._written, self._total)
        with self._store.write() as tx:
            tx.examples.lock_project(self._project_id)
            yield tx
            tx.loads.publish(self._project_id, self._owner)
        self._hidden = False


@contextmanager
def _suppressed() -> Iterator[None]:
    try:
        yield
    except WorkbenchError:
        return


__all__ = ["ROWS", "Writer", "is_alive", "sweep_loads", "take_back"]
