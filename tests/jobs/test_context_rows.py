"""Whatever a version that reads sentences in their documents is asked, it is told what stands around them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import update

from tests.jobs.rows import add_examples, add_gold, sentence
from tests.jobs.test_model_rows import add_version
from workbench.domain import ModelVersion, Project, Run, Split, TrainParameters
from workbench.errors import InvalidInput
from workbench.jobs.ensure import supervisor_lock
from workbench.services import Workbench
from workbench.storage.tables import metadata

READS = TrainParameters(context=16)


@pytest.fixture
def wb(sqlite_workbench: Workbench) -> Iterator[Workbench]:
    lock = supervisor_lock(sqlite_workbench.settings)
    assert lock.acquire()  # nothing is computed in these tests
    yield sqlite_workbench
    lock.release()


@pytest.fixture
def project(wb: Workbench) -> Project:
    """30 examples of the pool, 20 of them labeled, and 5 of test, all in documents of 5."""
    made = wb.projects.create("news", "ner", ["PER", "LOC"])
    add_gold(wb, add_examples(wb, made, 30)[:20])
    add_gold(wb, add_examples(wb, made, 5, split=Split.TEST))
    return made


def version_of(wb: Workbench, project: Project, context: int) -> ModelVersion:
    version = add_version(wb, project, [])
    folder = wb.settings.models_dir / version.artifact
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    table = metadata.tables["model_versions"]
    with wb.store.write() as tx:
        values = {"parameters": {"context": context} if context else {}}
        tx.connection.execute(update(table).where(table.c.id == version.id).values(**values))
        return tx.models.by_number(project.id, version.number)


Launch = Callable[[Workbench, Project, int], Run]


def trained(wb: Workbench, project: Project, context: int) -> Run:
    return wb.training.launch(project, TrainParameters(context=context))


def scored(wb: Workbench, project: Project, context: int) -> Run:
    return wb.scoring.launch(project, version_of(wb, project, context).number)


def evaluated(wb: Workbench, project: Project, context: int) -> Run:
    return wb.evaluation.launch(project, version_of(wb, project, context).number)


def compared(wb: Workbench, project: Project, context: int) -> Run:
    return wb.stop_sets.read(project, version_of(wb, project, context).number)


def judged(wb: Workbench, project: Project, context: int) -> Run:
    return wb.suspects.launch(project, parameters=TrainParameters(context=context))


def judged_by_a_version(wb: Workbench, project: Project, context: int) -> Run:
    number = version_of(wb, project, context).number
    return wb.suspects.launch(project, model_version=number, parameters=TrainParameters(context=1))


def simulated(wb: Workbench, project: Project, context: int) -> Run:
    chosen = TrainParameters(context=context)
    return wb.simulation.launch(
        project, ["random"], seeds=1, batch_words=10, rounds=1, limit=6, parameters=chosen
    )


LAUNCHES: dict[str, tuple[Launch, int]] = {
    "train": (trained, 20),
    "score": (scored, 30),
    "evaluate": (evaluated, 5),
    "stop set": (compared, 10),
    "suspects": (judged, 25),
    "suspects by a version": (judged_by_a_version, 25),
    "simulate": (simulated, 11),
}


def lines_of(wb: Workbench, run: Run) -> list[dict[str, Any]]:
    path = wb.settings.runs_dir / str(run.id) / "1" / "examples.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("name", LAUNCHES)
def test_the_rows_of_a_run_bring_what_stands_around_them(wb: Workbench, project: Project, name: str) -> None:
    launch, count = LAUNCHES[name]
    lines = lines_of(wb, launch(wb, project, 16))
    assert len(lines) == count
    texts = {sentence(position)[0]: position for position in range(35)}
    for line in lines:
        position = texts[line["text"]]
        place = position % 5  # in its document
        assert line.get("before", "").endswith(sentence(position - 1)[0]) == (place > 0)
        assert line.get("after", "").startswith(sentence(position + 1)[0]) == (place < 4)
        assert ("before" in line, "after" in line) == (place > 0, place < 4)
    without = [{key: line[key] for key in line if key not in ("before", "after")} for line in lines]
    assert lines_of(wb, launch(wb, project, 0)) == without


def test_choices_are_checked_and_a_change_of_context_is_said(wb: Workbench, project: Project) -> None:
    with pytest.raises(
        InvalidInput, match="513 can't be the context. Choose 0 to 512 sub-words on each side"
    ):
        wb.training.launch(project, TrainParameters(context=513))
    asked = wb.projects.create("questions", "qa", [])
    for launch in (wb.training.launch, wb.suspects.launch):
        with pytest.raises(InvalidInput, match="qa has no context around a sentence. Leave it at 0"):
            launch(asked, parameters=READS)
    version = version_of(wb, project, 64)
    assert version.context == 64
    run = wb.training.launch(project, TrainParameters(from_version=version.number))
    said = "Version 1 read 64 sub-words on either side of a sentence, this one 0."
    manifest = json.loads((wb.settings.runs_dir / str(run.id) / "1" / "manifest.json").read_text())
    assert said in manifest["notes"]
