"""Features on disk: float16 arrays of NumPy with the ids of their examples, read as memory maps.

A *part* is a folder that one run made: ``ids.npy`` (int64, rising), one ``.npy`` a name of ``acquisition.ARRAYS``, and
``features.json``, which says whose features these are; it is there whole or not at all, and never changes. A model
version has a part for each run that scored some of the pool; of an example that several hold the newest counts.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.acquisition import ARRAYS, Features

FEATURES = "features"
"""Folder of an attempt that holds the part which it makes."""

IDS, INFO = "ids.npy", "features.json"
PART = "run-{:08d}"


def write_features(folder: Path, chunks: Sequence[Path]) -> int:
    """Put chunks (``.npz`` files with ``ids`` and the arrays) together as one part; how many examples it has.

    Args:
        folder: Made; what was there goes.
        chunks: In the order of their ids. Each is read twice, one at a time: a pool need not fit into memory.
    """
    shapes: dict[str, int] = {}
    ids: list[NDArray[np.int64]] = []
    for path in chunks:
        with np.load(path, allow_pickle=False) as held:
            ids.append(held["ids"])
            if len(ids[-1]):
                shapes = {name: held[name].shape[1] for name in ARRAYS}
    every = np.concatenate([np.empty(0, dtype=np.int64), *ids])
    order = np.argsort(every, kind="stable")
    place = np.empty(len(every), dtype=np.int64)
    place[order] = np.arange(len(every))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    np.save(folder / IDS, every[order])
    for name in ARRAYS:
        target = _made(folder / f"{name}.npy", (len(every), shapes.get(name, 0)))
        start = 0
        for path in chunks:
            with np.load(path, allow_pickle=False) as held:
                rows = held["ids"].shape[0]
                if target.size and rows:
                    target[place[start : start + rows]] = held[name]
            start += rows
        if isinstance(target, np.memmap):
            target.flush()
    return len(every)


def _made(path: Path, shape: tuple[int, int]) -> NDArray[np.float16]:
    """An array on disk; one without a number in it can't be mapped."""
    if 0 in shape:
        empty = np.zeros(shape, dtype=np.float16)
        np.save(path, empty)
        return empty
    mapped: NDArray[np.float16] = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape)
    return mapped


def keep_part(source: Path, root: Path, run_id: int, of: str, more: dict[str, Any] | None = None) -> Path:
    """Move a part that a run made to the others. Done again after a crash it changes nothing.

    Args:
        source: The part, on any disk.
        root: Folder of the parts.
        run_id: The run that made it; parts are ordered by it.
        of: What the features are of: the hash of a model version's files, or the name of a base model.
        more: Kept beside it.
    """
    target = root / PART.format(run_id)
    if not source.is_dir():  # moved before a crash, or never made
        return target
    root.mkdir(parents=True, exist_ok=True)
    near = root / f".incoming-{run_id}"
    shutil.rmtree(near, ignore_errors=True)
    if source.stat().st_dev == root.stat().st_dev:
        source.rename(near)
    else:
        shutil.copytree(source, near)
    with (near / INFO).open("w", encoding="utf-8") as file:
        json.dump({"of": of, **(more or {})}, file)
        file.flush()
        os.fsync(file.fileno())
    # A part of that number was left by a run that a restored database knows nothing of.
    shutil.rmtree(target, ignore_errors=True)
    near.rename(target)
    return target


@dataclass(frozen=True, slots=True)
class _Part:
    ids: NDArray[np.int64]
    arrays: dict[str, NDArray[np.float16]]


class FeatureStore:
    """Parts that hold the features of one model, as one table.

    Attributes:
        of: What they are of; None where there is no part.
        info: What was kept beside the newest part.
    """

    def __init__(self, root: Path, of: str | None = None) -> None:
        """Open what is there.

        Args:
            root: Folder of the parts; it need not exist.
            of: Only parts of this; None takes those of what the newest part is of.
        """
        folders = sorted(path for path in root.glob("run-*") if (path / INFO).is_file())
        infos = [json.loads((path / INFO).read_bytes()) for path in folders]
        wanted = of if of is not None else (infos[-1]["of"] if infos else None)
        fitting = [(path, info) for path, info in zip(folders, infos, strict=True) if info["of"] == wanted]
        self.of: str | None = wanted if fitting else None
        self.info: dict[str, Any] = fitting[-1][1] if fitting else {}
        self._parts = [_opened(path) for path, _ in reversed(fitting)]

    def __bool__(self) -> bool:
        return any(len(part.ids) for part in self._parts)

    def columns(self, name: str) -> int:
        """Columns of an array; 0 where nobody made it."""
        return max((part.arrays[name].shape[1] for part in self._parts if len(part.ids)), default=0)

    def ids(self) -> NDArray[np.int64]:
        """Ids of all examples that have features, rising."""
        if len(self._parts) == 1:
            return self._parts[0].ids
        every = np.sort(np.concatenate([np.empty(0, np.int64), *(part.ids for part in self._parts)]))
        return every[np.diff(every, prepend=-1) > 0]  # a tenth of the time of np.unique

    def holds(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Of each id whether it has features."""
        found = np.zeros(len(ids), dtype=bool)
        for part in self._parts:
            found |= _rows(part, ids) >= 0
        return found

    def take(self, ids: NDArray[np.int64], names: Iterable[str] = ARRAYS) -> Features:
        """Features of examples that all have some, in the order of the ids; arrays not named have no columns.

        Raises:
            KeyError: One has none.
        """
        wanted = set(names)
        arrays = {
            name: np.zeros((len(ids), self.columns(name) if name in wanted else 0), dtype=np.float16)
            for name in ARRAYS
        }
        missing = np.ones(len(ids), dtype=bool)
        for part in self._parts:
            rows = _rows(part, ids)
            here = missing & (rows >= 0)
            for name in wanted:
                if here.any() and part.arrays[name].shape[1]:
                    arrays[name][here] = part.arrays[name][rows[here]]
            missing &= ~here
        if missing.any():
            raise KeyError(int(ids[missing][0]))
        return Features(**arrays)


def _opened(path: Path) -> _Part:
    arrays = {}
    for name in ARRAYS:
        file = path / f"{name}.npy"
        header = np.load(file, mmap_mode="r", allow_pickle=False) if _has_numbers(file) else np.load(file)
        arrays[name] = header
    return _Part(np.load(path / IDS, allow_pickle=False), arrays)


def _has_numbers(file: Path) -> bool:
    """Whether there is anything to map behind the header of a ``.npy`` file."""
    with file.open("rb") as opened:
        version = np.lib.format.read_magic(opened)
        read = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, _, _ = read(opened)
    return 0 not in shape


def _rows(part: _Part, ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """The row of each id in a part, -1 where it has none."""
    if not len(part.ids):
        return np.full(len(ids), -1, dtype=np.int64)
    rows = np.minimum(np.searchsorted(part.ids, ids), len(part.ids) - 1)
    return np.where(part.ids[rows] == ids, rows, -1)
