"""File formats: parse and write, with line numbers and offsets. Each module registers its format on ``FORMATS``."""

from workbench.formats import brat, columns, conllu, jsonl, labelstudio, parquet, squad, table, textfile
from workbench.formats.base import (
    FORMATS,
    Change,
    Format,
    Labeled,
    Notice,
    ReadOptions,
    Report,
    WriteOptions,
    get_format,
)
from workbench.formats.source import Source

__all__ = [
    "FORMATS",
    "Change",
    "Format",
    "Labeled",
    "Notice",
    "ReadOptions",
    "Report",
    "Source",
    "WriteOptions",
    "brat",
    "columns",
    "conllu",
    "get_format",
    "jsonl",
    "labelstudio",
    "parquet",
    "squad",
    "table",
    "textfile",
]
