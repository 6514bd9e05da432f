"""A supervisor process whose workers are scripted: ``python -m tests.jobs.supervise``."""

from __future__ import annotations

import logging
import sys

from workbench.config import get_settings
from workbench.jobs.launchers import Launcher
from workbench.jobs.local import LocalLauncher
from workbench.jobs.supervisor import serve
from workbench.registry import Registry


def scripted_launchers() -> Registry[Launcher]:
    registry: Registry[Launcher] = Registry("launcher")
    registry.add("local", LocalLauncher("tests.jobs.scripted"))
    return registry


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    sys.exit(serve(get_settings(), scripted_launchers(), "tests.jobs.supervise"))
