"""Examples, and (from ``Imports``) the files that they came from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, bindparam, exists, func, or_, select

from workbench.domain import Example, ExampleText, Split
from workbench.storage.imports import Imports
from workbench.storage.rows import bulk_insert, escape_like, id_chunks
from workbench.storage.surroundings import Surroundings
from workbench.storage.tables import examples, gold
from workbench.storage.visible import in_project

READ_CHUNK = 2_000
"""Examples that one query of a long iteration brings."""


_BY_IDS = select(examples).where(examples.c.id.in_(bindparam("ids", expanding=True)))


class ExampleRow(NamedTuple):
    """One example on its way in; ``tokens`` (start, end, start, end, …), ``locator`` and ``meta`` are JSON text."""

    document_id: int
    external_id: str
    split: str
    text: str
    question: str | None
    tokens: str
    words: int
    content_hash: str
    locator: str
    meta: str


class Examples(Imports, Surroundings):
    """Repository of imported data; see ``Store``."""

    def next_position(self, project_id: int) -> int:
        """The position that the project's next example takes."""
        last = select(func.max(examples.c.position)).where(examples.c.project_id == project_id)
        found = self._connection.execute(last).scalar_one()
        return 0 if found is None else int(found) + 1

    def insert(self, project_id: int, import_id: int, first: int, rows: Sequence[ExampleRow]) -> list[int]:
        """Ids of new examples, in order; they take the positions from ``first`` on."""
        if not rows:
            return []
        bulk_insert(
            self._connection,
            examples,
            ("project_id", "import_id", "position", *ExampleRow._fields),
            [(project_id, import_id, first + index, *row) for index, row in enumerate(rows)],
            encoded=("tokens", "locator", "meta"),
        )
        # Read back by position: one plain query, the same on both databases, and no sequence to move by hand.
        found = (
            select(examples.c.id)
            .where(examples.c.project_id == project_id, examples.c.position >= first)
            .order_by(examples.c.position)
        )
        return list(self._connection.execute(found).scalars())

    def hashes(self, project_id: int, wanted: Collection[str]) -> dict[str, frozenset[Split]]:
        """Which of these content hashes the project has, and in which splits."""
        found: dict[str, set[Split]] = {}
        anything = select(examples.c.id).where(in_project(project_id)).limit(1)
        if self._connection.execute(anything).first() is None:
            return {}
        for part in id_chunks(sorted(wanted)):
            rows = self._connection.execute(
                select(examples.c.content_hash, examples.c.split)
                .where(in_project(project_id), examples.c.content_hash.in_(part))
                .distinct()
            )
            for content_hash, split in rows:
                found.setdefault(content_hash, set()).add(Split(split))
        return {content_hash: frozenset(splits) for content_hash, splits in found.items()}

    def by_ids(self, ids: Sequence[int]) -> list[Example]:
        """The examples of these ids, in the order of the ids; unknown ones are left out."""
        found: dict[int, Example] = {}
        for part in id_chunks(ids):
            for row in self._connection.execute(_BY_IDS, {"ids": list(part)}):
                found[row.id] = _example(row)
        return [found[example_id] for example_id in ids if example_id in found]

    def by_external_id(self, project_id: int, external_id: str) -> list[Example]:
        """The examples that their files call so, oldest import first."""
        rows = self._connection.execute(
            select(examples)
            .where(in_project(project_id), examples.c.external_id == external_id)
            .order_by(examples.c.position)
        )
        return [_example(row) for row in rows]

    def page(
        self,
        project_id: int,
        *,
        split: Split | None = None,
        query: str = "",
        document_id: int | None = None,
        import_id: int | None = None,
        labeled: bool | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> tuple[list[Example], int]:
        """One page of examples in their order, and how many there are in all."""
        conditions: list[ColumnElement[bool]] = [in_project(project_id)]
        if split is not None:
            conditions.append(examples.c.split == split)
        if document_id is not None:
            conditions.append(examples.c.document_id == document_id)
        if import_id is not None:
            conditions.append(examples.c.import_id == import_id)
        if labeled is not None:
            has_gold = exists().where(gold.c.example_id == examples.c.id)
            conditions.append(has_gold if labeled else ~has_gold)
        if query.strip():
            conditions.append(_contains(query.strip()))
        total = self._connection.execute(
            select(func.count()).select_from(examples).where(*conditions)
        ).scalar_one()
        rows = self._connection.execute(
            select(examples).where(*conditions).order_by(examples.c.position).offset(offset).limit(limit)
        )
        return [_example(row) for row in rows], total

    def text_search(self, project_id: int, query: str, limit: int = 50) -> list[Example]:
        """The first examples whose text, question or id holds the query, whatever its case."""
        return self.page(project_id, query=query, limit=limit)[0]

    def count(self, project_id: int, split: Split | None = None) -> int:
        """How many examples there are."""
        query = select(func.count()).select_from(examples).where(in_project(project_id))
        return self._connection.execute(
            query if split is None else query.where(examples.c.split == split)
        ).scalar_one()

    def iter_split(self, project_id: int, split: Split | None = None) -> Iterator[Example]:
        """Every example of a split (or all), in order, read a few thousand at a time."""
        conditions = [in_project(project_id)]
        if split is not None:
            conditions.append(examples.c.split == split)
        return self._iterate(select(examples).where(*conditions))

    def iter_import(self, import_id: int) -> Iterator[Example]:
        """Every example of an import, in order."""
        return self._iterate(select(examples).where(examples.c.import_id == import_id))

    def _iterate(self, query: Select[Any]) -> Iterator[Example]:
        last = -1
        while True:
            rows = self._connection.execute(
                query.where(examples.c.position > last).order_by(examples.c.position).limit(READ_CHUNK)
            ).all()
            for row in rows:
                yield _example(row)
            if len(rows) < READ_CHUNK:
                return
            last = rows[-1].position

    def neighbours(self, example: Example, before: int, after: int) -> tuple[list[Example], list[Example]]:
        """The examples just before and just after it in its document, each list in reading order."""
        inside = select(examples).where(examples.c.document_id == example.document_id)
        earlier = self._connection.execute(
            inside.where(examples.c.position < example.position)
            .order_by(examples.c.position.desc())
            .limit(before)
        ).all()
        later = self._connection.execute(
            inside.where(examples.c.position > example.position).order_by(examples.c.position).limit(after)
        ).all()
        return [_example(row) for row in reversed(earlier)], [_example(row) for row in later]


def _contains(query: str) -> ColumnElement[bool]:
    # SQLite's ILIKE folds ASCII only; the spellings that people type cover the rest.
    spellings = dict.fromkeys((query, query.lower(), query.upper(), query.capitalize(), query.title()))
    columns = (examples.c.text, examples.c.question, examples.c.external_id)
    return or_(
        *(
            column.ilike(f"%{escape_like(spelling)}%", escape="\\")
            for column in columns
            for spelling in spellings
        )
    )


def _example(row: Row[Any]) -> Example:
    flat = row.tokens
    return Example(
        id=row.id,
        project_id=row.project_id,
        import_id=row.import_id,
        document_id=row.document_id,
        position=row.position,
        external_id=row.external_id,
        split=Split(row.split),
        content=ExampleText(row.text, tuple(zip(flat[::2], flat[1::2], strict=True)), row.question),
        content_hash=row.content_hash,
        locator=row.locator,
        meta=row.meta,
    )
