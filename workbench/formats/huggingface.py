"""A folder that ``datasets.load_dataset`` takes: a Parquet file for each split, with the labels' names in it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from workbench.domain import Answers, Spans, Tags
from workbench.formats.base import Labeled, Report, WriteOptions
from workbench.formats.chunktags import write_tags
from workbench.tasks.schemes import OUTSIDE, PREFIXES, check_scheme

ROWS = 5_000
"""Rows of one row group."""


def write_folder(items: Iterable[Labeled], folder: Path, options: WriteOptions, report: Report) -> int:
    """Write examples into an empty folder; how many.

    ``data/<split>.parquet`` hold tokens with ner_tags or pos_tags as ClassLabel features, or the columns of SQuAD;
    README.md tells ``load_dataset`` which file is which split.
    """
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    features = _features(options)
    schema = features.arrow_schema
    writers: dict[str, pq.ParquetWriter] = {}
    waiting: dict[str, list[dict[str, Any]]] = {}
    data = folder / "data"
    data.mkdir(parents=True)

    def flush(split: str) -> None:
        rows = [features.encode_example(row) for row in waiting[split]]
        writers[split].write_table(pa.Table.from_pylist(rows, schema=schema))
        waiting[split].clear()

    written = 0
    try:
        for item in items:
            if item.payload is None:
                report.skip(f"{item.external_id}: no labels")
                continue
            split = item.split or "train"
            if split not in writers:
                writers[split] = pq.ParquetWriter(data / f"{split}.parquet", schema)
                waiting[split] = []
            waiting[split].append(_row(item, options))
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


def _features(options: WriteOptions) -> Any:
    from datasets import ClassLabel, Features, List, Value

    text = Value("string")
    if options.task == "qa":
        answers = {"text": List(text), "answer_start": List(Value("int32"))}
        return Features({"id": text, "title": text, "context": text, "question": text, "answers": answers})
    names = list(options.labels)
    column = "pos_tags"
    if options.task == "ner":
        column = "ner_tags"
        prefixes = PREFIXES[check_scheme(options.scheme)]
        names = [OUTSIDE, *(f"{prefix}-{label}" for label in options.labels for prefix in prefixes)]
    return Features(
        {
            "id": text,
            "document": text,
            "text": text,
            "tokens": List(text),
            column: List(ClassLabel(names=names or [OUTSIDE])),
        }
    )


def _row(item: Labeled, options: WriteOptions) -> dict[str, Any]:
    content, payload = item.content, item.payload
    if isinstance(payload, Answers):
        pairs = [(content.text[answer.start : answer.end], answer.start) for answer in payload.answers]
        return {
            "id": item.external_id,
            "title": str(item.meta.get("title") or item.document),
            "context": content.text,
            "question": content.question or "",
            "answers": {"text": [text for text, _ in pairs], "answer_start": [start for _, start in pairs]},
        }
    row = {"id": item.external_id, "document": item.document, "text": content.text, "tokens": content.words}
    if isinstance(payload, Tags):
        # -1 is how ClassLabel says that there is none.
        return {**row, "pos_tags": [-1 if tag is None else tag for tag in payload.tags]}
    assert isinstance(payload, Spans)
    return {**row, "ner_tags": write_tags(payload, content, options.scheme)}


def _card(splits: list[str]) -> str:
    files = "".join(f"  - split: {split}\n    path: data/{split}.parquet\n" for split in splits)
    return f"---\nconfigs:\n- config_name: default\n  data_files:\n{files}---\n"
