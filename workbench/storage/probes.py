"""Probes: adjudicated examples among a batch's items, and what people say of them.

What is said of a probe is kept apart from annotations, so that nothing which reads labels (gold, training, agreement,
exports) can meet it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from workbench.domain import Annotation, AnnotationStatus, Json, Sharing, Split
from workbench.errors import NotFound
from workbench.storage.candidates import live_lease
from workbench.storage.openitems import reckon
from workbench.storage.revisions import asks_anew, labels_are_partial
from workbench.storage.rows import aware, id_chunks, now
from workbench.storage.sharing import people_wanted, settled
from workbench.storage.tables import annotations as revisions
from workbench.storage.tables import (
    batch_items,
    batches,
    examples,
    gold,
    leases,
    probe_answers,
    projects,
    remarks,
    users,
)
from workbench.storage.tables.columns import Identity
from workbench.storage.visible import in_project
from workbench.tasks import get_task

# What is asked at every answer is built once: building it takes several times as long as answering it.
_USER, _IDS = bindparam("user", type_=Identity), bindparam("ids", type_=Identity, expanding=True)
_OF_THEIRS = select(batch_items.c.example_id, batch_items.c.batch_id).where(
    batch_items.c.example_id.in_(_IDS),
    batch_items.c.probe,
    ~exists().where(revisions.c.example_id == batch_items.c.example_id, revisions.c.author_id == _USER),
)
_STILL = and_(
    exists().where(gold.c.example_id == probe_answers.c.example_id),
    ~exists().where(
        revisions.c.example_id == probe_answers.c.example_id, revisions.c.author_id == probe_answers.c.user_id
    ),
    ~exists().where(
        leases.c.example_id == probe_answers.c.example_id,
        leases.c.user_id == probe_answers.c.user_id,
        leases.c.batch_id.is_distinct_from(probe_answers.c.batch_id),
    ),
)
"""Of an answered probe: it still has gold, and the person neither has labeled it otherwise nor holds it to do so."""

_ANSWERED = select(probe_answers.c.example_id, probe_answers.c.batch_id, _STILL.label("still")).where(
    probe_answers.c.example_id.in_(_IDS), probe_answers.c.user_id == _USER
)
_OPEN = (batch_items.c.batch_id == bindparam("batch"), batch_items.c.open)
_ONLY_PROBES = select(
    ~exists().where(*_OPEN, ~batch_items.c.probe) & exists().where(*_OPEN, batch_items.c.probe)
)


class Probes:
    """Repository of probes; see ``Store``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def candidates(self, project_id: int, sharing: Sharing) -> list[int]:
        """Ids of adjudicated pool examples that wait in no batch and are new to somebody, by id.

        Adjudicated is what a reviewer decided, what came as gold, and what several people agreed on; partial labels
        measure nobody, nor do answers to a question that was worded anew, since whoever is probed reads the first one.
        """
        agreed = people_wanted(examples.c.id, sharing) > 1
        new_to_somebody = exists().where(
            users.c.active,
            ~users.c.system,
            users.c.password_hash.is_not(None),
            ~met(examples.c.id, users.c.id),
        )
        waiting = exists().where(batch_items.c.example_id == examples.c.id, batch_items.c.open)
        statement = (
            select(examples.c.id)
            .join(gold, gold.c.example_id == examples.c.id)
            .join(revisions, revisions.c.id == gold.c.annotation_id)
            .where(in_project(project_id), examples.c.split == Split.POOL.value)
            .where(~labels_are_partial(revisions.c.payload), ~asks_anew(revisions.c.payload))
            .where(
                settled(examples.c.id) | (agreed if sharing.agree > 1 else False), ~waiting, new_to_somebody
            )
            .order_by(examples.c.id)
        )
        return list(self._connection.execute(statement).scalars())

    def among(self, user_id: int, items: Sequence[tuple[int | None, int]]) -> dict[int, int]:
        """Which (batch id, example id) pairs are the person's probes: batch by example id.

        One is a probe that is an item of the batch and not labeled by the person otherwise; and what the person has
        said already of a probe and looks at again, where the batch is not named.
        """
        found: dict[int, int] = {}
        said_batch = {example_id: batch_id for batch_id, example_id in items}
        for part in id_chunks(list(said_batch)):
            values = {"ids": list(part), "user": user_id}
            rows = self._connection.execute(_OF_THEIRS, values)
            found |= {
                row.example_id: row.batch_id for row in rows if said_batch[row.example_id] == row.batch_id
            }
            rows = self._connection.execute(_ANSWERED, values)
            found |= {
                row.example_id: row.batch_id
                for row in rows
                if said_batch[row.example_id] == row.batch_id
                or (said_batch[row.example_id] is None and row.still)
            }
        return found

    def shown_to(self, user_id: int, example_ids: Sequence[int]) -> dict[int, Annotation | None]:
        """Those of the examples that are probes to the person, with what they have said of them."""
        found: dict[int, Annotation | None] = {}
        for part in id_chunks(example_ids):
            held = select(leases.c.example_id).where(
                leases.c.example_id.in_(part),
                leases.c.user_id == user_id,
                exists().where(
                    batch_items.c.batch_id == leases.c.batch_id,
                    batch_items.c.example_id == leases.c.example_id,
                    batch_items.c.probe,
                ),
            )
            found |= dict.fromkeys(self._connection.execute(held).scalars())
            mine = probe_answers.c.user_id == user_id
            said = _answers().where(probe_answers.c.example_id.in_(part), mine, _STILL)
            found |= {row.example_id: _annotation(row) for row in self._connection.execute(said)}
        return found

    def recent(self, project_id: int, user_id: int, limit: int) -> list[Annotation]:
        """What the person said of probes, the newest first."""
        statement = (
            _answers()
            .where(in_project(project_id), probe_answers.c.user_id == user_id)
            .order_by(probe_answers.c.created_at.desc())
            .limit(limit)
        )
        return [_annotation(row) for row in self._connection.execute(statement)]

    def all(self, project_id: int) -> list[tuple[Annotation, Annotation]]:
        """Everybody's answers and the gold that each was measured against, the newest first."""
        statement = _answers().where(in_project(project_id)).order_by(probe_answers.c.created_at.desc())
        rows = list(self._connection.execute(statement))
        known: dict[int, Json] = {}
        for part in id_chunks([row.gold_id for row in rows]):
            found = select(revisions.c.id, revisions.c.payload).where(revisions.c.id.in_(part))
            known |= {row.id: row.payload for row in self._connection.execute(found)}
        return [(_annotation(row), _annotation(row, {"payload": known[row.gold_id]})) for row in rows]

    def store(self, batch_id: int, example_id: int, user_id: int, values: Mapping[str, Any]) -> Annotation:
        """Keep what a person says of a probe, over what they said before; the same client id changes nothing.

        Args:
            batch_id: The batch whose item it is.
            example_id: The example.
            user_id: Who says it.
            values: status, payload, client_id, seconds, comment.

        Raises:
            NotFound: The example has no gold any more.
        """
        mine = _answers().where(probe_answers.c.example_id == example_id, probe_answers.c.user_id == user_id)
        row = self._connection.execute(mine).one_or_none()
        if row is not None and row.client_id == values["client_id"]:
            return _annotation(row)
        new = dict(values) | {"created_at": now()}
        if row is not None:
            new["revision"] = row.revision + 1
            changed = update(probe_answers).where(probe_answers.c.id == row.id).values(new)
            self._connection.execute(changed)
        else:
            gold_id = self._connection.execute(
                select(gold.c.annotation_id).where(gold.c.example_id == example_id)
            ).scalar_one_or_none()
            if gold_id is None:
                raise NotFound("this example is gone from the batch", remedy="go on with the next one")
            new |= {"revision": 1, "gold_id": gold_id}
            new |= {"batch_id": batch_id, "example_id": example_id, "user_id": user_id}
            self._connection.execute(insert(probe_answers).values(new))
        reckon(self._connection, [example_id])
        return _annotation(self._connection.execute(mine).one())

    def drop_leftovers(self, batch_id: int) -> None:
        """Take probes that nobody holds out of a batch in which nothing else waits: not everybody may be given them."""
        if self._connection.execute(_ONLY_PROBES, {"batch": batch_id}).scalar_one():
            self._connection.execute(
                delete(batch_items).where(
                    batch_items.c.batch_id == batch_id,
                    batch_items.c.open,
                    batch_items.c.probe,
                    ~live_lease(batch_items.c.example_id, now()),
                )
            )

    def mixed_in(self, project_id: int) -> int:
        """How many probes the project's batches hold."""
        statement = (
            select(func.count())
            .select_from(batch_items.join(batches, batches.c.id == batch_items.c.batch_id))
            .where(batches.c.project_id == project_id, batch_items.c.probe)
        )
        return self._connection.execute(statement).scalar_one()


def met(example_id: ColumnElement[int], user_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a person has labeled or reviewed an example, or was given it as a probe before."""
    labeled = exists().where(revisions.c.example_id == example_id, revisions.c.author_id == user_id)
    decided = exists().where(gold.c.example_id == example_id, gold.c.accepted_by == user_id)
    said = revisions.alias()
    remarked = exists().where(
        said.c.example_id == example_id,
        remarks.c.annotation_id == said.c.id,
        remarks.c.author_id == user_id,
    )
    probed = exists().where(
        probe_answers.c.example_id == example_id,
        probe_answers.c.user_id == user_id,
        probe_answers.c.status != AnnotationStatus.WITHDRAWN.value,
    )
    return or_(
        labeled.correlate_except(revisions),
        decided.correlate_except(gold),
        remarked.correlate_except(said, remarks),
        probed.correlate_except(probe_answers),
    )


def _answers() -> Select[Any]:
    return (
        select(probe_answers, users.c.name.label("author"), projects.c.task)
        .join(users, users.c.id == probe_answers.c.user_id)
        .join(examples, examples.c.id == probe_answers.c.example_id)
        .join(projects, projects.c.id == examples.c.project_id)
    )


def _annotation(row: Row[Any], instead: Mapping[str, Any] | None = None) -> Annotation:
    payload = (instead or {"payload": row.payload})["payload"]
    return Annotation(
        id=row.id,
        example_id=row.example_id,
        author_id=row.user_id,
        author=row.author,
        revision=row.revision,
        status=AnnotationStatus(row.status),
        payload=None if payload is None else get_task(row.task).load(payload),
        client_id=row.client_id,
        seconds=row.seconds,
        comment=row.comment,
        batch_id=row.batch_id,
        suggestion_version=None,
        created_at=aware(row.created_at),
    )
