"""Options of Streamlit that follow from the workbench's settings, so that each thing is said once."""

from __future__ import annotations

from urllib.parse import urlsplit

from streamlit import config

from workbench.config import get_settings
from workbench.errors import WorkbenchError

HOSTS, UPLOAD = "server.allowedHosts", "server.maxUploadSize"
NOT_SAID = "<default>"
"""Where Streamlit says that an option was defined which nobody has set."""


def follow_settings() -> None:
    """Let in who asks for the host of the public address, and files as large as an import takes.

    Streamlit looks both up whenever somebody connects or uploads. What it was told itself, in ``STREAMLIT_SERVER_…``
    or by a flag, holds too: hosts beside that one, a size instead of the setting's.
    """
    _follow()
    config.on_config_parsed(
        _follow, force_connect=True
    )  # it reads .streamlit/config.toml again when that is edited


def _follow() -> None:
    try:
        settings = get_settings()
        host = urlsplit(settings.public_url or "").hostname
    except (WorkbenchError, ValueError):
        return  # a setting that can't be used is told where the workbench is opened
    allowed = config.get_option(HOSTS)
    if host and allowed:  # an empty list lets every host in
        config.set_option(HOSTS, [*allowed, host])
    if config.get_where_defined(UPLOAD) == NOT_SAID:
        config.set_option(UPLOAD, settings.max_upload_mb)
