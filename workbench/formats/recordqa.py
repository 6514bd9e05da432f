"""A question with its context and answers, of one JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.domain import Answer, Answers, ExampleText, Payload
from workbench.formats.answers import locate, moved, place_in, unique
from workbench.formats.jsontext import expect
from workbench.formats.record import TEXT_KEYS, Record


def read_question(record: Record, locator: dict[str, Any]) -> tuple[ExampleText, Payload | None]:
    """Question, context and answers; ``locator`` learns the answers' key and shape. Raises FormatError."""
    question_key = record.key("question", ("question",))
    context_key = record.key("text", ("context", *TEXT_KEYS))
    if question_key is None or context_key is None:
        raise record.error(
            "has no question or no context", "name them (--column question=KEY --column text=KEY)"
        )
    question = expect(
        record.value.get(question_key), str, f"a text at {question_key!r}", record.file, record.line
    )
    context = expect(
        record.value.get(context_key), str, f"a text at {context_key!r}", record.file, record.line
    )
    record.shape = "questions with contexts"
    key = record.key("answers", ("answers", "answer"))
    content = ExampleText(context, (), question)
    locator |= {"key": key or "answers", "shape": "answers"}
    impossible = record.value.get("is_impossible", record.value.get("no_answer")) is True
    raw = record.value.get(key) if key is not None else None
    if raw is None:
        return content, Answers() if impossible else None
    pairs = _answer_pairs(record, raw, locator)
    if not pairs:
        # An empty list is how Hugging Face's SQuAD 2 says that there is no answer.
        return content, Answers()
    found: list[Answer] = []
    for text, start, end in pairs:
        if text is None and start is not None and end is not None:
            text = context[start:end] if 0 <= start < end <= len(context) else ""  # noqa: PLW2901
        answer, mended = locate(context, text or "", start)
        if answer is None:
            record.report.warn(
                f"the answer {(text or '')[:60]!r} is nowhere in its context and is left out", record.line
            )
            continue
        if mended and start is not None:
            record.report.repair(moved(text or "", start, answer.start), record.line)
        found.append(answer)
    return content, Answers(unique(found)) if found else None


def _answer_pairs(
    record: Record, raw: Any, locator: dict[str, Any]
) -> list[tuple[str | None, int | None, int | None]]:
    if isinstance(raw, str):
        locator["shape"] = "string"
        return [(raw, None, None)] if raw else []
    if isinstance(raw, Mapping) and isinstance(raw.get("text"), list):
        locator["shape"] = "columns"
        starts = expect(
            raw.get("answer_start", []), list, "a list at 'answer_start'", record.file, record.line
        )
        texts = [expect(text, str, "an answer's text", record.file, record.line) for text in raw["text"]]
        return [
            (text, place_in(start), None)
            for text, start in zip(texts, [*starts, *[None] * len(texts)], strict=False)
        ]
    items = raw if isinstance(raw, list) else [raw]
    pairs: list[tuple[str | None, int | None, int | None]] = []
    for item in items:
        if isinstance(item, str):
            pairs.append((item, None, None))
            continue
        expect(item, Mapping, "an answer", record.file, record.line)
        text = item.get("text")
        if text is not None:
            expect(text, str, "an answer's text", record.file, record.line)
        start, end = (
            place_in(item.get("answer_start", item.get("start"))),
            place_in(item.get("end", item.get("answer_end"))),
        )
        if text is None and (start is None or end is None):
            raise record.error("has an answer without a text or a place", "give text and answer_start")
        pairs.append((text, start, end))
    return pairs
