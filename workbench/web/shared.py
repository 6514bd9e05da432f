"""One workbench for the whole server process: the gate, the routes and every page use it."""

from __future__ import annotations

import threading

from workbench.config import Settings
from workbench.services import Workbench, open_workbench

_lock = threading.Lock()
_opened: dict[tuple[str, str], Workbench] = {}


def shared_workbench(settings: Settings | None = None) -> Workbench:
    """The process's workbench for the settings (read anew from the environment when None), opened once.

    Raises what ``open_workbench`` raises; nothing is remembered then, so that the next call tries again.
    """
    settings = settings or Settings()
    key = (str(settings.home.absolute()), settings.url)
    with _lock:
        if key not in _opened:
            _opened[key] = open_workbench(settings)
        return _opened[key]
