"""The cluster's worker with scripted computations: ``python -m tests.jobs.scripted_remote DEPOT EVENTS_BEFORE``."""

from __future__ import annotations

import sys

import tests.jobs.scripted  # noqa: F401  (it replaces what computes)
from workbench.jobs import remote

remote.SYNC_SECONDS = 0.2

if __name__ == "__main__":
    sys.exit(remote.main())
