"""What the tests of formats share: reading and writing in memory."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping

from workbench.domain import NewExample, Payload, Spans
from workbench.formats import Change, Labeled, ReadOptions, Report, Source, WriteOptions, get_format


def read(
    name: str,
    data: bytes | str,
    task: str = "ner",
    columns: Mapping[str, str | int] | None = None,
    *,
    file: str = "file",
    **options: str,
) -> tuple[list[NewExample], Report]:
    content = data.encode() if isinstance(data, str) else data
    report = Report()
    source = Source(file, content)
    examples = get_format(name).read(source, ReadOptions(task, columns or {}, **options), report)  # type: ignore[arg-type]
    return list(examples), report


def write(
    name: str, items: Iterable[Labeled], task: str, labels: tuple[str, ...] = (), scheme: str = "IOB2"
) -> bytes:
    out = io.BytesIO()
    get_format(name).write(items, out, WriteOptions(task, labels, scheme), Report())
    return out.getvalue()


def labeled(examples: Iterable[NewExample]) -> list[Labeled]:
    return [
        Labeled(item.external_id, item.document, item.content, item.payload, item.meta, "train")
        for item in examples
    ]


def patch(name: str, data: bytes | str, report: Report, changes: list[tuple[NewExample, Payload]]) -> bytes:
    content = data.encode() if isinstance(data, str) else data
    return get_format(name).patch(
        Source("file", content),
        report.mapping,
        [Change(item.locator, item.content, item.payload, after) for item, after in changes],
        Report(),
    )


def surfaces(example: NewExample) -> list[tuple[str, str]]:
    assert isinstance(example.payload, Spans)
    return [(example.content.text[span.start : span.end], span.label) for span in example.payload.spans]
