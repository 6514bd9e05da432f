"""The folder of a model: whole, unchanged, and put into place in one step."""

from __future__ import annotations

import fcntl
import glob
import hashlib
import os
import secrets
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import AlreadyExists, InvalidInput, ModelUnavailable

SUMS = "SHA256SUMS"
"""Hashes of an export's files, in the form that ``sha256sum -c`` reads."""

MADE, ASIDE = "model", "old"
"""Names within the folder that an export works in: what is being made, and what it is to replace."""

WEIGHTS = (".onnx", ".safetensors")
"""Endings of files that are not worth compressing."""


def check_folder(folder: Path) -> None:
    """Raise ModelUnavailable unless the folder is a model, and unchanged where it brings its files' hashes."""
    if not (folder / "workbench.json").is_file():
        raise ModelUnavailable(
            f"{folder} is no model of the workbench (workbench.json is missing)",
            remedy="give a folder that `workbench export-model` made",
        )
    sums = folder / SUMS
    if not sums.is_file():
        return
    for line in sums.read_text(encoding="utf-8").splitlines():
        wanted, _, name = line.partition("  ")
        path = folder / name
        if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
            raise ModelUnavailable(
                f"{folder} is not whole: {name} is missing", remedy="export the model again"
            )
        if _sha256(path) != wanted:
            raise ModelUnavailable(
                f"{folder} was changed since its export: {name} is another file",
                remedy="export the model again",
            )


def files_of(folder: Path) -> list[Path]:
    """Every file of an export, in the order of their names, without what Python leaves where its code was run."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")


def zip_folder(folder: Path, target: Path) -> None:
    """Pack an export into a zip whose entries lie in one folder of its name."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in files_of(folder):
            stored = zipfile.ZIP_STORED if path.suffix in WEIGHTS else zipfile.ZIP_DEFLATED
            archive.write(path, f"{folder.name}/{path.relative_to(folder).as_posix()}", stored)


def tar_folder(folder: Path, target: Path) -> None:
    """Pack an export into a .tar.gz whose entries lie in one folder of its name; they are nobody's in particular."""

    def anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        return entry

    with tarfile.open(target, "w:gz", compresslevel=1) as archive:  # weights hardly get smaller
        for path in files_of(folder):
            archive.add(path, f"{folder.name}/{path.relative_to(folder).as_posix()}", filter=anonymous)


def refuse_target(out: Path, force: bool) -> None:
    """Raise AlreadyExists or InvalidInput where a model must not be written to ``out``."""
    if not out.exists() and not out.is_symlink():
        return
    if not force:
        raise AlreadyExists(
            f"{out} exists already", remedy="choose another folder, or add --force to replace it"
        )
    if (
        not out.is_dir()
        or out.is_symlink()
        or (any(out.iterdir()) and not (out / "workbench.json").is_file())
    ):
        raise InvalidInput(
            f"{out} is no model's folder, so --force leaves it alone", remedy="choose another folder"
        )


@contextmanager
def beside(out: Path) -> Iterator[Path]:
    """A path on the same disk for the folder that ``put`` renames to ``out``; what is there at the end is removed."""
    out.parent.mkdir(parents=True, exist_ok=True)
    work, lock = _own(out)
    try:
        yield work / MADE
    finally:
        shutil.rmtree(work, ignore_errors=True)
        os.close(lock)


def _own(out: Path) -> tuple[Path, int]:
    """A new folder beside ``out``, and the lock on it that says that somebody lives who needs it."""
    while True:
        work = out.with_name(f".{out.name}.{secrets.token_hex(4)}.part")
        work.mkdir()
        lock = os.open(work, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if work.is_dir():
            return work, lock
        os.close(lock)  # it was tidied away between the two


def recover(out: Path) -> None:
    """Remove what exports to ``out`` have left that were killed; a model that one had moved aside is brought back."""
    for left in out.parent.glob(f".{glob.escape(out.name)}.*.part"):
        _tidy(left, out)


def _tidy(work: Path, out: Path) -> None:
    """Remove the folder of an export that died; leave that of one that lives."""
    try:
        lock = os.open(work, os.O_RDONLY)
    except OSError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if (work / ASIDE).exists() and not out.exists():
            (work / ASIDE).rename(out)
        shutil.rmtree(work, ignore_errors=True)
    except BlockingIOError:
        pass
    finally:
        os.close(lock)


def put(part: Path, out: Path, force: bool) -> None:
    """Rename the folder into place; what was there is moved aside first and brought back if that fails."""
    aside = part.with_name(ASIDE)
    if force and out.exists():
        out.rename(aside)
    try:
        part.rename(out)
    except OSError:
        if aside.exists():
            aside.rename(out)
            raise
        raise AlreadyExists(
            f"{out} was made by somebody else meanwhile", remedy="choose another folder"
        ) from None


def write_sums(folder: Path) -> None:
    """Write the hashes of a folder's files beside them."""
    lines = [f"{_sha256(path)}  {path.relative_to(folder).as_posix()}" for path in files_of(folder)]
    (folder / SUMS).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
