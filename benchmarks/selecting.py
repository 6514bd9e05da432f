"""Choosing from a million scored examples: `python benchmarks/selecting.py [--examples 1000000] [--home DIR]`.

Fills a home with synthetic examples that a model version has scored and of which it has left features (minutes, and
4 GB; `--home` keeps it and finds it again), 5,000 of them labeled. Then prints the seconds that choosing a batch of 200
takes by each strategy, from the services' own call, in a process that has chosen nothing before and once more; that
making it a batch takes; and the milliseconds in which the label queue reads, from a batch and from the pool.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from tests.selection.pool import NOW, add_examples, add_version, annotations, make_project
from workbench.acquisition import ARRAYS, single_pass, strategies_for
from workbench.config import Settings
from workbench.domain import Project
from workbench.featurefiles import keep_part, write_features
from workbench.services import Workbench, open_workbench
from workbench.storage.rows import bulk_insert
from workbench.storage.tables import acquisition_scores, documents, examples, gold, predictions

BATCH = 200
LABELED = 5_000
CHUNK = 50_000
WIDTHS = {"embeddings": 384, "gradients": 256, "classes": 9, "doubts": 9}
"""As of MiniLM on CoNLL-2003."""

LETTERS = "abcdefghijklmnopqrst"
WORDS = ["".join(parts) for parts in itertools.product("bdfgklmnprst", "aeiou", "bdfgklmnprst", "aeiou")]


def fill(workbench: Workbench, size: int, folder: Path) -> None:
    """Everything that is chosen from."""
    rng = np.random.default_rng(1)
    project = make_project(workbench, "many", labels=("PER", "ORG", "LOC", "MISC"))
    first = add_examples(workbench, project, ["the first of them"])[0]
    ids = np.arange(first, first + size)
    for start in range(1, size, CHUNK):
        add_sentences(workbench, project, range(start, min(start + CHUNK, size)), first, rng)
    version = add_version(workbench, project)
    for start in range(0, size, CHUNK):
        said_of(workbench, version, ids[start : start + CHUNK], rng)
    label(workbench, ids[rng.permutation(size)[:LABELED]].tolist())
    chunks = [chunk(folder, ids, start, rng) for start in range(0, size, CHUNK)]
    with workbench.store.read() as tx:
        found = tx.models.by_id(version)
    write_features(folder / "features", chunks)
    root = workbench.settings.features_dir / found.artifact
    keep_part(folder / "features", root, found.run_id, found.artifact_sha256)
    with workbench.store.write() as tx:
        tx.connection.exec_driver_sql("ANALYZE")


def add_sentences(
    workbench: Workbench, project: Project, numbers: range, first: int, rng: np.random.Generator
) -> None:
    """Sentences of 3 to 25 words, each other than all before, 20 a document, beside the one that is there."""
    lengths = rng.integers(2, 25, size=len(numbers))
    drawn = iter(rng.integers(len(WORDS), size=int(lengths.sum())).tolist())
    rows = []
    for number, length in zip(numbers, lengths.tolist(), strict=True):
        own = "".join(
            LETTERS[int(digit)] for digit in str(number)
        )  # digits would make near-duplicates of all
        words = [*(WORDS[index] for index in itertools.islice(drawn, length)), own]
        ends = list(itertools.accumulate(len(word) + 1 for word in words))
        tokens = [
            place for end, word in zip(ends, words, strict=True) for place in (end - 1 - len(word), end - 1)
        ]
        text = " ".join(words)
        mark = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
        document = 2 + number // 20
        kept = (
            first + number,
            project.id,
            1,
            document,
            number,
            f"x{number}",
            "pool",
            text,
            tokens,
            length + 1,
            mark,
            {},
            {},
        )
        rows.append(kept)
    with workbench.store.write() as tx:
        known = range(2 + numbers[0] // 20 + (numbers[0] > 1), 3 + numbers[-1] // 20)
        told = [(each, project.id, 1, f"d{each}", each, {}) for each in known]
        bulk_insert(
            tx.connection, documents, ("id", "project_id", "import_id", "name", "position", "meta"), told
        )
        names = (
            "id project_id import_id document_id position external_id split text tokens words content_hash"
        )
        bulk_insert(tx.connection, examples, [*names.split(), "locator", "meta"], rows)


def said_of(workbench: Workbench, version: int, ids: np.ndarray, rng: np.random.Generator) -> None:
    """A prediction and every score of some examples."""
    told = '{"confidences": [], "uncertainty": [], "alternatives": []}'
    with workbench.store.write() as tx:
        for name in single_pass("ner"):
            rows = [
                (version, name, each, value)
                for each, value in zip(ids.tolist(), rng.random(len(ids)).tolist(), strict=True)
            ]
            bulk_insert(
                tx.connection,
                acquisition_scores,
                ("model_version_id", "strategy", "example_id", "score"),
                rows,
            )
        rows = [(version, each, '{"spans": []}', 0.5, told) for each in ids.tolist()]
        names = ("model_version_id", "example_id", "payload", "confidence", "details")
        bulk_insert(tx.connection, predictions, names, rows, encoded=("payload", "details"))


def label(workbench: Workbench, ids: list[int]) -> None:
    """Gold labels by one annotator."""
    with workbench.store.write() as tx:
        author = tx.users.find_or_add("ann").id
        rows = [(each, author, 1, "accepted", {"spans": []}, f"b{each}", 5.0, NOW) for each in ids]
        names = (
            "example_id",
            "author_id",
            "revision",
            "status",
            "payload",
            "client_id",
            "seconds",
            "created_at",
        )
        bulk_insert(tx.connection, annotations, names, rows)
        accepted = [(each, place, NOW) for place, each in enumerate(ids, 1)]
        bulk_insert(tx.connection, gold, ("example_id", "annotation_id", "accepted_at"), accepted)


def chunk(folder: Path, ids: np.ndarray, start: int, rng: np.random.Generator) -> Path:
    """Features of some examples, of 1,000 kinds."""
    part = ids[start : start + CHUNK]
    kinds = np.random.default_rng(7).normal(size=(1_000, WIDTHS["embeddings"]))
    arrays = {name: rng.random((len(part), width), dtype=np.float32) for name, width in WIDTHS.items()}
    arrays["embeddings"] += kinds[rng.integers(1_000, size=len(part))].astype(np.float32)
    path = folder / f"{start}.npz"
    np.savez(path, ids=part, **{name: arrays[name].astype(np.float16) for name in ARRAYS})
    return path


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def choosing(workbench: Workbench, project: Project, name: str) -> float:
    """Seconds that it takes to choose a batch."""
    return seconds(lambda: workbench.selection.preview(project, name, BATCH))


def measure(workbench: Workbench, project: Project) -> None:
    """Print what each takes."""
    print(
        f"choosing {BATCH} of {workbench.selection.candidates(project):,} examples, at first and once more:"
    )
    for strategy in strategies_for("ner"):
        taken = [choosing(workbench, project, strategy.name) for _ in range(2)]
        print(f"  {strategy.name:20} {taken[0]:6.2f} {taken[1]:6.2f} s", flush=True)
    selection = workbench.selection.preview(project, "mnlp", BATCH)
    print(f"  making it a batch    {seconds(lambda: workbench.selection.create(project, selection)):6.2f} s")
    with workbench.store.write() as tx:
        user = tx.users.find_or_add("reader")
    for what, release in (("from a batch", False), ("from the pool", True)):
        if release:
            for batch in workbench.selection.batches(project):
                workbench.selection.release(project, batch.number)
        taken = [1_000 * seconds(lambda: workbench.annotation.queue(project, user)) for _ in range(20)]
        print(
            f"  the label queue, {what}: median {statistics.median(taken):.1f} ms, longest {max(taken):.1f} ms"
        )


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--examples", type=int, default=1_000_000)
    parser.add_argument("--home", type=Path, help="keep what is filled there, and use it if it is there")
    parser.add_argument("--fill", action="store_true", help="only fill it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.home.parent if given.home else None) as folder:
        home = given.home or Path(folder) / "home"
        workbench = open_workbench(Settings(home=home, database_url=None))
        if not workbench.projects.list():
            print(
                f"filled in {seconds(lambda: fill(workbench, given.examples, Path(folder))):.0f} s",
                flush=True,
            )
        if not given.fill:
            measure(workbench, workbench.projects.get("many"))
        workbench.close()


if __name__ == "__main__":
    main()
