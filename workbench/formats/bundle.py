"""Files that belong together (a text and its annotations), kept as one: the bytes of a .zip of them.

The same files make the same bytes, so that they are recognised when they come again.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import BinaryIO

from workbench.errors import FormatError

MAGIC = b"PK\x03\x04"
TEXT, ANNOTATIONS = ".txt", ".ann"
_DAMAGED = (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError)


def pairs(names: Iterable[str]) -> list[str]:
    """What the names of texts that have annotations beside them begin with, sorted."""
    known = set(names)
    return sorted(
        name.removesuffix(ANNOTATIONS)
        for name in known
        if name.endswith(ANNOTATIONS) and name.removesuffix(ANNOTATIONS) + TEXT in known
    )


def pack(files: Mapping[str, bytes], out: BinaryIO) -> None:
    """Write files into a .zip, in the order of their names and without the time of day."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, files[name])


def packed(files: Mapping[str, bytes]) -> bytes:
    """The bytes of ``pack``."""
    out = io.BytesIO()
    pack(files, out)
    return out.getvalue()


def names_in(data: bytes, file: str) -> list[str]:
    """Names of the files in a .zip, in its order. Raises FormatError where it is damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [info.filename for info in archive.infolist() if not info.is_dir()]
    except _DAMAGED as error:
        raise _damaged(file, error) from error


def member(data: bytes, name: str, file: str, max_bytes: int) -> bytes:
    """One file of a .zip. Raises FormatError where it is damaged or larger than ``max_bytes``."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(name) as opened:
            content = opened.read(max_bytes + 1)
    except (*_DAMAGED, KeyError) as error:
        raise _damaged(file, error) from error
    if len(content) > max_bytes:
        raise FormatError(
            f"holds a file of more than {max_bytes // 1_048_576:,} MiB", file=file, remedy="split it"
        )
    return content


def replaced_in(data: bytes, new: Mapping[str, bytes]) -> bytes:
    """The .zip with some files replaced or added and every other one as it was."""
    out = io.BytesIO()
    left = dict(new)
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(out, "w") as target:
        for info in archive.infolist():
            content = left.pop(info.filename) if info.filename in left else archive.read(info)
            target.writestr(info, content)
        for name in sorted(left):
            target.writestr(zipfile.ZipInfo(name), left[name], zipfile.ZIP_DEFLATED)
    return out.getvalue()


def file_name(document: str, taken: set[str]) -> str:
    """A name for a document's file that no other one has, in signs that every system takes."""
    plain = (
        "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in document)[:80].strip(".")
        or "document"
    )
    name, number = plain, 1
    while name.lower() in taken:
        number += 1
        name = f"{plain}-{number}"
    taken.add(name.lower())
    return name


def _damaged(file: str, error: BaseException) -> FormatError:
    return FormatError(
        f"is a .zip file that can't be unpacked ({error})",
        file=file,
        remedy="pack it again, without a password",
    )


def is_safe(name: str) -> bool:
    """Whether a packed file's name stays inside of its folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    return not path.is_absolute() and ".." not in path.parts
