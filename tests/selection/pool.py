"""A small pool put straight into the tables: these tests are about selecting, not about importing."""

from __future__ import annotations

import hashlib
import itertools
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import insert, select

from workbench.acquisition import ARRAYS
from workbench.domain import Project
from workbench.featurefiles import keep_part, write_features
from workbench.jobs.completion import base_features
from workbench.services import Workbench
from workbench.storage.openitems import reckon
from workbench.storage.tables import (
    acquisition_scores,
    documents,
    evaluations,
    examples,
    gold,
    imports,
    metadata,
    model_versions,
    predictions,
    runs,
    snapshots,
    sources,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
annotations = metadata.tables["annotations"]
counter = itertools.count(1)


def make_project(
    workbench: Workbench, name: str = "p", task: str = "ner", labels: Sequence[str] = ("PER", "ORG")
) -> Project:
    return workbench.projects.create(name, task, labels)


def add_examples(
    workbench: Workbench,
    project: Project,
    texts: Sequence[str],
    *,
    split: str = "pool",
    per_document: int = 5,
    question: str | None = None,
) -> list[int]:
    """Examples of whitespace-separated tokens; ids in order."""
    with workbench.store.write() as tx:
        run = tx.connection.execute
        sha = hashlib.sha256(f"{next(counter)}".encode()).hexdigest()
        run(insert(sources).values(sha256=sha, size=0, content=b""))
        import_id = run(
            insert(imports)
            .values(
                project_id=project.id,
                file_name="f",
                sha256=sha,
                format="jsonl",
                mapping={},
                split=split,
                counts={},
                created_at=NOW,
            )
            .returning(imports.c.id)
        ).scalar_one()
        first = len(run(select(examples.c.id).where(examples.c.project_id == project.id)).all())
        document_ids = [
            run(
                insert(documents)
                .values(
                    project_id=project.id, import_id=import_id, name=f"doc{index}", position=index, meta={}
                )
                .returning(documents.c.id)
            ).scalar_one()
            for index in range(-(-len(texts) // per_document))
        ]
        ids = []
        for index, text in enumerate(texts):
            tokens, at = [], 0
            for word in text.split(" "):
                tokens += [at, at + len(word)]
                at += len(word) + 1
            row = run(
                insert(examples)
                .values(
                    project_id=project.id,
                    import_id=import_id,
                    document_id=document_ids[index // per_document],
                    position=first + index,
                    external_id=f"x{index}",
                    split=split,
                    text=text,
                    question=question,
                    tokens=[] if question else tokens,
                    words=len(tokens) // 2,
                    content_hash=hashlib.blake2b(f"{text}|{question}".encode(), digest_size=16).hexdigest(),
                    locator={},
                    meta={},
                )
                .returning(examples.c.id)
            )
            ids.append(row.scalar_one())
    return ids


def annotate(
    workbench: Workbench,
    example_id: int,
    *,
    author: str = "ann",
    status: str = "accepted",
    payload: Mapping[str, Any] | None = None,
    revision: int = 1,
    is_gold: bool = False,
) -> int:
    with workbench.store.write() as tx:
        user = tx.users.find_or_add(author)
        annotation_id = tx.connection.execute(
            insert(annotations)
            .values(
                example_id=example_id,
                author_id=user.id,
                revision=revision,
                status=status,
                payload=dict(payload or {"spans": []}),
                client_id=f"c{next(counter)}",
                created_at=NOW,
            )
            .returning(annotations.c.id)
        ).scalar_one()
        if is_gold:
            tx.connection.execute(
                insert(gold).values(example_id=example_id, annotation_id=annotation_id, accepted_at=NOW)
            )
        reckon(tx.connection, [example_id])
    return annotation_id


def add_version(workbench: Workbench, project: Project, number: int = 1, **metrics: Any) -> int:
    with workbench.store.write() as tx:
        run = tx.connection.execute
        run_id = run(
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
                created_at=NOW,
            )
            .returning(runs.c.id)
        ).scalar_one()
        snapshot_id = run(
            insert(snapshots)
            .values(
                project_id=project.id,
                content_hash="0" * 64,
                labels=list(project.label_names),
                counts={"train": 10 * number},
                created_at=NOW,
            )
            .returning(snapshots.c.id)
        ).scalar_one()
        return int(
            run(
                insert(model_versions)
                .values(
                    project_id=project.id,
                    number=number,
                    base_model="minilm",
                    run_id=run_id,
                    snapshot_id=snapshot_id,
                    labels=list(project.label_names),
                    artifact=f"{number}",
                    artifact_sha256="0" * 64,
                    parameters={},
                    metrics=metrics,
                    created_at=NOW,
                )
                .returning(model_versions.c.id)
            ).scalar_one()
        )


def add_scores(
    workbench: Workbench, version_id: int, scores: Mapping[int, float], strategy: str = "mnlp"
) -> None:
    with workbench.store.write() as tx:
        tx.connection.execute(
            insert(acquisition_scores),
            [
                {"model_version_id": version_id, "strategy": strategy, "example_id": key, "score": value}
                for key, value in scores.items()
            ],
        )


def add_features(
    workbench: Workbench, version_id: int | None, ids: Sequence[int], *, project: Project, width: int = 8
) -> None:
    """Features in half precision of a version, or of the base model; several examples are quite alike."""
    settings = workbench.settings
    rng = np.random.default_rng(len(ids))
    kinds = rng.normal(size=(5, width))[np.arange(len(ids)) % 5]
    classes = rng.dirichlet(np.ones(3), size=len(ids))
    arrays = (kinds.round(1), rng.normal(size=(len(ids), 16)), classes, classes / 3)
    with workbench.store.write() as tx:
        version = tx.models.by_id(version_id) if version_id is not None else None
    folder = settings.home / "part"
    folder.mkdir(parents=True)
    made = dict(zip(ARRAYS, (array.astype(np.float16) for array in arrays), strict=True))
    if version is None:
        made |= {name: np.zeros((len(ids), 0), np.float16) for name in ARRAYS[1:]}
    np.savez(folder / "0.npz", ids=np.array(ids, dtype=np.int64), **made)
    write_features(folder / "made", [folder / "0.npz"])
    root = settings.features_dir / version.artifact if version else base_features(settings, project.id)
    keep_part(folder / "made", root, next(counter), version.artifact_sha256 if version else "minilm")
    shutil.rmtree(folder)


def add_predictions(
    workbench: Workbench, version_id: int, payloads: Mapping[int, Mapping[str, Any]], confidence: float = 0.5
) -> None:
    with workbench.store.write() as tx:
        tx.connection.execute(
            insert(predictions),
            [
                {
                    "model_version_id": version_id,
                    "example_id": key,
                    "payload": dict(payload),
                    "confidence": confidence,
                    "details": {"confidences": [], "uncertainty": [], "alternatives": []},
                }
                for key, payload in payloads.items()
            ],
        )


def add_evaluation(
    workbench: Workbench, version_id: int, metrics: Mapping[str, Any], *, data_hash: str, split: str = "test"
) -> None:
    with workbench.store.write() as tx:
        tx.connection.execute(
            insert(evaluations).values(
                model_version_id=version_id,
                split=split,
                data_hash=data_hash,
                examples=3,
                metrics=dict(metrics),
                created_at=NOW,
            )
        )
