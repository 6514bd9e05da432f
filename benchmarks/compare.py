"""How long comparing two versions takes: `python benchmarks/compare.py [--examples 10000] [--versions 10]`.

Makes a project of that many labeled test examples with the predictions of some versions, each trained on a thousand
examples more than the one before, and prints the seconds of each step, cold, and (in a real browser, unless
`--no-browser`) of opening the Compare page the first time and once the comparison is computed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import update

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.selection.pool import add_version, make_project
from workbench.config import Settings
from workbench.domain import Project, Split
from workbench.services import Workbench, open_workbench
from workbench.services.differences import confident_errors, confusion
from workbench.services.evaluation import measure
from workbench.services.slices import slice_kinds, slices
from workbench.storage.examples import ExampleRow
from workbench.storage.tables import model_versions

LABELS = ("PER", "ORG", "LOC", "MISC")
TAGS = tuple(f"T{index}" for index in range(17))
WORDS = 15
PER_DOCUMENT = 14
STEP = 1_000
"""Training examples that each version has more than the one before."""
OPENED = 5
"""Times that a page is opened, to take the median of."""
SHOWN = """() => document.querySelectorAll('[data-testid="stMetricValue"]').length === 5
  && document.querySelector('.forest') !== null"""
"""The verdict's figures and every label's interval are on the page."""

T = TypeVar("T")


def timed(name: str, work: Callable[[], T]) -> T:
    """Do it and print how long it took."""
    start = time.perf_counter()
    result = work()
    print(f"{name:<52}{time.perf_counter() - start:8.2f} s", flush=True)
    return result


def payloads(
    task: str, count: int, rng: np.random.Generator, errors: Sequence[float]
) -> Iterator[list[dict[str, Any]]]:
    """Gold and a prediction for each share of ``errors`` that is wrong here and there, example by example."""
    for _ in range(count):
        if task == "pos":
            gold = rng.choice(TAGS, WORDS).tolist()
            guesses = [[tag if rng.random() > share else TAGS[0] for tag in gold] for share in errors]
            yield [{"tags": tags} for tags in (gold, *guesses)]
            continue
        spans = [
            {"start": start * 6, "end": start * 6 + 5, "label": str(rng.choice(LABELS))}
            for start in range(WORDS)
            if rng.random() < 0.15
        ]
        guesses = []
        for share in errors:
            kept = [span if rng.random() > share / 2 else span | {"label": "MISC"} for span in spans]
            guesses.append([span for span in kept if rng.random() > share / 2])
        yield [{"spans": part} for part in (spans, *guesses)]


def details(task: str, payload: dict[str, Any]) -> dict[str, Any]:
    """The rest of a stored prediction, as large as a real one."""
    items = len(payload["tags"] if task == "pos" else payload["spans"])
    best = [["O", 0.98765], ["PER", 0.01], ["ORG", 0.00235]]
    return {
        "payload": payload,
        "confidence": 0.8,
        "confidences": [0.91234] * items,
        "uncertainty": [0.12345] * WORDS,
        "alternatives": [best] * WORDS,
    }


def fill(workbench: Workbench, task: str, count: int, versions: int) -> Project:
    """A project with gold on train and test, and versions that have learned from the one and predicted the other."""
    project = make_project(workbench, "bench", task, TAGS if task == "pos" else LABELS)
    rng = np.random.default_rng(1)
    shares = [0.4 * 0.9**number for number in range(versions)]
    training = add_labeled(workbench, project, Split.TRAIN, payloads(task, versions * STEP, rng, ()))
    made = list(payloads(task, count, rng, shares))
    test = add_labeled(workbench, project, Split.TEST, made)
    for index in range(versions):
        version = add_version(workbench, project, index + 1)
        learned = [(*item, Split.TRAIN) for item in training[: (index + 1) * STEP]]
        with workbench.store.write() as tx:
            snapshot = tx.models.add_snapshot(project.id, project.label_names, f"{index:064x}", learned)
            own = model_versions.c.id == version
            tx.connection.execute(update(model_versions).where(own).values(snapshot_id=snapshot.id))
            said = [(key, details(task, row[index + 1])) for (key, _), row in zip(test, made, strict=True)]
            tx.models.put_predictions(version, said)
    return project


def add_labeled(
    workbench: Workbench, project: Project, split: Split, rows: Iterable[list[dict[str, Any]]]
) -> list[tuple[int, int]]:
    """Examples whose gold label is the first of each row's payloads: (example id, annotation id)."""
    golds = [row[0] for row in rows]
    text = " ".join(["words"] * WORDS)
    tokens = json.dumps([place for word in range(WORDS) for place in (word * 6, word * 6 + 5)])
    sha = hashlib.sha256(split.encode()).hexdigest()
    with workbench.store.write() as tx:
        tx.examples.add_source(sha, 0, b"")
        import_id = tx.examples.add_import(
            project.id,
            file_name=f"{split}.conll",
            sha256=sha,
            format_name="conll2003",
            mapping={},
            split=split,
            user_id=None,
        )
        names = [f"{split} document {index}" for index in range(-(-len(golds) // PER_DOCUMENT))]
        documents = tx.examples.add_documents(project.id, import_id, names, 0)
        made = [
            ExampleRow(
                documents[index // PER_DOCUMENT],
                f"{split}-{index}",
                split,
                text,
                None,
                tokens,
                WORDS,
                hashlib.blake2b(f"{split} {index}".encode(), digest_size=16).hexdigest(),
                "{}",
                "{}",
            )
            for index in range(len(golds))
        ]
        ids = tx.examples.insert(project.id, import_id, tx.examples.next_position(project.id), made)
        author = tx.users.find_or_add("bench").id
        tx.annotations.add_imported(
            author, [(key, json.dumps(payload)) for key, payload in zip(ids, golds, strict=True)]
        )
        found = list(tx.models.gold_rows(project.id, (split,)))
    return [(row.example_id, row.annotation_id) for row in found]


def in_the_browser(home: Path, project: Project) -> None:
    """Open the page: the first time, when it compares, and then again, by its address and by its link."""
    from playwright.sync_api import sync_playwright

    from tests.browser import ARGUMENTS, NAMES, ServedApp
    from tests.conftest import free_port

    app = ServedApp(home, free_port())
    app.start()
    try:
        with sync_playwright() as playwright:
            path = next(found for found in map(shutil.which, NAMES) if found)
            browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
            page = browser.new_page(viewport={"width": 1440, "height": 900})

            def shown() -> None:
                # Looked at in each frame that is painted: wait_for_selector looks twice a second after a while.
                page.wait_for_function(SHOWN, polling="raf")

            def opened() -> float:
                start = time.perf_counter()
                page.goto(app.url("Compare", project=project.name))
                shown()
                return time.perf_counter() - start

            def followed() -> float:
                page.goto(app.url("Export", project=project.name))
                page.wait_for_selector("h1:has-text('Export')")
                page.wait_for_timeout(2_000)
                start = time.perf_counter()
                page.click("[data-testid='stSidebar'] a:has-text('Compare')")
                shown()
                return time.perf_counter() - start

            page.goto(app.url("Export", project=project.name))  # the server imports what every page needs
            page.wait_for_selector("h1")
            print(f"{'the page, which compares first':<52}{opened():8.2f} s", flush=True)
            for name, visit in (
                ("the page, once it is computed", opened),
                ("the same by its link from another page", followed),
            ):
                took = sorted(visit() for _ in range(OPENED))
                listed = " ".join(f"{seconds:.2f}" for seconds in took)
                print(f"{name:<52}{statistics.median(took):8.2f} s   ({listed})", flush=True)
            browser.close()
    finally:
        app.kill()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--versions", type=int, default=10)
    parser.add_argument("--task", choices=("ner", "pos"), default="ner")
    parser.add_argument("--no-browser", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        workbench = open_workbench(Settings(home=home, database_url=None))
        last = max(2, options.versions)
        project = fill(workbench, options.task, options.examples, last)
        print(f"{options.examples:,} examples of {WORDS} words, {options.task}, {last} versions")
        for number in range(1, last + 1):
            version = workbench.models.get(project, number)
            timed(
                f"measure version {number}",
                lambda v=version: measure(workbench.store, project, v, Split.TEST),
            )
        analysis = timed("compare", lambda: workbench.comparison.analyse(project, last - 1, last))
        timed(
            "confusion and confident errors", lambda: (confusion(analysis, 1), confident_errors(analysis, 1))
        )
        nothing = (frozenset[str](), frozenset[str]())
        for kind in slice_kinds(analysis):
            timed(f"parts by {kind}", lambda kind=kind: slices(analysis, kind, nothing))
        timed("the table of versions", lambda: workbench.versions.table(project, Split.TEST))
        workbench.close()
        if not options.no_browser:
            in_the_browser(home, project)


if __name__ == "__main__":
    main()
