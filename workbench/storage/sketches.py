"""MinHash sketches of what is stored, and the examples that they lead to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, insert, select

from workbench.domain import Split
from workbench.storage.rows import id_chunks
from workbench.storage.tables import examples, imports, sketches
from workbench.storage.visible import imported, in_project

WIDTH = 64
"""Bytes of a sketch."""


class Twin(NamedTuple):
    """An example that another one repeats, or nearly."""

    id: int
    position: int
    split: str
    external_id: str
    text: str
    question: str | None
    content_hash: str


class Sketches:
    """Repository of sketches; see ``Store``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, import_id: int, first_position: int, data: NDArray[np.uint8]) -> None:
        """Keep the sketches of examples that follow each other, shape (examples, 64)."""
        if len(data):
            values = {"import_id": import_id, "first_position": first_position, "data": data.tobytes()}
            self._connection.execute(insert(sketches).values(**values))

    def all(self, project_id: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Every sketch of a project, shape (examples, 64), and the positions of its examples, shape (examples,)."""
        rows = self._connection.execute(
            select(sketches.c.first_position, sketches.c.data)
            .join(imports, imports.c.id == sketches.c.import_id)
            .where(imported(project_id))
            .order_by(sketches.c.first_position)
        ).all()
        parts = [np.frombuffer(row.data, dtype=np.uint8).reshape(-1, WIDTH) for row in rows]
        places = [row.first_position + np.arange(len(part)) for row, part in zip(rows, parts, strict=True)]
        if not parts:
            return np.zeros((0, WIDTH), dtype=np.uint8), np.zeros(0, dtype=np.int64)
        return np.concatenate(parts), np.concatenate(places)

    def missing(self, project_id: int) -> list[int]:
        """Ids of whole imports that have no sketches, such as those from before there were any."""
        have = select(sketches.c.import_id).where(sketches.c.import_id == imports.c.id).exists()
        return list(
            self._connection.execute(
                select(imports.c.id).where(imported(project_id), ~have).order_by(imports.c.id)
            ).scalars()
        )

    def twins_at(self, project_id: int, positions: Sequence[int]) -> dict[int, Twin]:
        """The examples at these positions."""
        found: dict[int, Twin] = {}
        for part in id_chunks(sorted(set(positions))):
            rows = self._connection.execute(
                select(*_TWIN).where(in_project(project_id), examples.c.position.in_(part))
            )
            found.update({row.position: Twin(*row) for row in rows})
        return found

    def twins_of(self, project_id: int, hashes: Sequence[str]) -> dict[str, list[Twin]]:
        """The examples with these content hashes, in their order."""
        found: dict[str, list[Twin]] = {}
        for part in id_chunks(sorted(set(hashes))):
            rows = self._connection.execute(
                select(*_TWIN)
                .where(in_project(project_id), examples.c.content_hash.in_(part))
                .order_by(examples.c.position)
            )
            for row in rows:
                found.setdefault(row.content_hash, []).append(Twin(*row))
        return found

    def straddling(self, project_id: int) -> Iterator[str]:
        """Content hashes that stand in a held-out split and in another one."""
        held_out = (Split.TEST.value, Split.VALIDATION.value)
        mine = (
            select(examples.c.content_hash)
            .where(in_project(project_id), examples.c.split.in_(held_out))
            .distinct()
        )
        rows = self._connection.execute(
            select(examples.c.content_hash)
            .where(in_project(project_id), examples.c.content_hash.in_(mine))
            .group_by(examples.c.content_hash)
            .having(func.count(examples.c.split.distinct()) > 1)
        )
        yield from rows.scalars()

    def splits(self, project_id: int) -> tuple[NDArray[np.int64], list[str]]:
        """Position and split of every example, in order."""
        rows = self._connection.execute(
            select(examples.c.position, examples.c.split)
            .where(in_project(project_id))
            .order_by(examples.c.position)
        ).all()
        return np.array([row[0] for row in rows], dtype=np.int64), [row[1] for row in rows]


_TWIN = (
    examples.c.id,
    examples.c.position,
    examples.c.split,
    examples.c.external_id,
    examples.c.text,
    examples.c.question,
    examples.c.content_hash,
)
