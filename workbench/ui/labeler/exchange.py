"""What goes to the browser and what comes back, as plain functions: no Streamlit here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from workbench.domain import Annotation, AnnotationStatus, Batch, Example, Project, User
from workbench.services.annotation_items import (
    Around,
    NewQuestion,
    Queue,
    QueueItem,
    Receipt,
    Submission,
)
from workbench.services.annotation_queue import MOST_NEIGHBOURS, NEIGHBOURS
from workbench.tasks import dump_prediction, get_task

SNIPPET = 80
ANSWER_COLOR = "#0b7a75"
NO_ANSWER_COLOR = "#8a5a00"
MOST_RECEIPTS = 500


def space_of(project: Project, user: User) -> str:
    """Name of the browser's storage for a project and a person; another database's project has another moment."""
    return f"{project.id}.{int(project.created_at.timestamp())}.{user.id}"


def describe_project(project: Project, user: User, batch: Batch | None) -> dict[str, Any]:
    """What stays the same from example to example."""
    return {
        "space": space_of(project, user),
        "me": user.name,
        "project": {"name": project.name, "task": project.task},
        "labels": [
            {
                "name": label.name,
                "color": label.color,
                "key": label.key,
                "description": label.description,
            }
            for label in project.labels
            if not label.retired
        ],
        "answerColor": ANSWER_COLOR,
        "noneColor": NO_ANSWER_COLOR,
        "guidelines": project.guidelines,
        "batch": {"number": batch.number} if batch else None,
        "empty": _empty_words(batch),
    }


def describe_queue(project: Project, queue: Queue) -> dict[str, Any]:
    """The next examples and how far the work is."""
    return {
        "queue": [describe_item(project, item) for item in queue.items],
        "progress": {"done": queue.done, "total": queue.total},
    }


def describe_item(project: Project, item: QueueItem) -> dict[str, Any]:
    """One example; positions in code points, ``tokens`` flat."""
    content = item.example.content
    said = _shown(item)
    return {
        "id": item.example.id,
        "external_id": item.example.external_id,
        "document": item.document,
        "text": content.text,
        "tokens": [position for token in content.tokens for position in token],
        "question": content.question,
        "around": describe_around(item.around),
        "suggestion": _describe_suggestion(project, item),
        "why": dict(item.why),
        "batch_id": item.batch_id,
        "base_revision": item.base_revision,
        "said": _describe_annotation(project, said) if said else None,
    }


def describe_around(around: Around) -> dict[str, Any]:
    """Texts before and after an example in its document, and whether there are more."""
    return {
        "before": list(around.before),
        "after": list(around.after),
        "more_before": around.more_before,
        "more_after": around.more_after,
    }


def describe_receipt(project: Project, receipt: Receipt) -> dict[str, Any]:
    """What became of a submission."""
    return {
        "client_id": receipt.client_id,
        "stored": receipt.stored,
        "message": receipt.message,
        "asked": receipt.asked,
        "newer": _describe_annotation(project, receipt.newer) if receipt.newer else None,
    }


def describe_recent(recent: Iterable[tuple[Annotation, Example]]) -> list[dict[str, Any]]:
    """Lines of the list of earlier examples, newest first."""
    return [
        {
            "id": example.id,
            "status": annotation.status.value,
            "snippet": _snippet(example.content.question or example.content.text),
        }
        for annotation, example in recent
    ]


def describe_found(examples: Iterable[Example]) -> list[dict[str, Any]]:
    """Lines of a search's result."""
    return [
        {
            "id": example.id,
            "external_id": example.external_id,
            "split": example.split.value,
            "text": _snippet(example.content.question or example.content.text, 200),
        }
        for example in examples
    ]


def read_outbox(state: Any) -> list[Submission]:
    """The submissions in what the browser sent, whatever it is; entries without a usable id or example are left out."""
    found = [_submission(item) for item in _outbox_items(state)]
    return [submission for submission in found if submission is not None]


def read_questions(state: Any) -> list[NewQuestion]:
    """The new questions in what the browser sent; entries without a usable id, example or text are left out."""
    found: list[NewQuestion] = []
    for item in _outbox_items(state):
        client_id, example_id, text = (
            item.get("client_id"),
            _whole(item.get("example_id")),
            item.get("question"),
        )
        if item.get("kind") != "question" or not isinstance(text, str) or example_id is None:
            continue
        if isinstance(client_id, str) and client_id:
            found.append(NewQuestion(example_id, client_id, text))
    return found


def read_around(state: Any) -> tuple[int, int, int | None]:
    """How many texts to show before and after an example, and the example (or None) that the wish is about."""
    if not isinstance(state, Mapping):
        return NEIGHBOURS, NEIGHBOURS, None
    before, after = (_whole(state.get(side)) for side in ("before", "after"))
    return (
        max(0, min(NEIGHBOURS if before is None else before, MOST_NEIGHBOURS)),
        max(0, min(NEIGHBOURS if after is None else after, MOST_NEIGHBOURS)),
        _whole(state.get("example")),
    )


def _outbox_items(state: Any) -> Iterator[Mapping[str, Any]]:
    items = state.get("items") if isinstance(state, Mapping) else None
    for item in items if isinstance(items, Sequence) and not isinstance(items, str) else ():
        if isinstance(item, Mapping):
            yield item


def read_request(state: Any) -> tuple[int, int | None, str | None] | None:
    """(turn, example to open, text to search for) of what the browser asked, or None."""
    if not isinstance(state, Mapping) or not isinstance(state.get("turn"), int):
        return None
    opened, query = state.get("open"), state.get("search")
    return (
        state["turn"],
        opened if isinstance(opened, int) else None,
        query[:200] if isinstance(query, str) and query.strip() else None,
    )


def keep_receipts(
    kept: dict[str, Receipt], new: Iterable[Receipt], wanted: Iterable[str]
) -> dict[str, Receipt]:
    """Receipts to answer with: those of items that the browser still shows, which it drops once it has read them."""
    both = {**kept, **{receipt.client_id: receipt for receipt in new}}
    return {client_id: both[client_id] for client_id in list(wanted)[-MOST_RECEIPTS:] if client_id in both}


def _submission(item: Mapping[str, Any]) -> Submission | None:
    client_id, example_id, status = item.get("client_id"), item.get("example_id"), item.get("status")
    if not isinstance(client_id, str) or not client_id or not isinstance(example_id, int):
        return None
    if status not in list(AnnotationStatus):
        return None
    payload, comment = item.get("payload"), item.get("comment")
    return Submission(
        example_id=example_id,
        client_id=client_id,
        status=AnnotationStatus(status),
        payload=payload if isinstance(payload, Mapping) else None,
        seconds=_number(item.get("seconds")),
        comment=comment if isinstance(comment, str) else "",
        batch_id=_whole(item.get("batch_id")),
        suggestion_version=_whole(item.get("suggestion_version")),
        base_revision=_whole(item.get("base_revision")),
    )


def _number(value: Any) -> float | None:
    usable = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e7
    return float(value) if usable else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _describe_suggestion(project: Project, item: QueueItem) -> dict[str, Any] | None:
    if item.suggestion is None:
        return None
    return {
        "model_version": item.suggestion.model_version,
        **dump_prediction(project.task, item.suggestion.prediction),
    }


def _shown(item: QueueItem) -> Annotation | None:
    """The newest revision, whoever it is of; where that has no labels (a skip) the annotator's own still stand.

    It belongs to ``base_revision``: beside older labels, that would say of a colleague's that they were seen.
    """
    if item.current is not None and (item.current.payload is not None or item.earlier is None):
        return item.current
    return item.earlier


def _describe_annotation(project: Project, annotation: Annotation) -> dict[str, Any]:
    payload = annotation.payload
    return {
        "author": annotation.author,
        "revision": annotation.revision,
        "status": annotation.status.value,
        "comment": annotation.comment,
        "payload": None if payload is None else get_task(project.task).dump(payload),
    }


def _snippet(text: str, length: int = SNIPPET) -> str:
    line = " ".join(text[: length * 2].split())
    return line if len(line) <= length else line[: length - 1] + "…"


def _empty_words(batch: Batch | None) -> dict[str, str]:
    if batch is not None:
        return {
            "title": f"Batch {batch.number} is done",
            "text": "Train a model on it, or select the next batch. Page Up goes back to what you labeled.",
        }
    return {
        "title": "Nothing left to label",
        "text": "Every example of the pool has its labels, or there is none. Import more on the Data page.",
    }
