"""A folder that ``datasets.load_dataset`` takes: a Parquet file for each split, with the labels' names in it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from workbench.formats.base import Labeled, Report, WriteOptions
from workbench.formats.hfrows import row_of, schema_of

ROWS = 5_000
"""Rows of one row group."""


def write_folder(items: Iterable[Labeled], folder: Path, options: WriteOptions, report: Report) -> int:
    """Write examples into an empty folder; how many.

    ``data/<split>.parquet`` hold tokens with ner_tags or pos_tags as ClassLabel features, or the columns of SQuAD;
    README.md tells ``load_dataset`` which file is which split.
    """
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    schema = schema_of(options)
    writers: dict[str, Any] = {}
    waiting: dict[str, list[dict[str, Any]]] = {}
    data = folder / "data"
    data.mkdir(parents=True)

    def flush(split: str) -> None:
        writers[split].write_table(pa.Table.from_pylist(waiting[split], schema=schema))
        waiting[split].clear()

    written = 0
    try:
        for item in items:
            row = row_of(item, options, report)
            if row is None:
                continue
            split = item.split or "train"
            if split not in writers:
                writers[split] = pq.ParquetWriter(data / f"{split}.parquet", schema)
                waiting[split] = []
            waiting[split].append(row)
            written += 1
            if len(waiting[split]) == ROWS:
                flush(split)
        for split, rows in waiting.items():
            if rows:
                flush(split)
    finally:
        for writer in writers.values():
            writer.close()
    (folder / "README.md").write_text(_card(list(writers)), encoding="utf-8")
    return written


def _card(splits: list[str]) -> str:
    files = "".join(f"  - split: {split}\n    path: data/{split}.parquet\n" for split in splits)
    return f"---\nconfigs:\n- config_name: default\n  data_files:\n{files}---\n"
