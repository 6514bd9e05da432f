"""What a person names to import, as sources: files, archives, folders, datasets of the hub."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from workbench.errors import InvalidInput
from workbench.formats.hub import PREFIX, HubOptions, is_dataset, load_folder, load_hub
from workbench.formats.source import Source, has_pairs, paired, read_sources

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[\w.-]+)?")


def gather(paths: Sequence[Path | str], hub: HubOptions, max_bytes: int) -> list[Source]:
    """The sources at these paths, in order; texts with their annotations put together.

    ``hub:OWNER/NAME`` is a dataset of the Hugging Face hub. A folder holds texts with annotations (brat), or a dataset
    that the Hugging Face libraries wrote or can load.

    Raises:
        NotFound: There is no such file, dataset, configuration, revision or split.
        InvalidInput: It can't be imported; also FormatError.
        Unavailable: The hub does not answer.
    """
    found: list[Source] = []
    for path in paths:
        if str(path).startswith(PREFIX):
            found.append(load_hub(_checked(str(path).removeprefix(PREFIX)), hub, max_bytes))
        elif Path(path).is_dir() and not has_pairs(Path(path)) and is_dataset(Path(path)):
            found.append(load_folder(Path(path), hub, max_bytes))
        else:
            found += read_sources(Path(path), max_bytes)
    return paired(found)


def _checked(name: str) -> str:
    if not _HUB_NAME.fullmatch(name) or ".." in name:
        raise InvalidInput(f"{name!r} is no name of a dataset", remedy=f"write {PREFIX}OWNER/NAME")
    if Path(name).exists():  # the libraries would take it for the dataset
        raise InvalidInput(
            f"there is a file or folder {name!r} here", remedy="import it by its path, or start elsewhere"
        )
    return name
