"""What each new supervisor sweeps: what crashes have left lying about, and what is kept for some days only."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from workbench.config import Settings
from workbench.domain import Run, RunState
from workbench.errors import NotFound
from workbench.jobs.artifacts import PRUNED, discard
from workbench.jobs.attempt import INPUTS, AttemptFolder, remove
from workbench.storage.rows import now
from workbench.storage.store import Store

OLD_SECONDS = 24 * 3600.0
"""A folder that is being written is younger than this."""

TEMPORARY = (".staging-*", "*/.orphan-*", ".incoming-*", "*/*/.incoming-*")

SWEPT = ".swept-"
"""Begins the name of a checkpoint that is about to be gone."""

LEFT = (f"{PRUNED}*", f"*/{PRUNED}*", f"*/*/{SWEPT}*")
"""What a kill has left of a folder that was being removed."""

RESUMABLE = (RunState.FAILED, RunState.CANCELLED)

_log = logging.getLogger("workbench.supervisor")


def sweep(store: Store, settings: Settings) -> int:
    """Remove what nobody needs any more: how many folders were swept.

    These are the data of runs that have succeeded (their supervisor died before it tidied up), folders that a launch
    or a move began and never finished, files of pruned versions that a kill has left, and what failed and cancelled
    runs could be resumed from, once that is too old.
    """
    swept = 0
    for run_id, attempts in _attempts(settings):
        full = [attempt for attempt in attempts if any((attempt.path / name).exists() for name in INPUTS)]
        if full and _state(store, run_id) is RunState.SUCCEEDED:
            for attempt in full:
                attempt.clean(resumable=False)
            swept += len(full)
    for root in (settings.runs_dir, settings.models_dir, settings.features_dir):
        for pattern in TEMPORARY:
            for path in root.glob(pattern):
                if time.time() - path.stat().st_mtime > OLD_SECONDS:
                    remove(path)
                    swept += 1
        for pattern in LEFT:
            for path in root.glob(pattern):
                remove(path)
                swept += 1
    return swept + _sweep_pruned(store, settings) + _sweep_checkpoints(store, settings)


def sweep_depots(store: Store, settings: Settings) -> int:
    """Remove what attempts of runs that ended long ago have left in the cluster's storage; how many folders.

    Only this home's: others may share the storage. Storage that does not answer is left for the next time.
    """
    from workbench.jobs.depot import Depot, attempt_name

    mine = re.compile(attempt_name(settings.home_key, r"(\d+)-\d+"))
    swept = 0
    try:
        depots = Depot(settings.ray_depots)
        for name in depots.entries():
            found = mine.fullmatch(name)
            if found and _ended_before(store, int(found[1]), _limit(settings)):
                depots.remove(name)
                swept += 1
    except Exception as error:  # each kind of storage has errors of its own
        _log.warning("%s could not be swept: %s", settings.ray_depots, error)
    return swept


def _sweep_pruned(store: Store, settings: Settings) -> int:
    with store.read() as tx:
        artifacts = tx.models.pruned_artifacts()
    swept = 0
    for artifact in artifacts:
        try:
            swept += discard(settings, artifact)
        except OSError as error:
            _log.warning("the files of the pruned version %s can't be removed: %s", artifact, error)
    return swept


def _sweep_checkpoints(store: Store, settings: Settings) -> int:
    swept = 0
    for run_id, attempts in _attempts(settings):
        there = [attempt.checkpoint for attempt in attempts if attempt.checkpoint.exists()]
        if there and _ended_before(store, run_id, _limit(settings)):
            try:
                asides = _set_aside(store, settings, run_id, there)
            except OSError as error:
                _log.warning("checkpoints of run %s can't be removed: %s", run_id, error)
                continue
            for aside in asides:
                remove(aside)
            swept += len(asides)
    return swept


def _set_aside(store: Store, settings: Settings, run_id: int, checkpoints: list[Path]) -> list[Path]:
    """Rename the checkpoints of a run that nobody resumes just now, and say so in its log; their new names."""
    asides = [path.with_name(f"{SWEPT}{path.name}") for path in checkpoints]
    # Together with the last look: a run that is being resumed finds all of it or nothing.
    with store.write() as tx:
        run = tx.runs.hold(run_id)
        if run.state not in RESUMABLE:
            return []
        days = f"{settings.keep_checkpoint_days:g} days"
        said = f"What this run could go on from was removed {days} after its end: resumed, it begins anew."
        tx.runs.say(run_id, run.attempt, said)
        for path, aside in zip(checkpoints, asides, strict=True):
            path.rename(aside)
    return asides


def _attempts(settings: Settings) -> Iterator[tuple[int, list[AttemptFolder]]]:
    """The attempts of each run that has a folder."""
    for folder in settings.runs_dir.glob("[0-9]*"):
        if folder.name.isdigit():
            yield int(folder.name), [AttemptFolder(path) for path in folder.glob("[0-9]*")]


def _limit(settings: Settings) -> datetime:
    """What runs that ended before it could be resumed from is not kept."""
    return now() - timedelta(days=settings.keep_checkpoint_days)


def _ended_before(store: Store, run_id: int, moment: datetime) -> bool:
    run = _run(store, run_id)
    return (
        run is not None and not run.state.active and run.finished_at is not None and run.finished_at < moment
    )


def _state(store: Store, run_id: int) -> RunState | None:
    run = _run(store, run_id)
    return run.state if run is not None else None


def _run(store: Store, run_id: int) -> Run | None:
    try:
        with store.read() as tx:
            return tx.runs.get(run_id)
    except NotFound:
        return None
