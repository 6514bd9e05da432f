"""What is refused before anything is queued, each with what to do; and which version is the best."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.rows import add_examples, add_gold
from tests.jobs.test_model_rows import add_version
from workbench.domain import Project, RunKind, RunState, Split, TrainParameters
from workbench.errors import InvalidInput, ModelUnavailable, NotFound, Unavailable, UnknownName
from workbench.jobs.ensure import supervisor_lock
from workbench.services import Workbench


@pytest.fixture
def wb(sqlite_workbench: Workbench) -> Iterator[Workbench]:
    lock = supervisor_lock(sqlite_workbench.settings)
    assert lock.acquire()  # nothing is computed in these tests
    yield sqlite_workbench
    lock.release()


@pytest.fixture
def project(wb: Workbench) -> Project:
    made = wb.projects.create("news", "ner", ["PER", "LOC"])
    add_gold(wb, add_examples(wb, made, 10)[:6])
    return made


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"epochs": 0.0}, "0.0 can't be the epochs. Choose more than 0"),
        ({"epochs": float("nan")}, "nan can't be the epochs"),
        ({"learning_rate": 0.0}, "0.0 can't be the learning rate. Choose between 0 and 1"),
        ({"batch_size": 0}, "0 can't be the batch size"),
        ({"max_length": 4}, "4 can't be the maximum length. Choose 16 sub-words or more"),
        ({"stride": 250}, "250 can't be the stride"),
        ({"warmup": 2.0}, "2.0 can't be the warm-up"),
        ({"schedule": "steep"}, "steep can't be the schedule. Choose one of linear, cosine, constant"),
        ({"lora_rank": -1}, "-1 can't be the rank of LoRA. Choose 0 .none. to 1024"),
        ({"adapt_epochs": float("nan")}, "nan can't be the passes over the texts"),
        ({"seed": -1}, "-1 can't be the seed"),
        ({"device": "tpu"}, "'tpu' is no device"),
    ],
)
def test_parameters_out_of_range(wb: Workbench, project: Project, change: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        wb.training.launch(project, TrainParameters(**change))
    assert wb.runs.list(project) == ()


def test_base_models_that_can_be_seen_to_be_none(wb: Workbench, project: Project, tmp_path: Path) -> None:
    for name, said in (
        ("/no/where", "there is no base model or folder '/no/where'"),
        ("a/b/c", "there is no base model or folder"),
        ("", "there is no base model or folder"),
        (str(tmp_path), "holds no model"),
    ):
        with pytest.raises(ModelUnavailable, match=said):
            wb.training.launch(project, TrainParameters(base_model=name))
    run = wb.training.launch(project, TrainParameters(base_model="some-org/some-model"))
    assert run.parameters["base_model"] == "some-org/some-model"


def test_a_local_folder_is_kept_by_its_whole_path(
    wb: Workbench, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    run = wb.training.launch(project, TrainParameters(base_model="base"))
    assert run.parameters["base_model"] == str(tmp_path / "base")


def test_texts_to_adapt_to_are_those_that_nothing_is_measured_on(wb: Workbench, project: Project) -> None:
    def texts(run_id: int) -> list[str]:
        run = wb.runs.get(run_id)
        path = wb.settings.runs_dir / str(run.id) / str(run.attempt) / "texts.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    add_examples(wb, project, 3, split=Split.TEST)
    add_examples(wb, project, 2, split=Split.VALIDATION)
    with wb.store.read() as tx:
        pool = [example.content.text for example in tx.examples.iter_split(project.id, Split.POOL)]
    run = wb.training.launch(project, TrainParameters(adapt_epochs=2))
    assert texts(run.id) == pool
    manifest = json.loads((wb.settings.runs_dir / str(run.id) / "1" / "manifest.json").read_text())
    assert f"The encoder reads {len(pool)} texts first" in manifest["notes"][-1]
    wb.runs.cancel(run.id)
    wb.runs.resume(run.id)
    assert texts(run.id) == pool
    assert wb.runs.get(run.id).attempt == 2
    plain = wb.training.launch(project)
    assert not (wb.settings.runs_dir / str(plain.id) / "1" / "texts.jsonl").exists()


def test_nothing_to_learn_from(wb: Workbench) -> None:
    with pytest.raises(InvalidInput, match="empty has no labels. Add labels"):
        wb.training.launch(wb.projects.create("empty", "ner"))
    with pytest.raises(InvalidInput, match="no labeled example to train on. Label some"):
        wb.training.launch(wb.projects.create("questions", "qa"))


def test_a_version_to_continue_from_must_be_there(wb: Workbench, project: Project) -> None:
    with pytest.raises(NotFound, match="no model version 4. Train one first"):
        wb.training.launch(project, TrainParameters(from_version=4))
    add_version(wb, project, [])
    with pytest.raises(ModelUnavailable, match="the files of version 1 are gone"):
        wb.training.launch(project, TrainParameters(from_version=1))


def test_scoring_is_checked(wb: Workbench, project: Project) -> None:
    with pytest.raises(NotFound, match="no model version 1"):
        wb.scoring.launch(project, 1)
    version = add_version(wb, project, [])
    folder = wb.settings.models_dir / version.artifact
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    with pytest.raises(UnknownName):
        wb.scoring.launch(project, 1, ["guessing"])
    with pytest.raises(InvalidInput, match="a model can't score ner by random. Choose from mnlp"):
        wb.scoring.launch(project, 1, ["random"])
    with pytest.raises(InvalidInput, match="a model can't score ner by no-answer-distance"):
        wb.scoring.launch(project, 1, ["no-answer-distance"])
    run = wb.scoring.launch(project, 1, ["mnlp"])
    assert run.parameters["strategies"] == ["mnlp"]
    with wb.store.read() as tx:
        rest = [row.example_id for row in tx.models.unlabeled_page(project.id)]
    add_gold(wb, rest)
    with pytest.raises(InvalidInput, match="no unlabeled example in the pool"):
        wb.scoring.launch(project, 1)
    assert [queued.kind for queued in wb.runs.list(project)].count(RunKind.SCORE) == 1


def test_the_best_version(wb: Workbench, project: Project) -> None:
    with pytest.raises(NotFound, match="news has no model version. Train one first"):
        wb.models.best(project)
    for _ in range(3):
        version = add_version(wb, project, [])
        folder = wb.settings.models_dir / version.artifact
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
    assert wb.models.best(project).number == 3, "of equals the newest"
    wb.models.promote(project, 2)
    assert (wb.models.best(project).number, wb.models.resolve(project, "best").number) == (2, 2)
    assert wb.models.resolve(project, "latest").number == 3
    assert wb.models.resolve(project, "1").number == 1
    with pytest.raises(NotFound, match="no model version 'newest'. Give a number, best or latest"):
        wb.models.resolve(project, "newest")
    assert wb.models.set_note(project, 1, "the first").note == "the first"


def test_seeds_that_can_not_all_be_queued_are_none(
    wb: Workbench, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidInput, match="0 can't be the number of seeds. Choose 1 to 20"):
        wb.training.launch_seeds(project, seeds=0)
    whole, asked = wb.runs.launch, []

    def full(*args: Any, **more: Any) -> Any:
        asked.append(1)
        if len(asked) == 3:
            raise Unavailable("the disk is full")
        return whole(*args, **more)

    monkeypatch.setattr(wb.runs, "launch", full)
    with pytest.raises(Unavailable):
        wb.training.launch_seeds(project, seeds=3)
    assert [run.state for run in wb.runs.list(project)] == [RunState.CANCELLED] * 2
