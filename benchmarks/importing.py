"""How quick an import is: `python benchmarks/importing.py --train FILE [--sentences 1000000]`.

Prints, for SQLite in a fresh folder, the wall clock and the CPU time of importing the file (the best and the median of
some times), then of a file of that many sentences (the first one's over and over, each with a word of its own), and the
most memory that the process has held. The second runs in a process of its own, so that the memory is its own too.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from workbench.config import Settings
from workbench.domain import Split
from workbench.services import open_workbench

LIMIT_MB = 4_096


def measure(path: Path, times: int) -> list[tuple[int, float, float]]:
    """(examples, seconds of wall clock, seconds of CPU) of so many imports, each into a project of its own."""
    with tempfile.TemporaryDirectory() as folder:
        opened = open_workbench(Settings(home=Path(folder), database_url=None, max_upload_mb=LIMIT_MB))
        found: list[tuple[int, float, float]] = []
        for number in range(times):
            project = opened.projects.create(f"p{number}", "ner")
            wall, cpu = time.perf_counter(), time.process_time()
            report = opened.datasets.import_files(project, [path], split=Split.POOL)
            found.append((report.examples, time.perf_counter() - wall, time.process_time() - cpu))
        opened.close()
    return found


def write_many(train: Path, sentences: int, out: Path) -> None:
    """A column file of that many sentences, none of them twice."""
    blocks = [
        block
        for block in train.read_text(encoding="utf-8").split("\n\n")
        if block and "-DOCSTART-" not in block
    ]
    with out.open("w", encoding="utf-8") as file:
        for number in range(sentences):
            first, _, rest = blocks[number % len(blocks)].partition("\n")
            _, space, labels = first.partition(" ")
            file.write(f"w{number}{space}{labels}\n{rest}\n\n" if rest else f"w{number}{space}{labels}\n\n")


def peak_mb() -> float:
    """The most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--train", type=Path, required=True, help="a column file, as eng.train")
    parser.add_argument("--sentences", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--only", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only is not None:
        ((examples, wall, cpu),) = measure(given.only, 1)
        print(f"{examples:,} sentences: {wall:.1f} s, {cpu:.1f} s of CPU, {peak_mb():.0f} MB at most")
        return
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    runs = measure(given.train, given.times)
    walls, cpus = [wall for _, wall, _ in runs], [cpu for _, _, cpu in runs]
    print(
        f"{runs[0][0]:,} sentences: {min(walls):.2f} s at best, {statistics.median(walls):.2f} s by the median; "
        f"{min(cpus):.2f} and {statistics.median(cpus):.2f} s of CPU; {peak_mb():.0f} MB at most"
    )
    with tempfile.TemporaryDirectory() as folder:
        many = Path(folder) / "many.conll"
        write_many(given.train, given.sentences, many)
        print(f"a file of {many.stat().st_size / 1e6:.0f} MB; load {os.getloadavg()[0]:.1f}", flush=True)
        subprocess.run(
            [sys.executable, __file__, "--train", str(given.train), "--only", str(many)], check=True
        )


if __name__ == "__main__":
    main()
