"""Examples as rows of a Hugging Face dataset: its features, as an Arrow schema, and the rows that fit them.

The schema carries the features in its metadata, which is where ``datasets`` (and ``formats.parquet``) look for them.
"""

from __future__ import annotations

import json
from typing import Any

from workbench.domain import Answers, Spans, Tags
from workbench.errors import InvalidPayload
from workbench.formats.base import Labeled, Report, WriteOptions, told_columns
from workbench.formats.chunktags import write_tags
from workbench.formats.spanlist import apart
from workbench.tasks.schemes import OUTSIDE, PREFIXES, check_scheme

_STRING = {"dtype": "string", "_type": "Value"}


def schema_of(options: WriteOptions, *, split: bool = False) -> Any:
    """The Arrow schema of ``row_of``; ``split`` adds a column of that name."""
    import pyarrow as pa  # type: ignore[import-untyped]

    features: dict[str, Any] = {"id": _STRING, "document": _STRING}
    if options.task == "qa":
        answers = {"text": _list(_STRING), "answer_start": _list({"dtype": "int32", "_type": "Value"})}
        features |= {"title": _STRING, "context": _STRING, "question": _STRING, "answers": answers}
    else:
        column, names = label_column(options)
        label = {"names": names, "_type": "ClassLabel"}
        features |= {"text": _STRING, "tokens": _list(_STRING), column: _list(label)}
        features["token_starts"] = _list({"dtype": "int32", "_type": "Value"})
    features |= {name: {"dtype": dtype, "_type": "Value"} for name, dtype in told_columns(options).items()}
    if split:
        features["split"] = _STRING
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.schema(
        [pa.field(name, _type(feature)) for name, feature in features.items()], metadata=metadata
    )


def label_column(options: WriteOptions) -> tuple[str, list[str]]:
    """Name of the column of tags, and the names of its classes in order."""
    if options.task == "pos":
        return "pos_tags", list(options.labels) or [OUTSIDE]
    prefixes = PREFIXES[check_scheme(options.scheme)]
    return "ner_tags", [OUTSIDE, *(f"{prefix}-{label}" for label in options.labels for prefix in prefixes)]


def _list(feature: Any) -> dict[str, Any]:
    return {"feature": feature, "_type": "List"}


def _type(feature: Any) -> Any:
    import pyarrow as pa

    kind = feature.get("_type")
    if kind == "List":
        return pa.list_(_type(feature["feature"]))
    if kind == "ClassLabel":
        return pa.int64()
    if kind == "Value":
        return getattr(pa, feature["dtype"])()
    return pa.struct([pa.field(name, _type(inner)) for name, inner in feature.items()])


def row_of(item: Labeled, options: WriteOptions, report: Report) -> dict[str, Any] | None:
    """One example in plain values, or None where it has no labels or can't be a row (the report hears of it)."""
    content, payload = item.content, item.payload
    if payload is None:
        report.skip(f"{item.external_id}: no labels")
        return None
    told = {name: item.provenance.get(name) for name in told_columns(options)}
    if "annotator" in told:
        told["annotator"] = item.annotator or told["annotator"]
    if isinstance(payload, Answers):
        pairs = [(content.text[answer.start : answer.end], answer.start) for answer in payload.answers]
        return {
            "id": item.external_id,
            "document": item.document,
            "title": str(item.meta.get("title") or item.document),
            "context": content.text,
            "question": content.question or "",
            "answers": {"text": [text for text, _ in pairs], "answer_start": [start for _, start in pairs]},
            **told,
        }
    column, names = label_column(options)
    index = {name: number for number, name in enumerate(names)}
    tags = _tags(item, payload, options, report)
    if tags is None:
        return None
    return {
        "id": item.external_id,
        "document": item.document,
        "text": content.text,
        "tokens": content.words,
        # -1 is how ClassLabel says that there is none.
        column: [-1 if tag is None else index[tag] for tag in tags],
        "token_starts": [start for start, _ in content.tokens],
        **told,
    }


def _tags(
    item: Labeled, payload: Spans | Tags, options: WriteOptions, report: Report
) -> list[str | None] | None:
    if isinstance(payload, Tags):
        return list(payload.tags)
    kept, over = apart(payload.spans)
    for span in over:
        report.lose(
            f"{item.external_id}: {span.label} from {span.start} to {span.end} overlaps another; left out"
        )
    try:
        return list(write_tags(Spans(tuple(kept)), item.content, options.scheme))
    except InvalidPayload as error:
        report.lose(f"{item.external_id}: {error.message}", example=True)
        return None
