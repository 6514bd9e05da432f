"""What the workbench does with the result of a run: finishers by kind of run, called inside the supervisor.

A finisher may be called again for the same attempt after a crash, so each is idempotent.
"""

from __future__ import annotations

import importlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from workbench.config import Settings
from workbench.domain import ModelVersion, Run, RunKind, RunState
from workbench.errors import RunFailed, WrongState
from workbench.featurefiles import keep_part
from workbench.jobs.artifacts import bring_near, hash_folder
from workbench.jobs.attempt import AttemptFolder, read_json, remove, write_json
from workbench.registry import Registry
from workbench.storage.store import Store, Transaction
from workbench.tasks import as_asked

Finisher: TypeAlias = Callable[[Store, Settings, Run, Path, Mapping[str, Any]], dict[str, Any]]
"""Stores what an attempt (its folder, its result) made and gives what becomes ``run.result``."""

Line: TypeAlias = tuple[int, dict[str, Any]]
"""The id of an example and what a model says of it."""

FINISHERS: Registry[Finisher] = Registry("kind of run")

ELSEWHERE = {
    "evaluate": "workbench.services.evaluation",
    "export": "workbench.services.exporting",
    "simulate": "workbench.services.simulation",
    "suspects": "workbench.services.suspects",
}
"""Modules that register a finisher when they are imported; by name, because services stand above jobs."""

MOVED = "moved.json"
"""Written before a model is moved: where to."""

LINES = 1_000
"""Predictions of one transaction."""

_log = logging.getLogger("workbench.supervisor")


def complete(
    store: Store, settings: Settings, run: Run, attempt: AttemptFolder, result: Mapping[str, Any]
) -> None:
    """Store the result of a run's current attempt and set it succeeded.

    Raises:
        WrongState: The attempt is not the current one any more, or was told to stop; nothing is registered.
        RunFailed: What the worker left is not usable.
    """
    if attempt.predictions.is_file():
        ingest_predictions(store, run, attempt)
    if run.kind not in FINISHERS and run.kind in ELSEWHERE:
        importlib.import_module(ELSEWHERE[run.kind])
    values = FINISHERS[run.kind](store, settings, run, attempt.path, result)
    with store.write() as tx:
        if tx.runs.get(run.id).state is not RunState.SUCCEEDED:
            tx.runs.transition(run.id, RunState.SUCCEEDED, attempt=run.attempt, result=values)


def prune_older(store: Store, settings: Settings, run: Run) -> None:
    """After a training, remove the files of older versions where the settings say so.

    The run has succeeded, whatever comes of this: a failure is logged and tried again after the next training.
    """
    if run.kind is not RunKind.TRAIN or settings.keep_models is None:
        return
    try:
        importlib.import_module("workbench.services.pruning").prune_after(store, settings, run)
    except Exception:
        _log.exception("older versions could not be pruned after run %s", run.id)


def ingest_predictions(store: Store, run: Run, attempt: AttemptFolder) -> int:
    """Store ``predictions.jsonl`` under the run's model version, in short transactions; replaces what was there.

    Answers to questions that have been worded anew since they were sent are left out.

    Returns:
        How many predictions were stored.
    """
    with store.read() as tx:
        version = tx.models.by_number(run.project_id, int(run.parameters["model_version"]))
        sent = _questions(attempt) if tx.projects.by_id(run.project_id).task == "qa" else {}
    stored = 0
    for chunk in _chunks(attempt.predictions):
        with store.write() as tx:
            progress = {**run.progress, "phase": "storing", "stored": stored}
            if not tx.runs.beat(run.id, run.attempt, progress):
                raise WrongState(f"attempt {run.attempt} of run {run.id} was abandoned")
            rows = _still_asked(tx, sent, [(int(line["id"]), line) for line in chunk])
            scores = [
                (example_id, strategy, float(score))
                for example_id, line in rows
                for strategy, score in line.get("scores", {}).items()
                if score is not None
            ]
            stored += tx.models.put_predictions(version.id, rows)
            tx.models.put_scores(version.id, scores)
    return stored


def _questions(attempt: AttemptFolder) -> dict[int, str]:
    """What the model was asked, by example id."""
    with attempt.examples.open("rb") as file:
        return {int(line["id"]): str(line["question"]) for line in map(json.loads, file)}


def _still_asked(tx: Transaction, sent: Mapping[int, str], rows: list[Line]) -> list[Line]:
    """Those of the predictions whose question is worded as it was sent; nobody words it anew until the block ends."""
    if not sent:
        return rows
    ids = [example_id for example_id, _ in rows]
    tx.withdrawals.lock(ids)
    gold = tx.annotations.gold_of(ids)
    asked = {
        one.id: as_asked(one.content, gold[one.id][0].payload if one.id in gold else None).question
        for one in tx.examples.by_ids(ids)
    }
    return [(example_id, line) for example_id, line in rows if asked.get(example_id) == sent.get(example_id)]


def _chunks(path: Path) -> Iterator[list[dict[str, Any]]]:
    with path.open("rb") as file:
        while lines := list(islice(file, LINES)):
            try:
                yield [json.loads(line, parse_constant=lambda _: None) for line in lines]
            except ValueError as error:
                raise RunFailed(
                    "the worker's predictions are damaged", remedy="check the disk and run it again"
                ) from error


@FINISHERS.register("score")
def finish_score(
    store: Store, settings: Settings, run: Run, attempt: Path, result: Mapping[str, Any]
) -> dict[str, Any]:
    """Scores are stored with the predictions; features become a part of the version's, and it says how fast it was."""
    seconds, examples = float(result.get("seconds") or 0.0), int(result.get("examples") or 0)
    with store.read() as tx:
        version = tx.models.by_number(run.project_id, int(run.parameters["model_version"]))
    source = AttemptFolder(attempt).features
    keep_part(source, settings.features_dir / version.artifact, run.id, version.artifact_sha256)
    return {
        **_common(run, result),
        "model_version": run.parameters["model_version"],
        "precision": result.get("precision"),
        "examples": examples,
        "tokens": result.get("tokens", 0),
        "seconds": seconds,
        "examples_per_second": examples / seconds if seconds > 0 else 0.0,
        "scored_before": run.parameters.get("scored_before", 0),
    }


@FINISHERS.register("embed")
def finish_embed(
    store: Store, settings: Settings, run: Run, attempt: Path, result: Mapping[str, Any]
) -> dict[str, Any]:
    """The base model's embeddings become a part of the project's."""
    name = str(run.parameters["base_model"])
    keep_part(AttemptFolder(attempt).features, base_features(settings, run.project_id), run.id, name)
    return {
        **_common(run, result),
        "base_model": name,
        "precision": result.get("precision"),
        "examples": result.get("embedded", 0),
        "seconds": float(result.get("seconds") or 0.0),
    }


def base_features(settings: Settings, project_id: int) -> Path:
    """Where the embeddings of base models lie, which read the pool before there is a version."""
    return settings.features_dir / str(project_id) / "base"


@FINISHERS.register("train")
def finish_train(
    store: Store, settings: Settings, run: Run, attempt: Path, result: Mapping[str, Any]
) -> dict[str, Any]:
    """Register the model version: the folder is moved and the rows are committed together.

    The rename is the last step before the commit. A crash between the two leaves a folder without a row and a note
    of it; ``bring_back`` brings the folder back and all begins again.
    """
    folder = AttemptFolder(attempt)
    bring_back(store, settings, folder)
    if not (folder.model / "config.json").is_file():
        raise RunFailed("the worker left no model", remedy="look at the run's log, then resume it")
    sha256 = hash_folder(folder.model, sync=True)
    source = bring_near(folder.model, settings.models_dir)
    manifest = folder.read_manifest()
    target: Path | None = None
    try:
        with store.write() as tx:
            parent = _parent(tx.models.by_number, run)
            number = tx.models.next_number(run.project_id)
            artifact = f"{run.project_id}/{number}"
            values = {
                **_common(run, result),
                "model_version": number,
                "examples": result.get("examples", 0),
                "seconds": result.get("seconds", 0.0),
                "metrics": _metrics(result),
                "snapshot": run.parameters["snapshot"],
            }
            version = tx.models.add_version(
                run.project_id,
                number,
                base_model=parent.base_model if parent else str(run.parameters["base_model"]),
                parent_id=parent.id if parent else None,
                run_id=run.id,
                snapshot_id=int(run.parameters["snapshot"]),
                labels=manifest["labels"],
                artifact=artifact,
                artifact_sha256=sha256,
                parameters=manifest["parameters"],
                metrics=values["metrics"],
            )
            tx.runs.transition(run.id, RunState.SUCCEEDED, attempt=run.attempt, result=values)
            write_json(attempt / MOVED, {"artifact": version.artifact})
            target = settings.models_dir / artifact
            _clear(target)
            source.rename(target)
    except BaseException:
        if target is not None and target.exists() and not source.exists():
            target.rename(source)
        raise
    return values


def bring_back(store: Store, settings: Settings, folder: AttemptFolder) -> None:
    """Undo a move whose commit never came: the model is the attempt's again.

    A new supervisor does this for every running attempt before it stores any result, so that no model is given
    the number, and the place, of one that waits there.
    """
    note = read_json(folder.path / MOVED)
    if note is None or folder.model.exists():
        return
    target = settings.models_dir / str(note["artifact"])
    with store.read() as tx:
        owned = tx.models.owner_of(str(note["artifact"])) is not None
    if target.is_dir() and not owned:
        target.rename(folder.model)


def _clear(target: Path) -> None:
    """Make way for a model: a folder of that number without a row was left by a crash."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        aside = target.with_name(f".orphan-{target.name}")
        remove(aside)
        target.rename(aside)
        remove(aside)


def _parent(by_number: Callable[[int, int], ModelVersion], run: Run) -> ModelVersion | None:
    number = run.parameters.get("from_version")
    return by_number(run.project_id, int(number)) if number is not None else None


def _metrics(result: Mapping[str, Any]) -> dict[str, Any]:
    metrics = dict(result.get("metrics") or {})
    return metrics if not metrics or "validation" in metrics else {"validation": metrics}


def _common(run: Run, result: Mapping[str, Any]) -> dict[str, Any]:
    return {"run": run.id, "device": result.get("device"), "environment": result.get("environment", {})}
