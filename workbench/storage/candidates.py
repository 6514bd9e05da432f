"""Pool examples that may be selected: nobody has labeled, reserved or been given them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Subquery,
    Text,
    and_,
    cast,
    exists,
    func,
    or_,
    select,
    union,
)

from workbench.domain import AnnotationStatus, Json, Split
from workbench.storage.rows import escape_like, id_chunks, json_text_pattern, now
from workbench.storage.tables import (
    acquisition_scores,
    batch_items,
    documents,
    examples,
    gold,
    leases,
    predictions,
)
from workbench.storage.tables import annotations as revisions
from workbench.storage.visible import in_project


@dataclass(frozen=True, slots=True)
class Filters:
    """What a selection is narrowed to; an empty one narrows nothing.

    Attributes:
        document: Name of the document that the example stands in.
        text: Found in the text or the question, whatever its case (of ASCII letters on SQLite).
        label: Predicted by the model version, in at least one place.
        called: Names under which the version knew that label, where it was called otherwise then.
    """

    document: str | None = None
    text: str | None = None
    label: str | None = None
    called: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pool example that may be selected.

    ``score`` is None where no model was asked; ``why`` says in words what the score does not.
    """

    id: int
    position: int
    external_id: str
    text: str
    question: str | None
    words: int
    content_hash: str
    document: str
    score: float | None = None
    why: str = ""


_REVISION, _LATER = revisions.alias(), revisions.alias()
"""Made once: each alias copies every column, a fifth of the time in which the label queue reads."""


def live_annotation(
    example_id: ColumnElement[int], since: ColumnElement[datetime] | None = None
) -> ColumnElement[bool]:
    """Whether somebody's latest revision of the example (made since then) says anything but "withdrawn"."""
    revision, later = _REVISION, _LATER
    superseded = exists().where(
        later.c.example_id == revision.c.example_id,
        later.c.author_id == revision.c.author_id,
        later.c.revision > revision.c.revision,
    )
    return (
        exists()
        .where(
            revision.c.example_id == example_id,
            revision.c.status != AnnotationStatus.WITHDRAWN.value,
            ~superseded,
            *(() if since is None else (revision.c.created_at >= since,)),
        )
        .correlate_except(revision)
    )


def live_lease(
    example_id: ColumnElement[int], moment: datetime | ColumnElement[datetime]
) -> ColumnElement[bool]:
    """Whether somebody holds the example at that moment."""
    return exists().where(leases.c.example_id == example_id, leases.c.expires_at > moment)


def _in_pool(project_id: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return in_project(project_id), examples.c.split == Split.POOL.value


class Candidates:
    """Queries over what may be selected; see ``Batches.candidates``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keys(
        self, project_id: int, filters: Filters, version_id: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Ids and positions of all candidates, shape (candidates,) each, by position."""
        statement = (
            select(examples.c.id, examples.c.position)
            .where(in_project(project_id), examples.c.split == Split.POOL.value)
            .where(self._free(examples.c.id), *self._narrowed(filters, version_id))
            .order_by(examples.c.position)
        )
        rows = self._connection.execute(statement).all()
        table = np.array([tuple(row) for row in rows], dtype=np.int64).reshape(-1, 2)
        return table[:, 0], table[:, 1]

    def last_position(self, project_id: int) -> int:
        """The highest position of a pool example, -1 where there is none."""
        statement = select(func.coalesce(func.max(examples.c.position), -1)).where(
            in_project(project_id), examples.c.split == Split.POOL.value
        )
        return int(self._connection.execute(statement).scalar_one())

    def at_positions(self, project_id: int, positions: Sequence[int]) -> list[Candidate]:
        """The candidates at these positions, in this order."""
        found: dict[int, Candidate] = {}
        for chunk in id_chunks(positions):
            statement = _columns().where(
                in_project(project_id),
                examples.c.position.in_(chunk),
                examples.c.split == Split.POOL.value,
                self._free(examples.c.id),
            )
            found.update({row.position: _candidate(row, None) for row in self._connection.execute(statement)})
        return [found[position] for position in positions if position in found]

    def ranked(
        self,
        version_id: int,
        strategy: str,
        filters: Filters,
        *,
        limit: int,
        after: tuple[float, int] | None = None,
    ) -> list[Candidate]:
        """Candidates by falling acquisition score, ties by falling id: the index's own order, read backwards.

        Args:
            version_id: The model version that scored them.
            strategy: The strategy's name.
            filters: What to narrow the selection to.
            limit: The most to return.
            after: Score and id of the last candidate of the page before.
        """
        rank = acquisition_scores
        # Scores belong to one version and so to one project: without a condition on the examples' project, the
        # database walks the index of scores and stops at the limit.
        statement = (
            _columns(rank.c.score)
            .join(rank, rank.c.example_id == examples.c.id)
            .where(rank.c.model_version_id == version_id, rank.c.strategy == strategy)
            .where(examples.c.split == Split.POOL.value, self._free(rank.c.example_id))
            .where(*self._narrowed(filters, version_id))
            .order_by(rank.c.score.desc(), rank.c.example_id.desc())
            .limit(limit)
        )
        if after is not None:
            score, example_id = after
            statement = statement.where(
                rank.c.score <= score, or_(rank.c.score < score, rank.c.example_id < example_id)
            )
        return [_candidate(row, row.score) for row in self._connection.execute(statement)]

    def free_among(self, ids: Sequence[int], filters: Filters, version_id: int) -> list[Candidate]:
        """Those of the examples that are candidates, in the order of the ids."""
        found: dict[int, Candidate] = {}
        for chunk in id_chunks(ids):
            statement = _columns().where(
                examples.c.id.in_(chunk),
                examples.c.split == Split.POOL.value,
                self._free(examples.c.id),
                *self._narrowed(filters, version_id),
            )
            found.update({row.id: _candidate(row, None) for row in self._connection.execute(statement)})
        return [found[example_id] for example_id in ids if example_id in found]

    def by_ids(self, ids: Sequence[int]) -> list[Candidate]:
        """The examples of these ids, in this order, whether they are candidates still or not."""
        found: dict[int, Candidate] = {}
        for chunk in id_chunks(ids):
            for row in self._connection.execute(_columns().where(examples.c.id.in_(chunk))):
                found[row.id] = _candidate(row, None)
        return [found[example_id] for example_id in ids if example_id in found]

    def still_free(self, ids: Sequence[int]) -> set[int]:
        """Those of the ids that may be selected at this moment."""
        free: set[int] = set()
        for chunk in id_chunks(ids):
            statement = select(examples.c.id).where(
                examples.c.id.in_(chunk), examples.c.split == Split.POOL.value, self._free(examples.c.id)
            )
            free.update(self._connection.execute(statement).scalars())
        return free

    def taken_hashes(self, project_id: int, hashes: Sequence[str]) -> set[str]:
        """Those of the content hashes that another example has which is labeled or in a batch, in any split."""
        taken: set[str] = set()
        asked = or_(
            exists().where(gold.c.example_id == examples.c.id),
            exists().where(batch_items.c.example_id == examples.c.id),
            live_annotation(examples.c.id),
        )
        for start in range(0, len(hashes), 500):
            statement = select(examples.c.content_hash).where(
                in_project(project_id),
                examples.c.content_hash.in_(hashes[start : start + 500]),
                asked,
            )
            taken.update(self._connection.execute(statement).scalars())
        return taken

    def covered(self, project_id: int) -> NDArray[np.int64]:
        """Ids of what is labeled in the pool and the train split, or in a batch: what a new choice need not repeat."""
        where = in_project(project_id), examples.c.split.in_((Split.POOL.value, Split.TRAIN.value))
        # From what people have done to the examples, and not the other way: that is little beside a large pool.
        done = (
            select(examples.c.id).join(one, one.c.example_id == examples.c.id).where(*where)
            for one in (gold, batch_items)
        )
        return np.fromiter(self._connection.execute(union(*done)).scalars(), dtype=np.int64)

    def accepted(self, project_id: int, version_id: int | None = None, strategy: str = "") -> tuple[int, int]:
        """How many examples of the pool have an accepted answer, and how many of those a version has scored.

        They are nearly all that are no candidates, and are counted by themselves, for whoever keeps what was counted.
        """
        return self._count_scored(gold.c.example_id, project_id, version_id, strategy)

    def taken_otherwise(
        self, project_id: int, version_id: int | None = None, strategy: str = ""
    ) -> tuple[int, int]:
        """The same of those without one that are no candidates: together with ``accepted`` the opposite of ``_free``,
        from the side of what people have said."""
        return self._count_scored(self._taken_otherwise().c.example_id, project_id, version_id, strategy)

    def _count_scored(
        self, example_id: ColumnElement[int], project_id: int, version_id: int | None, strategy: str
    ) -> tuple[int, int]:
        """How many of the examples are in the pool, and how many of those have a score."""
        rank = acquisition_scores
        its_own = (
            rank.c.example_id == examples.c.id,
            rank.c.model_version_id == version_id,
            rank.c.strategy == strategy,
        )
        counts = (
            select(func.count(), func.count(rank.c.example_id))
            .select_from(
                example_id.table.join(examples, examples.c.id == example_id).outerjoin(rank, and_(*its_own))
            )
            .where(*_in_pool(project_id))
        )
        number, scored = self._connection.execute(counts).one()
        return int(number), int(scored)

    def _taken_otherwise(self) -> Subquery:
        """Examples without an accepted answer that are no candidates, once each."""

        def unaccepted(example_id: ColumnElement[int]) -> ColumnElement[bool]:
            return ~exists().where(gold.c.example_id == example_id)

        named = revisions.alias()
        said = select(named.c.example_id).where(unaccepted(named.c.example_id)).distinct().subquery()
        return union(
            select(batch_items.c.example_id).where(unaccepted(batch_items.c.example_id)),
            select(leases.c.example_id).where(leases.c.expires_at > now(), unaccepted(leases.c.example_id)),
            select(said.c.example_id).where(live_annotation(said.c.example_id)),
        ).subquery()

    def predicted(self, version_id: int, ids: Sequence[int]) -> dict[int, Json]:
        """Predicted payloads, by example id."""
        found: dict[int, Json] = {}
        for chunk in id_chunks(ids):
            statement = select(predictions.c.example_id, predictions.c.payload).where(
                predictions.c.model_version_id == version_id, predictions.c.example_id.in_(chunk)
            )
            found.update({row.example_id: row.payload for row in self._connection.execute(statement)})
        return found

    def _free(self, example_id: ColumnElement[int]) -> ColumnElement[bool]:
        return and_(
            ~exists().where(gold.c.example_id == example_id),
            ~exists().where(batch_items.c.example_id == example_id),
            ~live_lease(example_id, now()),
            ~live_annotation(example_id),
        )

    def _narrowed(self, filters: Filters, version_id: int | None) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = []
        if filters.document:
            named = documents.alias()
            conditions.append(
                exists().where(named.c.id == examples.c.document_id, named.c.name == filters.document)
            )
        if filters.text:
            pattern = f"%{escape_like(filters.text)}%"
            conditions.append(
                or_(
                    examples.c.text.ilike(pattern, escape="\\"),
                    examples.c.question.ilike(pattern, escape="\\"),
                )
            )
        if filters.label and version_id is not None:
            names = filters.called or (filters.label,)
            conditions.append(or_(*(self._mentions(name, version_id) for name in names)))
        return conditions

    def _mentions(self, label: str, version_id: int) -> ColumnElement[bool]:
        # Finds the label as a JSON string in the payload: every example that has it, and a few more where the
        # label is called like a key. The caller reads the payload to be sure.
        pattern = json_text_pattern(label, ascii_only=self._connection.dialect.name == "sqlite")
        return exists().where(
            predictions.c.model_version_id == version_id,
            predictions.c.example_id == examples.c.id,
            cast(predictions.c.payload, Text).like(pattern, escape="\\"),
        )


def _columns(*more: ColumnElement[Any]) -> Select[Any]:
    wanted = (
        examples.c.id,
        examples.c.position,
        examples.c.external_id,
        examples.c.text,
        examples.c.question,
        examples.c.words,
        examples.c.content_hash,
    )
    return (
        select(*wanted, documents.c.name.label("document"), *more)
        .select_from(examples)
        .join(documents, documents.c.id == examples.c.document_id)
    )


def _candidate(row: Row[Any], score: float | None) -> Candidate:
    return Candidate(
        id=row.id,
        position=row.position,
        external_id=row.external_id,
        text=row.text,
        question=row.question,
        words=row.words,
        content_hash=row.content_hash,
        document=row.document,
        score=score,
    )
