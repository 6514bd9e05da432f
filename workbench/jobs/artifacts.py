"""Folders of models: hashed, measured, and moved or removed so that they are there whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from pathlib import Path

from workbench.config import Settings
from workbench.jobs.attempt import remove

BLOCK = 1 << 20

PRUNED = ".pruned-"
"""Begins the name of a version's folder that is about to be gone."""


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


def files_of_version(settings: Settings, artifact: str) -> tuple[Path, Path]:
    """The folders of a version's files: of the model, and of what its passes over the pool have left."""
    return settings.models_dir / artifact, settings.features_dir / artifact


def size_on_disk(settings: Settings, artifact: str) -> int:
    """Bytes of a version's files; 0 where there are none."""
    return sum(_size(folder) for folder in files_of_version(settings, artifact))


def discard(settings: Settings, artifact: str) -> bool:
    """Remove a version's files; whether there were any.

    Each folder is renamed first: whoever looks finds all of it or nothing, and what a kill leaves of it is swept by
    its name.

    Raises:
        OSError: A folder can't be renamed; it is still whole.
    """
    found = False
    for folder in files_of_version(settings, artifact):
        aside = folder.with_name(f"{PRUNED}{folder.name}")
        remove(aside)
        if folder.is_dir():
            folder.rename(aside)
            remove(aside)
            found = True
    return found


def _size(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # taken away meanwhile
                total += (Path(parent) / name).stat().st_size
    return total
