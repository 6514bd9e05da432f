"""New questions on a context that is there: each becomes an example beside those that came in with it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from workbench.domain import Example, Project, User
from workbench.errors import InvalidInput
from workbench.services.annotation_items import NewQuestion, Receipt
from workbench.services.importing import content_hash, count_words, shortened
from workbench.storage.examples import ExampleRow
from workbench.storage.rows import now
from workbench.storage.store import Store, Transaction
from workbench.tasks import check_question

BESIDE = "beside"
"""Key of a locator: the place of the example on whose context the question is asked. Only such examples have it."""


def ask_question(
    store: Store, project: Project, user: User, question: NewQuestion, lease: timedelta
) -> Receipt | None:
    """Ask one question, once, and reserve it for who asked; what is wrong with it stands in the receipt.

    None while an import into the project is being written: it has taken the next places, so ask again soon.
    """
    try:
        text = question.text.strip()
        check_question(text)
        if not 1 <= len(question.client_id) <= 100 or not question.client_id.isprintable():
            raise InvalidInput("the client id is not 1 to 100 printable characters", remedy="make another")
        with store.write() as tx:
            # The queue's lock first, as the queue takes it, so that two writers can't wait for each other.
            tx.batches.lock(project.id)
            tx.examples.lock_project(project.id)
            if tx.loads.of(project.id) is not None:
                return None
            known = _asked(tx, project, question)
            if known is None:
                known = _add(tx, project, user, replace(question, text=text))
                tx.batches.lease(user.id, [(None, known)], now() + lease)
    except InvalidInput as error:
        return Receipt(question.client_id, question.example_id, message=str(error))
    return Receipt(question.client_id, question.example_id, asked=known)


def _asked(tx: Transaction, project: Project, question: NewQuestion) -> int | None:
    found = tx.examples.by_external_id(project.id, _name(question))
    return found[0].id if found else None


def _name(question: NewQuestion) -> str:
    return shortened(f"asked-{question.client_id}")


def _add(tx: Transaction, project: Project, user: User, question: NewQuestion) -> int:
    found = [one for one in tx.examples.by_ids([question.example_id]) if one.project_id == project.id]
    if not found or found[0].content.question is None:
        raise InvalidInput("there is no context to ask this of", remedy="open a question of this project")
    beside = found[0]
    content = replace(beside.content, question=question.text)
    digest = content_hash(content)
    if tx.examples.hashes(project.id, [digest]):
        raise InvalidInput(
            "this is asked of this context already", remedy="search for it, or ask something else"
        )
    # What the file says of that one question is not true of this one.
    said = {key: value for key, value in beside.meta.items() if key != "extra"}
    row = ExampleRow(
        document_id=beside.document_id,
        external_id=_name(question),
        split=beside.split.value,
        text=content.text,
        question=content.question,
        tokens="[]",
        words=count_words(content),
        content_hash=digest,
        locator=json.dumps({BESIDE: _place(beside)}),
        meta=json.dumps({**said, "asked_by": user.name}),
    )
    first = tx.examples.next_position(project.id)
    new_id = tx.examples.insert(project.id, beside.import_id, first, [row])[0]
    tx.users.audit(user.id, "ask", question.text[:200], {"example": new_id}, project.id)
    return new_id


def _place(beside: Example) -> dict[str, object]:
    """Where the context came in: that of a question that was asked here itself is where its neighbour came in."""
    return dict(beside.locator.get(BESIDE, beside.locator))
