"""A project of many examples in which every page has something to show, put straight into the database."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import update

from workbench.acquisition import single_pass
from workbench.domain import ModelVersion, Project, RunKind, RunState, Sharing, Split
from workbench.evidence.replay import FULL, ReplayPoint, summarise
from workbench.services import Workbench
from workbench.services.evaluation import measure
from workbench.storage.batches import NewItem
from workbench.storage.evidence import Suspect
from workbench.storage.examples import ExampleRow
from workbench.storage.rows import bulk_insert, chunks, now
from workbench.storage.tables import acquisition_scores, gold, metadata, predictions

NAME = "many"
PEOPLE = {"mira": "admin", "ada": "annotator", "bo": "annotator"}
PASSWORD = "correct horse battery"
LABELS = ("PER", "ORG", "LOC", "MISC")
VERSIONS = 5
PER_DOCUMENT = 20
TEST_SHARE = 0.05
"""Of the examples, all labeled; so are three times as many of the pool."""
DISPUTED = 300
"""Examples that two people have labeled, half of them not alike."""
BATCH, BATCHES, OPEN = 200, 8, 3
"""Examples of a batch, batches, and how many of those wait for labels."""
SUSPECTED = 250
REPLAYED = ("random", "mnlp", "entropy")

SYLLABLES = ["".join(parts) for parts in itertools.product("bdfgklmnprst", "aeiou")]
LETTERS = "abcdefghijklmnopqrst"
revisions = metadata.tables["annotations"]


class Sentence(NamedTuple):
    """One example to be: its text, flat token offsets, and the entities in it."""

    text: str
    tokens: list[int]
    spans: list[dict[str, Any]]


def sentences(count: int, seed: int = 1) -> Iterator[Sentence]:
    """Sentences of 5 to 30 words with an entity or two, each other than all before."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        length = int(rng.integers(5, 30))
        drawn = rng.integers(len(SYLLABLES), size=(length, 2))
        words = ["".join(SYLLABLES[each] for each in pair) for pair in drawn]
        words.append("".join(LETTERS[int(digit)] for digit in str(number)))
        named = sorted(set(rng.integers(length, size=2).tolist()))
        for place in named:
            words[place] = words[place].title()
        ends = list(itertools.accumulate(len(word) + 1 for word in words))
        tokens = [at for end, word in zip(ends, words, strict=True) for at in (end - 1 - len(word), end - 1)]
        spans = [
            {"start": tokens[2 * at], "end": tokens[2 * at + 1], "label": LABELS[place % len(LABELS)]}
            for place, at in enumerate(named, number)
        ]
        yield Sentence(" ".join(words), tokens, spans)


def fill(workbench: Workbench, size: int, versions: int = VERSIONS) -> Project:
    """The project, with three people, versions with scores and evaluations, batches, suspects, a simulation."""
    people = {name: workbench.team.add_user(name, role, PASSWORD).id for name, role in PEOPLE.items()}
    project = workbench.projects.create(NAME, "ner", list(LABELS))
    project = workbench.projects.set_guidelines(project, "Mark **names** of people, companies and places.")
    project = workbench.sharing.set(project, Sharing(people=2, share=0.05, agree=2))
    made = list(sentences(size))
    held = round(size * TEST_SHARE)
    pool = add_examples(workbench, project, made[held:], Split.POOL)
    test = add_examples(workbench, project, made[:held], Split.TEST)
    spans = dict(zip([*pool, *test], (each.spans for each in [*made[held:], *made[:held]]), strict=True))
    learned = pool[: 3 * held]
    golds = add_labels(workbench, {key: spans[key] for key in learned}, list(people.values()))
    with workbench.store.write() as tx:
        author = tx.users.find_or_add("import", system=True).id
        tx.annotations.add_imported(author, [(key, json.dumps({"spans": spans[key]})) for key in test])
    with workbench.store.write() as tx:
        tx.connection.exec_driver_sql("ANALYZE")  # as after an import
    disputed = pool[3 * held : 3 * held + DISPUTED]
    dispute(workbench, {key: spans[key] for key in disputed}, people)
    for number in range(1, versions + 1):
        known = learned[: len(learned) * number // versions]
        version = add_version(workbench, project, number, {key: golds[key] for key in known})
        read = [*pool[len(known) :], *test]
        say(workbench, version, {key: spans[key] for key in read}, number)
        measure(workbench.store, project, version, Split.TEST)
    add_batches(workbench, project, learned, pool[3 * held + DISPUTED :], golds)
    doubt(workbench, project, {key: golds[key] for key in learned[-SUSPECTED:]}, spans)
    simulate(workbench, project)
    with workbench.store.write() as tx:
        tx.connection.exec_driver_sql("ANALYZE")
    return project


def add_examples(workbench: Workbench, project: Project, made: Sequence[Sentence], split: Split) -> list[int]:
    """Ids of new examples."""
    sha = hashlib.sha256(split.encode()).hexdigest()
    with workbench.store.write() as tx:
        tx.examples.add_source(sha, 0, b"")
        import_id = tx.examples.add_import(
            project.id,
            file_name=f"{split}.jsonl",
            sha256=sha,
            format_name="jsonl",
            mapping={},
            split=split,
            user_id=None,
        )
        tx.examples.set_counts(import_id, {"examples": len(made), "documents": -(-len(made) // PER_DOCUMENT)})
        names = [f"{split}-{place}" for place in range(-(-len(made) // PER_DOCUMENT))]
        documents = tx.examples.add_documents(project.id, import_id, names, 0)
        first = tx.examples.next_position(project.id)
        rows = [
            ExampleRow(
                documents[place // PER_DOCUMENT],
                f"{split}-{place}",
                split,
                each.text,
                None,
                json.dumps(each.tokens),
                len(each.tokens) // 2,
                hashlib.blake2b(each.text.encode(), digest_size=16).hexdigest(),
                "{}",
                "{}",
            )
            for place, each in enumerate(made)
        ]
        return tx.examples.insert(project.id, import_id, first, rows)


def add_labels(
    workbench: Workbench, spans: Mapping[int, Sequence[Any]], people: Sequence[int]
) -> dict[int, int]:
    """Gold labels by the people in turn, their time logged; ids of annotations by example."""
    moment = now()
    names = ("example_id", "author_id", "revision", "status", "payload", "client_id", "seconds", "created_at")
    with workbench.store.write() as tx:
        rows = [
            (key, people[key % len(people)], 1, "accepted", {"spans": own}, f"many-{key}", 8.0, moment)
            for key, own in spans.items()
        ]
        bulk_insert(tx.connection, revisions, names, rows)
        found = tx.connection.execute(
            revisions.select()
            .with_only_columns(revisions.c.example_id, revisions.c.id)
            .where(revisions.c.created_at == moment)
        )
        made = {row.example_id: row.id for row in found}
        accepted = [(key, made[key], moment) for key in spans]
        bulk_insert(tx.connection, gold, ("example_id", "annotation_id", "accepted_at"), accepted)
    return made


def dispute(workbench: Workbench, spans: Mapping[int, Sequence[Any]], people: Mapping[str, int]) -> None:
    """Two people's labels of the same examples: every second time one of them has left an entity out."""
    moment = now()
    names = ("example_id", "author_id", "revision", "status", "payload", "client_id", "seconds", "created_at")
    rows = []
    for place, (key, own) in enumerate(spans.items()):
        for name, kept in (("ada", own), ("bo", own[: 1 if place % 2 else 2])):
            rows.append((key, people[name], 1, "accepted", {"spans": kept}, f"{name}-{key}", 9.0, moment))
    with workbench.store.write() as tx:
        bulk_insert(tx.connection, revisions, names, rows)
        for key in spans:
            tx.annotations.follow_gold(key)


def add_version(
    workbench: Workbench, project: Project, number: int, known: Mapping[int, int]
) -> ModelVersion:
    """A version that has learned from these annotations, by example."""
    with workbench.store.write() as tx:
        items = [
            (key, annotation, Split.VALIDATION if place % 10 == 0 else Split.TRAIN)
            for place, (key, annotation) in enumerate(known.items())
        ]
        snapshot = tx.models.add_snapshot(project.id, project.label_names, f"{number:064x}", items)
        run = tx.runs.add(project.id, RunKind.TRAIN, {}, user_id=None)
        metrics = {"validation": {"f1": 0.9 - 0.3 / number}}
        result = {"seconds": 60.0 * number, "device": "cpu", "model_version": number, "metrics": metrics}
        tx.runs.transition(run.id, RunState.RUNNING, attempt=1)
        tx.runs.transition(run.id, RunState.SUCCEEDED, attempt=1, result=result)
        return tx.models.add_version(
            project.id,
            number,
            base_model="minilm",
            parent_id=None,
            run_id=run.id,
            snapshot_id=snapshot.id,
            labels=project.label_names,
            artifact=f"{project.id}/{number}",
            artifact_sha256="0" * 64,
            parameters={},
            metrics=metrics,
        )


def say(workbench: Workbench, version: ModelVersion, spans: Mapping[int, Sequence[Any]], skill: int) -> None:
    """What the version predicts of the examples, and every score; of two entities it finds the better the surer."""
    rng = np.random.default_rng(version.number)
    right = rng.random(len(spans)) < 1 - 0.5 / (skill + 1)
    told = {"confidences": [0.9123, 0.8765], "uncertainty": [0.01234] * 16, "alternatives": []}
    with workbench.store.write() as tx:
        for chunk in chunks(zip(spans.items(), right.tolist(), strict=True)):
            rows = [
                (version.id, key, {"spans": own if good else own[:1]}, 0.9, told)
                for (key, own), good in chunk
            ]
            names = ("model_version_id", "example_id", "payload", "confidence", "details")
            bulk_insert(tx.connection, predictions, names, rows)
        for strategy in single_pass("ner"):
            for chunk in chunks(zip(spans, rng.random(len(spans)).tolist(), strict=True)):
                scored = [(version.id, strategy, key, value) for key, value in chunk]
                names = ("model_version_id", "strategy", "example_id", "score")
                bulk_insert(tx.connection, acquisition_scores, names, scored)


def add_batches(
    workbench: Workbench,
    project: Project,
    labeled: Sequence[int],
    free: Sequence[int],
    golds: Mapping[int, int],
) -> None:
    """Batches, some of which are labeled; one of them was drawn by lot."""
    for number in range(BATCHES):
        waits = number >= BATCHES - OPEN
        ids = (free if waits else labeled)[number * BATCH : (number + 1) * BATCH]
        strategy = "mnlp" if number else "random"
        with workbench.store.write() as tx:
            items = [
                NewItem(key, 0.5, {"strategy": strategy, "rank": rank}) for rank, key in enumerate(ids, 1)
            ]
            batch = tx.batches.add(
                project.id, items, strategy=strategy, unit="examples", size=BATCH, parameters={}
            )
            if not waits:
                own = revisions.c.id.in_([golds[key] for key in ids])
                tx.connection.execute(update(revisions).where(own).values(batch_id=batch.id))


def doubt(
    workbench: Workbench, project: Project, golds: Mapping[int, int], spans: Mapping[int, Sequence[Any]]
) -> None:
    """A search for label errors that has come to its end."""
    with workbench.store.write() as tx:
        run = tx.runs.add(project.id, RunKind.SUSPECTS, {"folds": 3, "model_version": None})
        rows = []
        for place, (key, annotation) in enumerate(golds.items()):
            own = spans[key][0]
            item = {
                "start": own["start"],
                "end": own["end"],
                "given": own["label"],
                "proposed": "O",
                "given_probability": 0.1,
                "probability": 0.8,
            }
            rows.append(Suspect(key, annotation, 0.001 * place, False, {"items": [item]}))
        tx.evidence.put_suspects(project.id, run.id, rows)
        result = {"device": "cpu", "seconds": 90.0, "examples": 15_000, "suspected": len(rows)}
        tx.runs.transition(run.id, RunState.RUNNING, attempt=1)
        tx.runs.transition(run.id, RunState.SUCCEEDED, attempt=1, result=result)


def simulate(workbench: Workbench, project: Project) -> None:
    """A replay by three strategies that has come to its end."""
    cost = asdict(workbench.simulation.cost(project))
    points = [
        ReplayPoint(name, seed, step, 90 * step, 2_000 * step, 720.0 * step, 0.9 - 0.5 / (step + faster), 5.0)
        for faster, name in enumerate(REPLAYED)
        for seed in (1, 2, 3)
        for step in range(1, 12)
    ]
    points += [ReplayPoint(FULL, seed, 0, 9_000, 200_000, 72_000.0, 0.93, 60.0) for seed in (1, 2, 3)]
    plan = {
        "strategies": list(REPLAYED),
        "seeds": [1, 2, 3],
        "batch_words": 2_000,
        "rounds": 10,
        "cost": cost,
    }
    with workbench.store.write() as tx:
        run = tx.runs.add(project.id, RunKind.SIMULATE, {**plan, "pool": "pool", "measured_on": "test"})
        tx.runs.transition(run.id, RunState.RUNNING, attempt=1)
        tx.runs.transition(run.id, RunState.SUCCEEDED, attempt=1, result={"run": run.id, **summarise(points)})
