"""Results of a pass over a pool on disk, some examples at a time: what is there is not computed again.

Chunk ``n`` is a pair of files: ``n.npz`` (ids of examples, their features, how many tokens) and ``n.jsonl`` (a line an
example that is predicted), which is renamed into place last. They stand where a training's checkpoint would, so
that a run that was killed or stopped is resumed behind them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workbench.acquisition import ARRAYS, Features
from workbench.featurefiles import FEATURES, write_features
from workbench.modeling.artifact import write_json
from workbench.modeling.takeover import CHECKPOINT

STATE = "state.json"


class Chunks:
    """The chunks of one attempt, with those that an earlier one has left there.

    Args:
        attempt: Its folder.
        mark: Fingerprint of everything that decides the results. What was left of others is removed.
    """

    def __init__(self, attempt: Path, mark: str) -> None:
        self._attempt = attempt
        self._folder = attempt / CHECKPOINT
        self._mark = mark
        if _state(self._folder).get("of") != mark:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True, exist_ok=True)

    def begin(self, precision: str) -> str:
        """The precision to compute in: what is there decides, for all of a pass is computed in one."""
        precision = str(_state(self._folder).get("precision", precision))
        write_json(self._folder / STATE, {"of": self._mark, "precision": precision})
        return precision

    def __len__(self) -> int:
        return sum(1 for _ in self._folder.glob("*.jsonl"))

    def __contains__(self, number: int) -> bool:
        return self._lines(number).is_file()

    def put(
        self,
        number: int,
        lines: Sequence[Mapping[str, Any]],
        ids: Sequence[int],
        features: Features | None,
        tokens: int,
    ) -> None:
        """Keep a chunk.

        Args:
            number: Its place, from 0.
            lines: What is predicted, as ``predictions.jsonl`` has it.
            ids: Of all examples that were read, in order.
            features: Of those examples, or None.
            tokens: That were read.
        """
        held = features if features is not None else Features.nothing()
        arrays = {name: getattr(held, name).astype(np.float16) for name in ARRAYS}
        kept = np.asarray(ids if features is not None else (), dtype=np.int64)
        with self._lines(number).with_suffix(".npz").open("wb") as file:
            np.savez(file, ids=kept, tokens=np.int64(tokens), **arrays)
        part = self._folder / f"{self._lines(number).name}.part"
        with part.open("w", encoding="utf-8") as text:
            text.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        part.rename(self._lines(number))

    def files(self, number: int) -> tuple[bytes, bytes]:
        """The content of a chunk's two files, as ``take`` takes it."""
        lines = self._lines(number)
        return lines.read_bytes(), lines.with_suffix(".npz").read_bytes()

    def take(self, number: int, lines: bytes, arrays: bytes) -> None:
        """Keep a chunk that somebody else has read."""
        self._lines(number).with_suffix(".npz").write_bytes(arrays)
        part = self._folder / f"{self._lines(number).name}.part"
        part.write_bytes(lines)
        part.rename(self._lines(number))

    def tokens(self, number: int) -> int:
        """How many tokens a chunk read."""
        with np.load(self._lines(number).with_suffix(".npz"), allow_pickle=False) as held:
            return int(held["tokens"])

    def assemble(self, count: int, *, features: bool) -> None:
        """Write ``predictions.jsonl`` (where anything is predicted) and ``features/`` from the chunks."""
        paths = [self._lines(number) for number in range(count)]
        part = self._attempt / "predictions.jsonl.part"
        with part.open("wb") as target:
            for path in paths:
                with path.open("rb") as source:
                    shutil.copyfileobj(source, target)
        if part.stat().st_size:
            part.replace(self._attempt / "predictions.jsonl")
        else:
            part.unlink()
        if features:
            write_features(self._attempt / FEATURES, [path.with_suffix(".npz") for path in paths])

    def _lines(self, number: int) -> Path:
        return self._folder / f"{number:06d}.jsonl"


def _state(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / STATE).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
