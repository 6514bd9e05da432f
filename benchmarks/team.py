"""Many annotators at once over the services: `python benchmarks/team.py [--people 8] [--items 100] [--processes 4]`.

Each asks for the next items and answers them, from several processes, while examples are imported into the same
project and a run reports its progress; on SQLite, and on PostgreSQL where `--database` names an empty database of it.
Prints seconds: median, 95th percentile and longest of each person's first request for items, from processes that have
just started, of a later request, and of an answer.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.team.load import check, percentile, run_load
from workbench.config import Settings
from workbench.services import open_workbench


def measure(home: Path, url: str | None, options: argparse.Namespace) -> None:
    workbench = open_workbench(Settings(home=home, database_url=url))
    start = time.monotonic()
    project, outcome = run_load(
        workbench,
        people=options.people,
        items=options.items,
        processes=options.processes,
        imported=options.imported,
        folder=home / "told",
    )
    took = time.monotonic() - start
    check(workbench, project, outcome)
    kind = workbench.store.engine.dialect.name
    workbench.close()
    print(
        f"{kind}: {options.people} people in {options.processes} processes, {len(outcome.stored):,} answers beside "
        f"{options.imported:,} imported examples in {took:.0f} s; {len(outcome.errors)} errors"
    )
    measured = {
        "first items": outcome.firsts,
        "next items": outcome.claims,
        "an answer": outcome.submits,
    }
    for what, values in measured.items():
        told = f"{percentile(values, 0.5):.3f} {percentile(values, 0.95):.3f} {max(values):.3f}"
        print(f"  {what:11} median, 95 %, longest: {told} s")
    for error in outcome.errors[:5]:
        print(f"  {error}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--items", type=int, default=100)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--imported", type=int, default=20_000)
    parser.add_argument("--database", help="URL of an empty PostgreSQL database, measured as well")
    options = parser.parse_args()
    for url in (None, *([options.database] if options.database else [])):
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), url, options)


if __name__ == "__main__":
    main()
