"""What becomes of labels and predictions when the label set changes: names, or single words, get other names.

>>> merge = Relabeling({"GPE": "LOC", "FAC": "LOC"})
>>> relabel(Spans((Span(0, 5, "GPE"),)), ExampleText("Paris", ((0, 5),)), merge).payload
Spans(spans=(Span(start=0, end=5, label='LOC'),), partial=False)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from workbench.domain import ExampleText, Payload, Prediction, Span, Spans, Tags

Namer = Callable[[str, str], str | None]
"""The new name of a label on a surface; None takes the label away."""


@dataclass(frozen=True, slots=True)
class Relabeling:
    """Which label becomes which.

    Attributes:
        names: The new name of each label that changes; None where a person has to say (only words with a rule of
            their own in ``surfaces`` change by themselves).
        surfaces: By label, the new name where it stands on these words (whatever their case, spaces as one).
    """

    names: Mapping[str, str | None] = field(default_factory=lambda: MappingProxyType({}))
    surfaces: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))

    def name(self, label: str, surface: str) -> str | None:
        """The new name of a label on these words; its own where nothing changes, None where nobody can say."""
        rules = self.surfaces.get(label)
        if rules:
            ruled = rules.get(folded(surface))
            if ruled is not None:
                return ruled
        return self.names.get(label, label)

    def results(self, label: str) -> tuple[str, ...]:
        """Every name that may come of a label."""
        ruled = self.surfaces.get(label, {}).values()
        rest = self.names.get(label, label)
        return tuple(dict.fromkeys([*([rest] if rest is not None else []), *ruled]))


@dataclass(frozen=True, slots=True)
class Relabeled:
    """A payload under the new names.

    Attributes:
        payload: Uses that nobody can decide keep their old name.
        changed: Spans or tags with a new name.
        undecided: Spans or tags that a person has to decide.
    """

    payload: Payload
    changed: int = 0
    undecided: int = 0


def folded(surface: str) -> str:
    """Words as rules compare them: without their case, each white space one blank."""
    return " ".join(surface.casefold().split())


def relabel(payload: Payload, content: ExampleText, rules: Relabeling) -> Relabeled:
    """The payload under the new names; what is not touched is equal to before."""
    changed = undecided = 0

    def name(label: str, surface: str) -> str:
        nonlocal changed, undecided
        new = rules.name(label, surface)
        if new is None:
            undecided += 1
            return label
        changed += new != label
        return new

    return Relabeled(_renamed(payload, content, name), changed, undecided)


def relabel_prediction(prediction: Prediction, content: ExampleText, name: Namer) -> Prediction:
    """A prediction under other names; what ``name`` gives None for is taken away (a span) or left open (a tag)."""
    payload, confidences = prediction.payload, prediction.confidences
    if isinstance(payload, Spans):
        named = [name(span.label, content.text[span.start : span.end]) for span in payload.spans]
        confidences = tuple(value for value, new in zip(confidences, named, strict=False) if new is not None)
    alternatives = prediction.alternatives
    if isinstance(payload, (Spans, Tags)) and len(alternatives) == len(content.tokens):
        alternatives = tuple(
            _merged(options, word, name) for options, word in zip(alternatives, content.words, strict=True)
        )
    return replace(
        prediction,
        payload=_renamed(payload, content, name),
        confidences=confidences,
        alternatives=alternatives,
    )


def _renamed(payload: Payload, content: ExampleText, name: Namer) -> Payload:
    if isinstance(payload, Spans):
        named = ((span, name(span.label, content.text[span.start : span.end])) for span in payload.spans)
        spans = tuple(Span(span.start, span.end, new) for span, new in named if new is not None)
        return replace(payload, spans=spans)
    if isinstance(payload, Tags):
        pairs = zip(payload.tags, content.words, strict=True)
        return Tags(tuple(None if tag is None else name(tag, word) for tag, word in pairs))
    return payload


def _merged(options: Any, word: str, name: Namer) -> tuple[tuple[str, float], ...]:
    """Alternatives of a token, the probabilities of labels that are one label now added up."""
    total: dict[str, float] = {}
    for label, probability in options:
        new = label if label == "O" else name(label, word)
        if new is not None:
            total[new] = total.get(new, 0.0) + probability
    return tuple(sorted(total.items(), key=lambda pair: -pair[1]))
