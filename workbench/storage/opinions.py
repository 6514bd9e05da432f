"""What people say now: each person's newest revision of an example. Files and simulated annotators are no people."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import exists, func, select

from workbench.domain import Annotation, AnnotationStatus
from workbench.storage.gold import Gold
from workbench.storage.revisions import newest_of_author, select_revisions
from workbench.storage.rows import id_chunks
from workbench.storage.tables import annotations as revisions
from workbench.storage.tables import examples, gold, users
from workbench.storage.visible import in_project

FLAGGED = (revisions.c.status == AnnotationStatus.FLAGGED, newest_of_author())
"""Conditions of a revision that flags its example."""


class Opinions(Gold):
    """Repository part of what people say of the same examples; see ``Annotations``."""

    def said_by_people(self, project_id: int) -> dict[int, int]:
        """How many people's word there is on each example of which somebody has said something, by its id."""
        rows = self._connection.execute(
            select(revisions.c.example_id, func.count().label("people"))
            .join(examples, examples.c.id == revisions.c.example_id)
            .join(users, users.c.id == revisions.c.author_id)
            .where(
                in_project(project_id),
                ~users.c.system,
                revisions.c.status != AnnotationStatus.WITHDRAWN,
                newest_of_author(),
            )
            .group_by(revisions.c.example_id)
        )
        return {row.example_id: row.people for row in rows}

    def said_by_several(
        self,
        project_id: int,
        *,
        batch_id: int | None = None,
        example_ids: Sequence[int] | None = None,
        people: int = 2,
    ) -> dict[int, dict[str, Annotation]]:
        """What each person says now, by name, of each example that so many have labeled, by its id.

        Only accepted revisions that their author has not followed up. Files and simulated annotators are no people, and
        labels of their own that a reviewer has made gold are the decision, not one more opinion.

        Args:
            project_id: The project.
            batch_id: Only what was said in answer to this batch.
            example_ids: Of these examples only.
            people: The least number of people.
        """
        statement = select_revisions().where(
            in_project(project_id),
            ~users.c.system,
            revisions.c.status == AnnotationStatus.ACCEPTED,
            newest_of_author(),
        )
        decision = exists().where(
            gold.c.annotation_id == revisions.c.id, gold.c.accepted_by == revisions.c.author_id
        )
        statement = statement.where(~decision)
        if people > 1:  # by index: most examples are one person's, and are not to be read
            other = revisions.alias()
            statement = statement.where(
                exists().where(
                    other.c.example_id == revisions.c.example_id, other.c.author_id != revisions.c.author_id
                )
            )
        if batch_id is not None:
            statement = statement.where(revisions.c.batch_id == batch_id)
        parts = (
            [statement]
            if example_ids is None
            else [statement.where(revisions.c.example_id.in_(part)) for part in id_chunks(example_ids)]
        )
        found: dict[int, dict[str, Annotation]] = {}
        for part in parts:
            for one in self._all(part.order_by(users.c.name)):
                found.setdefault(one.example_id, {})[one.author] = one
        return {example_id: said for example_id, said in found.items() if len(said) >= people}

    def decided(self, project_id: int) -> frozenset[int]:
        """Ids of the examples whose gold is a person's word."""
        rows = self._connection.execute(
            select(gold.c.example_id)
            .join(examples, examples.c.id == gold.c.example_id)
            .join(revisions, revisions.c.id == gold.c.annotation_id)
            .join(users, users.c.id == revisions.c.author_id)
            .where(in_project(project_id), gold.c.accepted_by.is_not(None), ~users.c.system)
        )
        return frozenset(rows.scalars())

    def flagged(self, project_id: int) -> list[int]:
        """Ids of the examples that somebody's newest revision flags."""
        rows = self._connection.execute(
            select(revisions.c.example_id)
            .join(examples, examples.c.id == revisions.c.example_id)
            .where(in_project(project_id), *FLAGGED)
            .distinct()
        )
        return list(rows.scalars())

    def flags_of(self, example_id: int) -> tuple[Annotation, ...]:
        """The revisions that flag an example and that their author has not followed up."""
        return self._all(
            select_revisions()
            .where(revisions.c.example_id == example_id, *FLAGGED)
            .order_by(revisions.c.revision)
        )

    def with_gold(self, example_ids: Sequence[int]) -> frozenset[int]:
        """Those of the examples that have gold."""
        found: set[int] = set()
        for part in id_chunks(example_ids):
            rows = self._connection.execute(select(gold.c.example_id).where(gold.c.example_id.in_(part)))
            found.update(rows.scalars())
        return frozenset(found)
