"""Where a run is computed and which device it queues for, found without torch: one device runs one run at a time."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workbench.config import Settings
from workbench.errors import InvalidInput

KNOWN = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
ON_CLUSTER = re.compile(r"cluster(?::(\d+))?")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run is computed.

    Attributes:
        launcher: Name of the launcher that starts it.
        device: What it queues for.
        worker_device: What the worker is told to compute on.
        resources: ``cpus`` and ``gpus`` that it asks a cluster for.
    """

    launcher: str
    device: str
    worker_device: str
    resources: Mapping[str, float] = field(default_factory=dict)


def place_of(name: str, settings: Settings) -> Place:
    """Where a run goes for a device as a person names it.

    Args:
        name: auto, cpu, cuda, cuda:N, mps, cluster or cluster:N (N GPUs). ``auto`` is the cluster where one is set.
        settings: They name the cluster, and what a run asks it for unless it says so itself.

    Raises:
        InvalidInput: It is none of these, or there is none such.
    """
    wanted = ON_CLUSTER.fullmatch("cluster" if name == "auto" and settings.ray_address else name)
    if wanted is None:
        return Place("local", queue_device(name), name)
    if not settings.ray_address:
        raise InvalidInput("no cluster is set", remedy="set WORKBENCH_RAY_ADDRESS, or choose auto or cpu")
    gpus = float(wanted[1]) if wanted[1] is not None else settings.ray_gpus
    return Place("ray", "cluster", "auto", {"cpus": settings.ray_cpus, "gpus": gpus})


def queue_device(name: str) -> str:
    """The queue for a device as a person names it.

    Args:
        name: auto, cpu, cuda, cuda:N or mps. ``auto`` is the first GPU where there is one.

    Returns:
        cpu, mps or cuda:N.

    Raises:
        InvalidInput: It is none of these, or this machine has none such.
    """
    if not KNOWN.fullmatch(name):
        raise InvalidInput(f"{name!r} is no device", remedy="choose auto, cpu, cuda, cuda:0, mps or cluster")
    if name == "auto":
        return "cuda:0" if gpus() else "mps" if has_mps() else "cpu"
    if name == "cuda":
        name = "cuda:0"
    if name.startswith("cuda:"):
        count = gpus()
        if int(name.removeprefix("cuda:")) >= count:
            have = f"only {count}" if count else "none"
            raise InvalidInput(f"there is no GPU {name} here, {have} was found", remedy="choose auto or cpu")
    if name == "mps" and not has_mps():
        raise InvalidInput("there is no Apple GPU here", remedy="choose auto or cpu")
    return name


def gpus() -> int:
    """How many NVIDIA GPUs a process of ours would see."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        named = [part for part in visible.split(",") if part.strip()]
        return 0 if not named or named[0].strip() in ("-1", "NoDevFiles") else len(named)
    found = list(Path("/proc/driver/nvidia/gpus").glob("*")) or [
        path for path in Path("/dev").glob("nvidia*") if path.name.removeprefix("nvidia").isdigit()
    ]
    return len(found)


def has_mps() -> bool:
    """Whether this is a Mac with Apple's own processor."""
    return sys.platform == "darwin" and platform.machine() == "arm64"
