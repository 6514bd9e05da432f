"""Files to checked rows: everything that happens to an import before the first write.

A file is read to its end, each example checked, before anything is stored; what is wrong is an error then, and
nothing has been written. Rows wait in a ``Spool``, so that the writing transaction does nothing but write.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from workbench.domain import ExampleText, NewExample, Project, Spans, Split
from workbench.errors import FormatError, InvalidInput, InvalidPayload
from workbench.formats import FORMATS, Format, ReadOptions, Report, Source, get_format
from workbench.formats.base import split_named
from workbench.services.splits import TOLD, SplitPlan
from workbench.services.spool import Row, Spool
from workbench.storage.rows import json_text
from workbench.tasks import Task, get_task

LONGEST_NAME = 300
"""Longest name of an example or document (an index of PostgreSQL holds no more than 2,700 bytes)."""
FIRST = 20
"""Examples that a preview shows."""

Progress = Callable[[str, int], None]
"""Called now and then with the file's name and the number of examples read."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What a person has said about the files of one import; None and ``auto`` are found out.

    Attributes:
        format: A format's name or alias, or ``auto``.
        columns: See ``formats.ReadOptions``, like the others.
        unlabeled: Keep the labels in the files aside as a simulated annotator's answers.
        force: Import files again that the project has already.
        plan: How examples are split; by default all go to the one split that is told.
    """

    format: str = "auto"
    columns: Mapping[str, str | int] = field(default_factory=dict)
    encoding: str = "utf-8"
    separator: str | None = None
    scheme: str | None = None
    sentences: str | None = None
    unlabeled: bool = False
    force: bool = False
    plan: SplitPlan = TOLD


@dataclass(slots=True)
class Parsed:
    """One file, read and checked.

    ``splits`` (one per row), ``near_duplicates`` and ``sketches`` are found when all files have been read.
    """

    source: Source
    format: str
    report: Report
    rows: Spool
    documents: list[str] = field(default_factory=list)
    tokens: int = 0
    entities: int = 0
    answers: int = 0
    labeled: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    first: list[NewExample] = field(default_factory=list)
    duplicates: int = 0
    splits: list[str] = field(default_factory=list)
    near_duplicates: int = 0
    sketches: NDArray[np.uint8] | None = None
    hashes: set[str] = field(default_factory=set)

    def close(self) -> None:
        """Give the rows up."""
        self.rows.close()


def detect_format(source: Source, task: str) -> Format:
    """The format that a file looks most like.

    Raises:
        FormatError: It looks like none of them, or like one that can't hold examples of the task type.
    """
    if not source.data.strip():
        raise FormatError("is empty", file=source.name, remedy="check that it is the right file")
    ranked = sorted(
        ((item.sniff(source.head, source.name), item) for _, item in FORMATS.items()),
        key=lambda pair: -pair[0],
    )
    best = ranked[0][1]
    if ranked[0][0] > 0.5 and task not in best.tasks:
        raise FormatError(
            f"looks like {best.title}, which holds no {get_task(task).title.lower()}",
            file=source.name,
            remedy=f"import it into a project of type {' or '.join(sorted(best.tasks))}, or name its --format",
        )
    for score, item in ranked:
        if score > 0 and task in item.tasks:
            return item
    raise FormatError(
        "looks like no format known here", file=source.name, remedy=f"name its --format: {', '.join(FORMATS)}"
    )


def choose_format(source: Source, task: Task, name: str) -> Format:
    """The format of that name, or for ``auto`` the one that the file looks most like.

    Raises:
        FormatError: It looks like none.
        InvalidInput: The format can't hold examples of the task type.
    """
    chosen = detect_format(source, task.name) if name == "auto" else get_format(name)
    if task.name not in chosen.tasks:
        raise InvalidInput(
            f"{chosen.title} holds no {task.title.lower()}",
            where=source.name,
            remedy=f"use it in a project of type {' or '.join(sorted(chosen.tasks))}",
        )
    return chosen


def parse(
    source: Source, project: Project, options: ImportOptions, progress: Progress | None = None
) -> Parsed:
    """Read a file to its end and check every example.

    Raises:
        FormatError: The file is not what it says; with the line.
        InvalidInput: The options do not fit it.
    """
    task = get_task(project.task)
    chosen = choose_format(source, task, options.format)
    report = Report(file=source.name)
    parsed = Parsed(source, chosen.name, report, Spool())
    read_options = ReadOptions(
        task=task.name,
        columns=options.columns,
        encoding=options.encoding,
        separator=options.separator,
        scheme=options.scheme,
        sentences=options.sentences,
    )
    try:
        _take(parsed, task, project, chosen.read(source, read_options, report), progress)
        if not len(parsed.rows):
            why = f" ({report.warnings[0].message})" if report.warnings else ""
            raise FormatError(
                f"holds no examples{why}", file=source.name, remedy="check that it is the right file"
            )
    except BaseException:
        parsed.close()
        raise
    return parsed


def _take(
    parsed: Parsed, task: Task, project: Project, examples: Iterator[NewExample], progress: Progress | None
) -> None:
    documents: dict[str, int] = {}
    names = _Names(parsed.report)
    known = {label.name for label in project.labels}
    label_set = tuple(known)
    for example in examples:
        payload = None
        if example.payload is not None:
            used = task.labels_in(example.payload)
            parsed.labels.update(used)
            if not known.issuperset(used):
                known.update(used)
                label_set = tuple(known)
            _check(task, example, label_set, parsed.source.name)
            dumped = task.dump(example.payload)
            payload = json_text(dumped)
            parsed.labeled += 1
            parsed.entities += len(used) if isinstance(example.payload, Spans) else 0
            parsed.answers += len(dumped.get("answers", ()))
        content = example.content
        words = len(content.tokens) if content.question is None else count_words(content)
        document = shortened(example.document)
        digest = content_hash(content)
        parsed.duplicates += digest in parsed.hashes
        parsed.hashes.add(digest)
        parsed.tokens += words
        parsed.rows.add(
            Row(
                document=documents.setdefault(document, len(documents)),
                external_id=names.unique(example.external_id),
                text=content.text,
                question=content.question,
                # A list of integers prints as JSON, several times quicker than an encoder writes it.
                tokens=repr(list(chain.from_iterable(content.tokens))),
                words=words,
                content_hash=digest,
                locator=json_text(example.locator) or "{}",
                meta=json_text(example.meta) or "{}",
                payload=payload,
                split=_split_of(example),
            )
        )
        if len(parsed.first) < FIRST:
            parsed.first.append(example)
        if progress is not None and len(parsed.rows) % 1_000 == 0:
            progress(parsed.source.name, len(parsed.rows))
    parsed.documents = list(documents)
    names.tell()


def _split_of(example: NewExample) -> str | None:
    """What the file says that the example is for."""
    split = example.split or split_named(example.meta.get("split"))
    return None if split is None else split.value


def _check(task: Task, example: NewExample, labels: Sequence[str], file: str) -> None:
    assert example.payload is not None
    try:
        task.validate(example.payload, example.content, labels)
    except InvalidPayload as error:
        line = example.locator.get("line")
        raise FormatError(
            f"{example.external_id}: {error.message}",
            file=file,
            line=line if isinstance(line, int) else None,
            remedy=error.remedy,
        ) from error


class _Names:
    """Makes the names of examples unique within their file."""

    def __init__(self, report: Report) -> None:
        self._seen: set[str] = set()
        self._numbers: Counter[str] = Counter()
        self._report = report

    def unique(self, name: str) -> str:
        """The name, or one with a number behind it where it was given before."""
        name = wanted = shortened(name)
        while name in self._seen:
            self._numbers[wanted] += 1
            name = f"{wanted}#{self._numbers[wanted] + 1}"
        self._seen.add(name)
        return name

    def tell(self) -> None:
        """Let the report know of names that were given twice."""
        repeated = self._numbers.total()
        if repeated:
            self._report.warn(f"{repeated:,} ids were given before in this file; a number makes them unique")


def shortened(name: str) -> str:
    """The name, if it is longer than an index can hold its beginning and a hash of all of it."""
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 17]}…{hashlib.blake2b(name.encode(), digest_size=8).hexdigest()}"


def content_hash(content: ExampleText) -> str:
    """Hash of what an annotator would read, 32 hexadecimal digits; equal for exact duplicates."""
    digest = hashlib.blake2b(content.text.encode(), digest_size=16)
    if content.question is not None:
        digest.update(b"\0" + content.question.encode())
    return digest.hexdigest()


def count_words(content: ExampleText) -> int:
    """Words of a context and its question."""
    return _count_words(content.text) + len((content.question or "").split())


@lru_cache(maxsize=16)
def _count_words(text: str) -> int:
    return len(text.split())


def count_duplicates(
    files: Sequence[Parsed], stored: Callable[[Sequence[str]], Mapping[str, frozenset[Split]]]
) -> dict[str, frozenset[Split]]:
    """Count the exact duplicates of each file: within it, of the files before, and of what is stored.

    Args:
        files: Read and checked; their ``duplicates``, counted within each so far, grow by those across.
        stored: Gives the splits in which the project has a content hash already.

    Returns:
        What ``stored`` has given.
    """
    seen: set[str] = set()
    known: dict[str, frozenset[Split]] = {}
    for parsed in files:
        fresh = sorted(parsed.hashes - seen)
        parsed.duplicates += len(parsed.hashes) - len(fresh)
        seen |= parsed.hashes
        found = stored(fresh)
        parsed.duplicates += len(found)
        known.update(found)
    return known
