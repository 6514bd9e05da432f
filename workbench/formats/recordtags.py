"""Words with tags, or a text with spans, of one JSON object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from workbench.domain import ExampleText, Offset, Payload, Span, Spans, Tags
from workbench.formats.chunktags import MAX_LABEL
from workbench.formats.jsontext import expect
from workbench.formats.record import REFUSED, SPAN_KEYS, TAG_KEYS, TEXT_KEYS, Record
from workbench.formats.spanlist import settled
from workbench.formats.tokenizer import aligned, cut_at, joined, tokenize


def read_tagged(record: Record, locator: dict[str, Any]) -> tuple[ExampleText, Payload | None]:
    """Text, tokens and labels; ``locator`` learns the labels' key and shape. Raises FormatError."""
    content, payload = _read(record, locator)
    if not record.partial or not isinstance(payload, Spans):
        return content, payload
    if not payload.spans:
        record.report.warn("partial labels without a span say nothing; imported without labels", record.line)
        return content, None
    record.shape += ", partial labels"
    return content, replace(payload, partial=True)


def _read(record: Record, locator: dict[str, Any]) -> tuple[ExampleText, Payload | None]:
    content = _content(record)
    task = record.options.task
    if record.value.get("answer") in REFUSED:
        record.report.warn(f"answer is {record.value['answer']!r}; imported without labels", record.line)
        locator |= {"key": "spans", "shape": "spans"}
        return content, None
    tag_key = _tag_key(record)
    if tag_key is not None and content.tokens:
        locator |= {"key": tag_key, "shape": "tags"}
        record.shape = f"words with {tag_key}"
        return content, _tags(record, tag_key, content, locator)
    if task == "pos" and (of_tokens := _tags_of_tokens(record, content)) is not None:
        locator |= {"key": "tags", "shape": "tags"} | _spaces(record)
        return content, of_tokens
    span_key = _span_key(record)
    if span_key is None:
        locator |= {"key": "tags", "shape": "tags"} if task == "pos" else {"key": "spans", "shape": "spans"}
        return content, None
    content, spans = _spans(record, span_key, content, locator)
    return content, spans if task == "ner" else as_tags(record, spans, content)


def _tag_key(record: Record) -> str | None:
    keys = TAG_KEYS[record.options.task]
    return record.key("tag", [key for key in keys if _looks_like_tags(record.value, key)])


def _span_key(record: Record) -> str | None:
    return record.key("spans", [key for key in SPAN_KEYS if isinstance(record.value.get(key), list)])


def as_tags(record: Record, spans: Spans, content: ExampleText) -> Tags | None:
    """Spans of single words as their tags; the report hears of the others."""
    found = {(span.start, span.end): span.label for span in spans.spans}
    missing = len(found) - sum(token in found for token in content.tokens)
    if missing:
        record.report.warn(f"{missing} labels cover no single word and are left out", record.line)
    tags = Tags(tuple(found.get(token) for token in content.tokens))
    return tags if any(tags.tags) else None


def _tags_of_tokens(record: Record, content: ExampleText) -> Tags | None:
    """Tags that stand in the tokens themselves, as in spaCy's ``Doc.to_json``, or None."""
    raw = record.value.get("tokens")
    if not isinstance(raw, list) or not all(isinstance(token, Mapping) for token in raw):
        return None
    tokens = _without_spaces(record, raw)
    for key in ("tag", "pos"):
        if len(tokens) == len(content.tokens) and any(token.get(key) for token in tokens):
            values = [_tag(record, token.get(key)) for token in tokens]
            return Tags(tuple(value or None for value in values))
    return None


def _looks_like_tags(value: Mapping[str, Any], key: str) -> bool:
    """Whether a list of plain values stands beside tokens (tags of a whole text are something else)."""
    found = value.get(key)
    return (
        isinstance(found, list)
        and ("tokens" in value or "words" in value)
        and all(item is None or isinstance(item, str | int) for item in found)
        and (bool(found) or key not in SPAN_KEYS)
    )


def _content(record: Record) -> ExampleText:
    raw = record.value.get("tokens", record.value.get("words"))
    text_key = record.key("text", TEXT_KEYS)
    text = record.value.get(text_key) if text_key is not None else None
    if text is not None:
        expect(text, str, f"a text at {text_key!r}", record.file, record.line)
    if raw is None:
        if text is None:
            raise record.error(
                "has neither a text nor tokens", "name the key of the text (--column text=KEY)"
            )
        return ExampleText(text, tokenize(text))
    expect(raw, list, "a list at 'tokens'", record.file, record.line)
    if all(isinstance(token, str) for token in raw):
        return _of_words(record, raw, text)
    if text is None:
        raise record.error("has tokens with places but no text", "give the text, or tokens as plain words")
    return ExampleText(text, _token_places(record, raw, text))


def _of_words(record: Record, words: list[str], text: str | None) -> ExampleText:
    """The text with its words where they make it up, else what the labels are about: places in it, or the words."""
    if not all(word.strip() for word in words):
        raise record.error("has a token without a character", "remove it, with its tag")
    if text is None:
        return ExampleText(*joined(words))
    offsets = _told(record, words, text) or aligned(words, text)
    if offsets is not None:
        return ExampleText(text, offsets)
    if _tag_key(record) is None and _span_key(record) is not None:
        record.report.warn("the tokens don't make up the text, which is cut into words anew", record.line)
        return ExampleText(text, tokenize(text))
    record.report.warn("the tokens don't make up the text, which is put together from them", record.line)
    return ExampleText(*joined(words))


def _told(record: Record, words: list[str], text: str) -> tuple[Offset, ...] | None:
    """Where the words lie by ``token_starts``, or None where that is missing or fits the text nowhere."""
    starts = record.value.get("token_starts")
    if not isinstance(starts, list) or len(starts) != len(words) or not all(type(s) is int for s in starts):
        return None
    places = tuple((start, start + len(word)) for start, word in zip(starts, words, strict=True))
    fits = all(start >= 0 and text.startswith(word, start) for start, word in zip(starts, words, strict=True))
    return places if fits and all(a[1] <= b[0] for a, b in pairwise(places)) else None


def _token_places(record: Record, raw: list[Any], text: str) -> tuple[Offset, ...]:
    places: list[Offset] = []
    spaces: list[int] = []
    end_before = 0
    for index, token in enumerate(raw):
        if isinstance(token, list) and len(token) == 2:
            start, end = token
        else:
            expect(token, Mapping, "a token with start and end", record.file, record.line)
            start, end = token.get("start"), token.get("end")
        expect(start, int, "a token's start", record.file, record.line)
        expect(end, int, "a token's end", record.file, record.line)
        if not end_before <= start < end <= len(text):
            raise record.error(
                f"has a token from {start} to {end} that overlaps another or leaves the text",
                "count in code points of the text, from 0, the end not included",
            )
        if text[start:end].strip():  # spaCy has tokens of white space; nobody labels them
            places.append((start, end))
        else:
            spaces.append(index)
        end_before = end
    record.spaces = tuple(spaces)
    return tuple(places)


def _without_spaces(record: Record, values: Sequence[Any]) -> list[Any]:
    """What is said of each token, less what is said of white space."""
    return [value for index, value in enumerate(values) if index not in record.spaces]


def _spaces(record: Record) -> dict[str, Any]:
    """Where tags that are written back have to leave room."""
    return {"spaces": list(record.spaces)} if record.spaces else {}


def _tags(record: Record, key: str, content: ExampleText, locator: dict[str, Any]) -> Payload | None:
    values = expect(record.value.get(key), list, f"a list at {key!r}", record.file, record.line)
    tokens = len(content.tokens) + len(record.spaces)
    if len(values) != tokens:
        raise record.error(f"has {len(values)} {key} for {tokens} tokens", "give one tag per token")
    values = _without_spaces(record, values)
    locator |= _spaces(record)
    if any(isinstance(value, int) for value in values):
        raise record.error(
            f"has numbers for {key}, and a JSON line can't say what they stand for",
            "write the tags' names (in datasets: features[...].feature.int2str)",
        )
    values = [_tag(record, value) for value in values]
    if record.options.task == "pos":
        return Tags(tuple(value or None for value in values)) if any(values) else None
    row = [value or "O" for value in values]
    bare = any(tag != "O" for tag in row) and not any(tag[1:2] == "-" for tag in row if tag != "O")
    if bare:
        locator["bare"] = True
        row = [tag if tag == "O" else f"I-{tag}" for tag in row]
    return record.chunks.spans(row, content.tokens, [record.line] * len(row))


def _tag(record: Record, value: Any) -> str | None:
    if value is None or (isinstance(value, str) and len(value) <= MAX_LABEL and value == value.strip()):
        return value
    raise record.error(f"has {str(value)[:40]!r} where a tag is expected", "write a tag's name")


def _spans(
    record: Record, key: str, content: ExampleText, locator: dict[str, Any]
) -> tuple[ExampleText, Spans]:
    values = expect(record.value.get(key), list, f"a list at {key!r}", record.file, record.line)
    locator |= {"key": key, "shape": "spans"}
    found = [_span(record, value, locator) for value in values]
    kept = settled(content.text, [(Span(*span), record.line) for span in found], record.report)
    record.shape = f"text with {key}"
    tokens = cut_at(content.tokens, [place for span in kept for place in (span.start, span.end)])
    if len(tokens) != len(content.tokens) and "tokens" in record.value:
        record.report.warn("a span ends inside of a token; the token is cut there", record.line)
    return ExampleText(content.text, tokens), Spans(_on_tokens(record, kept, tokens))


def _on_tokens(record: Record, spans: Sequence[Span], tokens: Sequence[Offset]) -> tuple[Span, ...]:
    starts, ends = {start for start, _ in tokens}, {end for _, end in tokens}
    fitting = [span for span in spans if span.start in starts and span.end in ends]
    for span in spans:
        if span not in fitting:
            record.report.warn(
                f"span {span.start} to {span.end} ({span.label}) begins or ends where no token is; left out",
                record.line,
            )
    return tuple(fitting)


def _span(record: Record, value: Any, locator: dict[str, Any]) -> tuple[int, int, str]:
    if isinstance(value, list) and len(value) == 3:
        start, end, label = value
        locator["shape"] = "triples"
    elif isinstance(value, Mapping):
        start = value.get("start", value.get("start_offset"))
        end = value.get("end", value.get("end_offset"))
        label = value.get("label", value.get("type", value.get("entity")))
        if "start_offset" in value:
            locator["shape"] = "offsets"
    else:
        raise record.error(
            "has a span that is neither [start, end, label] nor an object", "write one of these"
        )
    expect(start, int, "a span's start", record.file, record.line)
    expect(end, int, "a span's end", record.file, record.line)
    expect(label, str, "a span's label", record.file, record.line)
    if not label.strip() or len(label) > MAX_LABEL or "\n" in label:
        raise record.error(f"has {label[:40]!r} where a label is expected", "write a label's name")
    return start, end, label.strip()
