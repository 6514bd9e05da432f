"""Looking into a comparison: examples by what changed, confusions, confident errors. Pure functions on an analysis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from workbench.domain import ExampleText
from workbench.services.comparison import Analysis
from workbench.tasks.mistakes import KINDS, NOTHING, Kind, Mistake

LENGTHS: tuple[tuple[int, int | None], ...] = ((1, 5), (6, 10), (11, 20), (21, 40), (41, None))
"""Classes of length, in words; None has no upper end. For questions: of the context, ten times as long."""


class Change(StrEnum):
    """What an example is, of two versions."""

    BROKEN = "broken"
    FIXED = "fixed"
    BOTH = "both wrong"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of examples is narrowed to; an empty one narrows nothing.

    Attributes:
        label: An error has it, in gold or predicted.
        kind: Of an error; where a label is wanted too, of the same one.
        document: Id of the document that the example stands in.
        length: Index into ``LENGTHS``.
    """

    label: str | None = None
    kind: Kind | None = None
    document: int | None = None
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """An example (its place in the analysis), and how sure the version was of the item that it is listed for."""

    index: int
    confidence: float
    mistake: Mistake | None = None


def changed(analysis: Analysis, change: Change, wanted: Wanted | None = None) -> list[int]:
    """Places of the examples that were fixed, broken or stayed wrong, in order, narrowed to what is wanted.

    The errors asked for are those of the version that has the example wrong; of the second where both have.
    """
    wanted = wanted or Wanted()
    return [
        index
        for index, (a, b) in enumerate(analysis.readings)
        if _is(change, a.all_right, b.all_right)
        and _fits(analysis, index, wanted)
        and _has_error(a.mistakes if change is Change.FIXED else b.mistakes, wanted)
    ]


def _is(change: Change, a_right: bool, b_right: bool) -> bool:
    if change is Change.FIXED:
        return b_right and not a_right
    if change is Change.BROKEN:
        return a_right and not b_right
    return not a_right and not b_right


def _fits(analysis: Analysis, index: int, wanted: Wanted) -> bool:
    example = analysis.examples[index].example
    if wanted.document is not None and example.document_id != wanted.document:
        return False
    return wanted.length is None or length_class(example.content) == wanted.length


def _has_error(mistakes: tuple[Mistake, ...], wanted: Wanted) -> bool:
    if wanted.label is None and wanted.kind is None:
        return True
    return any(
        (wanted.kind is None or each.kind is wanted.kind)
        and (wanted.label is None or wanted.label in (each.gold, each.predicted))
        for each in mistakes
    )


def words_of(content: ExampleText) -> int:
    """Length in words: tokens, or for questions words of the context."""
    return len(content.tokens) or len(content.text.split())


def length_class(content: ExampleText) -> int:
    """Index into ``LENGTHS``."""
    words = words_of(content) // (10 if content.question is not None else 1)
    return next((index for index, (_, high) in enumerate(LENGTHS) if high is None or words <= high), 0)


def length_name(index: int, questions: bool) -> str:
    """A class of length, in words."""
    low, high = LENGTHS[index]
    if questions:
        low, high = (0 if index == 0 else low * 10), None if high is None else high * 10 + 9
    return f"{low} to {high} words" if high is not None else f"{low} words or more"


def kinds_of(analysis: Analysis) -> tuple[Kind, ...]:
    """The kinds of error that the task type knows."""
    return KINDS.get(analysis.task, tuple(Kind))


def error_labels(analysis: Analysis) -> list[str]:
    """Labels that errors of either version have, the most frequent first."""
    counted: Counter[str] = Counter()
    for pair in analysis.readings:
        for reading in pair:
            for each in reading.mistakes:
                counted.update({each.gold, each.predicted} - {NOTHING})
    return [label for label, _ in counted.most_common()]


def error_kinds(analysis: Analysis) -> tuple[Counter[Kind], Counter[Kind]]:
    """How many errors of each kind either version makes."""
    first, second = (
        Counter(each.kind for pair in analysis.readings for each in pair[side].mistakes) for side in (0, 1)
    )
    return first, second


def confusion(analysis: Analysis, side: int) -> Counter[tuple[str, str]]:
    """How often each gold label (first) was predicted as each label; the empty label stands for nothing there.

    Args:
        analysis: The comparison.
        side: 0 for the one version, 1 for the other.
    """
    cells: Counter[tuple[str, str]] = Counter()
    for pair in analysis.readings:
        for label, number in pair[side].right.items():
            cells[label, label] += number
        cells.update((each.gold, each.predicted) for each in pair[side].mistakes)
    return cells


def behind(analysis: Analysis, side: int, gold: str, predicted: str) -> list[int]:
    """Places of the examples behind a cell of ``confusion``, in order."""
    found = []
    for index, pair in enumerate(analysis.readings):
        reading = pair[side]
        wrong = any((each.gold, each.predicted) == (gold, predicted) for each in reading.mistakes)
        if wrong or (gold == predicted and reading.right[gold]):
            found.append(index)
    return found


def confident_errors(analysis: Analysis, side: int) -> list[Found]:
    """Errors by falling confidence; an entity that was missed has none and is left out. Once per example."""
    found: dict[int, Found] = {}
    for index, place, mistake in _mistakes(analysis, side):
        judged = analysis.examples[index]
        sure = judged.confidences[side]
        if 0 <= place < len(sure):
            confidence = sure[place]
        elif analysis.task == "qa":
            confidence = judged.confidence[side]
        else:
            continue
        if index not in found or confidence > found[index].confidence:
            found[index] = Found(index, confidence, mistake)
    return sorted(found.values(), key=lambda each: (-each.confidence, each.index))


def unsure_right(analysis: Analysis, side: int) -> list[Found]:
    """Examples that are entirely right, the least certain first; those without any label are left out."""
    found = [
        Found(index, analysis.examples[index].confidence[side])
        for index, pair in enumerate(analysis.readings)
        if pair[side].all_right and pair[side].right
    ]
    return sorted(found, key=lambda each: (each.confidence, each.index))


def _mistakes(analysis: Analysis, side: int) -> Iterator[tuple[int, int, Mistake]]:
    for index, pair in enumerate(analysis.readings):
        for mistake in pair[side].mistakes:
            yield index, mistake.place, mistake
