"""Measure a model version on the gold labels of a split."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from workbench.config import Settings
from workbench.domain import (
    PARTIAL_LEFT_OUT,
    Evaluation,
    GoldSet,
    ModelVersion,
    Project,
    Run,
    RunEvent,
    RunKind,
    Split,
)
from workbench.errors import RunFailed
from workbench.jobs.completion import FINISHERS
from workbench.services.judging import Judgement, as_split, freeze, gold_of, judge, statistics_of
from workbench.services.labelmaps import mapped_predictions
from workbench.services.leaks import kept, leak_of
from workbench.services.models import artifact_folder
from workbench.services.runs import RunService
from workbench.services.snapshots import in_context, write_examples
from workbench.statistics import bootstrap
from workbench.storage.goldsets import GoldState
from workbench.storage.models import SnapshotRow
from workbench.storage.rows import chunks
from workbench.storage.store import Store, Transaction
from workbench.tasks import as_asked, get_task
from workbench.tasks.calibration import Said, calibration_of, said


class EvaluationService:
    """Predictions are a run's work; metrics are computed from them and the gold labels of that moment."""

    def __init__(self, store: Store, settings: Settings, runs: RunService) -> None:
        self._store = store
        self._settings = settings
        self._runs = runs

    def missing(self, project: Project, model_version: int, split: Split | str) -> int:
        """How many labeled examples of the split the version has not predicted.

        Raises:
            NotFound: There is no such version.
            InvalidInput: There is no such split, or nothing in it is labeled.
        """
        with self._store.read() as tx:
            version = tx.models.by_number(project.id, model_version)
            ids = [row.example_id for row in gold_of(tx, project, as_split(split))[0]]
            return len(ids) - len(tx.models.predictions(version.id, ids))

    def launch(
        self,
        project: Project,
        model_version: int,
        split: Split | str = Split.TEST,
        *,
        device: str | None = None,
        user_id: int | None = None,
    ) -> Run:
        """Queue a run that predicts every labeled example of the split, and measures when it ends.

        The run's result has the keys of the command-line contract.

        Raises:
            NotFound: There is no such version.
            InvalidInput: There is no such split, or nothing in it is labeled.
            ModelUnavailable: The version's files are gone.
        """
        wanted = as_split(split)
        with self._store.read() as tx:
            version = tx.models.by_number(project.id, model_version)
            ids = [row.example_id for row in gold_of(tx, project, wanted)[0]]
        folder = artifact_folder(self._settings, version)
        chosen = device or self._settings.device

        def prepare(staging: Path) -> dict[str, Any]:
            rows = in_context(self._store, self._rows(ids), version.context)
            write_examples(staging / "examples.jsonl", rows)
            return {
                "labels": list(version.labels),
                "parameters": {"strategies": [], "device": chosen},
                "model_dir": str(folder),
                "notes": [
                    f"Measuring version {version.number} on {len(ids)} examples of the {wanted} split."
                ],
            }

        kept = {"model_version": version.number, "split": str(wanted), "device": chosen}
        return self._runs.launch(project, RunKind.EVALUATE, kept, prepare, user_id=user_id)

    def evaluate(
        self,
        project: Project,
        model_version: int,
        split: Split | str = Split.TEST,
        *,
        device: str | None = None,
        user_id: int | None = None,
        on_event: Callable[[RunEvent], None] | None = None,
        again: bool = False,
    ) -> Evaluation:
        """Measure a version on a split, and wait for it.

        Texts don't change, and predictions of a question go when it is worded anew: so those of an earlier
        evaluation are measured against the gold labels of now without asking the model again; the pool is always
        predicted anew, because scoring may predict it with less precision.

        Args:
            project: The project.
            model_version: Number of the version.
            split: What to measure on.
            device: Where to compute; None takes the settings'.
            user_id: Who asks.
            on_event: Told what the run says.
            again: Ask the model even where its predictions are there.

        Raises:
            NotFound: There is no such version.
            InvalidInput: There is no such split, or nothing in it is labeled.
            RunFailed, Cancelled: The run ended without a result.
        """
        wanted = as_split(split)
        run_id = None
        if again or wanted is Split.POOL or self.missing(project, model_version, wanted):
            run = self.launch(project, model_version, wanted, device=device, user_id=user_id)
            run_id = self._runs.wait(run.id, on_event).id
        with self._store.read() as tx:
            version = tx.models.by_number(project.id, model_version)
        return measure(self._store, project, version, wanted, run_id)

    def evaluations(self, project: Project, split: Split | str | None = None) -> tuple[Evaluation, ...]:
        """Every evaluation of the project's versions (on one split), oldest first."""
        with self._store.read() as tx:
            return tx.models.evaluations(project.id, split=None if split is None else as_split(split))

    def latest(self, project: Project, split: Split | str) -> dict[int, Evaluation]:
        """The newest evaluation on a split, by version number."""
        return {evaluation.model_version: evaluation for evaluation in self.evaluations(project, split)}

    def gold_sets(self, project: Project, split: Split | str) -> tuple[GoldSet, ...]:
        """The frozen sets of a split, by number."""
        with self._store.read() as tx:
            return tx.models.gold_sets(project.id, as_split(split))

    def labeled(self, project: Project) -> dict[Split, int]:
        """How many labeled examples each split has that something can be measured on, for splits that have any."""
        order = (Split.TEST, Split.VALIDATION, Split.TRAIN, Split.POOL)
        with self._store.read() as tx:
            stamp = (tx.models.gold_stamp(), tx.sizes.stamp(project.id))
            states = tx.once(("labeled", project.id), stamp, partial(_states, tx, project.id))
        return {split: states[split].examples for split in order if split in states}

    def _rows(self, ids: list[int]) -> Iterator[SnapshotRow]:
        """The examples as a worker reads them, without their labels; each chunk is a read of its own."""
        for chunk in chunks(ids, 2_000):
            with self._store.read() as tx:
                examples = tx.examples.by_ids(chunk)
                golds = tx.annotations.gold_of(chunk)
            for example in examples:
                yield SnapshotRow(
                    example_id=example.id,
                    position=example.position,
                    split=example.split,
                    document=str(example.document_id),
                    content=as_asked(example.content, golds[example.id][0].payload)
                    if example.id in golds
                    else example.content,
                    payload=None,
                )


def _states(tx: Transaction, project_id: int) -> dict[Split, GoldState]:
    """Of every split. Each is asked for by itself: together, every example of the project would be looked at."""
    found: dict[Split, GoldState] = {}
    for split in Split:
        found |= tx.models.gold_states(project_id, split)
    return found


def measure(
    store: Store, project: Project, version: ModelVersion, split: Split, run_id: int | None = None
) -> Evaluation:
    """Measure the predictions that a version has made against the gold labels of now, and keep the result.

    The primary metric's 95 % interval, by bootstrap over documents, is kept with the metrics as
    ``confidence_interval``, how well the confidences hold as ``calibration``, what it was trained on of the very data
    as ``leak``. The labels are frozen as a gold set when they are first used. The same data measured again replaces
    the evaluation. Partial labels are left out; ``partial_left_out`` counts them, where there are any.

    Raises:
        RunFailed: The version has predicted none of the labeled examples.
        InvalidInput: Nothing in the split is labeled.
    """
    task = get_task(project.task)
    with store.read() as tx:
        judgement = judge(tx, project, split, (version.id,))
    examples = judgement.examples
    if not examples:
        raise RunFailed(
            f"version {version.number} has no predictions on the {split} split",
            remedy=f"run `workbench evaluate {project.name} --model-version {version.number} --split {split}`",
        )
    metrics = task.evaluate(
        [each.gold for each in examples],
        [each.predicted[0] for each in examples],
        [each.content for each in examples],
        version.labels,
    )
    if judgement.partial:
        metrics[PARTIAL_LEFT_OUT] = judgement.partial
    interval = bootstrap(statistics_of(task, judgement, 0), task.aggregate, judgement.groups)
    metrics["confidence_interval"] = [interval.low, interval.high]
    metrics["calibration"] = calibration_of(_said(store, project, version, judgement))
    gold_set = freeze(store, project, split, judgement)
    with store.read() as tx:
        metrics["leak"] = kept(leak_of(tx, version, gold_set))
    with store.write() as tx:
        return tx.models.add_evaluation(
            version.id,
            split,
            judgement.data_hash,
            len(examples),
            metrics,
            run_id=run_id,
            gold_set_id=gold_set.id,
        )


def _said(
    store: Store, project: Project, version: ModelVersion, judgement: Judgement
) -> Iterator[dict[str, Said]]:
    """How sure the version was of each item, and whether rightly; whole predictions are read a part at a time."""
    for chunk in chunks(judgement.examples, 2_000):
        with store.read() as tx:
            contents = {each.example.id: each.content for each in chunk}
            stored = mapped_predictions(tx, project, version, contents)
        for each in chunk:
            if each.example.id in stored:
                yield said(each.gold, stored[each.example.id], each.content)


@FINISHERS.register("evaluate")
def finish_evaluation(
    store: Store, settings: Settings, run: Run, attempt: Path, result: Mapping[str, Any]
) -> dict[str, Any]:
    """Measure when the predictions of a run are stored. Called again for the same run, it changes nothing."""
    with store.read() as tx:
        project = tx.projects.by_id(run.project_id)
        version = tx.models.by_number(run.project_id, int(run.parameters["model_version"]))
    split = as_split(run.parameters["split"])
    evaluation = measure(store, project, version, split, run_id=run.id)
    return {
        "run": run.id,
        "device": result.get("device"),
        "model_version": version.number,
        "split": str(split),
        "examples": evaluation.examples,
        "metrics": dict(evaluation.metrics),
        "seconds": result.get("seconds", 0.0),
    }
