"""A few sentences whose labels are changed, and what people do with them."""

from __future__ import annotations

from workbench.domain import ExampleText, Payload, Project, Spans, User
from workbench.services import Workbench
from workbench.services.annotation_items import Submission

CONLL = b"""EU B-ORG
rejects O
Paris B-GPE

Peter B-PER
Blackburn I-PER

BRUSSELS B-GPE
Rhine B-LOC

none O
"""


def person(workbench: Workbench, name: str = "ann") -> User:
    with workbench.store.write() as tx:
        return tx.users.find_or_add(name)


def gold(workbench: Workbench, project: Project) -> list[list[tuple[str, str]]]:
    """Words and label of each span of the accepted annotations, example by example."""
    examples = workbench.datasets.browse(project, limit=100).items
    found = workbench.datasets.labels_of(examples)
    return [spans_of(example.content, found.get(example.id)) for example in examples]


def spans_of(content: ExampleText, payload: Payload | None) -> list[tuple[str, str]]:
    """Words and label of each span."""
    assert payload is None or isinstance(payload, Spans)
    return [(content.text[s.start : s.end], s.label) for s in payload.spans] if payload else []


def save(
    workbench: Workbench,
    project: Project,
    user: User,
    example: int,
    *spans: tuple[int, int, str],
    at: str = "",
) -> None:
    submission = Submission(
        example_id=example,
        client_id=f"{user.name}-{example}-{at}",
        payload={"spans": [{"start": a, "end": b, "label": label} for a, b, label in spans]},
    )
    workbench.annotation.revise(project, user, submission)


def ids(workbench: Workbench, project: Project) -> list[int]:
    return [example.id for example in workbench.datasets.browse(project, limit=100).items]


def revisions(workbench: Workbench) -> int:
    with workbench.store.read() as tx:
        return int(tx.connection.exec_driver_sql("SELECT count(*) FROM annotations").scalar_one())
