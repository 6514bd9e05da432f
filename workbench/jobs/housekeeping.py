"""What crashes have left lying about, swept by each new supervisor."""

from __future__ import annotations

import time

from workbench.config import Settings
from workbench.domain import RunState
from workbench.errors import NotFound
from workbench.jobs.attempt import INPUTS, AttemptFolder, remove
from workbench.storage.store import Store

OLD_SECONDS = 24 * 3600.0
"""A folder that is being written is younger than this."""

TEMPORARY = (".staging-*", "*/.orphan-*", ".incoming-*", "*/*/.incoming-*")


def sweep(store: Store, settings: Settings) -> int:
    """Remove what nobody needs any more: how many folders were swept.

    These are the data of runs that have succeeded (their supervisor died before it tidied up), and folders that a
    launch or a move began and never finished.
    """
    swept = 0
    for folder in settings.runs_dir.glob("[0-9]*"):
        attempts = [AttemptFolder(path) for path in folder.glob("[0-9]*")]
        full = [attempt for attempt in attempts if any((attempt.path / name).exists() for name in INPUTS)]
        if full and folder.name.isdigit() and _succeeded(store, int(folder.name)):
            for attempt in full:
                attempt.clean(resumable=False)
            swept += len(full)
    for root in (settings.runs_dir, settings.models_dir, settings.features_dir):
        for pattern in TEMPORARY:
            for path in root.glob(pattern):
                if time.time() - path.stat().st_mtime > OLD_SECONDS:
                    remove(path)
                    swept += 1
    return swept


def _succeeded(store: Store, run_id: int) -> bool:
    try:
        with store.read() as tx:
            return tx.runs.get(run_id).state is RunState.SUCCEEDED
    except NotFound:
        return False
