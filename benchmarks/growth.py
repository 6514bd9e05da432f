"""How the work grows with a project: `python benchmarks/growth.py [--sizes 10000,100000,1000000] [--database URL]`.

For each size, on SQLite and, with `--database` (a PostgreSQL server on which databases may be made), on PostgreSQL:

- import: seconds for a column file of that many sentences into an empty project;
- then of a project of that many examples (see ``bigproject``): choosing a batch of 200 by three strategies, the label
  queue from a batch and from the pool (milliseconds), and Home, Compare, Select and Progress, opened by their links in
  a real browser (the median of three).

The last column is what the largest takes as a multiple of the smallest. Filling the large ones takes minutes and some
gigabytes; `--home` keeps what is filled, and finds it again.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

sys.path.insert(0, str(Path(__file__).parents[1]))

import psycopg
from playwright.sync_api import sync_playwright
from psycopg import sql

from benchmarks.bigproject import NAME, fill, sentences
from benchmarks.pages import followed, profile, serving, signed_in
from tests.browser import ServedApp
from tests.conftest import free_port
from tests.everypage import VIEWS
from workbench.config import Settings
from workbench.domain import Split
from workbench.services import Workbench, open_workbench

BATCH = 200
STRATEGIES = ("random", "mnlp", "bald")
PAGES = ("home", "select", "compare", "progress")
QUEUES = 20
PAGE = 1.0
"""Seconds that no page may be slower than."""
VERSIONS = 2
"""Of the filled project: what grows with the pool is their scores, 2 GB a version of a million examples."""


def seconds(work: Callable[[], object]) -> float:
    """Of the wall clock."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def write_columns(size: int, path: Path) -> None:
    """A column file of so many sentences, each other than all before."""
    with path.open("w", encoding="utf-8") as file:
        for made in sentences(size, seed=2):
            starts = {span["start"]: span["label"] for span in made.spans}
            for start, end in zip(made.tokens[::2], made.tokens[1::2], strict=True):
                label = starts.get(start)
                file.write(f"{made.text[start:end]} {f'B-{label}' if label else 'O'}\n")
            file.write("\n")


@contextmanager
def database(url: str | None, name: str, *, keep: bool) -> Iterator[str | None]:
    """A database of that name on the server of the URL; None for SQLite, which has its home folder's."""
    if url is None:
        yield None
        return
    with psycopg.connect(url, autocommit=True) as server:
        there = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not there:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        parts = urlsplit(url)
        yield urlunsplit(parts._replace(path=f"/{name}"))
        if not keep:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def importing(settings: Settings, size: int) -> float:
    """Seconds that the import of so many sentences takes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "many.conll"
        write_columns(size, path)
        workbench = open_workbench(settings)
        project = workbench.projects.create("imported", "ner")
        took = seconds(lambda: workbench.datasets.import_files(project, [path], split=Split.POOL))
        workbench.close()
    return took


def choosing(workbench: Workbench) -> dict[str, float]:
    """Seconds by strategy, in a process that has chosen nothing before."""
    project = workbench.projects.get(NAME)
    return {
        f"choosing by {name}, s": seconds(partial(workbench.selection.preview, project, name, BATCH))
        for name in STRATEGIES
    }


def queueing(workbench: Workbench) -> dict[str, float]:
    """Milliseconds of the label queue, the median: from a batch, then, all of them given back, from the pool."""
    project = workbench.projects.get(NAME)
    with workbench.store.write() as tx:
        user = tx.users.find_or_add("reader")
    found = {}
    for place in ("batch", "pool"):
        if place == "pool":
            for batch in workbench.selection.batches(project):
                workbench.selection.release(project, batch.number)
        took = [seconds(lambda: workbench.annotation.queue(project, user)) for _ in range(QUEUES)]
        found[f"queue of a {place}, ms"] = 1_000 * statistics.median(took)
    return found


def opening(home: Path, url: str | None) -> dict[str, float]:
    """Seconds until each page stands, by its link."""
    environment = {"WORKBENCH_DATABASE_URL": url} if url else {}
    found = {}
    with sync_playwright() as playwright:
        cookies = signed_in(playwright, ServedApp(home, free_port(), environment))
        app = ServedApp(home, free_port(), environment)
        with profile(playwright, cookies) as context, serving(app):
            for view in VIEWS:
                if view.name in PAGES:
                    found[f"page {view.name}, s"] = statistics.median(followed(context, app, view))
    return found


def measured(root: Path, server: str | None, size: int, *, keep: bool) -> dict[str, float]:
    """Every figure of one size on one database."""
    kind = "postgresql" if server else "sqlite"
    home = root / f"{kind}-{size}"
    with (
        tempfile.TemporaryDirectory() as empty,
        database(server, f"growth_import_{size}", keep=False) as url,
    ):
        limits = {"max_upload_mb": 4_096, "database_url": url}
        found = {"import, s": importing(Settings(home=Path(empty), **limits), size)}
    with database(server, f"growth_{size}", keep=keep) as url:
        workbench = open_workbench(Settings(home=home, database_url=url))
        if not workbench.projects.list():
            took = seconds(partial(fill, workbench, size, VERSIONS))
            print(f"  {kind}, {size:,} examples filled in {took:.0f} s", flush=True)
        found |= choosing(workbench)
        found |= opening(home, url)
        found |= queueing(workbench)
        workbench.close()
    return found


def show(kind: str, sizes: Sequence[int], columns: Sequence[dict[str, float]]) -> None:
    """The table of one database."""
    print(f"\n{kind:<28}" + "".join(f"{size:>12,}" for size in sizes) + f"{'growth':>10}")
    for name in columns[0]:
        row = [column[name] for column in columns]
        print(f"{name:<28}" + "".join(f"{value:12.3f}" for value in row) + f"{row[-1] / row[0]:9.1f}x")
    slow = {
        name
        for column in columns
        for name, value in column.items()
        if name.startswith("page") and value > PAGE
    }
    print(f"pages slower than {PAGE:.0f} s: {', '.join(sorted(slow)) or 'none'}", flush=True)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--database", help="URL of a PostgreSQL server, measured as well")
    parser.add_argument("--home", type=Path, help="keep what is filled there, and use it if it is there")
    given = parser.parse_args()
    sizes = [int(part) for part in given.sizes.split(",")]
    with tempfile.TemporaryDirectory() as made:
        root = given.home or Path(made)
        for server in (None, *([given.database] if given.database else [])):
            columns = [measured(root, server, size, keep=given.home is not None) for size in sizes]
            show("PostgreSQL" if server else "SQLite", sizes, columns)


if __name__ == "__main__":
    main()
