"""The label queue, saving, history: what the labeling page and ``workbench annotate`` stand on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

from workbench.config import Settings
from workbench.domain import Annotation, AnnotationStatus, Answers, Example, Json, Payload, Project, User
from workbench.errors import InvalidInput, InvalidPayload, NotFound, StaleRevision
from workbench.services.annotation_files import answer_batch, read_submissions
from workbench.services.annotation_items import (
    Around,
    FileReport,
    NewQuestion,
    Queue,
    QueueItem,
    Receipt,
    Refusal,
    Submission,
)
from workbench.services.annotation_queue import NEIGHBOURS, describe, make_queue, texts_around
from workbench.services.labelmaps import LabelMap, label_map
from workbench.services.probes import store_probe
from workbench.services.questions import ask_question
from workbench.services.team import checked_name
from workbench.services.wordings import wordings
from workbench.storage.rows import chunks
from workbench.storage.store import Store, Transaction
from workbench.tasks import Task, get_task

SIMULATED = "simulated"
"""Name of the system user that answers with the labels kept aside at import."""

TOGETHER = 50
"""Answers stored in one transaction: a file of thousands must not keep the annotators waiting."""

__all__ = ["AnnotationService", "FileReport", "Queue", "QueueItem", "Receipt", "Submission"]


class AnnotationService:
    """Hand out examples, take answers, keep every revision."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._lease = timedelta(minutes=settings.lease_minutes)

    # --- what to label ----------------------------------------------------------------------------------

    def queue(
        self,
        project: Project,
        user: User,
        batch_id: int | None = None,
        limit: int = 10,
        exclude: Collection[int] = (),
        around: tuple[int, int] = (NEIGHBOURS, NEIGHBOURS),
    ) -> Queue:
        """What the user labels next, reserved for them for a while.

        Args:
            project: The project.
            user: Who asks.
            batch_id: From this batch only. None takes every open batch, the oldest first, and where there is
                none the unlabeled examples of the pool in their order.
            limit: The most to hand out.
            exclude: Ids of examples that the user has already.
            around: Texts to show before and after each in its document, at most.

        Raises:
            NotFound: There is no such batch.
        """
        return make_queue(
            self._store,
            project,
            user,
            batch_id=batch_id,
            limit=limit,
            exclude=exclude,
            lease=self._lease,
            around=around,
        )

    def item(
        self,
        project: Project,
        user: User,
        example_id: int,
        around: tuple[int, int] = (NEIGHBOURS, NEIGHBOURS),
    ) -> QueueItem:
        """One example as the queue would show it, to look at it again or revise it. Raises NotFound."""
        with self._store.read() as tx:
            found = [one for one in tx.examples.by_ids([example_id]) if one.project_id == project.id]
            if not found:
                raise NotFound(f"this project has no example with id {example_id}")
            return describe(tx, project, user, found, around)[0]

    def around(self, project: Project, example_id: int, before: int, after: int) -> Around:
        """What stands around an example in its document, at most so many texts on either side. Raises NotFound."""
        with self._store.read() as tx:
            example = self._examples(tx, project, [example_id], strict=True)[example_id]
            return texts_around(tx, [example], before, after)[example_id]

    def recent(self, project: Project, user: User, limit: int = 30) -> tuple[tuple[Annotation, Example], ...]:
        """The examples that the user labeled last, newest first, each with their newest revision."""
        with self._store.read() as tx:
            latest: dict[int, Annotation] = {}
            said = [
                *tx.annotations.recent(project.id, user.id, limit * 2),
                *tx.probes.recent(project.id, user.id, limit),
            ]
            for annotation in sorted(said, key=lambda one: one.created_at, reverse=True):
                latest.setdefault(annotation.example_id, annotation)
            examples = {example.id: example for example in tx.examples.by_ids(list(latest)[:limit])}
        return tuple((latest[one], examples[one]) for one in list(latest)[:limit] if one in examples)

    def search(self, project: Project, query: str, limit: int = 20) -> list[Example]:
        """Examples of the project that contain a text, in their order."""
        with self._store.read() as tx:
            return tx.examples.text_search(project.id, query, limit)

    def history(self, project: Project, example_id: int) -> tuple[Annotation, ...]:
        """Every revision of an example, oldest first. Raises NotFound."""
        with self._store.read() as tx:
            self._examples(tx, project, [example_id], strict=True)
            return tx.annotations.history(example_id)

    # --- saving -----------------------------------------------------------------------------------------

    def submit(
        self, project: Project, user: User, items: Sequence[Submission], *, probed: bool = True
    ) -> list[Receipt]:
        """Store answers, each checked on its own: a refused one does not hold up the others.

        What is known by its client id is not stored again but acknowledged again. Gold follows an example's
        newest accepted revision, unless a reviewer has decided otherwise.

        Args:
            project: The project.
            user: Who answers.
            items: The answers.
            probed: Keep answers to probes apart; not so a reviewer's, who has seen the labels, or those of a file
                that answers no batch.

        Returns:
            One receipt per submission, in the same order.

        Raises:
            DatabaseUnavailable: Some of it may not be stored; give all of it again.
        """
        # By example id, so that two people who save at once can't wait for each other in a circle.
        order = sorted(range(len(items)), key=lambda index: items[index].example_id)
        receipts: dict[int, Receipt] = {}
        for part in chunks(order, TOGETHER):
            with self._store.write() as tx:
                # The label set of now, not of when the page was drawn; it stays until this block ends.
                held = tx.projects.held(project.id)
                of_part = [items[index] for index in part]
                stored = self._store_some(tx, held, user, of_part, probed)
            receipts |= dict(zip(part, stored, strict=True))
        return [receipts[index] for index in range(len(items))]

    def _store_some(
        self, tx: Transaction, project: Project, user: User, items: Sequence[Submission], probed: bool
    ) -> list[Receipt]:
        examples = self._examples(tx, project, [item.example_id for item in items])
        versions = (
            {version.number: version.id for version in tx.models.versions(project.id)}
            if any(item.suggestion_version for item in items)
            else {}
        )
        pairs = [(item.batch_id, item.example_id) for item in items]
        probes = tx.probes.among(user.id, pairs) if probed else {}
        renamed = cache(lambda: label_map(tx, project, None, project.label_names))
        receipts, given_back = [], []
        for item in items:
            try:
                payload = self._check(project, examples.get(item.example_id), item, renamed)
            except InvalidInput as error:
                receipts.append(Receipt(item.client_id, item.example_id, message=str(error)))
                continue
            given_back.append(item.example_id)
            if item.example_id in probes:
                receipts.append(store_probe(tx, user, item, payload, probes[item.example_id]))
                continue
            version_id = versions.get(item.suggestion_version or 0)
            receipts.append(_store(tx, project, user, item, payload, version_id))
        tx.batches.end_leases(user.id, given_back)
        for batch_id in {item.batch_id for item in items if item.batch_id is not None}:
            tx.probes.drop_leftovers(batch_id)
        return receipts

    def ask(self, project: Project, user: User, questions: Sequence[NewQuestion]) -> list[Receipt]:
        """Ask new questions, each on the context of an example that is there; receipts in the same order.

        A question becomes an example of the same document and split, held by who asked it. What is known by its
        client id is not asked again but acknowledged again. While an import is being written there is no receipt:
        give the question again.

        Raises:
            DatabaseUnavailable: Some of it may not be stored; give all of it again.
        """
        receipts = (ask_question(self._store, project, user, one, self._lease) for one in questions)
        return [receipt for receipt in receipts if receipt is not None]

    def revise(
        self, project: Project, user: User, submission: Submission, *, probed: bool = True
    ) -> Annotation:
        """Store one answer as ``submit`` does, or raise what it would have put into the receipt.

        Raises:
            InvalidPayload: The labels do not fit.
            StaleRevision: Somebody else was faster.
        """
        receipt = self.submit(project, user, [submission], probed=probed)[0]
        if receipt.annotation is not None:
            return receipt.annotation
        error = StaleRevision if receipt.newer else InvalidPayload
        raise error(receipt.message or "this annotation was refused")

    def decide(self, project: Project, user: User, annotation_id: int) -> None:
        """A reviewer's word: this revision is its example's gold and stays it. Raises NotFound."""
        with self._store.write() as tx:
            annotation = tx.annotations.by_id(annotation_id)
            self._examples(tx, project, [annotation.example_id], strict=True)
            if annotation.status is not AnnotationStatus.ACCEPTED:
                raise InvalidInput(
                    f"a {annotation.status} revision can't be gold", remedy="choose an accepted one"
                )
            with wordings(tx, project, [annotation.example_id]):
                tx.annotations.set_gold(annotation.example_id, annotation.id, user.id)

    # --- without the page -------------------------------------------------------------------------------

    def simulate(self, project: Project, batch_number: int) -> int:
        """Answer what is open in a batch with the labels kept aside at import; how many were stored.

        Raises:
            NotFound: There is no such batch.
            InvalidInput: No labels were kept aside for it.
        """
        with self._store.write() as tx:
            simulated = tx.users.find_or_add(SIMULATED, system=True)
        answers, waiting = answer_batch(self._store, project, batch_number, simulated.id)
        if waiting and not answers:
            raise InvalidInput(
                f"no labels were kept aside for batch {batch_number}",
                remedy="import the pool's labels with --unlabeled, or label the batch by hand",
            )
        receipts = self.submit(project, simulated, answers)
        return sum(receipt.stored for receipt in receipts)

    def annotate_file(
        self, project: Project, path: Path, author: str, batch_number: int | None = None
    ) -> FileReport:
        """Store the annotations of a JSONL file as the author's, who is made if there is none.

        With a batch they answer it, as the Label page's do; a line whose example is not in it is refused.

        A line names its example by ``example`` (id) or ``external_id`` and gives the labels in their stored form
        (``spans`` and where they are ``partial`` that, ``tags``, or ``answers`` and ``no_answer``, and the ``question``
        where it is worded anew); ``status``, ``seconds``, ``comment`` and ``client_id`` are optional. A file that is
        given again stores nothing twice, but stores again what has been withdrawn since.

        Raises:
            FormatError: The file can't be read as text.
            InvalidInput: The author's name can't be a person's, or is one that the workbench writes as.
            NotFound: There is no such batch.
        """
        with self._store.read() as tx:
            known = tx.users.find(author)
        if known is None or known.system:
            author = checked_name(author)
        submissions, refused = read_submissions(self._store, project, path, author, batch_number)
        with self._store.write() as tx:
            user = tx.users.find_or_add(author)
            if user.system:
                raise InvalidInput(f"the workbench itself writes as {author!r}", remedy="choose another name")
        answers = [submission for _, submission in submissions]
        receipts = self.submit(project, user, answers, probed=batch_number is not None)
        lines = zip(submissions, receipts, strict=True)
        refused += [
            Refusal(line, receipt.message or "") for (line, _), receipt in lines if not receipt.stored
        ]
        stored = sum(receipt.stored for receipt in receipts)
        return FileReport(stored, tuple(sorted(refused, key=lambda one: one.line)))

    # --- inside -----------------------------------------------------------------------------------------

    @staticmethod
    def _examples(
        tx: Transaction, project: Project, ids: Sequence[int], *, strict: bool = False
    ) -> dict[int, Example]:
        found = {one.id: one for one in tx.examples.by_ids(list(dict.fromkeys(ids)))}
        mine = {key: one for key, one in found.items() if one.project_id == project.id}
        for missing in set(ids) - set(mine) if strict else ():
            raise NotFound(f"this project has no example with id {missing}")
        return mine

    @staticmethod
    def _check(
        project: Project, example: Example | None, item: Submission, renamed: Callable[[], LabelMap]
    ) -> Json | None:
        """The payload in its stored form, once it is sure that it fits.

        A label that was renamed or merged while the answer was on somebody's screen is read under its new name.
        """
        if example is None:
            raise InvalidInput("the example is gone", remedy="take it off the list")
        if not 1 <= len(item.client_id) <= 100 or not item.client_id.isprintable():
            raise InvalidInput("the client id is not 1 to 100 printable characters", remedy="make another")
        if item.payload is None:
            if item.status == AnnotationStatus.ACCEPTED:
                raise InvalidPayload("an accepted annotation needs labels", remedy="give them, or skip")
            return None
        task = get_task(project.task)
        payload = task.load(item.payload)
        if isinstance(payload, Answers) and payload.question == example.content.question:
            payload = replace(payload, question=None)
        if not set(task.labels_in(payload)).issubset(project.label_names):
            payload = _renamed(task, payload, example, renamed())
        task.validate(payload, example.content, project.label_names)
        return task.dump(payload)


def _renamed(task: Task, payload: Payload, example: Example, renamed: LabelMap) -> Payload:
    """The labels under their new names; as they are where one of them has none, so that nothing is dropped."""
    try:
        found = renamed.payload(payload, example.content)
    except ValueError:  # the labels do not even fit the text, as the caller will say
        return payload
    return found if len(task.labels_in(found)) == len(task.labels_in(payload)) else payload


def _store(
    tx: Transaction,
    project: Project,
    user: User,
    item: Submission,
    payload: Json | None,
    version_id: int | None,
) -> Receipt:
    batch_id = item.batch_id
    # Of an example that several people label, each has a version of their own, and nobody is overtaken.
    shared = project.sharing.wanted(item.example_id) > 1
    if batch_id is not None and not tx.annotations.in_batch(batch_id, item.example_id):
        batch_id = None
    try:
        stored = tx.annotations.add(
            item.example_id,
            user.id,
            item.status,
            payload,
            item.client_id,
            seconds=None if item.seconds is None else max(0.0, item.seconds),
            comment=item.comment.replace("\0", ""),
            batch_id=batch_id,
            suggestion_version_id=version_id,
            base_revision=None if shared else item.base_revision,
        )
    except StaleRevision as error:
        newest = tx.annotations.newest([item.example_id]).get(item.example_id)
        return Receipt(item.client_id, item.example_id, message=str(error), newer=newest)
    except (InvalidInput, NotFound) as error:
        return Receipt(item.client_id, item.example_id, message=str(error))
    with wordings(tx, project, [item.example_id]):
        tx.annotations.follow_gold(item.example_id, project.sharing)
    return Receipt(item.client_id, item.example_id, annotation=stored)
