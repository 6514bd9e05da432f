"""Parts of a test set with scores of their own: by document, import, length, what training has seen, metadata."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from workbench.domain import Payload, Spans, Tags
from workbench.services.comparison import Analysis
from workbench.services.differences import LENGTHS, length_class, length_name
from workbench.services.judging import Judged, statistics_of
from workbench.statistics import Floats, grouped, paired_bootstrap, score
from workbench.tasks import get_task

MOST = 40
"""Parts that are scored; of more, those with most examples."""

LONGEST_VALUE = 60

Seen: TypeAlias = tuple[frozenset[str], frozenset[str]]
"""What the training data of either version holds: entities, words, or contexts."""

SEEN = ("new to both", "seen by {a} only", "seen by {b} only", "seen by both")
SEEN_TITLES = {
    "ner": "Entity seen in training",
    "pos": "Word seen in training",
    "qa": "Context seen in training",
}


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the examples (or of their entities or words) under both versions, in the metric's scale.

    ``low`` and ``high`` are the 95 % interval of the difference, by paired bootstrap; None where there is one document
    (or example) only, from which no interval can be drawn.
    """

    name: str
    examples: int
    a: float
    b: float
    difference: float
    low: float | None
    high: float | None


def slice_kinds(analysis: Analysis) -> dict[str, str]:
    """What the examples can be divided by, and its title: what makes two parts or more, and what was seen."""
    kinds = {}
    if len({length_class(each.content) for each in analysis.examples}) > 1:
        kinds["length"] = "Length"
    kinds["seen"] = SEEN_TITLES.get(analysis.task, "Seen in training")
    if len({row.document_id for row in analysis.judgement.rows}) > 1:
        kinds["document"] = "Document"
    if len({each.example.import_id for each in analysis.examples}) > 1:
        kinds["import"] = "Import"
    values: dict[str, set[str]] = {}
    for each in analysis.examples:
        for key, value in each.example.meta.items():
            if isinstance(value, (str, int, float, bool)) and len(str(value)) <= LONGEST_VALUE:
                values.setdefault(key, set()).add(str(value))
    for key, found in sorted(values.items()):
        if 1 < len(found) <= max(MOST, len(analysis.examples) // 5):
            kinds[f"meta:{key}"] = f"Metadata: {key}"
    return kinds


def slices(analysis: Analysis, kind: str, seen: Seen) -> tuple[Slice, ...]:
    """Both versions' scores on each part, the part with most examples first (lengths in their order).

    Args:
        analysis: The comparison.
        kind: A key of ``slice_kinds``.
        seen: What the versions were trained on (``ComparisonService.seen``); read for the kind ``seen`` alone.
    """
    if kind == "seen":
        return _by_seen(analysis, seen)
    names = [_value(analysis, each, kind) for each in analysis.examples]
    counted = Counter(name for name in names if name is not None)
    order = [name for name, _ in counted.most_common(MOST)]
    if kind == "length":
        questions = analysis.task == "qa"
        order = [name for name in (length_name(i, questions) for i in range(len(LENGTHS))) if name in counted]
    place = {name: index for index, name in enumerate(order)}
    mask = np.zeros((len(names), len(order)))
    for row, name in enumerate(names):
        if name in place:
            mask[row, place[name]] = 1.0
    task = get_task(analysis.task)
    sides = [
        {key: values[:, None] * mask for key, values in statistics_of(task, analysis.judgement, side).items()}
        for side in (0, 1)
    ]
    return _scored(analysis, order, sides, mask.sum(axis=0).astype(int).tolist())


def _value(analysis: Analysis, each: Judged, kind: str) -> str | None:
    if kind == "document":
        return analysis.documents.get(each.example.document_id)
    if kind == "import":
        return analysis.imports.get(each.example.import_id)
    if kind == "length":
        return length_name(length_class(each.content), analysis.task == "qa")
    value = each.example.meta.get(kind.removeprefix("meta:"))
    return None if value is None else str(value)


def _by_seen(analysis: Analysis, seen: Seen) -> tuple[Slice, ...]:
    """Scores over what neither, one or both versions have seen: their entities, words or contexts, by surface."""
    task = get_task(analysis.task)
    if analysis.task == "qa":
        sides = []
        mask = np.zeros((len(analysis.examples), len(SEEN)))
        for row, each in enumerate(analysis.examples):
            mask[row, _class(each.content.text, seen)] = 1.0
        for side in (0, 1):
            plain = statistics_of(task, analysis.judgement, side)
            sides.append({key: values[:, None] * mask for key, values in plain.items()})
        held = mask.sum(axis=0)
    else:
        tables = [_items_by_class(analysis, side, seen) for side in (0, 1)]
        names = ("correct", "predicted", "gold") if analysis.task == "ner" else ("correct", "", "tokens")
        sides = [{name: table[..., i] for i, name in enumerate(names) if name} for table in tables]
        held = (tables[0][..., 2] > 0).sum(axis=0)
    a, b = analysis.comparison.a, analysis.comparison.b
    titles = [name.format(a=f"version {a}", b=f"version {b}") for name in SEEN]
    rows = _scored(analysis, titles, sides, held.astype(int).tolist())
    return tuple(row for row in rows if row.examples)


def _class(surface: str, seen: Seen) -> int:
    return (surface in seen[0]) + 2 * (surface in seen[1])


def _items_by_class(analysis: Analysis, side: int, seen: Seen) -> Floats:
    """Right, predicted and gold items, shape (examples, classes of seen, 3)."""
    table = np.zeros((len(analysis.examples), len(SEEN), 3))
    for row, each in enumerate(analysis.examples):
        gold, guess = _items(each, each.gold), _items(each, each.predicted[side])
        if isinstance(each.gold, Tags):
            guess = {item for item in guess if any(item[:2] == truth[:2] for truth in gold)}
        for items, column in ((gold & guess, 0), (guess, 1), (gold, 2)):
            for start, end, _ in items:
                table[row, _class(each.content.text[start:end], seen), column] += 1
    return table


def _items(each: Judged, payload: Payload) -> set[tuple[int, int, str]]:
    if isinstance(payload, Spans):
        return {(span.start, span.end, span.label) for span in payload.spans}
    if isinstance(payload, Tags):
        places = zip(each.content.tokens, payload.tags, strict=True)
        return {(start, end, tag) for (start, end), tag in places if tag is not None}
    return set()


def _scored(
    analysis: Analysis, names: Sequence[str], sides: Sequence[dict[str, Floats]], held: Sequence[int]
) -> tuple[Slice, ...]:
    if not names:
        return ()
    aggregate = get_task(analysis.task).aggregate
    groups = analysis.judgement.groups
    difference, low, high = paired_bootstrap(sides[0], sides[1], aggregate, groups)
    a, b = (score(side, aggregate) for side in sides)
    units = _units(sides[0], groups)
    return tuple(
        Slice(
            name,
            held[index],
            float(a[index]),
            float(b[index]),
            float(difference[index]),
            float(low[index]) if units[index] > 1 else None,
            float(high[index]) if units[index] > 1 else None,
        )
        for index, name in enumerate(names)
    )


def _units(side: dict[str, Floats], groups: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """How many documents (or examples) each part has."""
    held = np.stack(list(grouped(side, groups).values())).any(axis=0)
    return np.asarray(held.sum(axis=0))
