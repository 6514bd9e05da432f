"""A file's bytes on the way in: size, encoding, compression, lines."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from operator import methodcaller
from pathlib import Path, PurePosixPath
from typing import IO

from workbench.errors import FormatError, InvalidInput, NotFound, UndecodableText
from workbench.formats.bundle import ANNOTATIONS, TEXT, packed, pairs

ENCODINGS = {"utf-8": "UTF-8", "latin-1": "Latin-1", "cp1252": "Windows-1252"}
HEAD = 65_536
"""Bytes that formats look at to tell what a file is."""
MAX_MEMBERS = 1_000
"""Files of one archive."""
MAX_PAIRED = 20_000
"""Files of one archive or folder of texts with annotations beside them."""
BOUNDED = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""How the files of a .zip may be packed: ``zipfile`` unpacks bzip2 and LZMA as a whole, however little is asked for."""

_PIECE = 1 << 20
_without_ending = methodcaller("rstrip", "\r\n")
_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Source:
    """A file: the name that the person knows it by, and its bytes, unpacked."""

    name: str
    data: bytes

    @cached_property
    def sha256(self) -> str:
        """Hash of the bytes, hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def head(self) -> bytes:
        """The first bytes, without a byte order mark."""
        return self.data[:HEAD].removeprefix(_BOM)

    @cached_property
    def stem(self) -> str:
        """The name without its folders."""
        return PurePosixPath(self.name.replace("\\", "/")).name or "file"

    def check(self, encoding: str) -> None:
        """Raise FormatError (with the line) unless this is text in the encoding; InvalidInput on an unknown one."""
        check_encoding(encoding)
        if self.data.startswith(_WIDE_BOMS):
            raise FormatError("is UTF-16 text", file=self.name, remedy="save it as UTF-8")
        nul = self.data.find(b"\0")
        if nul >= 0:
            raise FormatError(
                "holds a NUL byte, which no text has",
                file=self.name,
                line=self.line_of(nul),
                remedy="give a text file, or remove the byte",
            )
        decoder = codecs.getincrementaldecoder(encoding)("strict")
        view = memoryview(self.data)
        for start in range(0, max(len(view), 1), _PIECE):
            pending = len(decoder.getstate()[0])
            piece = bytes(view[start : start + _PIECE])
            try:
                decoder.decode(piece, final=start + _PIECE >= len(view))
            except UnicodeDecodeError as error:
                place = start - pending + error.start
                raise self._undecodable(encoding, place) from None

    def _undecodable(self, encoding: str, place: int) -> UndecodableText:
        """The question which encoding it is, with how the line of that byte reads in each other one."""
        start = max(self.data.rfind(b"\n", 0, place), self.data.rfind(b"\r", 0, place)) + 1
        line = re.split(rb"[\r\n]", self.data[max(start, place - 60) : place + 60])[0]
        readings: dict[str, str] = {}
        for name in ENCODINGS:
            try:
                if name != encoding:
                    readings[name] = line.decode(name)
            except UnicodeDecodeError:
                continue
        told: dict[str, list[str]] = {}
        for name, reading in readings.items():
            told.setdefault(reading, []).append(ENCODINGS[name])
        shown = ", ".join(f"{reading.strip()!r} as {' or '.join(names)}" for reading, names in told.items())
        choices = " or ".join(f"--encoding {name}" for name in readings)
        return UndecodableText(
            f"is not {ENCODINGS[encoding]} text (byte 0x{self.data[place]:02X}); this line reads {shown}"
            if shown
            else f"is not {ENCODINGS[encoding]} text (byte 0x{self.data[place]:02X})",
            file=self.name,
            line=self.line_of(place),
            remedy=f"say which it is ({choices}), or save it as UTF-8" if choices else "save it as UTF-8",
            encoding=encoding,
            readings=readings,
        )

    def line_of(self, place: int) -> int:
        """Number of the line that a byte stands in, counted from 1."""
        return self.data.count(b"\n", 0, place) + 1

    def lines(self, encoding: str = "utf-8") -> Iterator[str]:
        r"""Every line with its own ending (``\n``, ``\r\n`` or ``\r``), the byte order mark included."""
        return io.TextIOWrapper(io.BytesIO(self.data), encoding=encoding, newline="")

    def plain_lines(self, encoding: str = "utf-8") -> Iterator[str]:
        """Every line without its ending, and without a byte order mark."""
        lines = map(_without_ending, self.lines(encoding))
        first = next(lines, None)
        return lines if first is None else chain((first.removeprefix("\ufeff"),), lines)

    def text(self, encoding: str = "utf-8") -> str:
        """The whole text, without a byte order mark."""
        return self.data.decode(encoding).removeprefix("\ufeff")


def check_encoding(encoding: str) -> None:
    """Raise InvalidInput on an encoding that is not known here."""
    if encoding not in ENCODINGS:
        raise InvalidInput(
            f"{encoding!r} is no encoding known here", remedy=f"choose from {', '.join(ENCODINGS)}"
        )


def read_sources(path: Path, max_bytes: int) -> list[Source]:
    """The file at a path, or the files packed in it.

    Raises:
        NotFound: There is no such file.
        InvalidInput: It is a folder of other things than texts with annotations, too large, or can't be read.
    """
    if path.is_dir():
        return [_bundle(path, max_bytes)]
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise _too_large(path.name, max_bytes)
        return unpack(path.name, path.read_bytes(), max_bytes)
    except FileNotFoundError:
        raise NotFound("there is no such file", where=str(path), remedy="check the path") from None
    except OSError as error:
        raise InvalidInput(
            f"can't be read ({error.strerror})", where=str(path), remedy="check the permissions"
        ) from error


def unpack(name: str, data: bytes, max_bytes: int) -> list[Source]:
    """A file's bytes as sources: itself, or what a .gz or .zip holds; never more than ``max_bytes`` unpacked."""
    if len(data) > max_bytes:
        raise _too_large(name, max_bytes)
    if data.startswith(b"\x1f\x8b"):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
                return [Source(name.removesuffix(".gz"), _bounded(packed, name, max_bytes))]
        except (OSError, EOFError, zlib.error) as error:
            raise FormatError("is a damaged .gz file", file=name, remedy="pack it again") from error
    if data.startswith(b"PK\x03\x04"):
        return _unpack_zip(name, data, max_bytes)
    return [Source(name, data)]


def _bundle(folder: Path, max_bytes: int) -> Source:
    """The texts with annotations of a folder (and of the folders in it), packed as one file."""
    paths = sorted(
        path for path in folder.rglob("*") if path.suffix in (TEXT, ANNOTATIONS) and path.is_file()
    )
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    if not pairs(names):
        raise InvalidInput("is a folder", where=str(folder), remedy="name the files in it")
    try:
        if len(paths) > MAX_PAIRED or sum(path.stat().st_size for path in paths) > max_bytes:
            raise _too_large(folder.name, max_bytes)
        return Source(
            f"{folder.resolve().name}.zip", packed({name: path.read_bytes() for name, path in names.items()})
        )
    except OSError as error:
        raise InvalidInput(
            f"can't be read ({error.strerror})", where=str(folder), remedy="check the permissions"
        ) from error


def has_pairs(folder: Path) -> bool:
    """Whether a folder holds texts with annotations beside them."""
    return any(path.with_suffix(TEXT).is_file() for path in folder.rglob(f"*{ANNOTATIONS}"))


def paired(sources: Iterable[Source]) -> list[Source]:
    """The sources, a text and its annotations that stand among them as one.

    Raises:
        FormatError: An .ann is alone, or may belong to several texts (of several folders).
    """
    given = list(sources)
    by_name = {source.name: source for source in given}
    whole = pairs(by_name)
    counts = Counter(source.name for source in given)
    for name in (stem + ending for stem in whole for ending in (TEXT, ANNOTATIONS)):
        if counts[name] > 1:
            raise FormatError(
                "comes twice, and which annotations are whose can't be told",
                file=name,
                remedy="name the folders in place of the files in them",
            )
    result: list[Source] = []
    for source in given:
        stem = source.name.removesuffix(TEXT).removesuffix(ANNOTATIONS)
        if stem in whole and source.name == stem + TEXT:
            both = (source, by_name[stem + ANNOTATIONS])
            result.append(Source(f"{stem}.zip", packed({one.stem: one.data for one in both})))
        elif source.name.endswith(ANNOTATIONS) and stem not in whole:
            raise FormatError(
                "comes without its text", file=source.name, remedy=f"give {stem}{TEXT} along with it"
            )
        elif stem not in whole or source.name == stem:
            result.append(source)
    return result


def _unpack_zip(name: str, data: bytes, max_bytes: int) -> list[Source]:
    sources: list[Source] = []
    left = max_bytes
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [
                info for info in archive.infolist() if not info.is_dir() and not _hidden(info.filename)
            ]
            _refuse_unbounded(members, name)
            together = pairs(info.filename for info in members)
            if len(members) > MAX_MEMBERS and not together:
                raise InvalidInput(
                    f"holds {len(members):,} files", where=name, remedy=f"pack at most {MAX_MEMBERS:,}"
                )
            if together:
                if len(members) > MAX_PAIRED or sum(info.file_size for info in members) > max_bytes:
                    raise _too_large(name, max_bytes)
                return [Source(name, data)]
            for info in members:
                with archive.open(info) as packed:
                    sources.append(Source(info.filename, _bounded(packed, name, left)))
                left -= len(sources[-1].data)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise FormatError(
            f"is a .zip file that can't be unpacked ({error})",
            file=name,
            remedy="pack it again, without a password",
        ) from error
    if not sources:
        raise FormatError("is an empty .zip file", file=name, remedy="pack the files into it")
    return sources


def _refuse_unbounded(members: Iterable[zipfile.ZipInfo], name: str) -> None:
    for info in members:
        if info.compress_type not in BOUNDED:
            raise FormatError(
                f"holds {info.filename}, which is not packed by Deflate",
                file=name,
                remedy="pack it again with the usual compression",
            )


def _hidden(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or (bool(parts) and parts[-1].startswith("."))


def _bounded(packed: IO[bytes] | gzip.GzipFile, name: str, max_bytes: int) -> bytes:
    content = packed.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise _too_large(name, max_bytes)
    return content


def _too_large(name: str, max_bytes: int) -> InvalidInput:
    return InvalidInput(
        f"is larger than the {max_bytes // 1_048_576:,} MiB that an import takes",
        where=name,
        remedy="split it, or raise WORKBENCH_MAX_UPLOAD_MB",
    )
