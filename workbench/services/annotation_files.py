"""Annotations that come from a file, or from the labels kept aside at import."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.domain import AnnotationStatus, Batch, Project
from workbench.errors import FormatError, InvalidInput
from workbench.formats.jsontext import check_meta, parse
from workbench.services.annotation_items import Refusal, Submission
from workbench.services.labelmaps import label_map
from workbench.storage.store import Store, Transaction
from workbench.tasks import get_task

PAYLOAD_KEYS = {"ner": ("spans", "partial"), "pos": ("tags",), "qa": ("answers", "no_answer")}
"""Keys of a line that make up its payload, where it has no ``payload`` of its own."""

OF_BATCH, OF_FILE = "simulated:", "file:"
"""What client ids begin with that follow from the answer itself."""

LARGEST_ID = 2**63 - 1
"""The last number that a database can be asked for."""

MOST_SECONDS = 1e9
"""No example took a working life, and what is more would spoil every sum that it is part of."""


def answer_batch(store: Store, project: Project, number: int, author_id: int) -> tuple[list[Submission], int]:
    """Answers from the labels kept aside to what is open in a batch, and how many items are open. Raises NotFound."""
    with store.read() as tx:
        batch = tx.batches.by_number(project.id, number)
        waiting = tx.batches.open_items(project.id, batch.id)
        kept = kept_aside(tx, project, [item.example_id for item in waiting])
        answers = [
            Submission(
                example_id=item.example_id,
                client_id=f"{OF_BATCH}{batch.id}:{item.example_id}",
                payload=kept[item.example_id],
                batch_id=batch.id,
            )
            for item in waiting
            if item.example_id in kept
        ]
        return _anew_where_withdrawn(tx, answers, author_id), len(waiting)


def kept_aside(tx: Transaction, project: Project, example_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The labels kept aside, under the names that they have now."""
    kept = tx.annotations.oracle(example_ids)
    task = get_task(project.task)
    made = {record.id: record.created_at for record in tx.examples.imports(project.id)}
    maps = {import_id: label_map(tx, project, moment) for import_id, moment in made.items()}
    if not any(mapping.steps for mapping in maps.values()):
        return kept
    return {
        example.id: task.dump(maps[example.import_id].payload(task.load(kept[example.id]), example.content))
        for example in tx.examples.by_ids(list(kept))
    }


def read_submissions(
    store: Store, project: Project, path: Path, author: str, batch_number: int | None = None
) -> tuple[list[tuple[int, Submission]], list[Refusal]]:
    """The lines of a file as (line, submission), and those that say nothing usable.

    With a batch they are answers to it, and what is not in it is refused. Raises FormatError, NotFound.

    What no database takes is refused here: one that refuses it later has stored the answers before it.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise FormatError(
            f"the file can't be read ({error.strerror})", file=path.name, remedy="check its path"
        ) from error
    except UnicodeDecodeError as error:
        raise FormatError(
            f"the file is not UTF-8 (byte {error.start})", file=path.name, remedy="save it as UTF-8"
        ) from error
    found: list[tuple[int, Submission]] = []
    refused: list[Refusal] = []
    with store.read() as tx:
        batch = None if batch_number is None else tx.batches.by_number(project.id, batch_number)
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                data = check_meta(parse(line, path.name), path.name)
                submission = _submission(tx, project, data, line, author)
                found.append((number, submission if batch is None else _answering(tx, submission, batch)))
            except InvalidInput as error:
                said = InvalidInput(error.message, remedy=error.remedy)  # the refusal says where by itself
                refused.append(Refusal(number, str(said)))
        user = tx.users.find(author)
        if user is not None:
            lines_of = [number for number, _ in found]
            answers = _anew_where_withdrawn(tx, [answer for _, answer in found], user.id)
            found = list(zip(lines_of, answers, strict=True))
    return found, refused


def _anew_where_withdrawn(tx: Transaction, answers: Sequence[Submission], author_id: int) -> list[Submission]:
    """The answers with another client id where what the author said has been withdrawn, so that they are stored again.

    An answer that has a client id of its own keeps it, and so do answers whose last one withdraws them itself.
    """
    newest = tx.annotations.newest(list({one.example_id for one in answers}), author_id)
    last = {one.example_id: one.status for one in answers}
    gone = {
        example_id: said.revision
        for example_id, said in newest.items()
        if said.status is AnnotationStatus.WITHDRAWN and last[example_id] is not AnnotationStatus.WITHDRAWN
    }
    return [
        replace(one, client_id=f"{one.client_id}:{gone[one.example_id]}")
        if one.example_id in gone and one.client_id.startswith((OF_BATCH, OF_FILE))
        else one
        for one in answers
    ]


def _submission(tx: Transaction, project: Project, data: Any, line: str, author: str) -> Submission:
    if not isinstance(data, Mapping):
        raise InvalidInput("this is not a JSON object", remedy="write one object per line")
    example_id = _example_id(tx, project, data)
    status = str(data.get("status", AnnotationStatus.ACCEPTED))
    if status not in list(AnnotationStatus):
        raise InvalidInput(
            f"there is no status {status!r}", remedy=f"choose from {', '.join(AnnotationStatus)}"
        )
    seconds = data.get("seconds")
    if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, (int, float))):
        raise InvalidInput(f"seconds is {seconds!r}", remedy="give a number")
    if seconds is not None and seconds > MOST_SECONDS:
        raise InvalidInput("seconds is more than anybody can have spent", remedy="give the seconds spent")
    return Submission(
        example_id=example_id,
        client_id=str(data.get("client_id") or _content_id(project, author, example_id, line)),
        status=AnnotationStatus(status),
        payload=_payload(project, data),
        seconds=seconds,
        comment=str(data.get("comment", "")),
    )


def _answering(tx: Transaction, submission: Submission, batch: Batch) -> Submission:
    if not tx.annotations.in_batch(batch.id, submission.example_id):
        raise InvalidInput(
            f"this example is not in batch {batch.number}",
            remedy="give the lines of other examples in a file of their own, without --batch",
        )
    return replace(submission, batch_id=batch.id)


def _example_id(tx: Transaction, project: Project, data: Mapping[str, Any]) -> int:
    given = data.get("example")
    if isinstance(given, int) and not isinstance(given, bool):
        if not 1 <= given <= LARGEST_ID:
            raise InvalidInput("there is no example with such an id", remedy="give the example's id")
        return given
    if given is not None:
        raise InvalidInput(f"example is {given!r}", remedy="give the example's id, a whole number")
    external = data.get("external_id")
    if not isinstance(external, str):
        raise InvalidInput("the line names no example", remedy='give "example" or "external_id"')
    found = tx.examples.by_external_id(project.id, external)
    if len(found) != 1:
        what = "no example" if not found else f"{len(found)} examples"
        raise InvalidInput(f"there is {what} with external id {external!r}", remedy='give "example", its id')
    return found[0].id


def _payload(project: Project, data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    given = data.get("payload")
    if isinstance(given, Mapping):
        return given
    keys = PAYLOAD_KEYS.get(project.task, ())
    collected = {key: data[key] for key in keys if key in data}
    if project.task == "qa" and collected:
        collected.setdefault("answers", [])
        collected.setdefault("no_answer", not collected["answers"])
        if data.get("question"):
            collected["question"] = data["question"]
    return collected or None


def _content_id(project: Project, author: str, example_id: int, line: str) -> str:
    """The same line by the same author has the same client id, so that a file given twice is stored once."""
    digest = hashlib.sha256(f"{project.id}\0{author}\0{example_id}\0{line.strip()}".encode()).hexdigest()
    return f"{OF_FILE}{digest[:40]}"
