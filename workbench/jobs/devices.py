"""Which device a run queues for, found without torch: one device runs one run at a time."""

from __future__ import annotations

import os
import platform
import re
import sys
from pathlib import Path

from workbench.errors import InvalidInput

KNOWN = re.compile(r"auto|cpu|mps|cuda(:\d+)?")


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
        raise InvalidInput(f"{name!r} is no device", remedy="choose auto, cpu, cuda, cuda:0 or mps")
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
