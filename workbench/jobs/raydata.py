"""One pass over a large pool by several processes of a cluster: Ray Data hands each a chunk at a time.

The job that was submitted cuts the pool into chunks and keeps what comes back, in whatever order, under each chunk's
number; the ids of its examples are in it. An actor loads the model once. Its node dies: Ray gives its chunk to another.
"""

from __future__ import annotations

import importlib
import os
import queue
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import RunFailed
from workbench.jobs.attempt import AttemptFolder
from workbench.jobs.depot import Depot
from workbench.jobs.parcel import fetch_inputs
from workbench.jobs.raytrain import Crew

if TYPE_CHECKING:
    from workbench.modeling.reading import Machine

EXAMPLES = "examples.jsonl"
CHECK_SECONDS = 1.0


class RayReaders:
    """The actors of a pass; see ``workbench.modeling.reading.Readers``.

    Args:
        depot_url: Where the attempt's inputs lie.
        crew: How many actors at most, and what each asks for.
        parameters: The run's.
    """

    def __init__(self, depot_url: str, crew: Crew, parameters: Mapping[str, Any]) -> None:
        self._depot_url = depot_url
        self._crew = crew
        self._parameters = dict(parameters)

    def machine(self, check: Callable[[], None]) -> Machine:
        """What each of them computes on: one is asked, as soon as the cluster has room. Raises Cancelled."""
        import ray

        ray.init(ignore_reinit_error=True, log_to_driver=True)
        asking = ray.remote(_machine).options(num_cpus=self._crew.cpus, num_gpus=self._crew.gpus)
        asked = asking.remote(self._parameters)
        while not ray.wait([asked], timeout=CHECK_SECONDS)[0]:
            check()
        found: Machine = ray.get(asked)
        return found

    def read(
        self, texts: Iterator[tuple[int, str]], precision: str, check: Callable[[], None]
    ) -> Iterator[tuple[int, bytes, bytes]]:
        """The two files of each chunk, as they come. Raises what an actor raised, and Cancelled."""
        items = [{"number": number, "text": text} for number, text in texts]
        found: queue.Queue[dict[str, Any] | BaseException | None] = queue.Queue()
        if items:
            threading.Thread(target=self._read, args=(items, precision, found), daemon=True).start()
        for _ in items:
            row = _next(found, check)
            yield int(row["number"]), bytes(row["lines"]), bytes(row["arrays"])

    def _read(
        self,
        items: list[dict[str, Any]],
        precision: str,
        found: queue.Queue[dict[str, Any] | BaseException | None],
    ) -> None:
        """On a thread: what comes back goes into a queue, and in the end None or the error."""
        import ray

        try:
            ray.data.DataContext.get_current().enable_progress_bars = False
            chunks = ray.data.from_items(items, override_num_blocks=len(items)).map(
                ChunkActor,
                fn_constructor_args=(self._depot_url, precision),
                compute=ray.data.ActorPoolStrategy(min_size=1, max_size=self._crew.workers),
                num_cpus=self._crew.cpus,
                num_gpus=self._crew.gpus,
            )
            for row in chunks.iter_rows():
                found.put(row)
            found.put(None)
        except BaseException as error:  # is raised where the rows are waited for
            found.put(error)


def _next(
    found: queue.Queue[dict[str, Any] | BaseException | None], check: Callable[[], None]
) -> dict[str, Any]:
    """The next row. Raises what the thread has met, and Cancelled."""
    while True:
        check()
        try:
            row = found.get(timeout=CHECK_SECONDS)
        except queue.Empty:
            continue
        if row is None:
            raise RunFailed("the cluster has read a part of the pool only", remedy="resume the run")
        if isinstance(row, BaseException):
            raise row
        return row


def _machine(parameters: Mapping[str, Any]) -> Any:
    return importlib.import_module("workbench.modeling.reading").Machine.of(parameters)


class ChunkActor:
    """Reads chunks for as long as there are any."""

    def __init__(self, depot_url: str, precision: str) -> None:
        reading = importlib.import_module("workbench.modeling.reading")
        self._chunks = importlib.import_module("workbench.modeling.chunks").Chunks
        self._inputs = importlib.import_module("workbench.modeling.inputs")
        self._folder = Path(tempfile.mkdtemp(prefix="workbench-"))
        self._removal = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        attempt = AttemptFolder(self._folder)
        fetch_inputs(Depot(depot_url), attempt, without=(EXAMPLES, "resume_from"))
        os.chdir(attempt.path)  # the manifest names its folders from here
        manifest = attempt.read_manifest()
        machine = reading.Machine.of(manifest.get("parameters") or {})
        self._wanted = reading.Pass.of(manifest)
        self._reader = reading.ChunkReader(self._wanted, reading.Machine(machine.device, precision))

    def __call__(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The chunk's number and files."""
        number = int(row["number"])
        (self._folder / EXAMPLES).write_text(row["text"], encoding="utf-8")
        rows = list(self._inputs.read_rows(self._folder / EXAMPLES, self._wanted.model.task))
        chunks = self._chunks(self._folder, "")
        chunks.put(number, *self._reader.read(rows, _nothing))
        lines, arrays = chunks.files(number)
        return {"number": number, "lines": lines, "arrays": arrays}


def _nothing(_windows: int) -> None:
    """An actor is ended by Ray; it asks nobody."""
