"""One pass over a large pool by several processes of a cluster: Ray Data hands each a chunk at a time.

The job that was submitted cuts the pool into chunks and keeps what comes back, in whatever order, under each chunk's
number; the ids of its examples are in it. An actor loads the model once. Its node dies: Ray gives its chunk to another.
"""

from __future__ import annotations

import importlib
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.jobs.attempt import AttemptFolder
from workbench.jobs.depot import Depot
from workbench.jobs.parcel import fetch_inputs
from workbench.jobs.raytrain import Crew

if TYPE_CHECKING:
    from workbench.modeling.reading import Machine

EXAMPLES = "examples.jsonl"


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

    def machine(self) -> Machine:
        """What each of them computes on: one is asked."""
        import ray

        ray.init(ignore_reinit_error=True, log_to_driver=True)
        asking = ray.remote(_machine).options(num_cpus=self._crew.cpus, num_gpus=self._crew.gpus)
        found: Machine = ray.get(asking.remote(self._parameters))
        return found

    def read(
        self, texts: Iterator[tuple[int, str]], precision: str, check: Callable[[], None]
    ) -> Iterator[tuple[int, bytes, bytes]]:
        """The two files of each chunk, as they come. Raises what an actor raised, and Cancelled."""
        import ray

        items = [{"number": number, "text": text} for number, text in texts]
        if not items:
            return
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        actors = ray.data.ActorPoolStrategy(min_size=1, max_size=self._crew.workers)
        chunks = ray.data.from_items(items, override_num_blocks=len(items)).map(
            ChunkActor,
            fn_constructor_args=(self._depot_url, precision),
            compute=actors,
            num_cpus=self._crew.cpus,
            num_gpus=self._crew.gpus,
        )
        for row in chunks.iter_rows():
            check()
            yield int(row["number"]), bytes(row["lines"]), bytes(row["arrays"])


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
