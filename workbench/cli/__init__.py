"""The ``workbench`` command: thin over the services. Each module registers its commands on ``base.app``."""

from __future__ import annotations

import importlib
import pkgutil
import sys

from workbench.cli.base import app
from workbench.errors import WorkbenchError


def load() -> None:
    """Import every module of this package, so that its commands are registered."""
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"{__name__}.{module}")


def main() -> None:
    """Entry point: exits 0 on success, 1 on an error that the user can mend, 2 on wrong usage."""
    load()
    try:
        app()
    except WorkbenchError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)
