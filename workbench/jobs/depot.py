"""Where an attempt and what it makes travel between the workbench and a cluster: a shared folder or any fsspec URL.

inputs.json      the files of ``inputs/``, with size and SHA-256; written when all of them are there
inputs/…         what the worker reads
events.jsonl     what it has reported so far
checkpoint.json  its last whole checkpoint: relative paths and the files of ``blobs/`` that they are
blobs/…          files of checkpoints, named by their SHA-256
outputs/…        what it made
result.json      how it ended, and the files of ``outputs/``; written last
cancel           a marker: stop at the next step
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from workbench.errors import RunFailed, Unavailable

BLOCK = 1 << 20


class Depot:
    """One attempt's folder in the storage that both sides reach. A file is seen whole or not at all.

    Args:
        url: A folder, or a URL such as s3://bucket/prefix.

    Raises:
        Unavailable: No installed package reads such a URL.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            self._fs, root = url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise Unavailable(
                f"{url} can't be reached ({error})",
                remedy="set WORKBENCH_RAY_STORAGE to a shared folder, or install what fsspec names for it",
            ) from error
        self._root = str(root).rstrip("/")
        self._local = isinstance(self._fs, LocalFileSystem)

    def read(self, name: str) -> bytes | None:
        """The content of a file, None where it is not there."""
        try:
            self._fs.invalidate_cache()
            return bytes(self._fs.cat_file(self._path(name)))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def read_json(self, name: str) -> dict[str, Any] | None:
        """The JSON object in a file; None where it is not there, or is damaged."""
        found = self.read(name)
        try:
            value = json.loads(found) if found is not None else None
        except ValueError:
            return None
        return value if isinstance(value, dict) else None

    def write(self, name: str, content: bytes) -> None:
        """Put a file there, or replace it."""
        path = self._path(name)
        self._fs.makedirs(str(PurePosixPath(path).parent), exist_ok=True)
        if self._local:  # an object store shows an object when all of it is there; a folder does not
            self._fs.pipe_file(f"{path}.part", content)
            Path(f"{path}.part").replace(path)
        else:
            self._fs.pipe_file(path, content)

    def send(self, source: Path, name: str) -> dict[str, Any]:
        """Put a copy of a local file there; its ``size`` and ``sha256``."""
        path = self._path(name)
        self._fs.makedirs(str(PurePosixPath(path).parent), exist_ok=True)
        if self._local:
            shutil.copyfile(source, f"{path}.part")
            Path(f"{path}.part").replace(path)
        else:
            self._fs.put_file(str(source), path)
        return stamp(source)

    def fetch(self, name: str, target: Path, said: Mapping[str, Any]) -> None:
        """Get a file, and check it against the size and SHA-256 that were said of it.

        Raises:
            RunFailed: It is missing or another one.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._fs.invalidate_cache()
            self._fs.get_file(self._path(name), str(target))
        except FileNotFoundError as error:
            raise RunFailed(f"{name} is missing in {self.url}", remedy="resume the run") from error
        if stamp(target) != {"size": said.get("size"), "sha256": said.get("sha256")}:
            raise RunFailed(f"{name} in {self.url} is damaged", remedy="resume the run")

    def exists(self, name: str) -> bool:
        """Whether the file is there."""
        self._fs.invalidate_cache()
        return bool(self._fs.exists(self._path(name)))

    def names(self, under: str) -> list[str]:
        """Names of the files below a folder, relative to the depot."""
        self._fs.invalidate_cache()
        return [str(path).removeprefix(f"{self._root}/") for path in self._fs.find(self._path(under))]

    def remove(self, name: str) -> None:
        """Remove a file or a folder; nothing there is fine."""
        try:
            self._fs.rm(self._path(name), recursive=True)
        except FileNotFoundError:
            return

    def entries(self) -> list[str]:
        """Names of the files and folders at the top; none where there is nothing yet."""
        try:
            self._fs.invalidate_cache()
            found = self._fs.ls(self._root, detail=False)
        except FileNotFoundError:
            return []
        return [str(path).rstrip("/").rsplit("/", 1)[-1] for path in found]

    def clear(self, keep: Iterable[str] = ()) -> None:
        """Remove everything but some files at the top."""
        for name in self.entries():
            if name not in keep:
                self.remove(name)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


def attempt_name(home_key: str, attempt_id: str) -> str:
    """What the attempt of a home's run is called in the cluster, and its folder in the storage."""
    return f"workbench-{home_key}-{attempt_id}"


def stamp(path: Path) -> dict[str, Any]:
    """Size and SHA-256 of a local file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return {"size": path.stat().st_size, "sha256": digest.hexdigest()}


def files_of(folder: Path) -> list[tuple[str, Path]]:
    """Every file below a folder with its relative path, by name; none where there is no folder."""
    if not folder.is_dir():
        return []
    return [
        (path.relative_to(folder).as_posix(), path) for path in sorted(folder.rglob("*")) if path.is_file()
    ]


def safe_relative(name: str) -> PurePosixPath:
    """The path, refused when it would leave its folder. Raises RunFailed."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise RunFailed(f"the cluster sent a file named {name!r}", remedy="look at the run's log")
    return path
