"""What happens once, before the server answers: the database is made or upgraded, a fresh one gets the samples, and
what pages count first is counted."""

from __future__ import annotations

import logging
import sys
import threading

from workbench.domain import Project
from workbench.errors import WorkbenchError
from workbench.services import Workbench
from workbench.services.pairs import fair_splits, usual_pair
from workbench.services.samples import ensure_samples
from workbench.services.worknumbers import USUAL_DAYS
from workbench.web.shared import shared_workbench

PATIENCE = 5.0
"""Seconds that the server waits for the counts before it answers; what is not counted by then, is beside visitors."""


def prepare() -> None:
    """Open the workbench before the first visitor does; what is wrong is one line on stderr, and on every page."""
    try:
        workbench = shared_workbench()
        if workbench.settings.samples:
            ensure_samples(workbench)
    except WorkbenchError as error:
        sys.stderr.write(f"error: {error}\n")
        return
    counting = threading.Thread(target=count_ahead, args=(workbench,), name="count-ahead", daemon=True)
    counting.start()
    counting.join(PATIENCE)


def count_ahead(workbench: Workbench) -> None:
    """Count what pages show of each project, the newest first: it is kept for as long as it stays true, and a first
    visitor would wait for it. What can't be counted is the page's to tell."""
    try:
        projects = sorted(workbench.projects.list(), key=lambda each: -each.id)
        for project in projects:
            _count(workbench, project)
        for project in projects:
            workbench.datasets.overlap(project)
            _compare(workbench, project)
            workbench.agreement.measure(project)
    except Exception:
        # A page that asks for the same shows what is wrong, to somebody who can do something about it.
        logging.getLogger(__name__).debug("counting ahead ended early", exc_info=True)


def _count(workbench: Workbench, project: Project) -> None:
    workbench.projects.overview(project)
    workbench.selection.batches(project)
    workbench.selection.candidates(project)
    workbench.datasets.counts(project)
    workbench.evaluation.labeled(project)
    workbench.work_numbers.team(project, USUAL_DAYS)
    usable = [version for version in workbench.models.list(project) if version.usable]
    if usable:
        strategy = workbench.selection.strategies(project)[0].name
        workbench.selection.coverage(project, strategy, usable[-1].number)
        workbench.progress.report(project)


def _compare(workbench: Workbench, project: Project) -> None:
    for split in fair_splits(workbench.evaluation.labeled(project))[:1]:
        pair = usual_pair(workbench.versions.table(project, split))
        if pair is not None:
            workbench.comparison.look_into(project, pair)
