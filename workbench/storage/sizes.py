"""How many examples a project has: of each split, labeled, scored.

Pages ask for it whenever somebody looks, and to count a million rows takes most of a second. Examples only ever come
behind the last one, or change their splits all at once, which the project's settings count: a look at these two says
whether an earlier count still holds. What people label changes with every answer, and is counted from the labels,
which are few beside the pool.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Protocol, TypeVar

from sqlalchemy import Connection, func, select

from workbench.domain import Split
from workbench.storage.tables import acquisition_scores, examples, gold, projects
from workbench.storage.tables import annotations as revisions
from workbench.storage.visible import in_project

T = TypeVar("T")

SCRAMBLE, MODULUS = 7_919, 10_007
"""Primes that spread ids over 0..10006, so that a share of the pool is the same share each time it is asked."""

RESPLIT = "splits"
"""In a project's settings: how often its examples have been split again."""


@dataclass(frozen=True, slots=True)
class SplitCounts:
    """Numbers of one split: examples, those with gold, words, and those anybody annotated, where that was asked."""

    examples: int = 0
    gold: int = 0
    words: int = 0
    annotated: int = 0


class Once(Protocol):
    """``Transaction.once``."""

    def __call__(self, key: Hashable, stamp: object, count: Callable[[], T]) -> T:
        """What was counted at this stamp."""


class Sizes:
    """Counts of what projects hold; see ``Store``.

    Args:
        connection: Of a transaction.
        once: ``Transaction.once``.
    """

    def __init__(self, connection: Connection, once: Once) -> None:
        self._connection = connection
        self._once = once

    def counts(self, project_id: int) -> dict[Split, SplitCounts]:
        """Numbers of each split that has examples."""
        sizes = self._sizes(project_id)
        labeled = (
            select(examples.c.split, func.count())
            .select_from(gold.join(examples, examples.c.id == gold.c.example_id))
            .where(in_project(project_id))
            .group_by(examples.c.split)
        )
        golds = {Split(split): int(number) for split, number in self._connection.execute(labeled)}
        return {
            split: SplitCounts(number, golds.get(split, 0), words) for split, (number, words) in sizes.items()
        }

    def annotated(self, project_id: int) -> dict[Split, int]:
        """How many examples of each split anybody has annotated; splits without any are left out."""
        statement = (
            select(examples.c.split, func.count(revisions.c.example_id.distinct()))
            .join(revisions, examples.c.id == revisions.c.example_id)
            .where(in_project(project_id))
            .group_by(examples.c.split)
        )
        return {Split(split): int(number) for split, number in self._connection.execute(statement)}

    def pool(self, project_id: int) -> int:
        """Examples of the pool."""
        return self._sizes(project_id).get(Split.POOL, (0, 0))[0]

    def mean_words(self, project_id: int) -> float:
        """Of an example of the pool, or of all examples where there is no pool; 0 of none."""
        sizes = self._sizes(project_id)
        of = [sizes[Split.POOL]] if sizes.get(Split.POOL, (0, 0))[0] else list(sizes.values())
        number, words = sum(size for size, _ in of), sum(each for _, each in of)
        return words / number if number else 0.0

    def scored(self, project_id: int, version_id: int, strategy: str) -> int:
        """Examples of the pool that a version has scored by a strategy."""
        rank = acquisition_scores
        by_version = (rank.c.model_version_id == version_id, rank.c.strategy == strategy)
        every = self._connection.execute(
            select(func.count()).select_from(rank).where(*by_version)
        ).scalar_one()
        in_pool = (
            select(func.count())
            .select_from(rank.join(examples, examples.c.id == rank.c.example_id))
            .where(*by_version, in_project(project_id), examples.c.split == Split.POOL.value)
        )

        def count() -> int:
            return int(self._connection.execute(in_pool).scalar_one())

        return self._once(
            ("scored", project_id, version_id, strategy), (self.stamp(project_id), every), count
        )

    def drawn(self, project_id: int, wanted: int) -> tuple[int, ...]:
        """About three times ``wanted`` examples, evenly out of the whole pool, by id.

        Which they are depends on their ids alone: an example stays in it until the pool has grown much.
        """
        limit = ceil(MODULUS * min(1.0, 3 * wanted / max(self.pool(project_id), 1)))
        statement = (
            select(examples.c.id)
            .where(in_project(project_id), examples.c.split == Split.POOL.value)
            .where((examples.c.id * SCRAMBLE) % MODULUS < limit)
            .order_by(examples.c.id)
        )

        def draw() -> tuple[int, ...]:
            return tuple(self._connection.execute(statement).scalars())

        return self._once(("drawn", project_id, wanted), self.stamp(project_id), draw)

    def _sizes(self, project_id: int) -> Mapping[Split, tuple[int, int]]:
        """Examples and words of each split that has any."""

        def count() -> dict[Split, tuple[int, int]]:
            rows = self._connection.execute(
                select(examples.c.split, func.count(), func.sum(examples.c.words))
                .where(in_project(project_id))
                .group_by(examples.c.split)
            )
            return {Split(split): (int(number), int(words)) for split, number, words in rows}

        return self._once(("sizes", project_id), self.stamp(project_id), count)

    def stamp(self, project_id: int) -> tuple[datetime | None, int, int]:
        """Changes whenever an example comes, or goes to another split.

        When the project was made belongs to it: after a backup was restored another one may have its id.
        """
        last = select(func.coalesce(func.max(examples.c.position), -1)).where(in_project(project_id))
        row = self._connection.execute(
            select(projects.c.created_at, projects.c.settings).where(projects.c.id == project_id)
        ).one_or_none()
        position = int(self._connection.execute(last).scalar_one())
        return (None, position, 0) if row is None else (row[0], position, int(row[1].get(RESPLIT, 0)))
