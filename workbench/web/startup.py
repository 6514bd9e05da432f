"""What happens once, before the server answers: the database is made or upgraded, a fresh one gets the samples."""

from __future__ import annotations

import sys

from workbench.errors import WorkbenchError
from workbench.services.samples import ensure_samples
from workbench.web.shared import shared_workbench


def prepare() -> None:
    """Open the workbench before the first visitor does; what is wrong is one line on stderr, and on every page."""
    try:
        workbench = shared_workbench()
        if workbench.settings.samples:
            ensure_samples(workbench)
    except WorkbenchError as error:
        sys.stderr.write(f"error: {error}\n")
