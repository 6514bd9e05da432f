"""Parquet: a table with a column of texts, of tokens with tags, or of questions with contexts and answers.

What the Hugging Face libraries write into a file's metadata says what numbers in a column of tags stand for.
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, BinaryIO

from workbench.domain import Json, NewExample
from workbench.errors import FormatError
from workbench.formats.base import FORMATS, SAMPLE_ROWS, Change, Labeled, ReadOptions, Report, WriteOptions
from workbench.formats.chunktags import ChunkTags
from workbench.formats.hfrows import row_of, schema_of
from workbench.formats.jsontext import check_meta
from workbench.formats.record import ROLES, Record, refuse_columns
from workbench.formats.records import read_record
from workbench.formats.source import Source, check_encoding
from workbench.formats.textfile import tell_no_place

MAGIC = b"PAR1"
BATCH = 1_000
"""Rows that are in memory at a time."""
MAX_ROWS = 50_000_000
_THRIFT = 100_000_000
"""Bytes that the description of a file may claim."""


class ParquetFormat:
    """Parquet."""

    name = "parquet"
    title = "Parquet"
    tasks = frozenset({"ner", "pos", "qa"})
    extension = ".parquet"

    def sniff(self, head: bytes, name: str) -> float:
        """By its first bytes."""
        return 1.0 if head.startswith(MAGIC) else 0.0

    def read(self, source: Source, options: ReadOptions, report: Report) -> Iterator[NewExample]:
        """One example a row; ``locator`` holds the row, counted from 0."""
        check_encoding(options.encoding)
        refuse_columns(options.columns, ROLES)
        file = _open(source)
        schema = file.schema_arrow
        names = class_names(schema)
        report.file = source.name
        report.columns = list(schema.names)
        report.mapping = {"task": options.task, "columns": dict(options.columns), "scheme": options.scheme}
        told = [f"names for {column} in its features" for column in names]
        report.detected.append("; ".join([f"Parquet with {len(schema.names)} columns", *told]))
        chunks = ChunkTags(source.name, options.scheme)
        tagged = False
        for number, row in enumerate(_rows(file, source)):
            value = {key: _plain(item) for key, item in row.items()}
            if len(report.rows) < SAMPLE_ROWS:
                report.rows.append([str(item)[:200] for item in value.values()])
            heard = Report()
            record = Record(value, source.name, number + 1, options, heard, chunks)
            try:
                check_meta(value, source.name)
                _name_tags(value, names)
                example = read_record(record, source.stem)
            except FormatError as error:  # rows are not lines
                message = f"row {number + 1}: {error.message}"
                raise FormatError(message, file=source.name, remedy=error.remedy) from None
            report.repaired += heard.repaired
            report.skipped += heard.skipped
            for notice in heard.notices:
                report.warn(f"row {number + 1}: {notice.message}", kind=notice.kind)
            if example is not None:
                tagged |= record.shape.startswith("words with")
                yield replace(example, locator={"row": number})
        if tagged and options.task == "ner":
            report.mapping["scheme"] = chunks.settle(report)

    def write(self, items: Iterable[Labeled], out: BinaryIO, options: WriteOptions, report: Report) -> int:
        """Rows as ``datasets`` reads them, the labels as ClassLabel numbers with their names in the metadata."""
        import pyarrow as pa  # type: ignore[import-untyped]
        import pyarrow.parquet as pq  # type: ignore[import-untyped]

        schema = schema_of(options, split=True)
        written = 0
        rows: list[dict[str, Any]] = []
        with pq.ParquetWriter(out, schema, write_page_checksum=True) as writer:
            for item in items:
                row = row_of(item, options, report)
                if row is None:
                    continue
                rows.append(row | {"split": item.split})
                written += 1
                if len(rows) == BATCH:
                    writer.write_table(pa.Table.from_pylist(rows, schema=schema))
                    rows.clear()
            if rows:
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))
        return written

    def patch(self, source: Source, mapping: Json, changes: Sequence[Change], report: Report) -> bytes:
        """The bytes as they are: a changed column would be another file."""
        tell_no_place(source, changes, report)
        return source.data


def class_names(schema: Any) -> dict[str, list[str]]:
    """Names of the classes of each column whose features say them, from the metadata of the Hugging Face libraries."""
    try:
        told = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = told["info"]["features"]
        found = {str(column): _classes(feature) for column, feature in features.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return {column: names for column, names in found.items() if names}


def _classes(feature: Any) -> list[str]:
    """The names in a ClassLabel, or in a list of it."""
    if isinstance(feature, list) and feature:
        feature = feature[0]
    if not isinstance(feature, Mapping):
        return []
    if feature.get("_type") == "ClassLabel":
        names = feature.get("names")
        return [str(name) for name in names] if isinstance(names, list) else []
    return _classes(feature.get("feature"))


def _name_tags(value: dict[str, Any], names: Mapping[str, list[str]]) -> None:
    """Put names in place of numbers; -1 is how ``datasets`` says that there is none."""
    for column, classes in names.items():
        found = value.get(column)
        if not isinstance(found, list) or not all(type(item) is int for item in found):
            continue
        for item in found:
            if not -1 <= item < len(classes):
                raise FormatError(
                    f"has class {item} in {column}, whose features name {len(classes)}",
                    remedy="write the file anew with the names of all classes",
                )
        value[column] = [None if item < 0 else classes[item] for item in found]


def _open(source: Source) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(
            pa.BufferReader(source.data),
            thrift_string_size_limit=_THRIFT,
            thrift_container_size_limit=1_000_000,
            page_checksum_verification=True,
        )
        rows = file.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError, TypeError, MemoryError) as error:
        raise _damaged(source, error) from error
    if rows > MAX_ROWS:
        raise FormatError(f"claims to hold {rows:,} rows", file=source.name, remedy="split it")
    return file


def _rows(file: Any, source: Source) -> Iterator[dict[str, Any]]:
    import pyarrow as pa

    batches = file.iter_batches(batch_size=BATCH, use_threads=False)
    while True:
        try:
            batch = next(batches, None)
            if batch is None:
                return
            rows = batch.to_pylist()
        except (
            pa.ArrowException,
            OSError,
            ValueError,
            TypeError,
            KeyError,
            OverflowError,
            MemoryError,
        ) as error:
            raise _damaged(source, error) from error
        yield from rows


def _damaged(source: Source, error: BaseException) -> FormatError:
    said = str(error).splitlines()
    return FormatError(
        f"can't be read as Parquet ({said[0][:200] if said else type(error).__name__})",
        file=source.name,
        remedy="write the file anew",
    )


def _plain(value: Any) -> Any:
    """A value in JSON terms: what JSON has no word for as text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if isinstance(value, datetime.date | datetime.time | datetime.timedelta | decimal.Decimal):
        return str(value)
    return value


FORMATS.add(ParquetFormat.name, ParquetFormat())
