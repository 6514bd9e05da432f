"""Damaged files: a WorkbenchError that names the place, or a correct import; never anything else."""

from __future__ import annotations

import os
import random

import pytest

from tests.formats.samples import FILES
from tests.formats.test_contract import PAIRS
from workbench.domain import NewExample
from workbench.errors import FormatError, WorkbenchError
from workbench.formats import FORMATS, ReadOptions, Report, Source
from workbench.services.importing import detect_format
from workbench.tasks import get_task

SHORT = 200
LONG = int(os.environ.get("WORKBENCH_MUTATIONS", "10000"))


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The bytes with one to four injuries."""
    for _ in range(chance.randint(1, 4)):
        data = chance.choice(INJURIES)(data, chance)
    return data


def _flip(data: bytes, chance: random.Random) -> bytes:
    if not data:
        return data
    place = chance.randrange(len(data))
    return data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _drop_line(data: bytes, chance: random.Random) -> bytes:
    lines = data.split(b"\n")
    del lines[chance.randrange(len(lines))]
    return b"\n".join(lines)


def _double_line(data: bytes, chance: random.Random) -> bytes:
    lines = data.split(b"\n")
    place = chance.randrange(len(lines))
    return b"\n".join([*lines[:place], lines[place], *lines[place:]])


def _drop_column(data: bytes, chance: random.Random) -> bytes:
    lines = data.split(b"\n")
    place = chance.randrange(len(lines))
    cells = lines[place].split(b"\t" if b"\t" in lines[place] else b" ")
    del cells[chance.randrange(len(cells))]
    lines[place] = b" ".join(cells)
    return b"\n".join(lines)


def _insert(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data) + 1)
    return data[:place] + chance.choice(ODDITIES) + data[place:]


def _swap(data: bytes, chance: random.Random) -> bytes:
    a, b = sorted(chance.choices(range(len(data) + 1), k=2))
    return data[:a] + data[b:] + data[a:b]


INJURIES = (_flip, _cut, _drop_line, _double_line, _drop_column, _insert, _swap)
ODDITIES = (
    b"\xef\xbb\xbf", b"\xff\xfe", b"\0", b"\r", b"\t", b"\t\t", b" ", b"\xc2\xa0", b"\xe2\x80\xa8", b"\xf0\x9f\x98\x80",
    b"[" * 3000, b"{" * 3000, b'{"a":' * 3000, b"null", b"NaN", b"1e999", b"-1", b"true", b'"', b"\\u0000", b"\\ud800",
    b"#", b"-DOCSTART-", b"I-", b"B-X", b"9" * 5000, b"1-2\t", b"1.1\t", b'""', b"[]", b"{}", b",", b";", b"\x85",
)  # fmt: skip


def check(example: NewExample, task: str) -> None:
    text = example.content.text
    assert text.strip() and "\0" not in text
    text.encode()
    last = 0
    for start, end in example.content.tokens:
        assert last <= start < end <= len(text)
        last = end
    if example.payload is not None:
        get_task(task).validate(
            example.payload, example.content, tuple(get_task(task).labels_in(example.payload))
        )
    example.external_id.encode()
    example.document.encode()


def run(name: str, task: str, seeds: range) -> tuple[int, int]:
    """Read damaged samples; how many were read and how many refused."""
    fine = refused = 0
    for seed in seeds:
        chance = random.Random(f"{name} {task} {seed}")
        source = Source("file", mutated(FILES[name, task], chance))
        try:
            if seed % 4 == 0:
                detect_format(source, task)
            for example in FORMATS[name].read(source, ReadOptions(task), Report()):
                check(example, task)
            fine += 1
        except WorkbenchError as error:
            refused += 1
            assert len(str(error)) < 2_000 and "\n" not in str(error), seed
            if isinstance(error, FormatError):
                assert error.file == "file", seed
        except Exception as error:
            raise AssertionError(f"seed {seed}: {source.data!r}") from error
    return fine, refused


@pytest.mark.parametrize(("name", "task"), PAIRS)
def test_damaged_files_are_refused_or_read(name: str, task: str) -> None:
    fine, refused = run(name, task, range(SHORT))
    assert fine and refused


@pytest.mark.proof
@pytest.mark.parametrize(("name", "task"), PAIRS)
def test_damaged_files_are_refused_or_read_the_long_form(name: str, task: str) -> None:
    run(name, task, range(SHORT, SHORT + LONG))
