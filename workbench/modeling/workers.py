"""Several processes that train one network: each computes a share of every batch, and their gradients are summed.

They hold the same weights and take the same steps (synchronous data parallelism; Goyal et al. 2017), so that a batch
means what it means to one process. The first of them reports, evaluates, keeps checkpoints and writes the model.

A cluster starts all of them and joins them (``torch.distributed`` is initialised before ``train`` is called); on one
machine the first starts the others, ``python -m workbench.modeling.workers FOLDER RANK COUNT PORT``.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import distributed
from torch.distributed import TCPStore  # type: ignore[attr-defined]

from workbench.errors import InvalidInput, RunFailed
from workbench.modeling.device import Device, choose_device
from workbench.modeling.inputs import train_parameters
from workbench.reporting import SilentReporter

JOIN_SECONDS = 120
"""Within which all processes of one machine have to be there."""

PATIENCE = timedelta(hours=2)
"""How long a process waits for the others: the first may have a large validation split to measure."""

_HERE, _MANIFEST = "here", "manifest"


class Workers:
    """The processes of a run, as one of them sees them; alone where there is one.

    Args:
        rank: Which one this is, from 0.
        count: How many there are.
        device: Where this one computes.
    """

    def __init__(self, rank: int = 0, count: int = 1, device: Device | None = None) -> None:
        self.rank = rank
        self.count = count
        self._place = device.torch_device if device is not None else torch.device("cpu")

    @property
    def leads(self) -> bool:
        """Whether this one reports and writes."""
        return self.rank == 0

    def share(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """This one's part of a batch; empty where there are more processes than rows."""
        return np.array_split(rows, self.count)[self.rank] if self.count > 1 else rows

    def add_up(self, parameters: Sequence[torch.nn.Parameter], loss: torch.Tensor) -> torch.Tensor:
        """Sum the gradients of the parameters that learn, and the loss, over all processes.

        Raises:
            RunFailed: Another one has ended.
        """
        if self.count == 1:
            return loss
        learning = [p for p in parameters if p.requires_grad]
        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in learning]
        flat = torch.cat([loss.reshape(1), *(part.reshape(-1) for part in parts)])
        with _others_may_be_gone():
            distributed.all_reduce(flat)
        at = 1
        for parameter, part in zip(learning, parts, strict=True):
            parameter.grad = flat[at : at + part.numel()].view_as(part)
            at += part.numel()
        return flat[0].clone()

    def agree(self, number: int) -> int:
        """The first one's number, in all of them."""
        if self.count == 1:
            return number
        told = torch.tensor([number], device=self._place)
        with _others_may_be_gone():
            distributed.broadcast(told, 0)
        return int(told.item())


@contextlib.contextmanager
def workers(count: int, device: Device, attempt: Path, manifest: Mapping[str, Any]) -> Iterator[Workers]:
    """The processes of a run: those that a cluster has joined, or ``count`` on this machine, or this one alone.

    Args:
        count: As the run asks for. On this machine each has a card of its own, or its part of the cores.
        device: Where this process computes.
        attempt: The run's folder, where the others find the examples.
        manifest: The run's.

    Raises:
        InvalidInput: There are not so many cards here.
        RunFailed: One of them did not come, or has ended before its time.
    """
    if distributed.is_available() and distributed.is_initialized():
        yield Workers(distributed.get_rank(), distributed.get_world_size(), device)
    elif count == 1:
        yield Workers()
    else:
        _check(count, device)
        with _started(count, device, attempt, manifest), _fewer_threads(count, device):
            yield Workers(0, count, device)


def _check(count: int, device: Device) -> None:
    if device.kind == "cpu":
        return
    here = torch.cuda.device_count() if device.kind == "cuda" else 1
    if count > here or device.name not in ("cuda:0", "mps"):
        raise InvalidInput(
            f"{count} workers need {count} cards, and {device.name} is one of the {here} that this machine has",
            remedy=f"choose the device auto and at most {here} workers, or a cluster",
        )


@contextlib.contextmanager
def _fewer_threads(count: int, device: Device) -> Iterator[None]:
    before = torch.get_num_threads()
    if device.kind == "cpu":
        torch.set_num_threads(max(1, before // count))
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def _started(count: int, device: Device, attempt: Path, manifest: Mapping[str, Any]) -> Iterator[None]:
    store = _store(0, count)
    store.set(_MANIFEST, json.dumps(manifest))
    others: list[subprocess.Popen[bytes]] = []
    try:
        for rank in range(1, count):
            command = [sys.executable, "-m", __name__, str(attempt), str(rank), str(count), str(store.port)]
            others.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, env=_environment(rank, count)))
        _wait(store, others)
        with _others_may_be_gone():
            _join(store, 0, count, device)
        yield
    finally:
        for other in others:
            other.kill()  # they write nothing: what they would still do is of no use
            other.wait()
        if distributed.is_initialized():
            distributed.destroy_process_group()


def _store(port: int, count: int, *, first: bool = True) -> TCPStore:
    patience = timedelta(seconds=JOIN_SECONDS)
    return TCPStore("127.0.0.1", port, count, is_master=first, wait_for_workers=False, timeout=patience)


def _environment(rank: int, count: int) -> dict[str, str]:
    """Each of the others sees a card of its own, and has its part of the threads."""
    cards = [card for card in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if card]
    return {
        **os.environ,
        "CUDA_VISIBLE_DEVICES": cards[rank] if rank < len(cards) else str(rank),
        "OMP_NUM_THREADS": str(max(1, torch.get_num_threads() // count)),
    }


def _wait(store: TCPStore, others: Sequence[subprocess.Popen[bytes]]) -> None:
    """Until all of the others are there. Raises RunFailed where one has ended instead."""
    deadline = time.monotonic() + JOIN_SECONDS
    while store.add(_HERE, 0) < len(others):
        ended = next((other.returncode for other in others if other.poll() is not None), None)
        if ended is not None or time.monotonic() > deadline:
            why = "did not come" if ended is None else f"ended with code {ended} before it began"
            raise RunFailed(f"another worker of this run {why}", remedy="see the run's log; resume the run")
        time.sleep(0.02)


def _join(store: TCPStore, rank: int, count: int, device: Device) -> None:
    backend = "nccl" if device.kind == "cuda" else "gloo"
    distributed.init_process_group(backend, store=store, rank=rank, world_size=count, timeout=PATIENCE)


@contextlib.contextmanager
def _others_may_be_gone() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise RunFailed(
            "another worker of this run has ended before its time",
            remedy="resume the run; its last checkpoint is there",
        ) from error


def main(arguments: Sequence[str]) -> None:
    """One of the others: trains with the first one, and leaves reporting and writing to it."""
    attempt, rank, count, port = Path(arguments[0]), *map(int, arguments[1:])
    store = _store(port, count, first=False)
    manifest = json.loads(store.get(_MANIFEST))
    device = choose_device(train_parameters(manifest).device)
    store.add(_HERE, 1)
    _join(store, rank, count, device)
    train = importlib.import_module("workbench.modeling.train").train
    try:
        train(attempt, manifest, SilentReporter())
    finally:
        distributed.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1:])
