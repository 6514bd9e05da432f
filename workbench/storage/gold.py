"""Gold: the accepted annotation of an example; and labels that came in with a file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, func, insert, literal, select, update

from workbench.domain import Annotation, AnnotationStatus, Json, Sharing, Split
from workbench.storage.openitems import reckon
from workbench.storage.revisions import Revisions, newest_of_author, select_revisions, to_annotation
from workbench.storage.rows import bulk_insert, chunks, id_chunks, now
from workbench.storage.tables import annotations as revisions
from workbench.storage.tables import examples, gold, oracle_answers, users
from workbench.storage.tables.columns import Identity
from workbench.storage.visible import in_project


class Standing(NamedTuple):
    """An accepted revision that its author has not followed up."""

    annotation_id: int
    payload: Json
    system: bool


def agreed(standing: Sequence[Standing], needed: int) -> int | None:
    """Id of the newest revision of the labels that are to be gold, None where they are not agreed on.

    Args:
        standing: Newest first.
        needed: How many people must give the very same labels, and more than give any other. With 1 the newest
            revision is taken, a file's too; else files count only where nobody else has said anything.
    """
    if needed == 1:
        return standing[0].annotation_id if standing else None
    people = [one for one in standing if not one.system]
    if not people:
        return standing[0].annotation_id if standing else None
    ranked = Counter(same_labels(one.payload) for one in people).most_common(2)
    most = ranked[0][1]
    if most < needed or (len(ranked) > 1 and ranked[1][1] == most):
        return None
    return next(one.annotation_id for one in people if same_labels(one.payload) == ranked[0][0])


def same_labels(payload: Json) -> str:
    """A text that is the same for the same labels: two people agree where theirs are.

    In what order somebody has marked the answers of a question says nothing.
    """
    said = {name: value for name, value in payload.items() if name != "question"}
    if "answers" in said:
        said["answers"] = sorted(said["answers"], key=lambda answer: (answer["start"], answer["end"]))
    return json.dumps(said, sort_keys=True)


# Statements that every answer needs are built once, and given their values at each call.
_EXAMPLE = bindparam("example", type_=Identity)
_GOLD_NOW = (
    select(gold.c.annotation_id, gold.c.accepted_by, users.c.system)
    .join(revisions, revisions.c.id == gold.c.annotation_id)
    .join(users, users.c.id == revisions.c.author_id)
    .where(gold.c.example_id == _EXAMPLE)
)
_STANDING = (
    select(revisions.c.id, revisions.c.payload, users.c.system)
    .join(users, users.c.id == revisions.c.author_id)
    .where(
        revisions.c.example_id == _EXAMPLE,
        revisions.c.status == AnnotationStatus.ACCEPTED,
        newest_of_author(),
    )
    .order_by(revisions.c.revision.desc())
)
_REPLACED = (
    update(gold)
    .where(gold.c.example_id == _EXAMPLE)
    .values(annotation_id=bindparam("annotation"), accepted_at=bindparam("at"), accepted_by=bindparam("by"))
)
_ACCEPTED = insert(gold)
_TAKEN = delete(gold).where(gold.c.example_id == _EXAMPLE)


class Gold(Revisions):
    """Repository part of gold, imported labels and answers kept aside; see ``Annotations``."""

    def set_gold(self, example_id: int, annotation_id: int, user_id: int | None = None) -> None:
        """Make a revision the accepted one of its example."""
        sharing = self._lock(example_id)
        if not self._replace_gold(example_id, annotation_id, user_id):
            self._add_gold(example_id, annotation_id, user_id)
        self._reckon(example_id, sharing)

    def _reckon(self, example_id: int, sharing: Sharing) -> None:
        if not sharing.alone:  # where one person labels each example, gold closes no item
            reckon(self._connection, [example_id], sharing)

    def _add_gold(self, example_id: int, annotation_id: int, user_id: int | None) -> None:
        values = {"annotation_id": annotation_id, "accepted_at": now(), "accepted_by": user_id}
        self._connection.execute(_ACCEPTED, {"example_id": example_id, **values})

    def _replace_gold(self, example_id: int, annotation_id: int, user_id: int | None) -> bool:
        values = {"example": example_id, "annotation": annotation_id, "at": now(), "by": user_id}
        return bool(self._connection.execute(_REPLACED, values).rowcount)

    def follow_gold(self, example_id: int, sharing: Sharing | None = None) -> None:
        """Make gold what stands accepted by now, or take gold away where nothing does.

        An author's revision stands until the same author's next one. Of an example that one person labels it is the
        newest that stands; of one that several label, the labels that as many of them gave as the project wants, and
        of those the newest. What a reviewer has decided stays: their name is on it (``accepted_by``), which no
        automatic choice has but an import's.

        Args:
            example_id: The example.
            sharing: How the project's work is shared out, where this block has locked the example already.
        """
        sharing = sharing or self._lock(example_id)
        current = self._connection.execute(_GOLD_NOW, {"example": example_id}).one_or_none()
        if current is not None and current.accepted_by is not None and not current.system:
            return
        accepted = self._standing(example_id)
        standing = agreed(accepted, sharing.needed(example_id))
        if standing == (current.annotation_id if current is not None else None):
            return
        if standing is None:
            self._connection.execute(_TAKEN, {"example": example_id})
        elif current is None:
            self._add_gold(example_id, standing, None)
        else:
            self._replace_gold(example_id, standing, None)
        if any(one.system for one in accepted) or (current is not None and current.system):
            self._reckon(
                example_id, sharing
            )  # what people agree on closes nothing: that all have spoken does

    def _standing(self, example_id: int) -> list[Standing]:
        """The accepted revisions that stand, newest first."""
        rows = self._connection.execute(_STANDING, {"example": example_id})
        return [Standing(row.id, row.payload, row.system) for row in rows]

    def clear_gold(self, example_id: int) -> None:
        """Take an example's gold away; its revisions stay."""
        sharing = self._lock(example_id)
        self._connection.execute(_TAKEN, {"example": example_id})
        self._reckon(example_id, sharing)

    def gold_of(self, example_ids: Sequence[int]) -> dict[int, tuple[Annotation, int | None]]:
        """The accepted revision of each example that has one, and who accepted it."""
        found: dict[int, tuple[Annotation, int | None]] = {}
        for part in id_chunks(example_ids):
            statement = (
                select_revisions()
                .add_columns(gold.c.accepted_by)
                .join(gold, gold.c.annotation_id == revisions.c.id)
                .where(gold.c.example_id.in_(part))
            )
            for row in self._connection.execute(statement):
                found[row.example_id] = (to_annotation(row), row.accepted_by)
        return found

    def gold_payloads(
        self, project_id: int, splits: Iterable[Split] = tuple(Split)
    ) -> Iterator[tuple[int, int, Split, dict[str, Any]]]:
        """(example id, annotation id, split, payload) of every gold label, in the project's order."""
        statement = (
            select(examples.c.id, revisions.c.id, examples.c.split, revisions.c.payload)
            .join(gold, gold.c.example_id == examples.c.id)
            .join(revisions, revisions.c.id == gold.c.annotation_id)
            .where(in_project(project_id), examples.c.split.in_(tuple(splits)))
            .order_by(examples.c.position)
        )
        rows = self._connection.execute(statement, execution_options={"yield_per": 2_000})
        for example_id, annotation_id, split, payload in rows:
            yield example_id, annotation_id, Split(split), payload

    def gold_counts(self, project_id: int) -> dict[Split, int]:
        """How many gold labels each split has; every split is there."""
        rows = self._connection.execute(
            select(examples.c.split, func.count())
            .join(gold, gold.c.example_id == examples.c.id)
            .where(in_project(project_id))
            .group_by(examples.c.split)
        ).all()
        return dict.fromkeys(Split, 0) | {Split(split): count for split, count in rows}

    def add_imported(
        self, author_id: int, rows: Iterable[tuple[int, str]], *, accepted_by: int | None = None
    ) -> int:
        """Bulk: accepted first revisions and gold for examples that nobody has labeled yet; how many.

        Args:
            author_id: The system user that stands for the file.
            rows: Pairs of example id and payload in its stored form, as JSON text.
            accepted_by: Who imported it, where a person did.
        """
        count = 0
        accepted = AnnotationStatus.ACCEPTED.value
        for part in chunks(rows):
            moment = now()
            bulk_insert(
                self._connection,
                revisions,
                (
                    "example_id",
                    "author_id",
                    "revision",
                    "status",
                    "payload",
                    "client_id",
                    "comment",
                    "created_at",
                ),
                [
                    (example_id, author_id, 1, accepted, payload, f"import:{example_id}", "", moment)
                    for example_id, payload in part
                ],
                encoded=("payload",),
            )
            ids = [example_id for example_id, _ in part]
            just_added = select(
                revisions.c.example_id, revisions.c.id, literal(moment), literal(accepted_by)
            ).where(
                revisions.c.example_id.between(min(ids), max(ids)),
                revisions.c.author_id == author_id,
                revisions.c.created_at == moment,
            )
            self._connection.execute(
                insert(gold).from_select(
                    ["example_id", "annotation_id", "accepted_at", "accepted_by"], just_added
                )
            )
            count += len(part)
        return count

    def add_oracle(self, rows: Iterable[tuple[int, str]]) -> int:
        """Bulk: keep labels (as JSON text) aside as a simulated annotator's answers; how many."""
        count = 0
        for part in chunks(rows):
            bulk_insert(
                self._connection, oracle_answers, ("example_id", "payload"), part, encoded=("payload",)
            )
            count += len(part)
        return count

    def oracle(self, example_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """The payloads kept aside, of those examples that have one."""
        found: dict[int, dict[str, Any]] = {}
        for part in id_chunks(example_ids):
            rows = self._connection.execute(
                select(oracle_answers).where(oracle_answers.c.example_id.in_(part))
            )
            found.update({row.example_id: row.payload for row in rows})
        return found
