"""Texts that were encoded once are not encoded again, whatever their labels are now; anything else is."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.modeling.conftest import LABELED
from tests.modeling.runs import Recorder, prepare, same, weights
from workbench.domain import ExampleText
from workbench.modeling import encode, encode_answers, encoded
from workbench.modeling.encoded import Encoder
from workbench.modeling.ragged import Ragged
from workbench.modeling.tokenizer import load_tokenizer
from workbench.modeling.train import train

Encode = Callable[[Encoder, list[ExampleText]], Any]
TASKS: dict[str, tuple[bool, Encode]] = {
    "ner": (True, lambda encoder, examples: encoder.tagging(examples)),
    "qa": (False, lambda encoder, examples: encoder.answers(examples)),
}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many examples each call has really encoded."""
    counts: list[int] = []
    for module, name in ((encode, "encode_tagging"), (encode_answers, "encode_answers")):
        original = getattr(module, name)

        def counting(tokenizer: Any, examples: Any, *, _do: Any = original, **size: int) -> Any:
            counts.append(len(examples))
            return _do(tokenizer, examples, **size)

        monkeypatch.setattr(module, name, counting)
    return counts


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, Ragged):
        return _equal(a.values, b.values) and _equal(a.bounds, b.bounds)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    return type(a) is type(b) and bool(a == b)


@pytest.mark.parametrize("task", TASKS)
def test_what_is_found_is_what_was_encoded(tiny: Path, tmp_path: Path, task: str, counted: list[int]):
    for_words, windows = TASKS[task]
    tokenizer = load_tokenizer(tiny, for_words=for_words)
    examples = [text for text, _ in LABELED[task](20)]
    plain = windows(Encoder(tokenizer, 16, 4), examples)
    heard: list[str] = []
    first, second = (windows(Encoder(tokenizer, 16, 4, tmp_path, heard.append), examples) for _ in range(2))
    assert counted == [20, 20]
    assert heard == ["20 examples were encoded by an earlier run."]
    for field in fields(plain):
        for kept in (first, second):
            assert _equal(getattr(plain, field.name), getattr(kept, field.name)), field.name


@pytest.mark.parametrize("changed", ["text", "tokens", "order", "window", "stride", "tokenizer", "code"])
def test_whatever_decides_the_windows_makes_them_anew(
    tiny: Path,
    tiny_left: Path,
    tmp_path: Path,
    changed: str,
    counted: list[int],
    monkeypatch: pytest.MonkeyPatch,
):
    examples = [text for text, _ in LABELED["ner"](6)]
    tokenizer = load_tokenizer(tiny, for_words=True)
    Encoder(tokenizer, 16, 4, tmp_path).tagging(examples)
    size = (16, 4)
    if changed == "text":
        examples[3] = replace(examples[3], text=examples[3].text.upper())
    elif changed == "tokens":
        examples[3] = replace(examples[3], tokens=examples[3].tokens[:-1])
    elif changed == "order":
        examples.reverse()
    elif changed == "code":
        monkeypatch.setattr(encoded, "_CODE", encoded._CODE[1:])
    else:
        size = {"window": (17, 4), "stride": (16, 5), "tokenizer": (16, 4)}[changed]
        tokenizer = load_tokenizer(tiny_left if changed == "tokenizer" else tiny, for_words=True)
    Encoder(tokenizer, *size, tmp_path).tagging(examples)
    assert counted == [6, 6]


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:-40], lambda data: b"x" * len(data)])
def test_a_damaged_file_is_written_anew(
    tiny: Path, tmp_path: Path, damage: Callable[[bytes], bytes], counted: list[int]
):
    examples = [text for text, _ in LABELED["ner"](6)]
    encoder = Encoder(load_tokenizer(tiny, for_words=True), 16, 4, tmp_path)
    encoder.tagging(examples)
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    for _ in range(2):
        encoder.tagging(examples)
    assert counted == [6, 6]


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(
    tiny: Path, tmp_path: Path, counted: list[int]
):
    (tmp_path / "file").touch()
    examples = [text for text, _ in LABELED["ner"](6)]
    encoder = Encoder(load_tokenizer(tiny, for_words=True), 16, 4, tmp_path / "file" / "folder")
    for _ in range(2):
        assert len(encoder.tagging(examples)) == len(examples)
    assert counted == [6, 6]


def test_the_longest_unread_go_first(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    encoder = Encoder(load_tokenizer(tiny, for_words=True), 16, 4, tmp_path)
    texts = [text for text, _ in LABELED["ner"](3)]
    encoder.tagging(texts[:1])
    (first,) = tmp_path.iterdir()
    monkeypatch.setattr(encoded, "KEPT_BYTES", round(2.5 * first.stat().st_size))
    encoder.tagging(texts[1:2])
    (second,) = set(tmp_path.iterdir()) - {first}
    for age, file in enumerate((second, first)):  # a file system's clock may stand still between two writes
        os.utime(file, (1_000 - age, 1_000 - age))
    encoder.tagging(texts[:1])
    encoder.tagging(texts[2:])
    assert first.exists() and not second.exists()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("task", TASKS)
def test_a_second_run_over_the_same_texts_encodes_nothing_and_ends_the_same(
    tiny: Path, tmp_path: Path, task: str, counted: list[int]
):
    lines = []
    for name in ("first", "second"):
        reporter = Recorder()
        manifest = {
            **prepare(tmp_path / name, tiny, task, 16, epochs=1),
            "encoded": str(tmp_path / "encoded"),
        }
        train(tmp_path / name, manifest, reporter)
        lines.append([line for line in reporter.lines if "encoded by an earlier run" in line])
    assert counted == [16, 12]
    assert [len(each) for each in lines] == [0, 2]
    assert same(weights(tmp_path / "first"), weights(tmp_path / "second"))
