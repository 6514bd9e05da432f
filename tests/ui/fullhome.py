"""A home in which every page has something to show, made in a second: nothing is trained for it."""

from __future__ import annotations

from pathlib import Path

from tests.agreement.test_measure import say
from tests.evidence.test_progress import add_version, predict
from tests.evidence.test_suspects import end
from tests.jobs.rows import add_examples, add_gold, sentence
from workbench.config import Settings
from workbench.domain import Project, Sharing, Split
from workbench.jobs.ensure import supervisor_lock
from workbench.services import Workbench, open_workbench
from workbench.services.evaluation import measure
from workbench.services.samples import load_sample
from workbench.storage.batches import NewItem

PROJECT = "news"
ADMIN, PASSWORD = "mira", "correct horse battery"


def fill(home: Path) -> None:
    """Versions, batches, two people who disagree, suspected label errors; an empty project, a sample."""
    workbench = open_workbench(Settings(home=home, database_url=None))
    workbench.projects.create("empty", "qa")
    load_sample(workbench, "ner")
    project = workbench.projects.create(PROJECT, "ner", ["PER", "LOC"])
    project = workbench.projects.set_guidelines(project, "Mark **names**.")
    pool = add_examples(workbench, project, 160)
    test = add_examples(workbench, project, 40, split=Split.TEST)
    add_gold(workbench, test)
    learned = dict(zip(pool[:60], add_gold(workbench, pool[:60]), strict=True))
    for number, wrong in enumerate((2, 3, 5), 1):
        version = add_version(workbench, project, number, {key: learned[key] for key in pool[: 20 * number]})
        predict(workbench, version, pool[60:], wrong=wrong)
        predict(workbench, version, test, wrong=wrong)
        measure(workbench.store, project, version, Split.TEST)
    for strategy, chosen in (("random", pool[40:70]), ("mnlp", pool[70:90])):
        with workbench.store.write() as tx:
            items = [NewItem(key, 1.0, {"strategy": strategy}) for key in chosen]
            tx.batches.add(
                project.id, items, strategy=strategy, unit="examples", size=len(items), parameters={}
            )
    _doubt(workbench, project, pool[:4], home)
    project = workbench.sharing.set(project, Sharing(people=2, agree=2))
    people = [workbench.team.add_user(name, "annotator", PASSWORD) for name in ("ada", "bo")]
    workbench.team.add_user(ADMIN, "admin", PASSWORD)
    for place, example in enumerate(pool[70:76]):
        with workbench.store.read() as tx:
            payload = sentence(tx.examples.by_ids([example])[0].position)[2]
        for user in people:
            less = user is people[1] and place % 2
            say(workbench, project, user, example, {"spans": payload["spans"][: 1 if less else 2]})
    workbench.close()


def _doubt(workbench: Workbench, project: Project, ids: list[int], folder: Path) -> None:
    """A search for label errors that has come to its end."""
    lock = supervisor_lock(workbench.settings)
    assert lock.acquire(), "a launch finds a supervisor, so to speak"
    try:
        end(workbench, workbench.suspects.launch(project, folds=2), ids, folder)
    finally:
        lock.release()
