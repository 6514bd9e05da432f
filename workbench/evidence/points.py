"""The points of a simulation on disk: one file each, so that what is computed is never lost."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from workbench.evidence.replay import ReplayPoint

START = "start"
"""Stands for the strategy of a seed's first batch, which is drawn by lot and the same for every strategy."""

POINTS = "checkpoint"
"""Their folder in an attempt's: a run that is resumed finds it where a training's checkpoint would be."""


class Points:
    """The points that are there, one file each, written whole or not at all.

    Args:
        folder: Of an attempt, with what an earlier one has left there.
        mark: Fingerprint of the data and the plan. What was left of others is removed.
    """

    def __init__(self, folder: Path, mark: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._mark = mark
        for path in folder.glob("*.json"):
            if json.loads(path.read_bytes())["of"] != mark:
                path.unlink()

    def __len__(self) -> int:
        return sum(1 for _ in self._folder.glob("*.json"))

    def get(self, strategy: str, seed: int, number: int) -> dict[str, Any] | None:
        """The point, with ``next``: indices in the pool that each strategy asks for; None where it is not there."""
        path = self._folder / self._name(strategy, seed, number)
        return json.loads(path.read_bytes()) if path.is_file() else None

    def put(self, point: ReplayPoint, following: Mapping[str, Sequence[int]], precision: str) -> None:
        """Keep a point, what is asked for next, and the precision in which the pool was scored for that."""
        name = self._name(point.strategy, point.seed, point.round)
        kept = {
            "of": self._mark,
            "point": asdict(point),
            "next": dict(following),
            "precision": precision,
        }
        self._write(name, kept)

    @property
    def precision(self) -> str | None:
        """In what the pool was scored for the points that are there; None where there is none.

        Which precision is the faster one is found by a trial that another day could decide otherwise: a run that
        goes on has to go on in the one it began with.
        """
        for path in sorted(self._folder.glob("*.json")):
            found: str | None = json.loads(path.read_bytes()).get("precision")
            return found
        return None

    def all(self) -> list[ReplayPoint]:
        """Every point; a seed's first one as that of each of its strategies."""
        return read_points(self._folder)

    @staticmethod
    def _name(strategy: str, seed: int, number: int) -> str:
        return f"{strategy}.{seed}.{number}.json"

    def _write(self, name: str, data: Mapping[str, Any]) -> None:
        path = self._folder / name
        part = path.with_suffix(".part")
        with part.open("w", encoding="utf-8") as file:
            json.dump(data, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)


def read_points(folder: Path) -> list[ReplayPoint]:
    """The points in a folder; a seed's first one as that of each strategy that goes on from it."""
    found: list[ReplayPoint] = []
    for path in sorted(folder.glob("*.json")):
        data = json.loads(path.read_bytes())
        point = ReplayPoint(**data["point"])
        if point.strategy == START:
            found += [replace(point, strategy=name) for name in data["next"]]
        else:
            found.append(point)
    return found
