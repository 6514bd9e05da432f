"""Label Studio's JSON: a list of tasks with annotations. Its places count code points, as ours do.

Text comes from ``data.text`` (and ``data.question`` for QA). Tokens travel along in ``data.tokens``, which Label Studio
keeps and shows nowhere, so that they are the same when the file comes back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, BinaryIO

from workbench.domain import Answer, Answers, ExampleText, Json, NewExample, Payload, Spans, Tags
from workbench.errors import FormatError
from workbench.formats.answers import unique
from workbench.formats.base import FORMATS, Change, Labeled, ReadOptions, Report, WriteOptions
from workbench.formats.chunktags import ChunkTags
from workbench.formats.columns import encoded
from workbench.formats.jsontext import check_meta, expect, parse
from workbench.formats.places import find_values, replaced
from workbench.formats.record import Record, refuse_columns
from workbench.formats.recordtags import as_tags, read_tagged
from workbench.formats.source import Source

FROM, TO = "label", "text"
"""Names of the control and the object in Label Studio's own templates."""
ANSWER = "Answer"
NO_ANSWER = "no_answer"
_OWN = frozenset({"text", "question", "external_id", "document", "tokens", NO_ANSWER})


class LabelStudioFormat:
    """Label Studio JSON."""

    name = "label-studio"
    title = "Label Studio JSON"
    tasks = frozenset({"ner", "pos", "qa"})
    extension = ".json"

    def sniff(self, head: bytes, name: str) -> float:
        """By its keys."""
        text = head.decode("utf-8", "replace").lstrip()
        if not text.startswith("["):
            return 0.0
        return 0.95 if '"data"' in text and ('"annotations"' in text or '"predictions"' in text) else 0.0

    def read(self, source: Source, options: ReadOptions, report: Report) -> Iterator[NewExample]:
        """One example a task, with the labels of its first annotation that was not cancelled."""
        source.check(options.encoding)
        refuse_columns(options.columns, ())
        report.file = source.name
        report.mapping = {"encoding": options.encoding, "task": options.task}
        tasks = expect(
            parse(source.text(options.encoding), source.name), list, "a list of tasks", source.name
        )
        report.detected.append("Label Studio tasks")
        chunks = ChunkTags(source.name)
        for index, task in enumerate(tasks):
            where = f"[{index}]"
            expect(task, dict, f"an object at {where}", source.name)
            check_meta(task, source.name)
            data = expect(task.get("data"), dict, f"an object at {where}.data", source.name)
            annotation = _annotation(task, where, source.name)
            expect(data.get("text"), str, f"a text at {where}.data.text", source.name)
            heard = Report()
            record = Record(_flat(data, annotation), source.name, index + 1, options, heard, chunks)
            try:
                example = _example(record, data, annotation, index, source)
            except FormatError as error:  # a task has an index, not a line
                message = f"{where}: {error.message}"
                raise FormatError(message, file=source.name, remedy=error.remedy) from None
            report.repaired += heard.repaired
            report.skipped += heard.skipped
            for notice in heard.notices:
                report.warn(f"{where}: {notice.message}", kind=notice.kind)
            if example is not None:
                yield example

    def write(self, items: Iterable[Labeled], out: BinaryIO, options: WriteOptions, report: Report) -> int:
        """One task an example, its labels as one annotation, or one of each annotator."""
        written = 0
        out.write(b"[")
        for _, group in groupby(items, key=lambda item: (item.document, item.external_id, item.content)):
            labeled = [item for item in group if item.payload is not None or _without(item, report)]
            if not labeled:
                continue
            out.write(b",\n" if written else b"\n")
            out.write(json.dumps(_task(labeled, options), ensure_ascii=False).encode())
            written += len(labeled)
        out.write(b"\n]\n")
        return written

    def patch(self, source: Source, mapping: Json, changes: Sequence[Change], report: Report) -> bytes:
        """Nothing but the ``annotations`` (and a question worded anew) of the tasks that have changed."""
        if not changes:
            return source.data
        encoding = str(mapping["encoding"])
        text = source.data.decode(encoding)
        bom = "\ufeff" * text.startswith("\ufeff")
        text = text.removeprefix("\ufeff")
        found = find_values(text, ("*",), ("*", "annotations"), ("*", "data", "question"))
        places = {path: (start, end) for path, start, end in found}
        pieces: list[tuple[int, int, str]] = []
        for change in changes:
            if change.beside is not None:
                report.lose(
                    f"{change.name}: a question asked here has no place in {source.stem}; export it as squad"
                )
                continue
            index = int(change.locator["index"])
            value = json.dumps(
                [{"result": _results(change.after, change.content)}], ensure_ascii=text.isascii()
            )
            if isinstance(change.after, Answers) and change.after.question is not None:
                worded = json.dumps(change.after.question, ensure_ascii=text.isascii())
                pieces.append((*places[index, "data", "question"], worded))
            if (index, "annotations") in places:
                pieces.append((*places[index, "annotations"], value))
            else:
                close = places[index,][1] - 1
                pieces.append((close, close, f', "annotations": {value}'))
        return encoded(bom + replaced(text, pieces), encoding)


def _annotation(task: Mapping[str, Any], where: str, file: str) -> list[Any] | None:
    """The results of the task's first annotation that counts, or None."""
    annotations = expect(task.get("annotations", []), list, f"a list at {where}.annotations", file)
    for annotation in annotations:
        expect(annotation, dict, f"an object in {where}.annotations", file)
        if not annotation.get("was_cancelled"):
            results: list[Any] = expect(
                annotation.get("result", []), list, f"a list at {where}.annotations", file
            )
            return results
    return None


def _flat(data: Mapping[str, Any], results: list[Any] | None) -> dict[str, Any]:
    """The task as a text with spans; overlapping and empty ones are dealt with there."""
    flat: dict[str, Any] = {"text": data.get("text")}
    tokens = data.get("tokens")
    if isinstance(tokens, list) and all(_is_pair(token) for token in tokens):
        flat["tokens"] = [{"start": start, "end": end} for start, end in tokens]
    if results is not None:
        flat["spans"] = [_span(item) for item in results if _is_span(item)]
    return flat


def _is_pair(token: Any) -> bool:
    return isinstance(token, list) and len(token) == 2 and all(type(place) is int for place in token)


def _is_span(item: Any) -> bool:
    value = item.get("value") if isinstance(item, Mapping) else None
    return isinstance(value, Mapping) and isinstance(value.get("labels"), list) and bool(value["labels"])


def _span(item: Mapping[str, Any]) -> dict[str, Any]:
    value = item["value"]
    return {"start": value.get("start"), "end": value.get("end"), "label": value["labels"][0]}


def _example(
    record: Record, data: Mapping[str, Any], results: list[Any] | None, index: int, source: Source
) -> NewExample | None:
    content, payload = _labels(record, data, results)
    if not content.text.strip() or (content.question is not None and not content.question.strip()):
        record.report.skip("no text; the task is left out")
        return None
    external_id = str(data.get("external_id") or f"{source.stem}:{index + 1}")
    return NewExample(
        content,
        payload,
        external_id=external_id,
        document=str(data.get("document") or external_id),
        locator={"index": index},
        meta={key: value for key, value in data.items() if key not in _OWN},
    )


def _labels(
    record: Record, data: Mapping[str, Any], results: list[Any] | None
) -> tuple[ExampleText, Payload | None]:
    task = record.options.task
    if task == "qa":
        question = expect(data.get("question"), str, "a text at data.question", record.file)
        content = ExampleText(str(data["text"]), (), question)
        return content, None if results is None else _answers(record, content)
    as_ner = ReadOptions("ner", encoding=record.options.encoding)
    ner = Record(record.value, record.file, record.line, as_ner, record.report, record.chunks)
    content, payload = read_tagged(ner, {})
    if task == "ner" or not isinstance(payload, Spans):
        return content, payload
    return content, as_tags(record, payload, content)


def _answers(record: Record, content: ExampleText) -> Answers | None:
    """The answers; None where there were some and none of them is left, which does not mean that there is none."""
    found: list[Answer] = []
    given = record.value.get("spans", [])
    for span in given:
        start, end = span["start"], span["end"]
        placed = type(start) is int and type(end) is int and 0 <= start < end <= len(content.text)
        if placed and content.text[start:end].strip():
            found.append(Answer(start, end))
            continue
        record.report.warn(f"the answer {start} to {end} covers no text and is left out")
    return Answers(unique(found)) if found or not given else None


def _without(item: Labeled, report: Report) -> bool:
    report.skip(f"{item.external_id}: no labels")
    return False


def _task(items: Sequence[Labeled], options: WriteOptions) -> dict[str, Any]:
    item = items[0]
    content = item.content
    data: dict[str, Any] = {**item.meta, "text": content.text}
    if content.question is not None:
        data["question"] = content.question
    else:
        data["tokens"] = [list(token) for token in content.tokens]
    data |= {"external_id": item.external_id, "document": item.document}
    return {"data": data, "annotations": [_annotation_of(one, options) for one in items]}


def _annotation_of(item: Labeled, options: WriteOptions) -> dict[str, Any]:
    """Its labels, and who made them when under the keys of Label Studio's own exports."""
    assert item.payload is not None
    told = item.provenance if options.provenance else {"annotator": item.annotator}
    named = {"created_username": "annotator", "created_at": "labeled_at", "lead_time": "seconds"}
    known = {key: told[name] for key, name in named.items() if told.get(name) is not None}
    return {"result": _results(item.payload, item.content), **known}


def _results(payload: Payload, content: ExampleText) -> list[dict[str, Any]]:
    if isinstance(payload, Spans):
        found = [(span.start, span.end, span.label) for span in payload.spans]
    elif isinstance(payload, Tags):
        pairs = zip(content.tokens, payload.tags, strict=True)
        found = [(start, end, tag) for (start, end), tag in pairs if tag is not None]
    else:
        found = [(answer.start, answer.end, ANSWER) for answer in payload.answers]
    return [
        {
            "id": f"r{number}",
            "from_name": FROM,
            "to_name": TO,
            "type": "labels",
            "value": {"start": start, "end": end, "text": content.text[start:end], "labels": [label]},
        }
        for number, (start, end, label) in enumerate(found)
    ]


FORMATS.add(LabelStudioFormat.name, LabelStudioFormat())
