"""Where models run, and how precisely: whatever the device at hand does fast."""

from __future__ import annotations

import contextlib
import ctypes
import platform
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import torch

from workbench.errors import InvalidInput, Unavailable

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's mallopt, by the numbers of its malloc.h."""

LARGEST_KEPT = 1 << 30
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device that is here.

    Attributes:
        name: As torch knows it: ``cpu``, ``cuda:0``, ``mps``.
        title: As people know it: the name of the card or processor.
        precision: ``bf16`` where matrix products in it are fast (CUDA from compute capability 8), else ``fp32``.
        token_budget: Padded sub-words of one batch when nothing is learned.
    """

    name: str
    title: str
    precision: str
    token_budget: int

    @property
    def torch_device(self) -> torch.device:
        """The device, for torch."""
        return torch.device(self.name)

    @property
    def kind(self) -> str:
        """``cpu``, ``cuda`` or ``mps``."""
        return self.name.partition(":")[0]

    @property
    def description(self) -> str:
        """One line: name, title, precision."""
        return f"{self.name} ({self.title}, {self.precision})"

    @contextlib.contextmanager
    def precise(self) -> Iterator[None]:
        """Compute in the device's precision."""
        if self.precision == "bf16":
            with torch.autocast(self.kind, dtype=torch.bfloat16):
                yield
        else:
            yield

    def memory_mb(self) -> float:
        """Most memory that this process has held: on the card, or else in this process now, in MiB."""
        if self.kind == "cuda":
            return torch.cuda.max_memory_allocated(self.torch_device) / 2**20
        return float(psutil.Process().memory_info().rss) / 2**20

    def keep_memory(self) -> None:
        """Let this process keep what it frees, for the next step asks for as much again.

        glibc gives each large block back to the system at once, and takes it anew zeroed page by page: about a
        twentieth of a training step on a CPU, and more of a pass in 8 bits. Nothing happens where
        the C library is another.
        """
        if self.kind == "cpu" and platform.libc_ver()[0] == "glibc":
            libc = ctypes.CDLL(None)
            libc.mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT)
            libc.mallopt(M_TRIM_THRESHOLD, LARGEST_KEPT)

    def free_memory(self) -> None:
        """Give back what nothing holds any more."""
        if self.kind == "cuda":
            torch.cuda.empty_cache()
        elif self.kind == "mps":
            torch.mps.empty_cache()


def choose_device(wanted: str = "auto") -> Device:
    """The device asked for, or with ``auto`` the best here.

    Args:
        wanted: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Raises:
        InvalidInput: That is no device's name.
        Unavailable: It is not on this machine.
    """
    name = wanted.strip().lower() or "auto"
    kind, _, number = name.partition(":")
    if kind not in ("auto", "cpu", "cuda", "mps") or (number and (kind != "cuda" or not number.isdigit())):
        raise InvalidInput(f"{wanted!r} is no device", remedy="use auto, cpu, cuda, cuda:0 or mps")
    if kind == "auto":
        kind = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if kind == "cuda":
        return _cuda(wanted, int(number or 0))
    if kind == "mps":
        if not torch.backends.mps.is_available():
            raise _absent(wanted)
        return Device("mps", "Apple GPU", "fp32", 8192)
    return Device("cpu", platform.processor() or platform.machine(), "fp32", 1024)


def _cuda(wanted: str, index: int) -> Device:
    if not torch.cuda.is_available() or index >= torch.cuda.device_count():
        raise _absent(wanted)
    fast = torch.cuda.get_device_capability(index)[0] >= 8
    return Device(f"cuda:{index}", torch.cuda.get_device_name(index), "bf16" if fast else "fp32", 32768)


def _absent(wanted: str) -> Unavailable:
    here = ["cpu"]
    if torch.cuda.is_available():
        here += [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        here.append("mps")
    return Unavailable(
        f"device {wanted!r} is not on this machine",
        remedy=f"use auto, or one of those here: {', '.join(here)}",
    )


def out_of_memory(error: BaseException) -> bool:
    """Whether the error says that the device's memory did not suffice."""
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and "out of memory" in str(error).lower()
    )
