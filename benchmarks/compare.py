"""How long comparing two versions takes: `python benchmarks/compare.py [--examples 10000] [--task ner] [--no-browser]`.

Makes a project of that many labeled test examples with the predictions of two versions, and prints the seconds of each
step, cold, and (in a real browser) of opening the Compare page the first time and once the comparison is computed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.selection.pool import add_version, make_project
from workbench.config import Settings
from workbench.domain import Project, Split
from workbench.services import Workbench, open_workbench
from workbench.services.differences import confident_errors, confusion
from workbench.services.evaluation import measure
from workbench.services.slices import slice_kinds, slices
from workbench.storage.examples import ExampleRow

LABELS = ("PER", "ORG", "LOC", "MISC")
TAGS = tuple(f"T{index}" for index in range(17))
WORDS = 15
PER_DOCUMENT = 14
T = TypeVar("T")


def timed(name: str, work: Callable[[], T]) -> T:
    """Do it and print how long it took."""
    start = time.perf_counter()
    result = work()
    print(f"{name:<52}{time.perf_counter() - start:8.2f} s", flush=True)
    return result


def payloads(
    task: str, count: int, rng: np.random.Generator, errors: float
) -> Iterator[list[dict[str, Any]]]:
    """Gold and two predictions that are wrong here and there, example by example."""
    for _ in range(count):
        if task == "pos":
            gold = rng.choice(TAGS, WORDS).tolist()
            guesses = [
                [tag if rng.random() > share else TAGS[0] for tag in gold] for share in (errors, errors * 0.9)
            ]
            yield [{"tags": tags} for tags in (gold, *guesses)]
            continue
        spans = [
            {"start": start * 6, "end": start * 6 + 5, "label": str(rng.choice(LABELS))}
            for start in range(WORDS)
            if rng.random() < 0.15
        ]
        guesses = []
        for share in (errors, errors * 0.9):
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


def fill(workbench: Workbench, task: str, count: int) -> Project:
    """A project with gold on its test split and two versions that have predicted it."""
    project = make_project(workbench, "bench", task, TAGS if task == "pos" else LABELS)
    rng = np.random.default_rng(1)
    text = " ".join(["words"] * WORDS)
    tokens = json.dumps([place for word in range(WORDS) for place in (word * 6, word * 6 + 5)])
    with workbench.store.write() as tx:
        sha = "0" * 64
        tx.examples.add_source(sha, 0, b"")
        import_id = tx.examples.add_import(
            project.id,
            file_name="bench.conll",
            sha256=sha,
            format_name="conll2003",
            mapping={},
            split=Split.TEST,
            user_id=None,
        )
        names = [f"document {index}" for index in range(-(-count // PER_DOCUMENT))]
        documents = tx.examples.add_documents(project.id, import_id, names, 0)
        rows = [
            ExampleRow(
                documents[index // PER_DOCUMENT],
                f"x{index}",
                "test",
                text,
                None,
                tokens,
                WORDS,
                f"{index:032x}",
                "{}",
                "{}",
            )
            for index in range(count)
        ]
        ids = tx.examples.insert(project.id, import_id, 0, rows)
    made = list(payloads(task, count, rng, 0.2))
    with workbench.store.write() as tx:
        author = tx.users.find_or_add("bench").id
        tx.annotations.add_imported(
            author, [(key, json.dumps(row[0])) for key, row in zip(ids, made, strict=True)]
        )
    for number in (1, 2):
        version = add_version(workbench, project, number)
        with workbench.store.write() as tx:
            tx.models.put_predictions(
                version, [(key, details(task, row[number])) for key, row in zip(ids, made, strict=True)]
            )
    return project


def in_the_browser(home: Path, project: Project) -> None:
    """Open the page: the first time, when it compares, and then again."""
    from playwright.sync_api import sync_playwright

    from tests.browser import ARGUMENTS, NAMES, ServedApp
    from tests.conftest import free_port

    app = ServedApp(home, free_port())
    app.start()
    try:
        with sync_playwright() as playwright:
            path = next(found for found in map(shutil.which, NAMES) if found)
            browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
            page = browser.new_page(viewport={"width": 1400, "height": 1000})
            page.goto(
                app.url("Export", project=project.name)
            )  # the server has imported what every page needs
            page.wait_for_selector("h1")
            for name in ("the page, which compares first", *["the page, once it is computed"] * 3):
                start = time.perf_counter()
                page.goto(app.url("Compare", project=project.name))
                page.wait_for_selector('[data-testid="stMetric"] >> nth=4')
                print(f"{name:<52}{time.perf_counter() - start:8.2f} s", flush=True)
            for _ in range(3):
                page.goto(app.url("Export", project=project.name))
                page.wait_for_selector("h1:has-text('Export')")
                page.wait_for_timeout(2_000)
                start = time.perf_counter()
                page.click("[data-testid='stSidebar'] a:has-text('Compare')")
                page.wait_for_selector('[data-testid="stMetric"] >> nth=4')
                print(
                    f"{'the same by its link from another page':<52}{time.perf_counter() - start:8.2f} s",
                    flush=True,
                )
            browser.close()
    finally:
        app.kill()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--task", choices=("ner", "pos"), default="ner")
    parser.add_argument("--no-browser", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        workbench = open_workbench(Settings(home=home, database_url=None))
        project = fill(workbench, options.task, options.examples)
        print(f"{options.examples:,} examples of {WORDS} words, {options.task}")
        for number in (1, 2):
            version = workbench.models.get(project, number)
            timed(
                f"measure version {number}",
                lambda v=version: measure(workbench.store, project, v, Split.TEST),
            )
        analysis = timed("compare", lambda: workbench.comparison.analyse(project, 1, 2))
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
