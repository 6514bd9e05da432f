"""Files and folders that take their place complete or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from workbench.errors import InvalidInput


@contextmanager
def atomic(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes its place, complete and on disk, at the end of the block, or never.

    Raises:
        InvalidInput: It can't be written there.
    """
    if path.is_dir():
        raise InvalidInput("is a folder", where=str(path), remedy="name a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:50]}.")
    except OSError as error:
        raise InvalidInput(
            f"can't be written ({error.strerror})",
            where=str(path),
            remedy="check the path and its permissions",
        ) from error
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A folder to fill that takes its place at the end of the block, or never.

    Raises:
        InvalidInput: There is something there already, or it can't be written there.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InvalidInput("is there already", where=str(path), remedy="name a folder that is new or empty")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name[:50]}."))
    except OSError as error:
        raise InvalidInput(
            f"can't be written ({error.strerror})",
            where=str(path),
            remedy="check the path and its permissions",
        ) from error
    try:
        yield temporary
        temporary.chmod(0o755)
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
