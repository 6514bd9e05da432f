"""Revisions that take the place of others when the label set changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    bindparam,
    cast,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from workbench.domain import AnnotationStatus, Json
from workbench.storage.openitems import reckon
from workbench.storage.rows import chunks, id_chunks, json_text_pattern, now
from workbench.storage.tables import annotations as revisions
from workbench.storage.tables import examples, gold, label_change_items
from workbench.storage.visible import in_project

KEPT = ("created_at", "batch_id", "seconds", "comment", "suggestion_version_id")
"""Columns of a revision that say when and how a person labeled, whatever the labels are called."""


class Standing(NamedTuple):
    """A revision that says what its author thinks now, or that is gold; ``gold`` and ``accepted_by`` say which."""

    id: int
    example_id: int
    author_id: int
    revision: int
    status: str
    payload: Json | None
    latest: bool
    gold: bool
    accepted_by: int | None


class NewRevision(NamedTuple):
    """A revision that takes another's place.

    ``like`` is the id of the revision whose labels it gives under other names; None where it withdraws.
    """

    replaced: Standing
    author_id: int
    revision: int
    status: str
    payload: Json | None
    like: int | None


class Written(NamedTuple):
    """A revision that a change has written, and what stood in its place before, whose id ``replaced_id`` is.

    ``touched`` says whether its author has said something since, other than through changes of the label set.
    """

    id: int
    replaced_id: int
    example_id: int
    author_id: int
    touched: bool
    payload: Json | None
    status: str
    gold: bool
    accepted_by: int | None


class Replacements:
    """The half of the ``LabelSets`` repository that is about annotations."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def examples_with(self, project_id: int, names: Collection[str]) -> list[int]:
        """Ids of examples whose standing revisions or gold use one of the labels, and perhaps a few others."""
        using = or_(*(self._mentions(name) for name in sorted(names)))
        of_gold = exists().where(gold.c.annotation_id == revisions.c.id)
        statement = (
            select(revisions.c.example_id)
            .join(examples, examples.c.id == revisions.c.example_id)
            .where(in_project(project_id), using, or_(~_superseded(), of_gold))
            .distinct()
            .order_by(revisions.c.example_id)
        )
        return list(self._connection.execute(statement).scalars())

    def standing(self, example_ids: Sequence[int]) -> dict[int, list[Standing]]:
        """Everything that stands of these examples, oldest revision first, by example id."""
        found: dict[int, list[Standing]] = {}
        for part in id_chunks(example_ids):
            later = _superseded()
            rows = self._connection.execute(
                select(
                    revisions.c.id,
                    revisions.c.example_id,
                    revisions.c.author_id,
                    revisions.c.revision,
                    revisions.c.status,
                    revisions.c.payload,
                    (~later).label("latest"),
                    gold.c.example_id.is_not(None).label("gold"),
                    gold.c.accepted_by,
                )
                .outerjoin(gold, gold.c.annotation_id == revisions.c.id)
                .where(revisions.c.example_id.in_(part), or_(~later, gold.c.example_id.is_not(None)))
                .order_by(revisions.c.example_id, revisions.c.revision)
            )
            for row in rows:
                one = Standing(*row)
                found.setdefault(one.example_id, []).append(
                    one._replace(latest=bool(one.latest), gold=bool(one.gold))
                )
        return found

    def last_annotation(self) -> int:
        """The highest id of an annotation, of any project."""
        return int(self._connection.execute(select(func.coalesce(func.max(revisions.c.id), 0))).scalar_one())

    def newest_revisions(self, example_ids: Sequence[int]) -> dict[int, int]:
        """The highest revision number of each of these examples."""
        found: dict[int, int] = {}
        for part in id_chunks(example_ids):
            rows = self._connection.execute(
                select(revisions.c.example_id, func.max(revisions.c.revision))
                .where(revisions.c.example_id.in_(part))
                .group_by(revisions.c.example_id)
            )
            found.update({row[0]: row[1] for row in rows})
        return found

    def replace(self, change_id: int, rows: Sequence[NewRevision], *, undoes: bool) -> dict[int, int]:
        """Add revisions in others' place, gold following to them; the new ids by the ids that they replace.

        Nobody has labeled anew: each has the moment, batch, time, remark and suggestion of the one that it is like.
        """
        kept = self._kept([row.like for row in rows if row.like is not None])
        withdrawn = dict.fromkeys(KEPT) | {"created_at": now(), "comment": ""}
        word = "undo" if undoes else "do"
        names = {row.replaced.id: f"labels:{change_id}:{word}:{row.replaced.id}" for row in rows}
        for part in chunks(rows, 1_000):
            for with_payload in (True, False):
                values = [
                    {
                        "example_id": row.replaced.example_id,
                        "author_id": row.author_id,
                        "revision": row.revision,
                        "status": row.status,
                        "client_id": names[row.replaced.id],
                        **(withdrawn if row.like is None else kept[row.like]),
                        **({"payload": dict(row.payload)} if row.payload is not None else {}),
                    }
                    for row in part
                    if (row.payload is not None) == with_payload
                ]
                if values:
                    self._connection.execute(insert(revisions), values)
        found = self._by_client_id(list(names.values()))
        new = {old: found[name] for old, name in names.items()}
        for part in chunks(rows, 1_000):
            self._connection.execute(
                insert(label_change_items),
                [
                    {
                        "annotation_id": new[row.replaced.id],
                        "replaced_id": row.replaced.id,
                        "change_id": change_id,
                        "undoes": undoes,
                        "gold": row.replaced.gold,
                        "accepted_by": row.replaced.accepted_by,
                    }
                    for row in part
                ],
            )
        follow = [
            {"old": row.replaced.id, "new": new[row.replaced.id]}
            for row in rows
            if row.replaced.gold and row.status == AnnotationStatus.ACCEPTED
        ]
        if follow:
            self._connection.execute(
                update(gold)
                .where(gold.c.annotation_id == bindparam("old"))
                .values(annotation_id=bindparam("new")),
                follow,
            )
        reckon(self._connection, sorted({row.replaced.example_id for row in rows}))
        return new

    def clear_gold(self, example_ids: Sequence[int]) -> None:
        """Take the gold of these examples away."""
        for part in id_chunks(example_ids):
            self._connection.execute(delete(gold).where(gold.c.example_id.in_(part)))
        reckon(self._connection, example_ids)

    def give_gold(self, rows: Iterable[tuple[int, int, int | None]]) -> None:
        """Gold for examples that have none: (example id, annotation id, who accepts it)."""
        given = list(rows)
        values = [
            {
                "example_id": example_id,
                "annotation_id": annotation_id,
                "accepted_by": by,
                "accepted_at": now(),
            }
            for example_id, annotation_id, by in given
        ]
        if values:
            self._connection.execute(insert(gold), values)
            reckon(self._connection, [example_id for example_id, _, _ in given])

    def without_gold(self, example_ids: Sequence[int]) -> set[int]:
        """Those of the examples that have no gold."""
        have: set[int] = set()
        for part in id_chunks(example_ids):
            have.update(
                self._connection.execute(
                    select(gold.c.example_id).where(gold.c.example_id.in_(part))
                ).scalars()
            )
        return set(example_ids) - have

    def written_by(self, change_id: int) -> Iterator[Written]:
        """What a change has written, by example."""
        items, new, old, later = label_change_items, revisions.alias(), revisions.alias(), revisions.alias()
        written = label_change_items.alias()
        touched = exists().where(
            later.c.example_id == new.c.example_id,
            later.c.author_id == new.c.author_id,
            later.c.revision > new.c.revision,
            ~exists().where(written.c.annotation_id == later.c.id),
        )
        rows = self._connection.execute(
            select(
                items.c.annotation_id,
                items.c.replaced_id,
                new.c.example_id,
                new.c.author_id,
                touched.label("touched"),
                old.c.payload,
                old.c.status,
                items.c.gold,
                items.c.accepted_by,
            )
            .join(new, new.c.id == items.c.annotation_id)
            .join(old, old.c.id == items.c.replaced_id)
            .where(items.c.change_id == change_id, items.c.undoes.is_(False))
            .order_by(new.c.example_id, items.c.annotation_id)
        )
        for row in rows.all():
            yield Written(*row)._replace(gold=bool(row.gold), touched=bool(row.touched))

    # --- inside -------------------------------------------------------------------------------------

    def _kept(self, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """What is kept of these revisions where others take their place, by their ids."""
        columns = [revisions.c[name] for name in KEPT]
        found: dict[int, dict[str, Any]] = {}
        for part in id_chunks(ids):
            rows = self._connection.execute(select(revisions.c.id, *columns).where(revisions.c.id.in_(part)))
            found.update({row[0]: dict(zip(KEPT, row[1:], strict=True)) for row in rows})
        return found

    def _by_client_id(self, names: Sequence[str]) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for part in id_chunks(names):
            rows = self._connection.execute(
                select(revisions.c.client_id, revisions.c.id).where(revisions.c.client_id.in_(part))
            )
            found.update({row[0]: row[1] for row in rows})
        return found

    def _mentions(self, label: str) -> ColumnElement[bool]:
        pattern = json_text_pattern(label, ascii_only=self._connection.dialect.name == "sqlite")
        return cast(revisions.c.payload, Text).like(pattern, escape="\\")


def _superseded() -> ColumnElement[bool]:
    later = revisions.alias()
    return exists().where(
        later.c.example_id == revisions.c.example_id,
        later.c.author_id == revisions.c.author_id,
        later.c.revision > revisions.c.revision,
    )
