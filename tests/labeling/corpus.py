"""Small projects for the labeling tests, put straight into the tables."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert

from workbench.domain import ExampleText, ModelVersion, Prediction, Project, Role, User
from workbench.services import Workbench
from workbench.services.importing import content_hash
from workbench.storage.rows import now
from workbench.storage.store import Transaction
from workbench.storage.tables import documents, examples, imports, runs, snapshots, sources
from workbench.tasks import dump_prediction, get_task

NER_TEXTS = (
    "Marta Nowak of Baltic Freight flew to Riga on Monday .",
    "The ferry from Tallinn was late again .",
    "Henrik Olsen called Nordbank in Oslo twice .",
    "Nobody at the harbour office answered .",
    "On Friday Baltic Freight opened a depot in Gdansk .",
)
QA_TEXT = "The old mill in Harlow burned down in 1911. It was rebuilt two years later by Ada Finch."
QUESTIONS = ("When did the mill burn down?", "Who rebuilt it?", "What did the rebuilding cost?")


def make_project(
    workbench: Workbench,
    task: str = "ner",
    labels: Sequence[str] = ("PER", "ORG", "LOC"),
    texts: Sequence[str] = NER_TEXTS,
    *,
    name: str = "news",
    split: str = "pool",
    questions: Sequence[str] = QUESTIONS,
) -> tuple[Project, list[int]]:
    """A project and the ids of its examples; for QA one example per question on the first text."""
    project = workbench.projects.create(name, task, labels)
    rows = (
        [(texts[0], question) for question in questions] if task == "qa" else [(text, None) for text in texts]
    )
    with workbench.store.write() as tx:
        sha = hashlib.sha256(name.encode()).hexdigest()
        run = tx.connection.execute
        run(insert(sources).values(sha256=sha, size=1, content=b"x"))
        import_id = run(
            insert(imports)
            .values(
                project_id=project.id,
                file_name=f"{name}.conll",
                sha256=sha,
                format="conll",
                mapping={},
                split=split,
                counts={},
                created_at=now(),
            )
            .returning(imports.c.id)
        ).scalar_one()
        document_id = run(
            insert(documents)
            .values(project_id=project.id, import_id=import_id, name="doc", position=0, meta={})
            .returning(documents.c.id)
        ).scalar_one()
        ids: list[int] = []
        for position, (text, question) in enumerate(rows):
            tokens = [] if task == "qa" else [p for m in re.finditer(r"\S+", text) for p in m.span()]
            values = {
                "project_id": project.id,
                "import_id": import_id,
                "document_id": document_id,
                "position": position,
                "external_id": f"{name}-{position + 1}",
                "split": split,
                "text": text,
                "question": question,
                "tokens": tokens,
                "words": len(text.split()),
                "content_hash": content_hash(ExampleText(text, (), question)),
                "locator": {},
                "meta": {},
            }
            ids.append(run(insert(examples).values(values).returning(examples.c.id)).scalar_one())
    return workbench.projects.get(name), ids


def make_user(workbench: Workbench, name: str = "ada", *, role: Role = Role.ANNOTATOR) -> User:
    """A person."""
    with workbench.store.write() as tx:
        return tx.users.find_or_add(name, role)


def add_version(tx: Transaction, project: Project, *, number: int = 1) -> ModelVersion:
    """A registered model version without a model: what its predictions hang on."""
    run_id = tx.connection.execute(
        insert(runs)
        .values(
            project_id=project.id,
            kind="train",
            state="succeeded",
            parameters={},
            progress={},
            result={},
            launcher="local",
            handle={},
            created_at=now(),
        )
        .returning(runs.c.id)
    ).scalar_one()
    snapshot_id = tx.connection.execute(
        insert(snapshots)
        .values(
            project_id=project.id,
            content_hash="0" * 64,
            labels=list(project.label_names),
            counts={},
            created_at=now(),
        )
        .returning(snapshots.c.id)
    ).scalar_one()
    return tx.models.add_version(
        project.id,
        number,
        base_model="minilm",
        parent_id=None,
        run_id=run_id,
        snapshot_id=snapshot_id,
        labels=project.label_names,
        artifact=f"{project.id}/{number}",
        artifact_sha256="0" * 64,
        parameters={},
        metrics={},
    )


def stored(workbench: Workbench, project: Project, example_id: int) -> list[tuple[str, Any]]:
    """(status, payload) of every revision of an example, oldest first."""
    task = get_task(project.task)
    return [
        (str(row.status), None if row.payload is None else task.dump(row.payload))
        for row in workbench.annotation.history(project, example_id)
    ]


def suggest(workbench: Workbench, project: Project, predictions: dict[int, Prediction]) -> None:
    """Predictions of a model version, as scoring stores them."""
    with workbench.store.write() as tx:
        version = add_version(tx, project)
        rows = [(one, dump_prediction(project.task, said)) for one, said in predictions.items()]
        tx.models.put_predictions(version.id, rows)
