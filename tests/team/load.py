"""Many annotators at once, from several processes, beside an import and a run that reports its progress.

``run_load`` is what the proof, its short form and the benchmark have in common. A process of labelers is
``python -m tests.team.load PLAN``; it appends a line to its file once the services have acknowledged an answer.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from tests.labeling.corpus import make_project
from workbench.config import Settings
from workbench.domain import Project, Role, RunKind, RunState, Sharing, Split, User
from workbench.formats import Source
from workbench.services import Workbench, open_workbench
from workbench.services.annotation import Submission
from workbench.storage.batches import NewItem
from workbench.storage.runs import NewEvent
from workbench.storage.tables import annotations, users

ROOT = Path(__file__).parents[2]
SENTENCE = "Marta Nowak of Baltic Freight flew to Riga on Monday ."
PREFETCHED = 4
"""Items that a labeler asks for at once."""


@dataclass
class Outcome:
    """What the labelers have told.

    Attributes:
        stored: Client id and example of every answer that was acknowledged.
        errors: What went wrong, a line each.
        firsts: Seconds of each person's first request for items, from a process that has just started.
        claims: Seconds of each later one.
        submits: Seconds of each answer, from handing it in to its receipt.
    """

    stored: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    firsts: list[float] = field(default_factory=list)
    claims: list[float] = field(default_factory=list)
    submits: list[float] = field(default_factory=list)


def prepare(workbench: Workbench, examples: int, people: int) -> tuple[Project, list[str]]:
    """A project whose every third example is two people's, half of it in a batch; and the names of its annotators."""
    texts = [f"{SENTENCE} {number}" for number in range(examples)]
    project, ids = make_project(workbench, texts=texts, name="load")
    project = workbench.sharing.set(project, Sharing(people=2, share=1 / 3, agree=2))
    names = [f"annotator {number}" for number in range(people)]
    with workbench.store.write() as tx:
        for name in names:
            tx.users.add(name, Role.ANNOTATOR, password_hash="$argon2id$none")
        items = [NewItem(one, None, {"strategy": "random"}) for one in ids[::2]]
        tx.batches.add(project.id, items, strategy="random", unit="examples", size=len(items), parameters={})
    return project, names


def start_labelers(
    settings: Settings, project: Project, names: Sequence[str], *, items: int, processes: int, folder: Path
) -> list[subprocess.Popen[bytes]]:
    """Processes of labelers, who share the names among them; they wait for ``let_go``."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        _start(
            settings,
            project,
            names=list(names[number::processes]),
            items=items,
            out=str(folder / f"{number}-{time.monotonic_ns()}.jsonl"),
        )
        for number in range(processes)
    ]


def wait_for(labelers: Sequence[subprocess.Popen[bytes]]) -> None:
    """Until everybody has their first items: what it costs to start is not what is measured."""
    for process in labelers:
        assert process.stdout is not None
        process.stdout.readline()


def let_go(labelers: Sequence[subprocess.Popen[bytes]]) -> None:
    """Let them label."""
    for process in labelers:
        assert process.stdin is not None
        process.stdin.close()


def ended(processes: Sequence[subprocess.Popen[bytes]]) -> list[int]:
    """Their exit codes, once they have ended."""
    codes = [process.wait() for process in processes]
    for process in processes:
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()
    return codes


def start_beside(
    settings: Settings, project: Project, *, imported: int, seed: int
) -> subprocess.Popen[bytes]:
    """A process that imports into the same project and tells a run's progress until it is killed."""
    return _start(settings, project, imported=imported, seed=seed)


def _start(settings: Settings, project: Project, **plan: Any) -> subprocess.Popen[bytes]:
    where = {"home": str(settings.home), "database_url": settings.database_url, "project": project.name}
    command = [sys.executable, "-m", "tests.team.load", json.dumps({**where, **plan})]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def read_outcome(folder: Path) -> Outcome:
    """What all labelers have written so far; a line that a kill has cut short was never acknowledged."""
    found = Outcome()
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                continue
            told = json.loads(line)
            found.errors += [told["error"]] if "error" in told else []
            found.firsts += [told["first"]] if "first" in told else []
            found.claims += [told["claim"]] if "claim" in told else []
            if "client_id" in told:
                found.stored[told["client_id"]] = told["example"]
                found.submits.append(told["submit"])
    return found


@contextmanager
def beside(workbench: Workbench, project: Project, *, imported: int, seed: int = 0) -> Iterator[list[str]]:
    """An import into the same project and a run that tells its progress, until the block ends; what went wrong."""
    stop, errors = threading.Event(), list[str]()
    lines = "".join(f"Imported O\nsentence O\nnumber{seed}.{number} O\n\n" for number in range(imported))
    source = Source("beside.conll", lines.encode())

    def load() -> None:
        workbench.datasets.import_sources(project, [source], Split.POOL)

    def tell() -> None:
        run_id = _running(workbench, project)
        for step in range(1, 1_000_000):
            if stop.wait(0.1):
                return
            event = NewEvent(step, "metric", datetime.now(UTC), {"loss": 1 / step})
            with workbench.store.write() as tx:
                tx.runs.beat(run_id, 1, {"done": step, "total": 1_000_000})
                tx.runs.add_events(run_id, 1, [event])

    def guarded(work: Any) -> None:
        try:
            work()
        except Exception as error:
            errors.append(f"{work.__name__}: {error!r}")

    threads = [threading.Thread(target=guarded, args=(work,)) for work in (load, tell)]
    for thread in threads:
        thread.start()
    try:
        yield errors
    finally:
        threads[0].join()
        stop.set()
        threads[1].join()


def _running(workbench: Workbench, project: Project) -> int:
    with workbench.store.write() as tx:
        run_id = tx.runs.add(project.id, RunKind.TRAIN, {}).id
        return tx.runs.transition(run_id, RunState.RUNNING).id


def run_load(
    workbench: Workbench, *, people: int, items: int, processes: int, imported: int, folder: Path
) -> tuple[Project, Outcome]:
    """The whole load, to its end; errors of any part are among the outcome's."""
    project, names = prepare(workbench, people * items, people)
    started = start_labelers(
        workbench.settings, project, names, items=items, processes=processes, folder=folder
    )
    wait_for(started)
    with beside(workbench, project, imported=imported) as errors:
        let_go(started)
        codes = ended(started)
    outcome = read_outcome(folder)
    outcome.errors += [*errors, *(f"a labeler ended with {code}" for code in codes if code)]
    return project, outcome


def check(workbench: Workbench, project: Project, outcome: Outcome) -> None:
    """Assert that every acknowledged answer is stored once, and that no example went to more people than it shall."""
    with workbench.store.read() as tx:
        rows = tx.connection.execute(
            select(annotations.c.client_id, annotations.c.example_id, annotations.c.author_id)
            .join(users, users.c.id == annotations.c.author_id)
            .where(users.c.name.startswith("annotator "))
        ).all()
    times = Counter(row.client_id for row in rows)
    where = {row.client_id: row.example_id for row in rows}
    missing = {one: example for one, example in outcome.stored.items() if where.get(one) != example}
    assert not missing, missing
    assert max(times.values(), default=1) == 1
    authors: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        authors[row.example_id].add(row.author_id)
    beyond = {one: len(who) for one, who in authors.items() if len(who) > project.sharing.wanted(one)}
    assert not beyond, beyond


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the values lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


# --- in a process of labelers ---------------------------------------------------------------------------


def main(plan: dict[str, Any]) -> None:
    """Label as every annotator of the plan, a thread each; or import and tell progress until killed."""
    settings = Settings(home=Path(plan["home"]), database_url=plan["database_url"])
    workbench = open_workbench(settings)
    project = workbench.projects.get(plan["project"])
    if "imported" in plan:
        with beside(workbench, project, imported=plan["imported"], seed=plan["seed"]):
            threading.Event().wait()
    with workbench.store.read() as tx:
        people = [user for user in tx.users.all() if user.name in plan["names"]]
    lock = threading.Lock()
    with Path(plan["out"]).open("a", encoding="utf-8") as out:

        def tell(**what: Any) -> None:
            with lock:
                out.write(json.dumps(what) + "\n")
                out.flush()

        ready = threading.Barrier(len(people), action=_wait_for_the_word)
        threads = [
            threading.Thread(target=_label, args=(workbench, project, user, plan["items"], tell, ready))
            for user in people
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    workbench.close()


def _wait_for_the_word() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()


def _label(
    workbench: Workbench, project: Project, user: User, items: int, tell: Any, ready: threading.Barrier
) -> None:
    done = 0
    begun = time.monotonic_ns()
    try:
        while done < items:
            start = time.monotonic()
            queue = workbench.annotation.queue(project, user, limit=PREFETCHED)
            tell(**{"claim" if done else "first": time.monotonic() - start})
            if not done:
                ready.wait()
            if not queue.items:
                tell(error=f"{user.name} was given nothing after {done} items")
                return
            for item in queue.items[: items - done]:
                done += 1
                client_id = f"{user.name}/{begun}/{done}"
                answer = Submission(
                    item.example.id,
                    client_id,
                    payload={"spans": [{"start": 0, "end": 11, "label": "PER"}] if done % 2 else []},
                    batch_id=item.batch_id,
                    base_revision=item.base_revision,
                )
                start = time.monotonic()
                receipt = workbench.annotation.submit(project, user, [answer])[0]
                took = time.monotonic() - start
                if receipt.stored:
                    tell(client_id=client_id, example=item.example.id, submit=took)
                else:
                    tell(error=f"{user.name}: {receipt.message}")
    except Exception as error:
        tell(error=f"{user.name}: {error!r}")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
