"""Revisions that withdraw a person's annotations, and that put them back: written by the hundred, each a row more.

A withdrawal holds no labels, so that nobody who labels the example next starts from them. What it took to undo it is
kept beside it (``work_change_items``). A revision that puts labels back is a copy of the first one with its moment, so
that it says when the person labeled, and not when somebody undid.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)

from workbench.domain import AnnotationStatus, Json, Sharing
from workbench.storage.followgold import GoldRow, follow_many, gold_rows, put_gold
from workbench.storage.openitems import reckon
from workbench.storage.revisions import newest_of_author
from workbench.storage.rows import aware, id_chunks, now
from workbench.storage.sharing import people_wanted, spoken
from workbench.storage.tables import annotations as revisions
from workbench.storage.tables import (
    examples,
    gold,
    leases,
    model_versions,
    snapshot_items,
    work_change_items,
)
from workbench.storage.tables.columns import Identity, Moment
from workbench.storage.visible import in_project
from workbench.storage.withdrawn import Withdrawn, is_put_back, what_was_withdrawn


class Scope(NamedTuple):
    """Which of a person's annotations; ``upto`` is the newest that is meant, by id."""

    person_id: int
    batch_id: int | None = None
    since: datetime | None = None
    upto: int | None = None
    decided: bool = False


class Counts(NamedTuple):
    """What stands in a scope: by status, and how much of it is gold, by a rule or as a reviewer's decision."""

    by_status: dict[AnnotationStatus, int]
    gold: int
    decided: int


class Withdrawals:
    """Repository of withdrawals; see ``Store``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- beforehand -------------------------------------------------------------------------------------

    def counts(self, project_id: int, scope: Scope) -> Counts:
        """What a withdrawal would take, without its effect on what others have said."""
        decided = and_(gold.c.accepted_by.is_not(None), gold.c.accepted_by != scope.person_id)
        rows = self._connection.execute(
            select(
                revisions.c.status,
                func.count(),
                func.count(gold.c.example_id),
                func.count(gold.c.example_id).filter(decided),
            )
            .join(examples, examples.c.id == revisions.c.example_id)
            .outerjoin(gold, gold.c.annotation_id == revisions.c.id)
            .where(in_project(project_id), *_in_scope(scope))
            .group_by(revisions.c.status)
        ).all()
        by_status = {AnnotationStatus(row[0]): row[1] for row in rows}
        reviewed = sum(row[3] for row in rows)
        return Counts(by_status, sum(row[2] for row in rows) - reviewed, reviewed)

    def learned_from(self, project_id: int, scope: Scope) -> list[int]:
        """Numbers of the model versions that have learned from annotations of the scope."""
        rows = self._connection.execute(
            select(model_versions.c.number)
            .join(snapshot_items, snapshot_items.c.snapshot_id == model_versions.c.snapshot_id)
            .join(revisions, revisions.c.id == snapshot_items.c.annotation_id)
            .join(examples, examples.c.id == revisions.c.example_id)
            .where(in_project(project_id), *_in_scope(scope))
            .distinct()
            .order_by(model_versions.c.number)
        )
        return list(rows.scalars())

    def last_annotation(self) -> int:
        """The highest id of an annotation, of any project."""
        return int(self._connection.execute(select(func.coalesce(func.max(revisions.c.id), 0))).scalar_one())

    def to_withdraw(self, project_id: int, scope: Scope) -> list[tuple[int, int]]:
        """(example id, annotation id) of what stands in the scope, by example."""
        rows = self._connection.execute(
            select(revisions.c.example_id, revisions.c.id)
            .join(examples, examples.c.id == revisions.c.example_id)
            .where(in_project(project_id), *_in_scope(scope))
            .order_by(revisions.c.example_id)
        )
        return [(row[0], row[1]) for row in rows]

    def to_put_back(self, change_id: int) -> list[tuple[int, int]]:
        """(example id, annotation id) of a change's revisions that are not put back yet, by example."""
        items = work_change_items
        rows = self._connection.execute(
            select(revisions.c.example_id, revisions.c.id)
            .join(items, items.c.annotation_id == revisions.c.id)
            .where(items.c.change_id == change_id, items.c.undoes.is_(False), ~is_put_back())
            .order_by(revisions.c.example_id)
        )
        return [(row[0], row[1]) for row in rows]

    # --- withdraw ---------------------------------------------------------------------------------------

    def lock(self, example_ids: Sequence[int]) -> None:
        """Let nobody else save in these examples until the block ends; in the order in which all writers do."""
        for part in id_chunks(sorted(example_ids)):
            statement = select(examples.c.id).where(examples.c.id.in_(part)).order_by(examples.c.id)
            self._connection.execute(statement.with_for_update(key_share=True)).all()

    def withdraw(
        self,
        change_id: int,
        scope: Scope,
        pairs: Sequence[tuple[int, int]],
        sharing: Sharing,
        note: str,
    ) -> tuple[int, int]:
        """Withdraw those of the annotations that still stand; how many, and how many examples' gold changed.

        Args:
            change_id: On whose account.
            scope: Whose they are, and whether what a reviewer decided goes as well.
            pairs: (example id, annotation id), at most some hundred.
            sharing: How the project's work is shared out.
            note: Kept with each.
        """
        asked = [example_id for example_id, _ in pairs]
        self.lock(asked)
        standing = self._still_standing([one for _, one in pairs])
        ids = sorted(standing)
        before = gold_rows(self._connection, ids)
        new = self._write(list(standing.values()), f"work:{change_id}:", AnnotationStatus.WITHDRAWN, note)
        lost = [
            example_id
            for example_id, one in before.items()
            if one.author_id == scope.person_id
            and (scope.decided or one.accepted_by in (None, scope.person_id))
        ]
        for part in id_chunks(lost):
            self._connection.execute(delete(gold).where(gold.c.example_id.in_(part)))
        follow_many(self._connection, ids, sharing)
        after = gold_rows(self._connection, ids)
        changed = {one for one in ids if _id_of(before.get(one)) != _id_of(after.get(one))}
        self._keep(change_id, standing, new, changed, before)
        reckon(self._connection, ids, sharing)
        return len(ids), len(changed)

    def _still_standing(self, annotation_ids: Sequence[int]) -> dict[int, int]:
        found: dict[int, int] = {}
        for part in id_chunks(annotation_ids):
            rows = self._connection.execute(
                select(revisions.c.example_id, revisions.c.id).where(
                    revisions.c.id.in_(part),
                    revisions.c.status != AnnotationStatus.WITHDRAWN,
                    newest_of_author(),
                )
            )
            found.update({row[0]: row[1] for row in rows})
        return found

    def _keep(
        self,
        change_id: int,
        standing: dict[int, int],
        new: dict[int, int],
        changed: set[int],
        before: dict[int, GoldRow],
    ) -> None:
        values = []
        for example_id, annotation_id in standing.items():
            was = before.get(example_id) if example_id in changed else None
            values.append(
                {
                    "annotation_id": new[example_id],
                    "replaced_id": annotation_id,
                    "change_id": change_id,
                    "undoes": False,
                    "gold": example_id in changed,
                    "gold_id": was.annotation_id if was else None,
                    "accepted_by": was.accepted_by if was else None,
                    "accepted_at": was.accepted_at if was else None,
                }
            )
        if values:
            self._connection.execute(insert(work_change_items), values)

    # --- put back ---------------------------------------------------------------------------------------

    def withdrawn(self, annotation_ids: Sequence[int], sharing: Sharing) -> list[Withdrawn]:
        """What is to be put back, with what has happened since; call it with the examples locked to rely on it."""
        rows: list[Withdrawn] = []
        for part in id_chunks(annotation_ids):
            rows += [
                Withdrawn._make(row)._replace(
                    gold=bool(row.gold),
                    accepted_at=aware(row.accepted_at),
                    again=bool(row.again),
                    others=bool(row.others),
                    room=bool(row.room),
                )
                for row in self._connection.execute(what_was_withdrawn(sharing), {"ids": list(part)})
            ]
        return rows

    def put_back(
        self,
        change_id: int,
        rows: Sequence[Withdrawn],
        payloads: dict[int, Json],
        sharing: Sharing,
    ) -> int:
        """Let these stand again, as they stood; how many examples have the gold again that they had.

        Args:
            change_id: The withdrawal.
            rows: At most some hundred, their examples locked.
            payloads: Labels under their names of now, by example, where they are called otherwise than then.
            sharing: How the project's work is shared out.
        """
        ids = sorted(row.example_id for row in rows)
        prefix = f"work:{change_id}:undo:"
        new = self._write([row.replaced_id for row in rows], prefix)
        for row in rows:
            if row.example_id in payloads:
                self._connection.execute(
                    update(revisions)
                    .where(revisions.c.id == new[row.example_id])
                    .values(payload=dict(payloads[row.example_id]))
                )
        written = {row.replaced_id: new[row.example_id] for row in rows}
        written |= self._write_those_behind(
            [row for row in rows if sharing.needed(row.example_id) == 1], prefix
        )
        if written:
            values = [
                {
                    "annotation_id": copy,
                    "replaced_id": old,
                    "change_id": change_id,
                    "undoes": True,
                    "gold": False,
                }
                for old, copy in written.items()
            ]
            self._connection.execute(insert(work_change_items), values)
        back = self._restore_gold(rows, written, sharing)
        self._end_leases(ids, sharing)
        reckon(self._connection, ids, sharing)
        return back

    def _write_those_behind(self, rows: Sequence[Withdrawn], prefix: str) -> dict[int, int]:
        """Copies of what others had said after these, so that the newest stays the newest; by the first one's id."""
        behind = []
        old, other = revisions.alias(), revisions.alias()
        later = revisions.alias()
        superseded = exists().where(
            later.c.example_id == other.c.example_id,
            later.c.author_id == other.c.author_id,
            later.c.revision > other.c.revision,
        )
        for part in id_chunks([row.replaced_id for row in rows]):
            found = self._connection.execute(
                select(other.c.id)
                .join(old, old.c.example_id == other.c.example_id)
                .where(
                    old.c.id.in_(part),
                    other.c.author_id != old.c.author_id,
                    other.c.revision > old.c.revision,
                    other.c.status == AnnotationStatus.ACCEPTED,
                    ~superseded,
                )
                .order_by(other.c.example_id, other.c.revision)
            )
            behind += list(found.scalars())
        copies: dict[int, int] = {}
        for one in behind:  # one after the other: each takes the next number of its example
            copies[one] = next(iter(self._write([one], prefix).values()))
        return copies

    def _restore_gold(self, rows: Sequence[Withdrawn], written: dict[int, int], sharing: Sharing) -> int:
        """Gold as it was, on the new revisions; by the rule where others have spoken since; decided gold stays."""
        current = gold_rows(self._connection, [row.example_id for row in rows])
        exact: list[tuple[int, int | None, int | None, datetime | None]] = []
        by_rule: list[int] = []
        for row in rows:
            now_gold = current.get(row.example_id)
            if now_gold is not None and now_gold.annotation_id in written:
                moved = written[now_gold.annotation_id]
                exact.append((row.example_id, moved, now_gold.accepted_by, now_gold.accepted_at))
            elif now_gold is not None and now_gold.decided:
                continue
            elif row.others:
                by_rule.append(row.example_id)
            elif row.gold:
                kept = None if row.gold_id is None else written.get(row.gold_id, row.gold_id)
                exact.append((row.example_id, kept, row.accepted_by, row.accepted_at))
        put_gold(self._connection, exact)
        follow_many(self._connection, by_rule, sharing)
        return len({row.example_id for row in rows if row.gold} & {one[0] for one in exact})

    def _end_leases(self, example_ids: Sequence[int], sharing: Sharing) -> None:
        """Who holds an example for which there is no room any more holds it no longer."""
        for part in id_chunks(example_ids):
            full = spoken(leases.c.example_id) >= people_wanted(leases.c.example_id, sharing)
            self._connection.execute(delete(leases).where(leases.c.example_id.in_(part), full))

    # --- inside -----------------------------------------------------------------------------------------

    def _write(
        self,
        annotation_ids: Sequence[int],
        prefix: str,
        status: AnnotationStatus | None = None,
        note: str | None = None,
    ) -> dict[int, int]:
        """A further revision for each of these, by its example; of another status it has no labels."""
        same = status is None
        later = revisions.alias()
        number = select(func.max(later.c.revision) + 1).where(later.c.example_id == revisions.c.example_id)
        columns: dict[str, ColumnElement[Any]] = {
            "example_id": revisions.c.example_id,
            "author_id": revisions.c.author_id,
            "revision": number.correlate(revisions).scalar_subquery(),
            "status": revisions.c.status if same else literal(str(status)),
            "client_id": literal(prefix).concat(cast(revisions.c.id, Text)),
            "comment": revisions.c.comment if note is None else literal(note),
            "batch_id": revisions.c.batch_id,
            "created_at": revisions.c.created_at if same else literal(now(), Moment),
        }
        if same:
            for name in ("payload", "seconds", "suggestion_version_id"):
                columns[name] = revisions.c[name]
        found: dict[int, int] = {}
        for part in id_chunks(annotation_ids):
            chosen: Select[Any] = select(*columns.values()).where(revisions.c.id.in_(part))
            written = (
                insert(revisions)
                .from_select(list(columns), chosen)
                .returning(revisions.c.example_id, revisions.c.id)
            )
            found.update({row[0]: row[1] for row in self._connection.execute(written)})
        return found


def _id_of(row: GoldRow | None) -> int | None:
    return row.annotation_id if row is not None else None


def _in_scope(scope: Scope) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        revisions.c.author_id == literal(scope.person_id, Identity),
        revisions.c.status != AnnotationStatus.WITHDRAWN,
        newest_of_author(),
    ]
    if scope.batch_id is not None:
        conditions.append(revisions.c.batch_id == scope.batch_id)
    if scope.since is not None:
        conditions.append(revisions.c.created_at >= scope.since)
    if scope.upto is not None:
        conditions.append(revisions.c.id <= scope.upto)
    return conditions


__all__ = ["Counts", "Scope", "Withdrawals"]
