"""Score the pool: what a model version says of every example that has no gold yet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.acquisition import STRATEGIES, single_pass
from workbench.config import Settings
from workbench.domain import Project, Run, RunKind, Split
from workbench.errors import InvalidInput
from workbench.services.models import artifact_folder
from workbench.services.runs import RunService
from workbench.services.snapshots import unlabeled_pages, write_examples
from workbench.storage.store import Store

PRECISIONS = ("auto", "fp32", "int8")


class ScoringService:
    """Predictions and acquisition scores come from one pass over the pool."""

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
        user_id: int | None = None,
    ) -> Run:
        """Queue a run that scores the pool's unlabeled examples.

        The run's result has the keys of the command-line contract.

        Args:
            project: The project.
            model_version: Number of the version that scores.
            strategies: Registered strategies of the project's task that need a model; None takes the task's own.
            device: auto, cpu, cuda, cuda:N or mps; None takes the settings'.
            precision: auto computes in 8 bits on a CPU that is faster in them; fp32; int8.
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
        folder = artifact_folder(self._settings, version)
        chosen = device or self._settings.device

        def prepare(staging: Path) -> dict[str, Any]:
            counts = write_examples(staging / "examples.jsonl", unlabeled_pages(self._store, project.id))
            if not counts[Split.POOL]:
                raise InvalidInput(
                    "there is no unlabeled example in the pool", remedy="import more with --split pool"
                )
            return {
                "labels": list(version.labels),
                "parameters": {"strategies": list(names), "device": chosen, "precision": precision},
                "model_dir": str(folder),
                "notes": [f"Scoring {counts[Split.POOL]} examples with version {version.number}."],
            }

        kept = {
            "model_version": version.number,
            "strategies": list(names),
            "device": chosen,
            "precision": precision,
        }
        return self._runs.launch(project, RunKind.SCORE, kept, prepare, user_id=user_id)


def check_precision(name: str) -> None:
    """Raise InvalidInput for what is no precision."""
    if name not in PRECISIONS:
        raise InvalidInput(f"{name!r} is no precision", remedy=f"choose from {', '.join(PRECISIONS)}")
