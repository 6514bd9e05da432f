"""Folders of models: hashed, and moved so that they are there whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

BLOCK = 1 << 20


def hash_folder(folder: Path, *, sync: bool = False) -> str:
    """SHA-256 over the names and contents of a folder's files, in the order of their names.

    Args:
        folder: What to hash.
        sync: Also have the system write each file to the disk, so that a registered model survives a power cut.
    """
    whole = hashlib.sha256()
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in files:
        part = hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                part.update(block)
            if sync:
                os.fsync(file.fileno())
        name = path.relative_to(folder).as_posix()
        whole.update(f"{name}\0{part.hexdigest()}\n".encode())
    return whole.hexdigest()


def bring_near(source: Path, models_dir: Path) -> Path:
    """The folder on the disk of the models folder: itself, or a copy beside its destination when it lies elsewhere."""
    models_dir.mkdir(parents=True, exist_ok=True)
    if source.stat().st_dev == models_dir.stat().st_dev:
        return source
    near = models_dir / f".incoming-{source.parent.parent.name}-{source.parent.name}"
    shutil.rmtree(near, ignore_errors=True)
    shutil.copytree(source, near)
    return near
