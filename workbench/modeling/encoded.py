"""Windows of texts, kept on disk by what they were made of: a second run over the same texts encodes nothing.

A file's name is the hash of all that decides its windows: the texts with their tokens, questions and context, the
tokenizer, the size of a window, and the code that cuts them. Labels are not among it, so that corrections of labels
encode nothing anew either.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from workbench.domain import ExampleText
from workbench.modeling import encode, encode_answers, ragged, tokenizer, windows
from workbench.modeling.encode import TaggingWindows
from workbench.modeling.encode_answers import AnswerWindows
from workbench.modeling.ragged import Ragged
from workbench.modeling.tokenizer import SubwordTokenizer

KEPT_BYTES = 1 << 29
KEPT_SECONDS = 30 * 24 * 3600.0
"""Of all files together, and of each since it was last read."""

_CODE = (encode, encode_answers, ragged, tokenizer, windows)

W = TypeVar("W", TaggingWindows, AnswerWindows)


class Encoder:
    """Encodes examples for one tokenizer, or finds that they were encoded before.

    Args:
        tokenizer: The network's.
        max_length: Sub-words per window, special ones included.
        stride: Sub-words that neighbouring windows of one example share.
        folder: Where windows are kept; None keeps none. A folder that can't be written keeps none either.
        log: Hears, in a sentence, that nothing had to be encoded.
        context: Sub-words of its document that stand on either side of a sentence of tokens.
    """

    def __init__(
        self,
        tokenizer: SubwordTokenizer,
        max_length: int,
        stride: int,
        folder: Path | None = None,
        log: Callable[[str], None] | None = None,
        context: int = 0,
    ) -> None:
        self.tokenizer = tokenizer
        self._size = {"max_length": max_length, "stride": stride}
        self._context = context
        self._folder = folder
        self._log = log

    def tagging(self, examples: Sequence[ExampleText]) -> TaggingWindows:
        """Windows over tokens. Raises InvalidInput where hardly anything fits into one."""
        make = (
            partial(encode.encode_tagging, context=self._context) if self._context else encode.encode_tagging
        )
        return self._windows(TaggingWindows, make, examples)

    def answers(self, examples: Sequence[ExampleText]) -> AnswerWindows:
        """Windows over questions and contexts. Raises InvalidInput where hardly anything fits into one."""
        return self._windows(AnswerWindows, encode_answers.encode_answers, examples)

    def _windows(self, kind: type[W], make: Callable[..., W], examples: Sequence[ExampleText]) -> W:
        if self._folder is None or not examples:
            return make(self.tokenizer, examples, **self._size)
        path = self._folder / f"{self._key(kind.__name__, examples)}.npz"
        found = _read(path, kind)
        if found is not None:
            if self._log is not None:
                self._log(f"{len(examples)} examples were encoded by an earlier run.")
            return found
        made = make(self.tokenizer, examples, **self._size)
        _write(path, made)
        return made

    def _key(self, kind: str, examples: Sequence[ExampleText]) -> str:
        digest = hashlib.sha256(
            json.dumps([kind, self._size, self._context, self.tokenizer.fingerprint()]).encode()
        )
        for module in _CODE:
            digest.update(hashlib.sha256(Path(str(module.__file__)).read_bytes()).digest())
        for example in examples:
            around = [example.before, example.after] if self._context else []
            row = json.dumps([example.text, example.tokens, example.question, *around])
            digest.update(f"{row}\n".encode())
        return digest.hexdigest()


def _read(path: Path, kind: type[W]) -> W | None:
    """What was kept; None where nothing was, or it is damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            arrays: Mapping[str, NDArray[Any]] = dict(held)
        os.utime(path)
        return kind(**{field.name: _value(arrays, field.name, str(field.type)) for field in fields(kind)})
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None


def _value(arrays: Mapping[str, NDArray[Any]], name: str, kind: str) -> Any:
    if kind == "Ragged":
        return Ragged(arrays[f"{name}.values"], arrays[f"{name}.bounds"])
    if kind == "int":
        return int(arrays[name])
    return tuple(arrays[name].tolist()) if kind.startswith("tuple") else arrays[name]


def _write(path: Path, made: TaggingWindows | AnswerWindows) -> None:
    """Keep windows, whole or not at all. A disk that is full or closed to us costs the next run its time, no more."""
    arrays: dict[str, Any] = {}
    for field in fields(made):
        value = getattr(made, field.name)
        if isinstance(value, Ragged):
            arrays |= {f"{field.name}.values": value.values, f"{field.name}.bounds": value.bounds}
        else:
            arrays[field.name] = np.asarray(value)
    if sum(np.asarray(array).nbytes for array in arrays.values()) > KEPT_BYTES:
        return
    part = path.with_name(f"{path.stem}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            np.savez(file, **arrays)
        part.replace(path)
        _prune(path.parent)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _prune(folder: Path) -> None:
    """Remove what was not read for long, and the longest unread beyond the size."""
    aged = sorted(((path.stat(), path) for path in folder.iterdir()), key=lambda item: -item[0].st_mtime)
    size = 0
    for state, path in aged:
        size += state.st_size
        if size > KEPT_BYTES or time.time() - state.st_mtime > KEPT_SECONDS:
            path.unlink(missing_ok=True)
