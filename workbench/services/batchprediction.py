"""Files in, the same examples with a model's labels out: read as imports are, written as exports are."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, groupby, islice
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO, Protocol

from workbench.domain import ExampleText, Prediction
from workbench.domain.context import text_after, text_before
from workbench.errors import FormatError, InvalidInput
from workbench.formats import Labeled, Notice, ReadOptions, Report, Source, WriteOptions, get_format
from workbench.services.exportkinds import EXPORTS, FOLDER, SOURCE, find_export
from workbench.services.exportrows import BLOCKS, SourceLines
from workbench.services.importing import choose_format
from workbench.tasks import get_task

AT_A_TIME = 256
"""Examples that a model is given at once: enough for batches of alike length."""

KINDS = tuple(name for name in EXPORTS if name not in (SOURCE, FOLDER))
"""Kinds of export that are one file, made of examples alone."""


class Answering(Protocol):
    """A model that is asked; ``services.standing.StandingModel`` is one."""

    task: str
    labels: tuple[str, ...]
    context: int

    def predict(self, examples: Sequence[ExampleText]) -> list[Prediction]:
        """One prediction per example, in order."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a person has said about the files; see ``formats.ReadOptions``.

    Attributes:
        format: A format's name or alias, or ``auto``.
    """

    format: str = "auto"
    columns: Mapping[str, str | int] = field(default_factory=dict)
    encoding: str = "utf-8"
    separator: str | None = None
    sentences: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A file with predictions.

    Attributes:
        format: Kind of export.
        examples: How many are in it.
        skipped: Examples left out, since the format can't hold them.
        warnings: What the format could not hold.
    """

    format: str
    examples: int
    skipped: int
    warnings: tuple[Notice, ...]


def read_examples(sources: Iterable[Source], task: str, reading: Reading) -> Iterator[Labeled]:
    """The examples of files in their order, without the labels that they may have.

    Raises:
        FormatError: A file is not what it says, or holds nothing; with the line.
        InvalidInput: The options do not fit it.
    """
    options = ReadOptions(
        task=task,
        columns=reading.columns,
        encoding=reading.encoding,
        separator=reading.separator,
        sentences=reading.sentences,
    )
    for source in sources:
        chosen = choose_format(source, get_task(task), reading.format)
        report, lines, empty = Report(file=source.name), None, True
        for found in chosen.read(source, options, report):
            if chosen.name in BLOCKS and lines is None:
                lines = SourceLines(source, chosen.name, report.mapping)
            rows, layout = lines.of(found.locator, len(found.content.tokens)) if lines else ((), {})
            split = found.split.value if found.split else None
            empty = False
            yield Labeled(
                found.external_id, found.document, found.content, None, found.meta, split, rows, layout
            )
        if empty:
            why = f" ({report.warnings[0].message})" if report.warnings else ""
            raise FormatError(
                f"holds no examples{why}", file=source.name, remedy="check that it is the right file"
            )


def begun(items: Iterable[Labeled]) -> Iterator[Labeled]:
    """The same examples, the first read now: what is wrong with a file is told before a model is loaded for it."""
    rest = iter(items)
    first = list(islice(rest, 1))
    return chain(first, rest)


def predicted(model: Answering, items: Iterable[Labeled]) -> Iterator[tuple[Labeled, Prediction]]:
    """Each example with the model's labels in it, and all that the model said; some at a time are held.

    A model that reads sentences in their documents is told what stands around each in the file.
    """
    rest = in_documents(items, model.context) if model.context else ((item, item.content) for item in items)
    while part := list(islice(rest, AT_A_TIME)):
        found = model.predict([content for _, content in part])
        for (item, _), said in zip(part, found, strict=True):
            yield replace(item, payload=said.payload, scores=said.confidences), said


def in_documents(items: Iterable[Labeled], context: int) -> Iterator[tuple[Labeled, ExampleText]]:
    """Each example, and its text with what stands around it; of a document ``context`` on each side are held."""
    for _, document in groupby(items, key=attrgetter("document")):
        yield from _in_document(document, context)


def _in_document(document: Iterator[Labeled], context: int) -> Iterator[tuple[Labeled, ExampleText]]:
    earlier: deque[str] = deque(maxlen=context)  # the nearest first
    ahead = deque(islice(document, context + 1))
    while ahead:
        item = ahead.popleft()
        ahead.extend(islice(document, 1))
        before = text_before(earlier, context)
        after = text_after((other.content.text for other in ahead), context)
        yield item, replace(item.content, before=before, after=after)
        earlier.appendleft(item.content.text)


def write_predictions(
    model: Answering, items: Iterable[Labeled], kind: str, out: BinaryIO, scheme: str = "IOB2"
) -> Written:
    """Write examples with the model's labels.

    Args:
        model: Whose labels they are.
        items: The examples; see ``predicted``.
        kind: Of export, by name.
        out: Where to.
        scheme: Of NER tags, in formats that have tags.

    Raises:
        UnknownName, InvalidInput: There is no such kind, or it can't hold what the model says.
    """
    name = kind_named(kind, model.task)
    report = Report()
    options = WriteOptions(model.task, model.labels, scheme, name)
    count = get_format(EXPORTS[name].format).write(items, out, options, report)
    return Written(name, count, report.skipped, tuple(report.notices))


def kind_named(name: str, task: str) -> str:
    """The kind of export of that name. Raises UnknownName, InvalidInput where predictions can't go out so."""
    found, _ = find_export(name, task)
    if found not in KINDS:
        raise InvalidInput(
            f"predictions do not go out as {found}", remedy=f"choose from {', '.join(kinds_for(task))}"
        )
    return found


def kinds_for(task: str) -> list[str]:
    """The kinds of export that hold a task type's predictions."""
    return [name for name in KINDS if EXPORTS[name].holds(task)]


def kind_of_file(path: Path, task: str) -> str:
    """The kind of export that a file's ending names. Raises InvalidInput on one that none writes."""
    for name in kinds_for(task):
        if get_format(EXPORTS[name].format).extension == path.suffix.lower():
            return name
    raise InvalidInput(
        f"{path.name!r} does not say what to write",
        remedy=f"give --format, one of {', '.join(kinds_for(task))}",
    )
