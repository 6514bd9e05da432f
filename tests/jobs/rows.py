"""Rows put straight into the tables, for tests that are not about importing."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select

from workbench.domain import Project, Role, Split
from workbench.services import Workbench
from workbench.storage.rows import now
from workbench.storage.tables import documents, examples, gold, imports, metadata, sources

PEOPLE = ("Ada Lovelace", "Grace Hopper", "Alan Turing", "Emmy Noether", "Kurt Goedel", "Mary Jackson")
PLACES = ("Paris", "London", "Oslo", "Vienna", "Lagos", "Lima")


def sentence(index: int) -> tuple[str, list[int], dict[str, Any]]:
    """A sentence with a person and a place in it: text, flat token offsets, NER payload."""
    person, place = PEOPLE[index % len(PEOPLE)], PLACES[(index // 2) % len(PLACES)]
    text = f"{person} wrote from {place} in week {index} ."
    offsets: list[int] = []
    at = 0
    for word in text.split(" "):
        offsets += [at, at + len(word)]
        at += len(word) + 1
    start = text.index(place)
    spans = [
        {"start": 0, "end": len(person), "label": "PER"},
        {"start": start, "end": start + len(place), "label": "LOC"},
    ]
    return text, offsets, {"spans": spans}


def add_examples(
    wb: Workbench, project: Project, count: int, *, split: Split = Split.POOL, per_document: int = 5
) -> list[int]:
    """Ids of new examples, ``per_document`` of them in each document."""
    moment, key = now(), uuid.uuid4().hex * 2
    with wb.store.write() as tx:
        run = tx.connection.execute
        run(insert(sources).values(sha256=key, size=0, content=b""))
        values = {
            "file_name": f"{key[:6]}.jsonl",
            "sha256": key,
            "format": "jsonl",
            "mapping": {},
            "counts": {},
        }
        import_id = run(
            insert(imports).values(project_id=project.id, created_at=moment, **values).returning(imports.c.id)
        ).scalar_one()
        first = len(run(select(examples.c.id).where(examples.c.project_id == project.id)).all())
        ids: list[int] = []
        document_id = 0
        for index in range(count):
            if index % per_document == 0:
                document_id = run(
                    insert(documents)
                    .values(
                        project_id=project.id,
                        import_id=import_id,
                        name=f"{split}-{index // per_document}",
                        position=index // per_document,
                        meta={},
                    )
                    .returning(documents.c.id)
                ).scalar_one()
            text, tokens, _ = sentence(first + index)
            ids.append(
                run(
                    insert(examples)
                    .values(
                        project_id=project.id,
                        import_id=import_id,
                        document_id=document_id,
                        position=first + index,
                        external_id=str(index),
                        split=split,
                        text=text,
                        tokens=tokens,
                        words=len(tokens) // 2,
                        content_hash=hashlib.sha256(text.encode()).hexdigest()[:32],
                        locator={},
                        meta={},
                    )
                    .returning(examples.c.id)
                ).scalar_one()
            )
        return ids


def add_gold(
    wb: Workbench, ids: Sequence[int], payloads: Mapping[int, dict[str, Any]] | None = None
) -> list[int]:
    """Accepted annotations for the examples, those of ``sentence`` unless others are given; their ids."""
    revisions = metadata.tables["annotations"]
    moment = now()
    with wb.store.write() as tx:
        author = tx.users.find_or_add("import", Role.ANNOTATOR, system=True)
        made: list[int] = []
        for example_id in ids:
            row = tx.connection.execute(select(examples).where(examples.c.id == example_id)).one()
            payload = (payloads or {}).get(example_id, sentence(row.position)[2])
            annotation_id = tx.connection.execute(
                insert(revisions)
                .values(
                    example_id=example_id,
                    author_id=author.id,
                    revision=1,
                    status="accepted",
                    payload=payload,
                    client_id=uuid.uuid4().hex,
                    comment="",
                    created_at=moment,
                )
                .returning(revisions.c.id)
            ).scalar_one()
            tx.connection.execute(
                insert(gold).values(example_id=example_id, annotation_id=annotation_id, accepted_at=moment)
            )
            made.append(annotation_id)
        return made
