"""Launch training runs: what can be checked is checked here, before anything is queued."""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from workbench.basemodels import BASE_MODELS
from workbench.config import Settings
from workbench.domain import Fall, ModelVersion, Project, Run, RunKind, TrainParameters
from workbench.domain.context import MOST_CONTEXT
from workbench.errors import InvalidInput, ModelUnavailable, WrongState
from workbench.services.labelmaps import version_map
from workbench.services.models import artifact_folder
from workbench.services.retraining import beginning, train_again
from workbench.services.runs import RunService
from workbench.services.seeds import GROUP, MOST_SEEDS, SeedGroup
from workbench.services.snapshots import (
    freeze_training,
    in_context,
    snapshot_pages,
    write_examples,
    write_texts,
)
from workbench.storage.models import Snapshot
from workbench.storage.store import Store
from workbench.tasks import AnswerTask, get_task

HUB_NAME = re.compile(r"[\w-][\w.-]{0,95}(/[\w.-]{1,96})?")


@dataclass(frozen=True, slots=True)
class Preset:
    """A choice of parameters with a name and the sentence that explains it."""

    title: str
    sentence: str
    changes: Mapping[str, Any]


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "quick": Preset(
            "Quick",
            "One pass over the data: enough to see whether the labels make sense and to rank the pool.",
            MappingProxyType({"epochs": 1.0, "min_steps": 30, "rest_layers": True}),
        ),
        "balanced": Preset(
            "Balanced",
            "Three passes, the usual choice for a round of active learning.",
            MappingProxyType({"epochs": 3.0}),
        ),
        "thorough": Preset(
            "Thorough",
            "Eight passes with every weight trained, for a version that will be shipped; several times slower.",
            MappingProxyType({"epochs": 8.0, "freeze_embeddings": False, "min_steps": 200}),
        ),
    }
)


SCHEDULES: Mapping[str, str] = MappingProxyType(
    {
        Fall.LINEAR.value: "Falls to zero in a line: the usual choice, and what the defaults were measured with.",
        Fall.COSINE.value: "Falls to zero along a cosine: longer near the peak, gentler at the end.",
        Fall.CONSTANT.value: "Stays at the peak: for a few steps more of a version that is continued; "
        "the last step counts as much as the first.",
    }
)
"""What the learning rate does after its peak, each with the sentence that explains it."""


class TrainingService:
    """Turn accepted annotations into a new model version."""

    def __init__(self, store: Store, settings: Settings, runs: RunService) -> None:
        self._store = store
        self._settings = settings
        self._runs = runs

    def launch(
        self, project: Project, parameters: TrainParameters | None = None, user_id: int | None = None
    ) -> Run:
        """Freeze the data as it is now and queue a training run over it.

        The run's result has the keys of the command-line contract; its ``model_version`` is the new number.

        Raises:
            InvalidInput: A parameter is out of range, there are no labels, or no labeled example.
            NotFound: ``from_version`` does not exist.
            ModelUnavailable: The base model is a folder without a model, or the version's artifact is gone.
        """
        return self.launch_seeds(project, parameters, 1, user_id)[0]

    def launch_seeds(
        self,
        project: Project,
        parameters: TrainParameters | None = None,
        seeds: int = 1,
        user_id: int | None = None,
    ) -> tuple[Run, ...]:
        """Queue runs that differ in the seed alone: the given one and those after it.

        All read one snapshot, with the same examples held out, so that their metrics can be compared. When one of
        them can't be queued, the others are cancelled.

        Raises:
            InvalidInput: Fewer than 1 seed or more than 20; and all that ``launch`` raises.
        """
        if not 1 <= seeds <= MOST_SEEDS:
            raise InvalidInput(f"{seeds} can't be the number of seeds", remedy=f"choose 1 to {MOST_SEEDS}")
        chosen, parent = self._ready(project, parameters or TrainParameters(), seeds)
        data = freeze_training(self._store, project, chosen.seed, parent)
        labels = data.snapshot.labels
        origins = self._origins(project, parent)
        notes = [*data.notes, *_told_of_parent(parent, chosen, labels, origins)]
        group = {GROUP: uuid.uuid4().hex[:8]} if seeds > 1 else {}

        def prepare(folder: Path, own: dict[str, Any]) -> dict[str, Any]:
            rows = snapshot_pages(self._store, data.snapshot.id)
            write_examples(folder / "examples.jsonl", in_context(self._store, rows, chosen.context))
            return {
                **beginning(self._settings, labels, own, chosen.base_model, parent),
                "snapshot": {"id": data.snapshot.id, "content_hash": data.snapshot.content_hash},
                "origins": {label: list(olds) for label, olds in origins.items()},
                "notes": [*notes, *write_texts(folder, self._store, project, chosen.adapt_epochs)],
            }

        queued: list[Run] = []
        try:
            for seed in range(chosen.seed, chosen.seed + seeds):
                own = {**asdict(replace(chosen, seed=seed)), **group}
                kept = {**own, "snapshot": data.snapshot.id}
                write = partial(prepare, own=own)
                queued.append(self._runs.launch(project, RunKind.TRAIN, kept, write, user_id=user_id))
        except Exception:
            for run in queued:
                with suppress(WrongState):
                    self._runs.cancel(run.id)
            raise
        return tuple(queued)

    def _ready(
        self, project: Project, chosen: TrainParameters, seeds: int
    ) -> tuple[TrainParameters, ModelVersion | None]:
        """The parameters as they are meant here, and the version to continue from. Raises as ``launch`` does."""
        check_parameters(chosen)
        check_parameters(replace(chosen, seed=chosen.seed + seeds - 1))
        if chosen.device == "auto" and self._settings.device != "auto":
            chosen = replace(chosen, device=self._settings.device)
        parent = self._parent(project, chosen)
        if parent is None:
            chosen = replace(chosen, base_model=check_base_model(chosen.base_model))
        if get_task(project.task).model_labels(("X",)) and not project.label_names:
            raise InvalidInput(
                f"{project.name} has no labels", remedy="add labels to the project, or import labeled data"
            )
        check_context(project, chosen)
        return chosen, parent

    def again(self, project: Project, number: int, user_id: int | None = None) -> Run:
        """Queue the training of a version once more: the same snapshot, labels, parameters and seed.

        It makes a version of its own; on the CPU, by the same code, with the same weights.

        Raises:
            NotFound: There is no such version.
            ModelUnavailable: It was continued from a version whose files were pruned, or are gone.
            WrongState: It was continued under another label set, and how its labels became these is no longer there.
        """
        return train_again(self._store, self._settings, self._runs, project, number, user_id)

    def seeds(self, project: Project, run: Run) -> SeedGroup | None:
        """The runs that a run was launched with, and how they compare; None for a run of its own."""
        name = run.parameters.get(GROUP)
        if not isinstance(name, str):
            return None
        with self._store.read() as tx:
            runs = tx.runs.all(project.id)
        return SeedGroup.of(name, get_task(project.task).primary_metric, runs)

    def snapshot(self, run: Run) -> Snapshot:
        """The data that a training run reads. Raises NotFound for a run of another kind."""
        with self._store.read() as tx:
            return tx.models.snapshot(int(run.parameters.get("snapshot") or 0))

    def _origins(self, project: Project, parent: ModelVersion | None) -> dict[str, tuple[str, ...]]:
        """The labels of the version that is continued which became each label of now, where they differ."""
        if parent is None:
            return {}
        with self._store.read() as tx:
            mapping = version_map(tx, tx.projects.by_id(project.id), parent)
        return {} if mapping is None else mapping.origins(parent.labels)

    def _parent(self, project: Project, parameters: TrainParameters) -> ModelVersion | None:
        if parameters.from_version is None:
            return None
        with self._store.read() as tx:
            version = tx.models.by_number(project.id, parameters.from_version)
        artifact_folder(self._settings, version)
        return version


def _told_of_parent(
    parent: ModelVersion | None,
    chosen: TrainParameters,
    labels: Sequence[str],
    origins: Mapping[str, Sequence[str]],
) -> Iterator[str]:
    """What is other than in the version that a run continues from: labels, and so its head; the context."""
    if parent is None:
        return
    if set(labels) != set(parent.labels):
        fresh = [label for label in labels if label not in parent.labels and label not in origins]
        kept = len(labels) - len(fresh)
        said = f"The label set has changed since version {parent.number}: {kept} labels keep its weights"
        yield f"{said}, {', '.join(fresh)} begin anew." if fresh else f"{said}."
    if parent.context != chosen.context:
        yield (
            f"Version {parent.number} read {parent.context} sub-words on either side of a sentence, "
            f"this one {chosen.context}."
        )


def check_parameters(parameters: TrainParameters) -> None:
    """Raise InvalidInput with the bad value and the range for anything that can't train."""
    rate = parameters.learning_rate
    rules = (
        ("epochs", parameters.epochs, 0 < parameters.epochs <= 1000, "more than 0, at most 1000"),
        ("learning rate", rate, rate is None or 0 < rate < 1, "between 0 and 1, such as 1e-4"),
        ("batch size", parameters.batch_size, 1 <= parameters.batch_size <= 4096, "1 to 4096"),
        (
            "maximum length",
            parameters.max_length,
            (parameters.max_length or 16) >= 16,
            "16 sub-words or more",
        ),
        (
            "context",
            parameters.context,
            0 <= parameters.context <= MOST_CONTEXT,
            f"0 to {MOST_CONTEXT} sub-words on each side",
        ),
        ("minimum of steps", parameters.min_steps, parameters.min_steps >= 0, "0 or more"),
        ("warm-up", parameters.warmup, 0 <= parameters.warmup <= 1, "0 to 1, a share of the steps"),
        ("schedule", parameters.schedule, parameters.schedule in SCHEDULES, f"one of {', '.join(SCHEDULES)}"),
        ("number of frozen layers", parameters.freeze_layers, parameters.freeze_layers >= 0, "0 or more"),
        (
            "rank of LoRA",
            parameters.lora_rank,
            0 <= parameters.lora_rank <= 1024,
            "0 (none) to 1024, such as 16",
        ),
        ("passes over the texts", parameters.adapt_epochs, 0 <= parameters.adapt_epochs <= 1000, "0 to 1000"),
        ("patience", parameters.patience, parameters.patience >= 0, "0 (never stop early) or more"),
        ("weight decay", parameters.weight_decay, 0 <= parameters.weight_decay < 1, "0 to 1"),
        ("number of workers", parameters.workers, 1 <= parameters.workers <= 64, "1 to 64"),
        ("seed", parameters.seed, 0 <= parameters.seed < 2**32, "0 to 4294967295"),
    )
    for name, value, fits, allowed in rules:
        if not fits or (isinstance(value, float) and math.isnan(value)):
            raise InvalidInput(f"{value} can't be the {name}", remedy=f"choose {allowed}")
    length, stride = parameters.max_length, parameters.stride
    if stride is not None and (stride < 0 or stride >= (length or 256) - 8):
        raise InvalidInput(
            f"{stride} can't be the stride", remedy="choose 0 or more, and less than the maximum length"
        )


def check_context(project: Project, parameters: TrainParameters) -> None:
    """Raise InvalidInput where questions are to be read with what stands around them: their context is all there is."""
    if parameters.context and isinstance(get_task(project.task), AnswerTask):
        raise InvalidInput(
            f"{project.task} has no context around a sentence",
            remedy="leave it at 0; it is for NER and POS tagging",
        )


def check_base_model(name: str) -> str:
    """Refuse what can be seen to be no model without loading anything; the worker finds out about hub names.

    Returns:
        The name, or the absolute path of a local folder.

    Raises:
        ModelUnavailable: It is a folder without a model in it, or neither a folder nor a name that a hub could know.
    """
    name = name.strip()
    if name in BASE_MODELS:
        return name
    folder = Path(name).expanduser()
    if name and folder.is_dir():
        if not (folder / "config.json").is_file():
            raise ModelUnavailable(
                f"the folder {name} holds no model (it has no config.json)",
                remedy="give a folder that save_pretrained wrote",
            )
        return str(folder.absolute())
    if not HUB_NAME.fullmatch(name):
        raise ModelUnavailable(
            f"there is no base model or folder {name!r}",
            remedy=f"give a folder that exists, a hub name, or one of {', '.join(BASE_MODELS)}",
        )
    return name
