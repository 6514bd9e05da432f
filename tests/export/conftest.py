"""A project with a trained version, made in this process from a tiny base model: one for each task."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.modeling.conftest import LABELED, LABELS, PEOPLE, PLACES, WORDS, Labeled
from tests.modeling.tiny import make_tiny_model, write_attempt
from tests.tasks.examples import sentence
from workbench.config import Settings
from workbench.domain import (
    Answer,
    Answers,
    ModelVersion,
    Project,
    RunKind,
    RunState,
    Span,
    Spans,
    Split,
    Tags,
)
from workbench.jobs.artifacts import hash_folder
from workbench.modeling import export
from workbench.modeling.predict import load_predictor
from workbench.modeling.train import train
from workbench.reporting import SilentReporter
from workbench.services import Workbench, exporting, open_workbench
from workbench.services.evaluation import measure
from workbench.services.exporting import ExportedModel
from workbench.tasks import dump_prediction, get_task

TASKS = ("ner", "pos", "qa")
SEPARATORS = "\u2028\u2029\x85"
"""They end a line for ``str.splitlines``, not in a file of JSON lines."""

CONTEXT = {"pos": 16}
"""Sub-words around a sentence that a task's version was trained with."""


@dataclass(frozen=True)
class Trained:
    """A workbench with one project and one version."""

    workbench: Workbench
    project: Project
    version: ModelVersion


def rows_of(task: str, count: int, seed: int = 0) -> list[Labeled]:
    """Short examples, one with odd line separators, and a long one of each ten, over the model's 32 sub-words."""
    rows = LABELED[task](count, seed)
    for index in range(0, count, 10):
        words = [word for row, _ in LABELED[task](12, seed + index + 1) for word in row.words]
        rows[index] = _label(task, words)
    rows[1] = _label(task, ["anna", "saw", *map("the{}in".format, SEPARATORS), "rome"])
    return rows


def _label(task: str, words: list[str]) -> Labeled:
    example = sentence(words, question="who did ?" if task == "qa" else None)
    if task == "qa":
        return example, Answers((Answer(*example.tokens[0]),))
    if task == "pos":
        return example, Tags(tuple("NNP" if word in (*PEOPLE, *PLACES) else "RB" for word in words))
    kinds = ["PER" if word in PEOPLE else "LOC" if word in PLACES else None for word in words]
    spans = [Span(*token, kind) for token, kind in zip(example.tokens, kinds, strict=True) if kind]
    return example, Spans(tuple(spans))


def write_source(task: str, rows: Sequence[Labeled], folder: Path) -> Path:
    """The rows as a file to import: columns, or SQuAD."""
    if task == "qa":
        questions = [
            {
                "title": str(index),
                "paragraphs": [
                    {
                        "context": example.text,
                        "qas": [
                            {
                                "id": str(index),
                                "question": example.question,
                                "is_impossible": not payload.answers,
                                "answers": [
                                    {"text": example.text[one.start : one.end], "answer_start": one.start}
                                    for one in payload.answers
                                ],
                            }
                        ],
                    }
                ],
            }
            for index, (example, payload) in enumerate(rows)
            if isinstance(payload, Answers)
        ]
        path = folder / "rows.json"
        path.write_text(json.dumps({"version": "v2.0", "data": questions}))
        return path
    lines: list[str] = []
    for example, payload in rows:
        tags: Sequence[str | None] = payload.tags if isinstance(payload, Tags) else ()
        if isinstance(payload, Spans):
            found = {span.start: f"B-{span.label}" for span in payload.spans}
            tags = [found.get(start, "O") for start, _ in example.tokens]
        lines += [f"{word} {tag}" for word, tag in zip(example.words, tags, strict=True)]
        lines.append("")
    path = folder / "rows.conll"
    path.write_text("\n".join(lines))
    return path


def make_trained(home: Path, task: str, base: Path) -> Trained:
    """Import, train for some steps, register: what a run does, without its processes."""
    opened = open_workbench(Settings(home=home, database_url=None))
    project = opened.projects.create(f"tiny {task}", task, LABELS[task])
    rows = rows_of(task, 40)
    context = CONTEXT.get(task, 0)
    opened.datasets.import_files(project, [write_source(task, rows, home)], split=Split.TEST)
    attempt = home / "attempt"
    texts = [example.text for example, _ in rows]
    learned = [
        (
            "train",
            replace(example, before=" ".join(texts[:index][-3:]), after=" ".join(texts[index + 1 :][:3])),
            payload,
        )
        for index, (example, payload) in enumerate(rows)
    ]
    manifest = write_attempt(
        attempt,
        task,
        learned + [("validation", *row) for row in LABELED[task](10, seed=1)],
        labels=LABELS[task],
        base_model=str(base),
        parameters={
            "epochs": 8,
            "learning_rate": 5e-3,
            "device": "cpu",
            "max_length": 32,
            "stride": 8,
            "context": context,
            "min_steps": 0,
        },
    )
    train(attempt, manifest, SilentReporter())
    target = opened.settings.models_dir / "1" / "1"
    target.parent.mkdir(parents=True)
    (attempt / "model").rename(target)
    with opened.store.write() as tx:
        run = tx.runs.add(project.id, RunKind.TRAIN, {})
        tx.runs.transition(run.id, RunState.RUNNING, attempt=1)
        tx.runs.transition(run.id, RunState.SUCCEEDED, attempt=1)
        snapshot = tx.models.add_snapshot(project.id, LABELS[task], "0" * 64, [])
        version = tx.models.add_version(
            project.id,
            1,
            base_model=str(base),
            parent_id=None,
            run_id=run.id,
            snapshot_id=snapshot.id,
            labels=LABELS[task],
            artifact="1/1",
            artifact_sha256=hash_folder(target),
            parameters={"context": context},
            metrics={"validation": {get_task(task).primary_metric: 0.5}},
        )
        examples = list(tx.examples.iter_split(project.id))
        around = tx.examples.contexts([example.id for example in examples], context) if context else {}
        contents = [
            replace(example.content, before=before, after=after)
            for example in examples
            for before, after in [around.get(example.id, ("", ""))]
        ]
        said = load_predictor(target, "cpu").predict(contents)
        tx.models.put_predictions(
            version.id,
            [(example.id, dump_prediction(task, one)) for example, one in zip(examples, said, strict=True)],
        )
    measure(opened.store, project, version, Split.TEST)
    return Trained(opened, opened.projects.get(project.name), version)


@dataclass(frozen=True)
class Made:
    """A trained version and its export."""

    trained: Trained
    exported: ExportedModel
    steps: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """The export."""
        return self.exported.folder


def run_here(name: str, arguments: list[str]) -> str:
    """``run_module`` for exports, in this process, which has torch already."""
    assert name == "export" and export.main(arguments) == 0
    return ""


@contextmanager
def export_in_this_process() -> Iterator[None]:
    """Spare exports the process that makes the folder; those that check it are fresh ones still."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporting, "run_module", run_here)
        yield


class Exports(Mapping[str, Made]):
    """A version of each task and its export, made when first asked for; that of NER to ONNX too.

    The export itself runs in this process; what proves it runs in fresh ones.
    """

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._trained: dict[str, Trained] = {}
        self._made: dict[str, Made] = {}

    def trained(self, task: str) -> Trained:
        """A trained version that nothing need have been exported of yet."""
        if task not in self._trained:
            folder = self._folders.mktemp(f"export-{task}")
            self._trained[task] = make_trained(folder / "home", task, make_tiny_model(folder / "base", WORDS))
        return self._trained[task]

    def __getitem__(self, task: str) -> Made:
        if task not in self._made:
            trained, out = self.trained(task), self._folders.mktemp("out") / "model"
            steps: list[str] = []
            with export_in_this_process():
                done = trained.workbench.exporting.export_model(
                    trained.project, "best", out, onnx=task == "ner", on_step=steps.append
                )
            self._made[task] = Made(trained, done, tuple(steps))
        return self._made[task]

    def __iter__(self) -> Iterator[str]:
        return iter(TASKS)

    def __len__(self) -> int:
        return len(TASKS)

    def close(self) -> None:
        """Close the workbenches."""
        for trained in self._trained.values():
            trained.workbench.close()


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exports]:
    """Trained versions and their exports, for reading only: every test of this folder shares them."""
    made = Exports(tmp_path_factory)
    yield made
    made.close()


@pytest.fixture
def trained_ner(exports: Exports) -> Trained:
    """A trained NER project."""
    return exports.trained("ner")
