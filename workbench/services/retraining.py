"""Train a version once more: what it was trained from is kept, whatever has become of its files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.config import Settings
from workbench.domain import Json, ModelVersion, Project, Run, RunKind
from workbench.errors import WrongState
from workbench.jobs.attempt import AttemptFolder, read_json
from workbench.services.models import artifact_folder
from workbench.services.runs import RunService
from workbench.services.seeds import GROUP
from workbench.services.snapshots import in_context, snapshot_pages, write_examples, write_texts
from workbench.storage.store import Store


def train_again(
    store: Store, settings: Settings, runs: RunService, project: Project, number: int, user_id: int | None
) -> Run:
    """Queue the training of a version once more; see ``TrainingService.again``."""
    with store.read() as tx:
        version = tx.models.by_number(project.id, number)
        before = tx.runs.get(version.run_id)
        parent = tx.models.by_number(project.id, version.parent) if version.parent else None
    own = {key: value for key, value in before.parameters.items() if key not in (GROUP, "snapshot")}
    notes = [f"Training version {number} again: the same examples, parameters and seed."]
    if own.get("adapt_epochs"):
        notes.append("The texts that the encoder reads first are those of now, and may be others than then.")
    origins = _origins(settings, before, version, parent)

    def prepare(folder: Path) -> dict[str, Any]:
        rows = snapshot_pages(store, version.snapshot_id)
        write_examples(folder / "examples.jsonl", in_context(store, rows, int(own.get("context") or 0)))
        read = write_texts(folder, store, project, float(own.get("adapt_epochs") or 0))
        return {
            **beginning(settings, version.labels, own, version.base_model, parent),
            "origins": origins,
            "notes": [*notes, *read],
        }

    kept = {**own, "snapshot": version.snapshot_id}
    return runs.launch(project, RunKind.TRAIN, kept, prepare, user_id=user_id)


def beginning(
    settings: Settings,
    labels: Sequence[str],
    parameters: Json,
    base_model: str,
    parent: ModelVersion | None,
) -> dict[str, Any]:
    """What every training's manifest says of where it begins. Raises ModelUnavailable where the parent has no files."""
    return {
        "labels": list(labels),
        "parameters": dict(parameters),
        "base_model": base_model,
        "model_dir": str(artifact_folder(settings, parent)) if parent else None,
        "resume_from": None,
        "encoded": str(settings.encoded_dir),
    }


def _origins(
    settings: Settings, before: Run, version: ModelVersion, parent: ModelVersion | None
) -> dict[str, Any]:
    """Which labels of the continued version became which: only the records of the run say how it was then."""
    if parent is None:
        return {}
    manifest = read_json(AttemptFolder.of(settings.runs_dir, before.id, before.attempt).manifest)
    if manifest is None and parent.labels != version.labels:
        raise WrongState(
            f"the records of run {before.id} are gone, and with them how the labels of version {parent.number} "
            f"became those of version {version.number}",
            remedy=f"continue version {parent.number} with the labels of now",
        )
    return dict((manifest or {}).get("origins") or {})
