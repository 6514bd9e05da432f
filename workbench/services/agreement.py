"""Do people agree? Figures over what several people said of the same examples, with the examples behind each.

Every comparison is of what each person says now (their newest revision), of accepted labels alone, and of people
alone: files, simulated annotators and models don't take part. Partial labels are compared where they speak (see
``tasks.partial``); beside labels of the whole text they are never "the very same".
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import combinations

from workbench.domain import (
    Annotation,
    Answers,
    Example,
    ExampleText,
    Payload,
    Project,
    Spans,
    Tags,
    is_partial,
)
from workbench.evidence.agreement import Shared, fleiss_kappa, krippendorff_alpha, shared
from workbench.evidence.stability import kappa
from workbench.storage.kept import Kept
from workbench.storage.store import Store, Transaction
from workbench.tasks import common_ground
from workbench.tasks.schemes import OUTSIDE, tags_of
from workbench.tasks.squad import best_of
from workbench.tasks.tagging import to_token_spans

MOST_EXAMPLES = 20_000
"""Newest examples that figures are made of; more would say the same and take long."""

KEPT = 2
"""Measurements that are kept until somebody says something; each holds the texts of its examples."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How far two or more people agree, where they labeled the same.

    Attributes:
        examples: How many examples two of them labeled.
        f1: Named entities: of the same span with the same label. Tags: of the same tag. Answers: of the words in
            common, the mean over pairs. 0..1, None where nobody set anything.
        exact: Share of the comparisons in which both said the very same, 0..1; answers after normalisation.
        kappa: Cohen's kappa over tokens, of a pair; None for more people, for answers, or where it is not defined.
        fleiss: Fleiss' kappa over the tokens that as many people labeled as most were; else as ``kappa``.
        fleiss_people: How many people that are.
        alpha: Krippendorff's alpha over tokens, whoever labeled them; else as ``kappa``.
    """

    examples: int
    f1: float | None
    exact: float | None
    kappa: float | None = None
    fleiss: float | None = None
    fleiss_people: int = 0
    alpha: float | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One example that several people labeled.

    Attributes:
        example: The example.
        said: What each says now, by name.
        f1: The mean over pairs, 0..1; 1 where all of them set nothing.
        same: Whether all say the very same.
    """

    example: Example
    said: Mapping[str, Annotation]
    f1: float
    same: bool

    def differ(self, first: str, second: str) -> bool:
        """Whether two of them do not say the very same."""
        one, two = self.said[first].payload, self.said[second].payload
        return one is None or two is None or not alike(one, two, self.example.content)


@dataclass(frozen=True, slots=True)
class Agreement:
    """All figures of a project.

    Attributes:
        overall: Of everybody.
        pairs: Of each two people who labeled the same examples, by their names.
        labels: Of each label: F1 over spans or tags of it alone; empty for answers.
        weeks: By the Monday of the week in which the later of each two was said.
        cases: The examples, those least agreed on first.
        left_out: Older examples that the figures leave out.
    """

    overall: Figures
    pairs: Mapping[tuple[str, str], Figures]
    labels: Mapping[str, Shared]
    weeks: Mapping[date, Figures]
    cases: tuple[Case, ...]
    left_out: int = 0

    def of_pair(self, first: str, second: str) -> list[Case]:
        """The examples that both labeled and not alike, those least agreed on first."""
        return [
            one
            for one in self.cases
            if first in one.said and second in one.said and one.differ(first, second)
        ]


class AgreementService:
    """Compare what people said."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept = Kept(KEPT)

    def measure(self, project: Project, *, batch_id: int | None = None) -> Agreement:
        """Every figure over the examples that two or more people have labeled.

        Args:
            project: The project.
            batch_id: Only what was said in answer to this batch.
        """
        with self._store.read() as tx:
            stamp = (tx.work_numbers.stamp(), tx.models.gold_stamp(), tx.sizes.stamp(project.id))
            return self._kept.get((project.id, batch_id), stamp, partial(_measured, tx, project, batch_id))


def _measured(tx: Transaction, project: Project, batch_id: int | None) -> Agreement:
    said = tx.annotations.said_by_several(project.id, batch_id=batch_id)
    newest = sorted(said, reverse=True)[:MOST_EXAMPLES]
    examples = {example.id: example for example in tx.examples.by_ids(newest)}
    cases = [make_case(examples[one], said[one]) for one in newest if one in examples]
    return measure(cases, left_out=len(said) - len(cases))


def measure(cases: Sequence[Case], *, left_out: int = 0) -> Agreement:
    """Every figure over these examples."""
    pairs: dict[tuple[str, str], list[_Pair]] = defaultdict(list)
    weeks: dict[date, list[_Pair]] = defaultdict(list)
    labels: dict[str, Shared] = defaultdict(Shared)
    everything: list[_Pair] = []
    for case in cases:
        for pair in _pairs(case):
            pairs[pair.names].append(pair)
            weeks[pair.week].append(pair)
            everything.append(pair)
            for label, count in pair.by_label().items():
                labels[label] += count
    tokens = [unit for case in cases for unit in _units(case)]
    fleiss, people = _fleiss(tokens)
    whole = _figures(everything, len(cases))
    return Agreement(
        overall=Figures(
            whole.examples, whole.f1, whole.exact, None, fleiss, people, krippendorff_alpha(tokens)
        ),
        pairs={names: _with_kappa(found) for names, found in sorted(pairs.items())},
        labels=dict(sorted(labels.items())),
        weeks={
            week: _figures(found, len({one.case.example.id for one in found}))
            for week, found in sorted(weeks.items())
        },
        cases=tuple(sorted(cases, key=lambda one: (one.f1, one.same, one.example.position))),
        left_out=left_out,
    )


# --- one example ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two people on one example, in the order of their names."""

    case: Case
    names: tuple[str, str]

    @property
    def payloads(self) -> tuple[Payload, Payload]:
        first, second = (self.case.said[name].payload for name in self.names)
        assert first is not None and second is not None  # accepted revisions have one
        return first, second

    @property
    def week(self) -> date:
        later = max(self.case.said[name].created_at for name in self.names).date()
        return later - timedelta(days=later.weekday())

    def by_label(self) -> dict[str, Shared]:
        first, second = map(marks, common_ground(*self.payloads))
        found = {}
        for label in {mark[-1] for mark in (*first, *second)}:
            found[label] = shared(
                [mark for mark in first if mark[-1] == label], [mark for mark in second if mark[-1] == label]
            )
        return found


def make_case(example: Example, said: Mapping[str, Annotation]) -> Case:
    """What people say of an example, and how far they agree; of one person or none it is by 1."""
    payloads = [one.payload for one in said.values() if one.payload is not None]
    scores = [likeness(one, two, example.content) for one, two in combinations(payloads, 2)]
    same = all(alike(payloads[0], other, example.content) for other in payloads[1:])
    return Case(example, said, sum(scores) / len(scores) if scores else 1.0, same)


def _pairs(case: Case) -> Iterator[_Pair]:
    for first, second in combinations(sorted(case.said), 2):
        yield _Pair(case, (first, second))


def marks(payload: Payload) -> list[tuple[int, int, str]]:
    """What somebody set: (start, end, label) of spans, (token, token, tag) of tags; nothing for answers."""
    if isinstance(payload, Spans):
        return [(span.start, span.end, span.label) for span in payload.spans]
    if isinstance(payload, Tags):
        return [(place, place, tag) for place, tag in enumerate(payload.tags) if tag is not None]
    return []


def likeness(first: Payload, second: Payload, content: ExampleText) -> float:
    """F1 of two people on one example, 0..1; 1 where neither set anything."""
    if isinstance(first, Answers) and isinstance(second, Answers):
        there, back = _answers(first, second, content), _answers(second, first, content)
        return (there[1] + back[1]) / 2
    found = shared(*map(marks, common_ground(first, second))).f1
    return 1.0 if found is None else found


def alike(first: Payload, second: Payload, content: ExampleText) -> bool:
    """Whether two people say the very same; of answers, after normalisation."""
    if isinstance(first, Answers) and isinstance(second, Answers):
        return _answers(first, second, content)[0] == _answers(second, first, content)[0] == 1.0
    return is_partial(first) == is_partial(second) and sorted(marks(first)) == sorted(marks(second))


def _answers(said: Answers, held: Answers, content: ExampleText) -> tuple[float, float]:
    """Exact match and F1 of one person's answers, each against the best of the other's; the mean over them."""
    given, known = ([content.text[one.start : one.end] for one in each.answers] for each in (said, held))
    scores = [best_of(text, known) for text in given or [""]]
    return sum(exact for exact, _ in scores) / len(scores), sum(f1 for _, f1 in scores) / len(scores)


def token_labels(payload: Payload, content: ExampleText) -> list[Hashable | None]:
    """What somebody says of each token: its IOB2 tag, or its part of speech (None: nothing); empty for answers."""
    if isinstance(payload, Spans):
        tags = tags_of(to_token_spans(payload.spans, content), len(content.tokens))
        return [None if payload.partial and tag == OUTSIDE else tag for tag in tags]
    if isinstance(payload, Tags):
        return list(payload.tags)
    return []


def _units(case: Case) -> Iterable[tuple[Hashable | None, ...]]:
    """What each person says of each token."""
    return zip(
        *(token_labels(one.payload, case.example.content) for one in case.said.values() if one.payload),
        strict=True,
    )


# --- many examples --------------------------------------------------------------------------------------


def _figures(pairs: Sequence[_Pair], examples: int) -> Figures:
    if not pairs:
        return Figures(examples, None, None)
    asks = isinstance(pairs[0].payloads[0], Answers)
    exact = _mean(alike(*pair.payloads, pair.case.example.content) for pair in pairs)
    if asks:
        return Figures(
            examples, _mean(likeness(*pair.payloads, pair.case.example.content) for pair in pairs), exact
        )
    total = sum((shared(*map(marks, common_ground(*pair.payloads))) for pair in pairs), Shared())
    return Figures(examples, total.f1, exact)


def _with_kappa(pairs: Sequence[_Pair]) -> Figures:
    plain = _figures(pairs, len(pairs))
    both = [
        labels
        for pair in pairs
        for labels in zip(
            *(token_labels(payload, pair.case.example.content) for payload in pair.payloads), strict=True
        )
        if None not in labels
    ]
    found = kappa([one for one, _ in both], [two for _, two in both]) if both else None
    return Figures(plain.examples, plain.f1, plain.exact, kappa=found)


def _fleiss(units: Sequence[Sequence[Hashable | None]]) -> tuple[float | None, int]:
    """Fleiss' kappa over the units of the commonest number of values, and that number."""
    said = [[value for value in unit if value is not None] for unit in units]
    sizes = Counter(len(values) for values in said if len(values) > 1)
    if not sizes:
        return None, 0
    people = max(sizes, key=lambda size: (sizes[size], size))
    chosen = [Counter(values) for values in said if len(values) == people]
    categories = list(dict.fromkeys(value for one in chosen for value in one))
    return fleiss_kappa([[one[category] for category in categories] for one in chosen]), people


def _mean(values: Iterable[float]) -> float:
    found = [float(value) for value in values]
    return sum(found) / len(found)
