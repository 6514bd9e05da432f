"""Examples as JSON objects: our own (Prodigy's keys), spaCy's ``Doc.to_json``, doccano's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.domain import Answers, Spans, Tags
from workbench.formats.base import Labeled, Report, WriteOptions
from workbench.formats.layout import UNIVERSAL
from workbench.formats.record import PARTIAL
from workbench.formats.recordwrite import values_for
from workbench.formats.spanlist import apart


def own(item: Labeled, options: WriteOptions, report: Report) -> dict[str, Any]:
    """Id, document, split, text and tokens (or question and context), labels under Prodigy's keys."""
    content, payload = item.content, item.payload
    value: dict[str, Any] = {"id": item.external_id, "document": item.document, "split": item.split}
    if isinstance(payload, Answers):
        value |= {"question": content.question, "context": content.text}
        answers = _scored(values_for("answers", payload, content, {}), item)
        value |= {"answers": answers, "is_impossible": payload.no_answer}
    else:
        value["text"] = content.text
        value["tokens"] = [
            {"text": content.text[start:end], "start": start, "end": end, "id": number}
            for number, (start, end) in enumerate(content.tokens)
        ]
        if isinstance(payload, Tags):
            value["tags"] = list(payload.tags)
            value |= {"scores": list(item.scores)} if item.scores else {}
        elif isinstance(payload, Spans):
            value["spans"] = _scored(values_for("spans", payload, content, {}), item)
            value |= {PARTIAL: True} if payload.partial else {}
    if item.meta:
        value["meta"] = dict(item.meta)
    return value | _told(item, options)


def _scored(labels: list[dict[str, Any]], item: Labeled) -> list[dict[str, Any]]:
    """A model's labels, each with its score."""
    if not item.scores:
        return labels
    return [{**label, "score": score} for label, score in zip(labels, item.scores, strict=True)]


def spacy(item: Labeled, options: WriteOptions, report: Report) -> dict[str, Any]:
    """What ``spacy.tokens.Doc(vocab).from_json`` takes, which leaves id, document and split aside."""
    content = item.content
    tokens: list[dict[str, Any]] = [
        {"id": number, "start": start, "end": end} for number, (start, end) in enumerate(content.tokens)
    ]
    entities: list[dict[str, Any]] = []
    if isinstance(item.payload, Tags):
        key = "pos" if options.labels and set(options.labels) <= UNIVERSAL else "tag"
        for token, tag in zip(tokens, item.payload.tags, strict=True):
            token[key] = tag or ""
    elif isinstance(item.payload, Spans):
        kept, over = apart(item.payload.spans)
        for span in over:
            report.lose(
                f"{item.external_id}: {span.label} from {span.start} to {span.end} overlaps another; left out"
            )
        entities = [{"start": span.start, "end": span.end, "label": span.label} for span in kept]
    value: dict[str, Any] = {"id": item.external_id, "document": item.document, "split": item.split}
    value |= {"text": content.text, "ents": entities, "tokens": tokens}
    return value | ({"meta": dict(item.meta)} if item.meta else {}) | _told(item, options)


def doccano(item: Labeled, options: WriteOptions, report: Report) -> dict[str, Any]:
    """Sequence labeling of doccano, which keeps every further key as the example's metadata."""
    assert item.payload is not None
    return {
        "id": item.external_id,
        "text": item.content.text,
        "label": values_for("triples", item.payload, item.content, {}),
        "tokens": [list(token) for token in item.content.tokens],
        "document": item.document,
        "split": item.split,
        **({"meta": dict(item.meta)} if item.meta else {}),
        **_told(item, options),
    }


def _told(item: Labeled, options: WriteOptions) -> dict[str, Any]:
    told: dict[str, Any] = {"annotator": item.annotator} if item.annotator is not None else {}
    return told | ({"provenance": dict(item.provenance)} if options.provenance else {})


OBJECTS: dict[str, Callable[[Labeled, WriteOptions, Report], dict[str, Any]]] = {
    "spacy": spacy,
    "doccano": doccano,
}
"""How an example is written, by the export's name; any other is ``own``."""
