"""Score the pool: what a model version says of every example that has no gold yet; or read it before there is one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from workbench.acquisition import STRATEGIES, single_pass
from workbench.config import Settings
from workbench.domain import ModelVersion, Project, Run, RunKind, Split
from workbench.errors import InvalidInput
from workbench.featurefiles import FeatureStore
from workbench.jobs.completion import base_features
from workbench.services.models import artifact_folder
from workbench.services.runs import RunService
from workbench.services.snapshots import in_context, learning_pages, unlabeled_pages, write_examples
from workbench.services.training import check_base_model
from workbench.storage.models import SnapshotRow
from workbench.storage.store import Store

PRECISIONS = ("auto", "fp32", "int8")


class ScoringService:
    """Predictions, acquisition scores and features come from one pass over the pool."""

    def __init__(self, store: Store, settings: Settings, runs: RunService) -> None:
        self._store = store
        self._settings = settings
        self._runs = runs

    def launch(
        self,
        project: Project,
        model_version: int,
        strategies: Sequence[str] | None = None,
        *,
        device: str | None = None,
        precision: str = "auto",
        again: bool = False,
        user_id: int | None = None,
    ) -> Run:
        """Queue a run that scores the pool's unlabeled examples, those that the version has not scored yet.

        What was labeled since the version last read is read too, without being predicted: strategies that choose sets
        hold candidates against it. The run's result has the keys of the command-line contract.

        Args:
            project: The project.
            model_version: Number of the version that scores.
            strategies: Registered strategies of the project's task that a pass scores; None takes the task's own.
            device: auto, cpu, cuda, cuda:N or mps; None takes the settings'.
            precision: auto computes in 8 bits on a CPU that is faster in them; fp32; int8.
            again: Score what the version has scored, too.
            user_id: Who asked for it.

        Raises:
            NotFound: There is no such version.
            ModelUnavailable: Its files are gone.
            UnknownName: There is no such strategy.
            InvalidInput: A strategy is not for this task, there is no such precision, or nothing to score.
        """
        check_precision(precision)
        names = tuple(strategies) if strategies else single_pass(project.task)
        fitting = single_pass(project.task)
        for name in names:
            if STRATEGIES[name].name not in fitting:
                raise InvalidInput(
                    f"a model can't score {project.task} by {name}",
                    remedy=f"choose from {', '.join(fitting)}",
                )
        with self._store.read() as tx:
            version = tx.models.by_number(project.id, model_version)
            unlabeled = tx.models.unlabeled_count(project.id)
        if not unlabeled:
            raise InvalidInput(
                "there is no unlabeled example in the pool", remedy="import more with --split pool"
            )
        folder = artifact_folder(self._settings, version)
        chosen = device or self._settings.device
        kept: dict[str, Any] = {
            "model_version": version.number,
            "strategies": list(names),
            "device": chosen,
            "precision": precision,
        }

        def prepare(staging: Path) -> dict[str, Any]:
            rows = in_context(self._store, self._rows(project, version, names, again), version.context)
            counts = write_examples(staging / "examples.jsonl", rows)
            kept["scored_before"] = unlabeled - counts[Split.POOL]
            notes = [f"Scoring {counts[Split.POOL]} examples with version {version.number}."]
            if kept["scored_before"]:
                notes.append(f"{kept['scored_before']} have been scored by it before.")
            if counts[Split.TRAIN]:
                notes.append(f"{counts[Split.TRAIN]} labeled ones are read, to hold the others against.")
            return {
                "labels": list(version.labels),
                "parameters": {
                    "strategies": list(names),
                    "device": chosen,
                    "precision": precision,
                    "features": True,
                },
                "model_dir": str(folder),
                "notes": notes,
            }

        return self._runs.launch(project, RunKind.SCORE, kept, prepare, user_id=user_id)

    def embed(
        self,
        project: Project,
        base_model: str = "minilm",
        *,
        device: str | None = None,
        precision: str = "auto",
        user_id: int | None = None,
    ) -> Run:
        """Queue a run in which a base model reads the pool and what is labeled, for strategies of a cold start.

        Examples that it has read before are not read again.

        Args:
            project: The project.
            base_model: A registered name, a hub name or a local folder.
            device: auto, cpu, cuda, cuda:N or mps; None takes the settings'.
            precision: As for ``launch``.
            user_id: Who asked for it.

        Raises:
            ModelUnavailable, InvalidInput: There is no such base model or precision, or nothing to read.
        """
        check_precision(precision)
        name = check_base_model(base_model)
        kept = {"base_model": name, "device": device or self._settings.device, "precision": precision}

        def prepare(staging: Path) -> dict[str, Any]:
            store = FeatureStore(base_features(self._settings, project.id), name)
            rows = unread(store, learning_pages(self._store, project.id, labeled=False))
            count = sum(write_examples(staging / "examples.jsonl", rows).values())
            if not count:
                raise InvalidInput(
                    f"{name} has read every example of the pool" if store else "there is nothing in the pool",
                    remedy="import more with --split pool",
                )
            note = f"Reading {count} examples with {name}."
            return {"parameters": dict(kept), "base_model": name, "notes": [note]}

        return self._runs.launch(project, RunKind.EMBED, kept, prepare, user_id=user_id)

    def _rows(
        self, project: Project, version: ModelVersion, names: Sequence[str], again: bool
    ) -> Iterator[SnapshotRow]:
        """What the version has to read: unlabeled, and labeled that it has no features of (as of split train)."""
        store = version_features(self._settings, version)
        # Without features a version of an older workbench has to read everything once more.
        unscored = (version.id, names) if store and not again else None
        asked = (
            replace(row, split=Split.POOL)
            for row in unlabeled_pages(self._store, project.id, unscored_by=unscored)
        )
        known = unread(store, learning_pages(self._store, project.id, labeled=True))
        return chain(asked, (replace(row, split=Split.TRAIN) for row in known))


def version_features(settings: Settings, version: ModelVersion) -> FeatureStore:
    """What passes of a version over the pool have left."""
    return FeatureStore(settings.features_dir / version.artifact, version.artifact_sha256)


def unread(store: FeatureStore, rows: Iterator[SnapshotRow]) -> Iterator[SnapshotRow]:
    """Those of the examples that have no features."""
    ids = store.ids()
    for row in rows:
        place = int(np.searchsorted(ids, row.example_id))
        if place == len(ids) or ids[place] != row.example_id:
            yield row


def check_precision(name: str) -> None:
    """Raise InvalidInput for what is no precision."""
    if name not in PRECISIONS:
        raise InvalidInput(f"{name!r} is no precision", remedy=f"choose from {', '.join(PRECISIONS)}")
