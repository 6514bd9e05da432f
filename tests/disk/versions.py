"""A project with versions that have files, and stand for nothing: nobody loads them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import update

from tests.selection.pool import add_version, make_project
from workbench.domain import Project, RunKind
from workbench.jobs.artifacts import hash_folder
from workbench.services import Workbench
from workbench.storage.tables import model_versions, runs

WEIGHTS, FEATURES = 1_000, 200
"""Bytes of each version's files."""


def make_versions(workbench: Workbench, count: int, name: str = "news", best: int = 1) -> Project:
    """A project with versions 1 to ``count``, one of them the best by validation."""
    project = make_project(workbench, name)
    for number in range(1, count + 1):
        version_id = add_version(
            workbench, project, number, validation={"f1": 0.9 if number == best else 0.5}
        )
        artifact = f"{project.id}/{number}"
        write_files(workbench, artifact)
        model, _ = folders(workbench, artifact)
        with workbench.store.write() as tx:
            there = update(model_versions).where(model_versions.c.id == version_id)
            named = there.values(artifact=artifact, artifact_sha256=hash_folder(model))
            run_id = tx.connection.execute(named.returning(model_versions.c.run_id)).scalar_one()
            made = update(runs).where(runs.c.id == run_id).values(result={"model_version": number})
            tx.connection.execute(made)
    return project


def write_files(workbench: Workbench, artifact: str) -> None:
    """A model and its features, of the sizes above."""
    model, features = folders(workbench, artifact)
    (features / "run-00000001").mkdir(parents=True)
    (features / "run-00000001" / "ids.npy").write_bytes(bytes(FEATURES))
    model.mkdir(parents=True)
    (model / "config.json").write_bytes(b"{}")
    (model / "model.safetensors").write_bytes(bytes(WEIGHTS - 2))


def folders(workbench: Workbench, artifact: str) -> tuple[Path, Path]:
    """Where they lie."""
    return workbench.settings.models_dir / artifact, workbench.settings.features_dir / artifact


def with_files(workbench: Workbench, project: Project) -> list[int]:
    """Numbers of the versions whose folders are whole; there must be nothing else beside them."""
    found = []
    for root in (workbench.settings.models_dir, workbench.settings.features_dir):
        folder = root / str(project.id)
        found.append(sorted(int(path.name) for path in folder.iterdir()))
    assert found[0] == found[1]
    return found[0]


def queue(workbench: Workbench, project: Project, kind: RunKind, parameters: Mapping[str, Any]) -> int:
    """A queued run that nobody starts; its id."""
    with workbench.store.write() as tx:
        return tx.runs.add(project.id, kind, parameters).id
