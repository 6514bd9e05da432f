"""Datasets of the Hugging Face hub, and folders that its libraries wrote, as one Parquet file in memory.

What comes of it is a ``Source`` like any other: previewed, checked and kept by the same code. No code that comes with
a dataset is run.
"""

from __future__ import annotations

import io
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import FormatError, InvalidInput, NotFound, Unavailable
from workbench.formats.source import Source

PREFIX = "hub:"
"""Before a dataset's name where a path could stand."""
ANSWER_SECONDS = 10.0
"""How long the hub may take to say whether it has a dataset."""
_SAVED = ("dataset_dict.json", "state.json")
_DATA = (".parquet", ".arrow", ".json", ".jsonl", ".csv", ".tsv")


@dataclass(frozen=True, slots=True)
class HubOptions:
    """Which part of a dataset: configuration, revision (a branch, tag or commit), split; None takes the only one."""

    config: str | None = None
    revision: str | None = None
    split: str | None = None


def is_dataset(folder: Path) -> bool:
    """Whether a folder is one of ``save_to_disk``, or holds data files that ``load_dataset`` takes."""
    if any((folder / name).is_file() for name in _SAVED):
        return True
    return any(path.suffix in _DATA for path in (*folder.glob("*"), *folder.glob("data/*")))


def load_hub(name: str, options: HubOptions, max_bytes: int) -> Source:
    """A dataset of the hub.

    Raises:
        Unavailable: The hub does not answer, or wants somebody who is signed in.
        NotFound: It has no such dataset, configuration, revision or split.
        InvalidInput: It comes as a loading script, has several configurations or splits, or is too large.
    """
    with _told(name):
        from datasets import get_dataset_config_names, get_dataset_split_names, load_dataset
        from huggingface_hub import HfApi

        # One question first: whether the hub answers at all is known at once, without the libraries' retries.
        files = HfApi().dataset_info(name, revision=options.revision, timeout=ANSWER_SECONDS).siblings or []
        if f"{name.rpartition('/')[2]}.py" in {file.rfilename for file in files}:
            raise _script(name)
        config = _chosen(
            options.config,
            lambda: get_dataset_config_names(name, revision=options.revision),
            "configuration",
            "--config",
            name,
        )
        split = _chosen(
            options.split,
            lambda: get_dataset_split_names(name, config, revision=options.revision),
            "split",
            "--from-split",
            name,
        )
        data = load_dataset(name, config, revision=options.revision, split=split)
    parts = [
        part for part in (name, options.revision, config if config != "default" else None, split) if part
    ]
    return _as_source(" ".join(parts), data, max_bytes)


def load_folder(folder: Path, options: HubOptions, max_bytes: int) -> Source:
    """A dataset in a folder: one of ``save_to_disk``, or of data files. Raises InvalidInput, NotFound, FormatError."""
    name = folder.resolve().name
    with _told(str(folder)), tempfile.TemporaryDirectory() as cache:
        from datasets import DatasetDict, load_dataset, load_from_disk

        if any((folder / file).is_file() for file in _SAVED):
            found: Any = load_from_disk(str(folder))
        else:
            found = load_dataset(str(folder), options.config, cache_dir=cache)
        if isinstance(found, DatasetDict):
            split = _chosen(options.split, lambda: list(found), "split", "--from-split", name)
            found, name = found[split], f"{name} {split}"
        return _as_source(name, found, max_bytes)


def _chosen(given: str | None, known: Callable[[], list[str]], kind: str, option: str, name: str) -> str:
    names = known()
    if given is None and len(names) == 1:
        return names[0]
    listed = ", ".join(names[:30])
    if given is None:
        raise InvalidInput(f"has several {kind}s", where=name, remedy=f"choose one with {option}: {listed}")
    if given not in names:
        raise NotFound(f"has no {kind} {given!r}", where=name, remedy=f"choose from {listed}")
    return given


def _as_source(name: str, data: Any, max_bytes: int) -> Source:
    size = data.dataset_size or data.data.nbytes
    if size > max_bytes:
        raise InvalidInput(
            f"is larger than the {max_bytes // 1_048_576:,} MiB that an import takes",
            where=name,
            remedy="take a smaller split, or raise WORKBENCH_MAX_UPLOAD_MB",
        )
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    # Selected and shuffled rows are an index over the table; flattening makes them the table.
    table = data.flatten_indices().data.table if data._indices is not None else data.data.table
    out = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(data.features.arrow_schema.metadata), out)
    return Source(f"{name}.parquet", out.getvalue())


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Turns what the libraries raise into sentences with a remedy; keeps their progress bars off the terminal."""
    from datasets import disable_progress_bars, enable_progress_bars
    from datasets.data_files import EmptyDatasetError
    from datasets.exceptions import DataFilesNotFoundError, DatasetNotFoundError
    from datasets.utils import are_progress_bars_disabled

    bars = not are_progress_bars_disabled()
    disable_progress_bars()
    loggers = [logging.getLogger(library) for library in ("datasets", "huggingface_hub", "fsspec", "httpx")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    except (FormatError, InvalidInput, NotFound, Unavailable):
        raise
    except (DataFilesNotFoundError, EmptyDatasetError) as error:
        raise InvalidInput(
            "has no data files that can be read",
            where=name,
            remedy="name a dataset of Parquet, JSON or CSV files",
        ) from error
    except DatasetNotFoundError as error:
        raise _missing(name, error) from error
    except Exception as error:
        raise _explained(name, error) from error
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if bars:
            enable_progress_bars()


def _missing(name: str, error: BaseException) -> NotFound | Unavailable:
    said = str(error)
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "GatedRepoError" in kinds or "is a gated dataset" in said:
        return Unavailable(
            "is open to people only who have asked for it",
            where=name,
            remedy="ask on its page of the hub, and set HF_TOKEN to your token",
        )
    if "revision" in said.lower() and "doesn't exist" in said.lower():
        return NotFound("has no such revision", where=name, remedy="check the branch, tag or commit")
    return NotFound(
        "is no dataset that the hub shows to you",
        where=name,
        remedy="check the name; for a private one set HF_TOKEN",
    )


def _script(name: str) -> InvalidInput:
    return InvalidInput(
        "comes as a loading script, and no code of a dataset is run",
        where=name,
        remedy="take the files that the hub has made of it (--revision refs/convert/parquet), or another dataset",
    )


def _explained(name: str, error: Exception) -> Exception:
    """The sentence for an error by its kind; libraries below ``datasets`` have different ones for the same thing."""
    said = " ".join(str(error).split())[:300]
    if "Dataset scripts are no longer supported" in said or "trust_remote_code" in said:
        return _script(name)
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & {"RepositoryNotFoundError", "HFValidationError"}:
        return _missing(name, error)
    if kinds & {"RevisionNotFoundError"}:
        return NotFound("has no such revision", where=name, remedy="check the branch, tag or commit")
    if kinds & _UNREACHABLE or "offline" in said.lower():
        offline = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("HF_DATASETS_OFFLINE")
        return Unavailable(
            "the hub can't be reached" + (" (HF_HUB_OFFLINE is set)" if offline else ""),
            where=name,
            remedy="check the network or a proxy (HF_ENDPOINT, HTTPS_PROXY), or copy the files here and import those",
        )
    return FormatError(
        f"can't be loaded ({type(error).__name__}: {said})", file=name, remedy="check the dataset"
    )


_UNREACHABLE = frozenset(
    (
        "ConnectionError",
        "HfHubHTTPError",
        "HTTPStatusError",
        "LocalEntryNotFoundError",
        "OfflineModeIsEnabled",
        "TimeoutError",
        "TransportError",
    )
)
"""Names of the errors of a network that does not answer."""
