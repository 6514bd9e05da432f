"""Where a training run can go on after its worker died: safetensors and JSON, whole or not at all.

A checkpoint is the folder ``checkpoint/<step>/``. It is written under another name and renamed, and only then are
older ones removed, so that at every moment the newest folder with a number for its name is whole.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from workbench.modeling.artifact import write_json
from workbench.modeling.device import Device
from workbench.modeling.saving import system_errors

STATE, WEIGHTS, MOMENTS = "state.json", "weights.safetensors", "optimizer.safetensors"


@dataclass(frozen=True, slots=True)
class Position:
    """How far a training run is.

    Attributes:
        step: Optimizer steps taken.
        epoch: The epoch that the next step belongs to, from 0.
        batch: The next batch of that epoch, from 0.
        pieces: Into how many parts a batch is cut to fit into memory.
        fingerprint: Of the data and parameters; another run's checkpoint does not fit.
    """

    step: int
    epoch: int
    batch: int
    pieces: int
    fingerprint: str


def save_checkpoint(
    folder: Path,
    network: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    position: Position,
    device: Device,
) -> Path:
    """Write a checkpoint below ``folder`` and remove the ones before it."""
    name = f"{position.step:08d}"
    part = folder / f"{name}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        moments: dict[str, torch.Tensor] = {"rng.cpu": torch.get_rng_state()}
        if device.kind == "cuda":
            moments["rng.cuda"] = torch.cuda.get_rng_state(device.torch_device)
        for index, values in optimizer.state_dict()["state"].items():
            moments |= {f"{index}.{key}": value for key, value in values.items()}
        with system_errors():
            save_file(apart(network.state_dict()), part / WEIGHTS)
            save_file(apart(moments), part / MOMENTS)
        write_json(part / STATE, asdict(position))
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)  # a full disk: leave others room to say so
        raise
    whole = folder / name
    shutil.rmtree(whole, ignore_errors=True)
    part.rename(whole)
    for other in folder.iterdir():
        if other.name.isdigit() and other.name != name:
            shutil.rmtree(other, ignore_errors=True)
    return whole


def newest_checkpoint(folder: Path) -> Path | None:
    """The last whole checkpoint in a folder of them, or None."""
    there = folder.iterdir() if folder.is_dir() else ()
    found = [path for path in there if path.name.isdigit() and (path / STATE).is_file()]
    return max(found, key=lambda path: int(path.name), default=None)


def read_position(checkpoint: Path) -> Position | None:
    """How far the checkpoint is, or None where that can't be read."""
    try:
        data: Mapping[str, Any] = json.loads((checkpoint / STATE).read_text(encoding="utf-8"))
        return Position(**data)
    except (OSError, ValueError, TypeError):
        return None


def load_checkpoint(
    checkpoint: Path, network: torch.nn.Module, optimizer: torch.optim.Optimizer, device: Device
) -> None:
    """Put weights, optimizer and random numbers back as they were."""
    network.load_state_dict(load_file(checkpoint / WEIGHTS), strict=False)
    moments = load_file(checkpoint / MOMENTS)
    torch.set_rng_state(moments.pop("rng.cpu"))
    if "rng.cuda" in moments:
        state = moments.pop("rng.cuda")
        if device.kind == "cuda":
            torch.cuda.set_rng_state(state, device.torch_device)
    states: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in moments.items():
        index, _, key = name.partition(".")
        states.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({"state": states, "param_groups": optimizer.state_dict()["param_groups"]})


def apart(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A network's tensors on the CPU, contiguous, those that share memory once (as safetensors wants them)."""
    seen: set[tuple[int, torch.Size]] = set()
    result = {}
    for name, tensor in tensors.items():
        place = (tensor.data_ptr(), tensor.shape)
        if tensor.numel() and place in seen:
            continue
        seen.add(place)
        result[name] = tensor.detach().to("cpu").contiguous()
    return result
