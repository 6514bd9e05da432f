"""Annotation revisions (from ``Opinions`` what people say now, from ``Gold`` what counts).

Revisions are only ever added. They are counted from 1 within their example, over all authors, so that one
number says what a person had seen of it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, bindparam, exists, func, insert, select

from workbench.domain import Annotation, AnnotationStatus, Json, Split
from workbench.errors import InvalidInput, NotFound, StaleRevision
from workbench.storage.leases import DONE
from workbench.storage.openitems import reckon
from workbench.storage.opinions import Opinions
from workbench.storage.revisions import select_revisions
from workbench.storage.rows import chunks, id_chunks, now
from workbench.storage.sharing import people_wanted, settled, sharing_of, spoken
from workbench.storage.tables import annotations as revisions
from workbench.storage.tables import batch_items, documents, examples, gold, label_change_items, users
from workbench.storage.tables.columns import Identity
from workbench.storage.visible import in_project
from workbench.storage.withdrawn import is_withdrawal, no_longer_shown, written_by_a_change


class Annotations(Opinions):
    """Repository of annotation revisions; see ``Store``."""

    # --- one revision -----------------------------------------------------------------------------------

    def add(
        self,
        example_id: int,
        author_id: int,
        status: AnnotationStatus,
        payload: Json | None,
        client_id: str,
        *,
        seconds: float | None = None,
        comment: str = "",
        batch_id: int | None = None,
        suggestion_version_id: int | None = None,
        base_revision: int | None = None,
    ) -> Annotation:
        """Append a revision; a client id that is known already gives back what was stored under it.

        Args:
            example_id: The example.
            author_id: Whose revision it is.
            status: What it says.
            payload: The labels in their stored form; needed where the status is accepted.
            client_id: Made where the revision was made, unique for ever.
            seconds: Time spent.
            comment: The reason of a skip, the remark of a flag.
            batch_id: The batch that it answers.
            suggestion_version_id: The model version whose suggestion it started from.
            base_revision: The newest revision of the example, by anyone, that the author had seen; 0 is none
                at all, None does not ask.

        Raises:
            NotFound: There is no such example.
            StaleRevision: Somebody else has revised it since ``base_revision``.
            InvalidInput: The client id belongs to another example or author.
        """
        sharing = self._lock(example_id)
        known = self._connection.execute(_KNOWN, {"client": client_id}).one_or_none()
        if known is not None:
            if (known.example_id, known.author_id) != (example_id, author_id):
                raise InvalidInput("the client id belongs to another annotation", remedy="make a new one")
            return self.by_id(known.id)
        if base_revision is not None:
            self._refuse_stale(example_id, author_id, base_revision)
        newest = self._connection.execute(_NEWEST_NUMBER, {"example": example_id}).scalar_one()
        values = {
            "example_id": example_id,
            "author_id": author_id,
            "revision": newest + 1,
            "status": status,
            "payload": dict(payload) if payload is not None else None,
            "client_id": client_id,
            "seconds": seconds,
            "comment": comment,
            "batch_id": batch_id,
            "suggestion_version_id": suggestion_version_id,
            "created_at": now(),
        }
        new_id = self._connection.execute(_ADDED, _without_null_document(values)).scalar_one()
        reckon(self._connection, [example_id], sharing)
        return self.by_id(new_id)

    def by_id(self, annotation_id: int) -> Annotation:
        """The revision of that id. Raises NotFound."""
        found = self._one(_BY_ID, {"annotation": annotation_id})
        if found is None:
            raise NotFound(f"there is no annotation with id {annotation_id}")
        return found

    def stored_client_ids(self, client_ids: Sequence[str]) -> frozenset[str]:
        """Those of the client ids that are stored."""
        found: set[str] = set()
        for part in chunks(client_ids, 500):
            found.update(
                self._connection.execute(
                    select(revisions.c.client_id).where(revisions.c.client_id.in_(part))
                ).scalars()
            )
        return frozenset(found)

    def history(self, example_id: int) -> tuple[Annotation, ...]:
        """Every revision of an example, oldest first."""
        return self._all(
            select_revisions().where(revisions.c.example_id == example_id).order_by(revisions.c.revision)
        )

    def latest(self, example_id: int, author_id: int) -> Annotation | None:
        """The author's newest revision, or None."""
        return self._one(
            select_revisions()
            .where(revisions.c.example_id == example_id, revisions.c.author_id == author_id)
            .order_by(revisions.c.revision.desc())
            .limit(1)
        )

    # --- many examples at once --------------------------------------------------------------------------

    def newest(self, example_ids: Sequence[int], author_id: int | None = None) -> dict[int, Annotation]:
        """The newest revision of each example that has one, by anyone or by one author."""
        found: dict[int, Annotation] = {}
        for part in id_chunks(example_ids):
            # Their numbers first: most of what is asked for has no revision yet.
            rows = self._connection.execute(_NUMBERS, {"ids": list(part)})
            ids = {row.example_id: row.id for row in rows if author_id is None or row.author_id == author_id}
            if ids:
                found |= {one.example_id: one for one in self._all(_BY_IDS, {"ids": list(ids.values())})}
        return found

    def done_in_pool(self, project_id: int, user_id: int) -> int:
        """How many pool examples the user has met or somebody has decided."""
        in_pool = (in_project(project_id), examples.c.split == Split.POOL)
        sharing = sharing_of(self._connection, project_id)
        stands = ~_withdrawn_since()
        mine = select(revisions.c.example_id).where(
            revisions.c.author_id == user_id, revisions.c.status != AnnotationStatus.WITHDRAWN, stands
        )
        if sharing.alone:
            done_by_any = select(revisions.c.example_id).where(revisions.c.status.in_(DONE), stands)
            decided = mine.union(done_by_any, select(gold.c.example_id)).subquery()
        else:
            met = select(revisions.c.example_id).where(revisions.c.status.in_(DONE)).distinct().subquery()
            example_id = met.c.example_id
            done_by_all = select(example_id).where(
                settled(example_id) | (spoken(example_id, DONE) >= people_wanted(example_id, sharing))
            )
            decided = mine.union(done_by_all).subquery()
        done = self._connection.execute(
            select(func.count())
            .select_from(decided.join(examples, examples.c.id == decided.c.example_id))
            .where(*in_pool)
        )
        return int(done.scalar_one())

    def recent(
        self, project_id: int, author_id: int, limit: int, batch_id: int | None = None
    ) -> tuple[Annotation, ...]:
        """The author's latest revisions in a project (or one of its batches), newest first."""
        statement = select_revisions().where(
            in_project(project_id),
            revisions.c.author_id == author_id,
            ~_by_label_change(),
            ~no_longer_shown(revisions.c.id),
        )
        if batch_id is not None:
            statement = statement.where(revisions.c.batch_id == batch_id)
        return self._all(
            statement.order_by(revisions.c.created_at.desc(), revisions.c.id.desc()).limit(limit)
        )

    def status_counts(self, project_id: int, author_id: int) -> dict[AnnotationStatus, int]:
        """How many examples of a project stand at each status by the author's newest revision."""
        newest = (
            select(revisions.c.example_id, func.max(revisions.c.revision).label("revision"))
            .join(examples, examples.c.id == revisions.c.example_id)
            .where(in_project(project_id), revisions.c.author_id == author_id)
            .group_by(revisions.c.example_id)
            .subquery()
        )
        rows = self._connection.execute(
            select(revisions.c.status, func.count())
            .join(
                newest,
                (newest.c.example_id == revisions.c.example_id) & (newest.c.revision == revisions.c.revision),
            )
            .group_by(revisions.c.status)
        ).all()
        return dict.fromkeys(AnnotationStatus, 0) | {AnnotationStatus(s): count for s, count in rows}

    def logged_seconds(self, project_id: int, limit: int = 5_000) -> list[tuple[int, float]]:
        """(words, seconds) of the newest accepted revisions whose time was logged."""
        rows = self._connection.execute(
            select(examples.c.words, revisions.c.seconds)
            .join(examples, examples.c.id == revisions.c.example_id)
            .where(
                in_project(project_id),
                revisions.c.status == AnnotationStatus.ACCEPTED,
                revisions.c.seconds.is_not(None),
                ~written_by_a_change(revisions.c.id),
            )
            .order_by(revisions.c.id.desc())
            .limit(limit)
        )
        return [(words, float(seconds)) for words, seconds in rows]

    def document_names(self, document_ids: Collection[int]) -> dict[int, str]:
        """Names of documents, for the line that says where an example stands."""
        rows = self._connection.execute(_DOCUMENT_NAMES, {"ids": list(document_ids)})
        return {row.id: row.name for row in rows}

    def in_batch(self, batch_id: int, example_id: int) -> bool:
        """Whether the example is an item of the batch."""
        values = {"batch": batch_id, "example": example_id}
        return self._connection.execute(_IN_BATCH, values).one_or_none() is not None

    # --- inside ---

    def _refuse_stale(self, example_id: int, author_id: int, base_revision: int) -> None:
        values = {"example": example_id, "author": author_id, "base": base_revision}
        other = self._connection.execute(_OVERTAKEN_BY, values).scalar_one_or_none()
        if other is not None:
            raise StaleRevision(
                f"{other} has revised this example meanwhile",
                remedy="look at both versions and choose",
            )


def _by_label_change() -> ColumnElement[bool]:
    """Whether a change of the label set wrote the revision: nobody has looked at the example then."""
    return exists().where(label_change_items.c.annotation_id == revisions.c.id)


def _withdrawn_since() -> ColumnElement[bool]:
    """Whether the author has withdrawn the revision, or somebody has in their place."""
    later, newer = revisions.alias(), revisions.alias()
    spoke_again = exists().where(
        newer.c.example_id == later.c.example_id,
        newer.c.author_id == later.c.author_id,
        newer.c.revision > later.c.revision,
    )
    return exists().where(
        later.c.example_id == revisions.c.example_id,
        later.c.author_id == revisions.c.author_id,
        later.c.revision > revisions.c.revision,
        later.c.status == AnnotationStatus.WITHDRAWN,
        ~spoke_again,
    )


# Statements that every claim or answer needs are built once, and given their values at each call.
_EXAMPLE = bindparam("example", type_=Identity)
_IDS = bindparam("ids", type_=Identity, expanding=True)
_BY_ID = select_revisions().where(revisions.c.id == bindparam("annotation"))
_BY_IDS = select_revisions().where(revisions.c.id.in_(_IDS))
_KNOWN = select(revisions.c.id, revisions.c.example_id, revisions.c.author_id).where(
    revisions.c.client_id == bindparam("client")
)
_NEWEST_NUMBER = select(func.coalesce(func.max(revisions.c.revision), 0)).where(
    revisions.c.example_id == _EXAMPLE
)
_NUMBERS = (
    select(revisions.c.id, revisions.c.example_id, revisions.c.author_id)
    .where(revisions.c.example_id.in_(_IDS))
    .order_by(revisions.c.revision)
)
_ADDED = insert(revisions).returning(revisions.c.id)
_IN_BATCH = select(batch_items.c.example_id).where(
    batch_items.c.batch_id == bindparam("batch"), batch_items.c.example_id == _EXAMPLE
)
_DOCUMENT_NAMES = select(documents.c.id, documents.c.name).where(documents.c.id.in_(_IDS))
_OVERTAKEN_BY = (
    select(users.c.name)
    .join(revisions, revisions.c.author_id == users.c.id)
    .where(
        revisions.c.example_id == _EXAMPLE,
        revisions.c.author_id != bindparam("author"),
        revisions.c.revision > bindparam("base"),
        ~_by_label_change(),
        ~is_withdrawal(revisions.c.id),
    )
    .order_by(revisions.c.revision.desc())
    .limit(1)
)


def _without_null_document(values: dict[str, Any]) -> dict[str, Any]:
    """A JSON column given None would store the JSON value null, which the CHECK takes for a payload."""
    return {key: value for key, value in values.items() if key != "payload" or value is not None}
