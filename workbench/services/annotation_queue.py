"""Which examples an annotator gets next, each with its suggestion, its neighbours and the reason why."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

from workbench.domain import AnnotationStatus, Example, Json, Project, User
from workbench.errors import InvalidPayload
from workbench.services.annotation_items import Around, Queue, QueueItem, Suggestion
from workbench.services.labelmaps import version_map
from workbench.storage.batches import QueueItem as BatchQueueItem
from workbench.storage.rows import now
from workbench.storage.store import Store, Transaction
from workbench.tasks import get_task, load_prediction

NEIGHBOURS = 2
"""Texts shown on either side of an example, unless more are asked for."""

MOST_NEIGHBOURS = 200
"""Most of them on one side."""

VERSIONS_ASKED = 3
"""How many of the newest model versions are asked for a suggestion."""

IN_ORDER: Json = {"strategy": "order"}
"""The reason of an example that no strategy has chosen: it is simply next."""


def make_queue(
    store: Store,
    project: Project,
    user: User,
    *,
    batch_id: int | None,
    limit: int,
    exclude: Collection[int],
    lease: timedelta,
    around: tuple[int, int] = (NEIGHBOURS, NEIGHBOURS),
) -> Queue:
    """The next items of one batch, of every open batch, or where none is open of the pool in its order."""
    until = now() + lease
    with store.write(prompt=True) as tx:
        found = tx.batches.next_items(project.id, user.id, batch_id, limit, exclude, until)
    straight: list[int] = []
    if batch_id is None and not found:
        with store.write(prompt=True) as tx:  # one of its own: it takes a lock that the first has in part
            straight = tx.batches.next_in_pool(project.id, user.id, limit, exclude, until)
    with store.read() as tx:
        of_batches = tx.batches.queue_items(found)
        why: dict[int, tuple[int | None, Json]]
        why = {item.example_id: (item.batch_id, _why(item)) for item in of_batches}
        why |= dict.fromkeys(straight, (None, IN_ORDER))
        shown = batch_id if batch_id is not None else next((item.batch_id for item in of_batches), None)
        items = describe(tx, project, user, tx.examples.by_ids(list(why)), around)
        done, total = (
            tx.batches.progress(shown)
            if shown is not None
            else (tx.annotations.done_in_pool(project.id, user.id), tx.sizes.pool(project.id))
        )
    return Queue(tuple(_with_reason(item, *why[item.example.id]) for item in items), done, total)


def _why(item: BatchQueueItem) -> Json:
    return {
        "strategy": item.strategy,
        **item.reason,
        "score": item.score,
        "position": item.position + 1,
        "batch": item.batch,
    }


def describe(
    tx: Transaction,
    project: Project,
    user: User,
    examples: Sequence[Example],
    around: tuple[int, int] = (NEIGHBOURS, NEIGHBOURS),
) -> list[QueueItem]:
    """Everything that the screens of these examples show, except why they were chosen."""
    ids = [example.id for example in examples]
    suggestions = suggestions_for(tx, project, examples)
    newest = tx.annotations.newest(ids)
    own = tx.annotations.newest(ids, user.id)
    probes = tx.probes.shown_to(user.id, ids)
    documents = tx.annotations.document_names({example.document_id for example in examples})
    near = texts_around(tx, examples, *around)
    items = []
    for example in examples:
        shared = project.sharing.wanted(example.id) > 1
        # What several people label, each labels without having seen the others'.
        current = own.get(example.id) if shared else newest.get(example.id)
        mine = own.get(example.id)
        if example.id in probes:  # to this person it is as new as any other
            current = mine = probes[example.id]
        base = current.revision if current else 0
        withdrawn = current is not None and current.status is AnnotationStatus.WITHDRAWN
        if current is not None and withdrawn and current.author_id != user.id and current.payload is None:
            current = None  # there is nothing to start from
        blind = project.sharing.is_blind(example.id, user.id)
        items.append(
            QueueItem(
                example=example,
                document=documents[example.document_id],
                around=near[example.id],
                suggestion=None if blind else suggestions.get(example.id),
                batch_id=None,
                why=IN_ORDER,
                base_revision=base,
                earlier=mine,
                current=current,
            )
        )
    return items


def texts_around(tx: Transaction, examples: Sequence[Example], before: int, after: int) -> dict[int, Around]:
    """At most so many texts on either side of each example in its document, by example id."""
    # One more than is shown says whether there are more.
    found = tx.examples.texts_around(examples, before + 1, after + 1)
    return {
        example_id: Around(
            tuple(earlier[-before:] if before else ()),
            tuple(later[:after]),
            more_before=len(earlier) > before,
            more_after=len(later) > after,
        )
        for example_id, (earlier, later) in found.items()
    }


def _with_reason(item: QueueItem, batch_id: int | None, why: Json) -> QueueItem:
    return QueueItem(
        example=item.example,
        document=item.document,
        around=item.around,
        suggestion=item.suggestion,
        batch_id=batch_id,
        why=why,
        base_revision=item.base_revision,
        earlier=item.earlier,
        current=item.current,
    )


def suggestions_for(tx: Transaction, project: Project, examples: Sequence[Example]) -> dict[int, Suggestion]:
    """The labels of the newest model version that has some which fit the label set, by example id."""
    task = get_task(project.task)
    versions = [
        version for version in reversed(tx.models.versions(project.id)) if version.archived_at is None
    ]
    found: dict[int, Suggestion] = {}
    for version in versions[:VERSIONS_ASKED]:
        missing = {example.id: example for example in examples if example.id not in found}
        if not missing:
            break
        mapping = version_map(tx, project, version, project.label_names)
        for example_id, stored in tx.models.predictions(version.id, list(missing)).items():
            prediction = load_prediction(task, stored)
            if mapping is not None:
                prediction = mapping.prediction(prediction, missing[example_id].content)
            try:
                task.validate(prediction.payload, missing[example_id].content, project.label_names)
            except InvalidPayload:
                continue  # made for another label set: nothing that could be accepted
            found[example_id] = Suggestion(version.number, prediction)
    return found
