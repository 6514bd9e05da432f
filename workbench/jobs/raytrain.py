"""One training by several workers of a cluster: Ray Train starts them and joins them (``torch.distributed``).

The job that was submitted only waits. Each worker brings the inputs to a folder of its own and trains; the first of
them reports, keeps checkpoints and hands over the model, just as a worker that is alone does.
"""

from __future__ import annotations

import importlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.domain import PASSES, RunKind
from workbench.jobs.attempt import AttemptFolder
from workbench.jobs.depot import Depot
from workbench.jobs.parcel import fetch_inputs
from workbench.reporting import SilentReporter


@dataclass(frozen=True, slots=True)
class Crew:
    """What a run asks a cluster for.

    Attributes:
        workers: How many.
        cpus: Of each.
        gpus: Of each.
    """

    workers: int
    cpus: float
    gpus: float

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Crew:
        """A training or a pass that asks for several GPUs has a worker for each of them; without any, as many as it
        says."""
        wants = manifest.get("resources") or {}
        cpus, gpus = float(wants.get("cpus") or 1), float(wants.get("gpus") or 0)
        kind = manifest.get("kind")
        if kind != RunKind.TRAIN and kind not in PASSES:
            return cls(1, cpus, gpus)
        if gpus > 1:
            return cls(int(gpus), cpus, 1.0)
        said = (
            (manifest.get("parameters") or {}).get("workers")
            if kind == RunKind.TRAIN
            else wants.get("readers")
        )
        return cls(int(said or 1), cpus, gpus)


def train_together(depot_url: str, before: int, crew: Crew) -> None:
    """Have a crew compute the attempt in a depot; what comes of it lies there afterwards.

    Args:
        depot_url: The depot's.
        before: Events of the attempt that were reported earlier.
        crew: Who computes it.

    Raises:
        Exception: Ray's, when a worker has ended without a result.
    """
    import ray
    from ray.train import RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    ray.init(log_to_driver=True)
    trainer = TorchTrainer(
        _work,
        train_loop_config={"depot": depot_url, "before": before},
        scaling_config=ScalingConfig(
            num_workers=crew.workers,
            use_gpu=crew.gpus > 0,
            resources_per_worker={"CPU": crew.cpus, **({"GPU": crew.gpus} if crew.gpus else {})},
        ),
        run_config=RunConfig(name="crew", storage_path=depot_url),
    )
    try:
        trainer.fit()
    except Exception:
        # The first has handed over how it ended; the others, left alone by it, were stopped.
        if Depot(depot_url).read_json("result.json") is None:
            raise


def _work(config: Mapping[str, Any]) -> None:
    """One worker's part."""
    from ray import train

    remote = importlib.import_module("workbench.jobs.remote")
    depot = Depot(str(config["depot"]))
    if train.get_context().get_world_rank() > 0:
        _follow(depot)
        return
    outcome = remote.compute(depot, int(config["before"]))
    if outcome["state"] != "succeeded":
        raise RuntimeError("ended without a model: the others need not wait")


def _follow(depot: Depot) -> None:
    with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
        attempt = AttemptFolder(Path(folder))
        fetch_inputs(depot, attempt)
        os.chdir(folder)  # the manifest names its folders from here
        try:
            train = importlib.import_module("workbench.modeling.train").train
            train(attempt.path, attempt.read_manifest(), SilentReporter())
        finally:
            os.chdir("/")
