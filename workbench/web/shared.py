"""One workbench for the whole server process: the gate, the routes and every page use it."""

from __future__ import annotations

import threading

from workbench.config import Settings, read_settings
from workbench.services import Workbench, open_workbench

_lock = threading.Lock()
_opened: dict[tuple[str, str], Workbench] = {}


def shared_workbench(settings: Settings | None = None) -> Workbench:
    """The process's workbench for the settings (read anew from the environment when None), opened once.

    Raises what ``read_settings`` and ``open_workbench`` raise; nothing is remembered then, so that the next call tries
    again.
    """
    settings = settings or read_settings()
    key = (str(settings.home.absolute()), settings.url)
    with _lock:
        if key not in _opened:
            _opened[key] = open_workbench(settings)
        return _opened[key]
