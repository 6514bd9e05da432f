"""The use cases. ``Workbench`` holds them all; pages and commands call nothing else."""

from workbench.services.workbench import Workbench, open_workbench

__all__ = ["Workbench", "open_workbench"]
