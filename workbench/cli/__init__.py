"""The ``workbench`` command: thin over the services. Each module registers its commands on ``base.app``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from workbench.cli.base import app
from workbench.errors import WorkbenchError

MODULES = {
    "agreement": ("agreement",),
    "annotate": ("annotate",),
    "demo": ("demo",),
    "evaluate": ("evaluate", "compare"),
    "export": ("export-model",),
    "exportdata": ("export-data",),
    "importing": ("import",),
    "labels": ("labels",),
    "log": ("log",),
    "maintenance": ("backup", "restore", "migrate-database", "doctor"),
    "models": ("models", "promote", "archive", "note"),
    "predict": ("predict",),
    "progress": ("progress",),
    "projects": ("init", "project"),
    "prune": ("prune",),
    "push": ("push-model",),
    "review": ("review",),
    "runs": ("runs",),
    "select": ("select",),
    "serve": ("serve",),
    "simulate": ("simulate", "simulation-report"),
    "splits": ("split", "duplicates"),
    "suspects": ("suspects",),
    "team": ("user",),
    "guidelines": ("guidelines",),
    "numbers": ("numbers",),
    "work": ("work",),
    "train": ("train", "score", "embed"),
}
"""The commands of each module."""


def load(command: str | None = None) -> None:
    """Import the module that registers a command; without one, or with an unknown one, every module.

    A command needs a part of the services; to start without the rest of them takes half the time.
    """
    wanted = [module for module, commands in MODULES.items() if command in commands]
    for module in wanted or MODULES:
        importlib.import_module(f"{__name__}.{module}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: exits 0 on success, 1 on an error that the user can mend, 2 on wrong usage."""
    arguments = sys.argv[1:] if arguments is None else arguments
    load(arguments[0] if arguments else None)
    try:
        app(arguments)
    except WorkbenchError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)
