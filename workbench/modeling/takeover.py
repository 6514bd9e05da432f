"""What an earlier attempt of a run has left to go on from comes to a new one whole, or not at all.

Else an attempt that ends before it has got as far as the one before would hide what that one had.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CHECKPOINT = "checkpoint"
"""Folder of an attempt: all that another one can go on from."""


def take_over(attempt: Path, manifest: Mapping[str, Any]) -> Path:
    """Bring what an earlier attempt left to where this one keeps its own, before it keeps anything.

    Files are linked where the file system does that, for a checkpoint may have gigabytes. Nothing changes one in
    place: what is kept is written anew and renamed.

    Args:
        attempt: The run's folder.
        manifest: ``resume_from``, where there is one, names the earlier attempt's folder of that name.

    Returns:
        The attempt's folder, which may not be there.
    """
    own, earlier = attempt / CHECKPOINT, manifest.get("resume_from")
    if earlier and not own.exists() and Path(earlier).is_dir():
        part = attempt / f"{CHECKPOINT}.part"
        shutil.rmtree(part, ignore_errors=True)
        unfinished = shutil.ignore_patterns("*.part")
        shutil.copytree(earlier, part, ignore=unfinished, copy_function=_link)
        part.rename(own)
    return own


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
