"""SQuAD v1.1 and v2.0: passages with questions whose answers are stretches of the passage.

A document is a passage. Answers whose ``answer_start`` is wrong are moved to the nearest occurrence of their text;
those whose text is nowhere in the passage are listed and left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from workbench.domain import Answer, Answers, ExampleText, Json, NewExample
from workbench.formats.answers import locate, moved, place_in, unique
from workbench.formats.base import FORMATS, Change, Labeled, ReadOptions, Report, WriteOptions
from workbench.formats.columns import encoded
from workbench.formats.jsontext import check_meta, check_text, expect, parse
from workbench.formats.pathlines import PathLines
from workbench.formats.places import Path, find_values, replaced
from workbench.formats.record import refuse_columns
from workbench.formats.source import Source

QUESTIONS = ("data", "*", "paragraphs", "*", "qas", "*")
KNOWN = frozenset({"question", "id", "answers", "is_impossible"})
KNOWN_OF_PARAGRAPH = frozenset({"context", "qas"})


@dataclass(frozen=True, slots=True)
class _File:
    """What the questions of one file share."""

    name: str
    stem: str
    report: Report
    flagged: bool
    """Whether the file says which questions are impossible, so that one without answers is one of them."""
    lines: PathLines

    def line(self, place: tuple[int, int, int]) -> int | None:
        """The line of a question, by the indexes of article, paragraph and question."""
        i, j, k = place
        return self.lines.line(("data", i, "paragraphs", j, "qas", k))


class SquadFormat:
    """SQuAD JSON."""

    name = "squad"
    title = "SQuAD JSON"
    tasks = frozenset({"qa"})
    extension = ".json"

    def sniff(self, head: bytes, name: str) -> float:
        """By its keys."""
        text = head.decode("utf-8", "replace").lstrip()
        if not text.startswith("{"):
            return 0.0
        keys = sum(key in text for key in ('"data"', '"paragraphs"', '"qas"', '"context"'))
        return 0.98 if keys >= 3 else 0.0

    def read(self, source: Source, options: ReadOptions, report: Report) -> Iterator[NewExample]:
        """One example a question; ``locator`` holds the indexes of article, paragraph and question."""
        source.check(options.encoding)
        refuse_columns(options.columns, ())
        report.file = source.name
        report.mapping = {"encoding": options.encoding, "task": options.task}
        text = source.text(options.encoding)
        root = expect(parse(text, source.name), dict, "an object with a key 'data'", source.name)
        articles = expect(root.get("data"), list, "a list at 'data'", source.name)
        version = str(root.get("version", "")).lower().lstrip("v")
        file = _File(
            source.name,
            source.stem,
            report,
            version.startswith("2") or '"is_impossible"' in text,
            PathLines(text, QUESTIONS),
        )
        report.detected.append(f"SQuAD {version}" if version else "SQuAD without a version")
        for i, article in enumerate(articles):
            place = f"data[{i}]"
            expect(article, dict, f"an object at {place}", source.name)
            paragraphs = expect(article.get("paragraphs"), list, f"a list at {place}.paragraphs", source.name)
            title = check_text(str(article.get("title") or f"{source.stem} {i + 1}"), "a title", source.name)
            for j, paragraph in enumerate(paragraphs):
                yield from _paragraph(paragraph, title, (i, j), file)

    def write(self, items: Iterable[Labeled], out: BinaryIO, options: WriteOptions, report: Report) -> int:
        """Version 2.0, or 1.1 where every question has an answer (``squad-v1``, ``squad-v2``: that one).

        Questions of one passage stay together.
        """
        articles: dict[str, dict[str, Any]] = {}
        paragraphs: dict[tuple[str, str], dict[str, Any]] = {}
        impossible = options.variant == "squad-v2"
        written = 0
        for item in items:
            if item.payload is None or item.content.question is None:
                report.skip(f"{item.external_id}: no answer given yet")
                continue
            assert isinstance(item.payload, Answers)
            if item.payload.no_answer and options.variant == "squad-v1":
                report.lose(
                    f"{item.external_id}: has no answer, which SQuAD 1.1 can't say; left out", example=True
                )
                continue
            impossible = impossible or item.payload.no_answer
            title = str(item.meta.get("title") or item.document)
            key = (title, item.content.text)
            if key not in paragraphs:
                kept = _kept(item.meta, "paragraph", KNOWN_OF_PARAGRAPH)
                paragraphs[key] = {"context": item.content.text, **kept, "qas": []}
                article = articles.setdefault(title, {"title": title, "paragraphs": []})
                article["paragraphs"].append(paragraphs[key])
            paragraphs[key]["qas"].append(
                {
                    "id": item.external_id,
                    "question": item.content.question,
                    **_kept(item.meta, "extra", KNOWN),
                    "answers": _answers(item.payload, item.content),
                    "is_impossible": item.payload.no_answer,
                }
            )
            written += 1
        if not impossible:
            for paragraph in paragraphs.values():
                for question in paragraph["qas"]:
                    del question["is_impossible"]
        document = {"version": "v2.0" if impossible else "1.1", "data": list(articles.values())}
        out.write(json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n")
        return written

    def patch(self, source: Source, mapping: Json, changes: Sequence[Change], report: Report) -> bytes:
        """Nothing but answers and wordings that have changed, and new questions behind those of their context."""
        if not changes:
            return source.data
        encoding = str(mapping["encoding"])
        text = source.data.decode(encoding)
        bom = text.startswith("\ufeff")
        text = text.removeprefix("\ufeff")
        keys = ("question", "answers", "is_impossible")
        found = find_values(text, QUESTIONS[:-1], QUESTIONS, *((*QUESTIONS, key) for key in keys))
        places = {path: (start, end) for path, start, end in found}
        ascii_only = text.isascii()
        pieces: list[tuple[int, int, str]] = []
        pieces += _new_questions(changes, places, flagged="is_impossible" in text, ascii_only=ascii_only)
        for change in changes:
            if change.beside is not None:
                continue
            i, j, k = change.locator["path"]
            path = ("data", i, "paragraphs", j, "qas", k)
            assert isinstance(change.after, Answers)
            answers = json.dumps(_answers(change.after, change.content), ensure_ascii=ascii_only)
            flag = json.dumps(change.after.no_answer)
            if change.after.question is not None:
                worded = json.dumps(change.after.question, ensure_ascii=ascii_only)
                pieces.append((*places[(*path, "question")], worded))
            start, end = places.get((*path, "answers"), (0, 0))
            added = ""
            if end:
                pieces.append((start, end, answers))
            else:
                added += f', "answers": {answers}'
            if (*path, "is_impossible") in places:
                pieces.append((*places[(*path, "is_impossible")], flag))
            elif change.after.no_answer:
                added += f', "is_impossible": {flag}'
            if added:
                close = places[path][1] - 1
                pieces.append((close, close, added))
        return encoded("\ufeff" * bom + replaced(text, pieces), encoding)


def _paragraph(paragraph: Any, title: str, place: tuple[int, int], file: _File) -> Iterator[NewExample]:
    i, j = place
    where = f"data[{i}].paragraphs[{j}]"
    expect(paragraph, dict, f"an object at {where}", file.name)
    context = expect(paragraph.get("context"), str, f"a text at {where}.context", file.name)
    check_text(context, f"{where}.context", file.name)
    questions = expect(paragraph.get("qas"), list, f"a list at {where}.qas", file.name)
    if not context.strip():
        for k in range(len(questions)):
            file.report.skip(f"{where}: a question without a context is left out", file.line((i, j, k)))
        return
    extra = {key: value for key, value in paragraph.items() if key not in KNOWN_OF_PARAGRAPH}
    meta = {"title": title, **({"paragraph": check_meta(extra, file.name)} if extra else {})}
    for k, question in enumerate(questions):
        example = _question(question, context, (i, j, k), meta, file)
        if example is not None:
            yield example


def _question(
    raw: Any, context: str, place: tuple[int, int, int], meta: Json, file: _File
) -> NewExample | None:
    i, j, k = place
    where = f"data[{i}].paragraphs[{j}].qas[{k}]"
    expect(raw, dict, f"an object at {where}", file.name)
    text = expect(raw.get("question"), str, f"a text at {where}.question", file.name)
    check_text(text, f"{where}.question", file.name)
    name = raw.get("id")
    external_id = (
        check_text(str(name), "an id", file.name) if isinstance(name, str | int) and name != "" else where
    )
    if not text.strip():
        file.report.skip(f"{external_id}: an empty question is left out", file.line(place))
        return None
    payload, usable = _payload(raw, context, external_id, place, file)
    if not usable:
        return None
    extra = {key: value for key, value in raw.items() if key not in KNOWN}
    if extra:
        meta = {**meta, "extra": check_meta(extra, file.name)}
    return NewExample(
        ExampleText(context, (), text),
        payload,
        external_id=external_id,
        document=f"{meta['title']} {j + 1}",
        locator={"path": [i, j, k]},
        meta=meta,
    )


def _payload(
    raw: dict[str, Any], context: str, external_id: str, place: tuple[int, int, int], file: _File
) -> tuple[Answers | None, bool]:
    """The answers, and whether the question is of use (not when every answer it had is nowhere in the context)."""
    where = f"data[{place[0]}].paragraphs[{place[1]}].qas[{place[2]}]"
    answers = raw.get("answers")
    if answers is None and not raw.get("is_impossible"):
        return None, True
    given = expect([] if answers is None else answers, list, f"a list at {where}.answers", file.name)
    impossible = raw.get("is_impossible") is True
    if not given:
        return (Answers() if impossible or file.flagged else None), True
    if impossible:
        file.report.warn(
            f"{external_id}: is_impossible, yet it has answers; the answers are taken", file.line(place)
        )
    found: list[Answer] = []
    for number, item in enumerate(given):
        expect(item, dict, f"an object at {where}.answers[{number}]", file.name)
        text = expect(item.get("text"), str, f"a text at {where}.answers[{number}].text", file.name)
        answer, mended = locate(context, text, place_in(item.get("answer_start")))
        if answer is None:
            shown = text if len(text) <= 60 else f"{text[:57]}…"
            file.report.warn(
                f"{external_id}: the answer {shown!r} is nowhere in its context and is left out",
                file.line(place),
            )
            continue
        if mended:
            told = moved(text, item.get("answer_start"), answer.start)
            file.report.repair(f"{external_id}: {told}", file.line(place))
        found.append(answer)
    if not found:
        file.report.skip(f"{external_id}: no answer is left, so the question is left out", file.line(place))
        return None, False
    return Answers(unique(found)), True


def _new_questions(
    changes: Sequence[Change], places: Mapping[Path, tuple[int, int]], *, flagged: bool, ascii_only: bool
) -> Iterator[tuple[int, int, str]]:
    """Questions that were asked since, each behind the last one of its context."""
    for change in changes:
        if change.beside is None:
            continue
        assert isinstance(change.after, Answers)
        i, j, _ = change.beside["path"]
        close = places["data", i, "paragraphs", j, "qas"][1] - 1
        question: dict[str, Any] = {
            "id": change.name,
            "question": change.after.question or change.content.question,
            "answers": _answers(change.after, change.content),
        }
        if flagged or change.after.no_answer:
            question["is_impossible"] = change.after.no_answer
        yield close, close, f", {json.dumps(question, ensure_ascii=ascii_only)}"


def _kept(meta: Json, name: str, known: frozenset[str]) -> dict[str, Any]:
    """What a SQuAD file said beside its text; a column of another file may have the same name and hold anything."""
    found = meta.get(name)
    if not isinstance(found, Mapping):
        return {}
    return {key: value for key, value in found.items() if key not in known}


def _answers(payload: Answers, content: ExampleText) -> list[dict[str, Any]]:
    return [
        {"text": content.text[answer.start : answer.end], "answer_start": answer.start}
        for answer in payload.answers
    ]


FORMATS.add(SquadFormat.name, SquadFormat())
